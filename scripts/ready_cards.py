"""What `ready_networks.py` trains, and what the model card of each network states."""

import dataclasses
import statistics
from collections.abc import Mapping, Sequence
from typing import Any

from jaxact.runs.ready_networks import describe_accuracy

HARDEST = 5  # classes that the card names


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """How a network is made, and the parts of its card that no run knows.

    Attributes:
        dataset: name in `jaxact prepare`.
        config: config file and its argument.
        overrides: options that differ from the config.
        layout: joint layout to which estimated poses are converted; "" for that of the data set.
        inputs: arguments of the script that name the raw data.
        title: what the network recognises.
        protocol: data, training half and test half, in a few words.
        example: a command that uses the network.
        data: the data set, its owners and their citation.
        terms: terms of the data and of the weights.
        training: how the recipe was chosen.
        limits: what it cannot do.
    """

    dataset: str
    config: str
    overrides: tuple[str, ...] = ()
    layout: str = ""
    inputs: str = ""
    title: str
    protocol: str
    example: str
    data: str
    terms: str
    training: str
    limits: tuple[str, ...]


RECIPES = {
    "utd27-kinect": Recipe(
        dataset="utd_mhad",
        config="configs/stgcn.py:utd_mhad",
        overrides=("--config.model.width=16", "--config.epochs=80"),
        inputs="--raw UTD-MHAD/Skeleton",
        title="ST-GCN for 27 actions of one person, from the 20 joints of a Kinect v1",
        protocol="UTD-MHAD, odd subjects train, even subjects test",
        example="jaxact predict --checkpoint ready:utd27-kinect clip.npy",
        data="UTD-MHAD: 861 clips of 27 actions by 8 subjects. Chen, Jafari and Kehtarnavaz, "
        '"UTD-MHAD: A multimodal dataset for human action recognition utilizing a depth camera and '
        'a wearable inertial sensor", ICIP 2015, https://personal.utdallas.edu/~kehtar/UTD-MHAD.html',
        terms='The owners call the data "freely available" and a "public domain dataset". The '
        "weights are released under Apache-2.0, like jaxact.",
        training="The recipe was first compared on test clips and later on people held out of the "
        "training half, so the accuracy is slightly optimistic.",
        limits=(
            "Joints must be in the layout kinect-20: metres, y up, the order of UTD-MHAD. 2-D "
            "poses and other sensors are not supported.",
            "All clips show one person who faces the sensor and performs one action from beginning "
            "to end. There is no class for anything else: the network names one of the 27 actions "
            "for any input.",
            "Eight subjects took part, and four of them are in the training half. Other people, "
            "distances and views were not measured.",
        ),
    ),
    "jhmdb21-body14": Recipe(
        dataset="jhmdb_detected",
        config="configs/stgcn.py:jhmdb_detected",
        layout="body-14",
        inputs="--raw JHMDB --pose mediapipe:pose_landmarker_full.task",
        title="ST-GCN for 21 everyday and sports actions of one person in a video, from 14 joints "
        "of a pose estimator",
        protocol="JHMDB, official split 1, joints by MediaPipe's full Pose Landmarker (threshold "
        "0.2, one person)",
        example="jaxact stream 0 --pose mediapipe:pose_landmarker_full.task --recogniser "
        "ready:jhmdb21-body14",
        data="JHMDB: 928 clips of 21 classes, cut from HMDB51. Jhuang, Gall, Zuffi, Schmid and "
        'Black, "Towards understanding action recognition", ICCV 2013, http://jhmdb.is.tue.mpg.de. '
        'Kuehne, Jhuang, Garrote, Poggio and Serre, "HMDB: A large video database for human motion '
        'recognition", ICCV 2011. Joints were detected by MediaPipe; no marked joint was used.',
        terms="The owners of HMDB51 release its clips under CC BY 4.0; the footage is from films "
        "and the web. Changes: joints were estimated in the clips, and a network was trained on "
        "them. The package holds no clip; the inputs of the certificate are joints. MediaPipe's "
        "model is under Apache-2.0. The weights are released under Apache-2.0, like jaxact.",
        training="The recipe was chosen on clips held out of the training half, whole source "
        "videos at a time; no test clip was used.",
        limits=(
            "Clips of JHMDB last 0.5 to 1.3 seconds and show one action. There is no class for "
            "anything else: the network names one of the 21 classes for any movement.",
            "About half of the test clips are misclassified: treat the label as a guess, and look "
            "at the probabilities.",
            "It was trained on the joints of one estimator, with its gaps and errors. Joints of "
            "other estimators were not measured. Objects are not seen: actions that differ by an "
            "object are confused.",
            "The people and scenes are those of films and web videos. Differences between groups "
            "of people were not measured.",
            "Joints must be in the layout body-14: x and y in 0..1 of the picture, y down, and a "
            "score. `jaxact stream`, `serve` and `predict` convert those of a pose estimator.",
        ),
    ),
    "synthetic12": Recipe(
        dataset="synthetic_actions",
        config="configs/stgcn.py:synthetic_actions",
        title="ST-GCN for twelve generated actions, from the 25 joints of a Kinect v2",
        protocol="synthetic_actions, subjects 1-16 of 24 train, 17-24 test",
        example="jaxact predict --checkpoint ready:synthetic12 clip.npy",
        data="synthetic_actions: 1152 generated clips of 24 simulated people. No person was "
        "recorded.",
        terms="Generated by jaxact. Data and weights are released under Apache-2.0, like jaxact.",
        training="The recipe is that of `jaxact quickstart`. It was not tuned.",
        limits=(
            "It is for tests, examples and first steps. It has seen no real person: do not use it "
            "to recognise real actions.",
            "Joints must be in the layout ntu-25, in metres, y up.",
        ),
    ),
}


def write(
    recipe: Recipe,
    values: Mapping[str, Any],
    reports: Sequence[Mapping[str, Any]],
    classes: Sequence[Mapping[str, str]],
) -> str:
    """The model card in Markdown.

    Args:
        recipe: of the network.
        values: the content of its `network.json`.
        reports: the evaluation of each seed, the packaged one first.
        classes: rows of the packaged network's `per_class.csv`.
    """
    name = values["name"]
    sections = {
        "Use": _fenced(recipe.example)
        + f'\n\nIn Python: `jaxact.load("ready:{name}").predict(joints).top(5)`.',
        "Input": _input(values["run"]),
        "Classes": ", ".join(values["run"]["labels"]) + ".",
        "Data": recipe.data,
        "Terms": recipe.terms,
        "Protocol": f"{recipe.protocol[0].upper()}{recipe.protocol[1:]}. "
        f"The last checkpoint of each run was evaluated. {recipe.training}",
        "Accuracy": _accuracy(values, reports, classes),
        "Made by": _fenced(_command(name, recipe, values["accuracy"]["seeds"])),
        "Limits": "\n".join(f"- {limit}" for limit in recipe.limits),
        "Certificate": "`certificate.json` states the largest difference between the logits of "
        "these files and those of the training run, on the clips of `certificate.safetensors`. "
        f"`jaxact models {name} --verify` repeats the comparison.",
    }
    parts = [f"# {name}", f"{recipe.title}."]
    for title, text in sections.items():
        parts += [f"## {title}", text]
    return "\n\n".join(parts) + "\n"


def _fenced(command: str) -> str:
    return f"```bash\n{command}\n```"


def _input(run: Mapping[str, Any]) -> str:
    clip, layout = run["config"]["clip"], run["layout"]
    people = "one person" if clip["persons"] == 1 else f"{clip['persons']} people"
    return (
        f"Joints of {people} in the layout {layout['name']} ({len(layout['joints'])} joints), "
        f"channels {', '.join(run['channels'])}. Clips of any length become {clip['frames']} "
        f"frames (sampling {clip['sampling']}); a joint of zeros is missing. `network.json` holds "
        "every option of the preprocessing."
    )


def _accuracy(
    values: Mapping[str, Any],
    reports: Sequence[Mapping[str, Any]],
    classes: Sequence[Mapping[str, str]],
) -> str:
    accuracy = values["accuracy"]
    seeds = ", ".join(f"{100 * top1:.2f} %" for top1 in accuracy["top1"])
    top5 = statistics.mean(report["top5"] for report in reports)
    incomplete = [row for row in classes if float(row["recall"]) < 1]
    hardest = sorted(incomplete, key=lambda row: float(row["recall"]))[:HARDEST]
    named = ", ".join(f"{row['class']} ({100 * float(row['recall']):.0f} %)" for row in hardest)
    return (
        f"Top-1 {describe_accuracy(accuracy['top1'])} on {accuracy['clips']} clips, "
        f"top-5 {100 * top5:.1f} %. Seeds {', '.join(map(str, accuracy['seeds']))}: {seeds}. "
        f"This network is the one of seed {accuracy['seeds'][0]}, {seeds.split(', ')[0]}. "
        f"Its lowest recalls: {named or 'none below 100 %'}."
    )


def _command(name: str, recipe: Recipe, seeds: Sequence[int]) -> str:
    words = ["python scripts/ready_networks.py", name, recipe.inputs, "--data-dir data"]
    words += [f"--out runs/{name}", f"--seeds {','.join(map(str, seeds))}"]
    return " ".join(word for word in words if word)
