"""Accuracy of a network as a stream: after 25, 50, 75 and 100 % of the frames of each test clip.

    python scripts/stream_accuracy.py --checkpoint runs/online --data-dir data
    python scripts/stream_accuracy.py --checkpoint runs/online --every 2           # half the rate
    python scripts/stream_accuracy.py --checkpoint runs/online --joined --window-seconds 1,2,4

The stored poses of each clip of the evaluation split are fed frame by frame. Poses in shares of the
picture, in a layout that streams take, go through tracking, ranking, windows and smoothing, as in
`jaxact stream`; other records go to the network's windows directly. The prediction is that of the
highest ranked person. A clip in which nobody was found counts as wrong.

With `--joined` the clips follow one another in one stream without a cut of the tracks, as actions
do in front of a camera: the window at the end of a clip may hold the end of the clip before. The
table then shows which length of the window suits a continuous stream.
"""

import argparse
import dataclasses
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from jaxact.datasets import dataset_info, records
from jaxact.runs import trained_model
from jaxact.streaming import online_classifier
from jaxact.streaming.frame import Frame
from jaxact.streaming.openpose_source import LAYOUTS
from jaxact.streaming.preprocessing import POSE_CHANNELS, PosePreprocessor
from jaxact.streaming.processor import StreamProcessor
from jaxact.streaming.smoothing import smooth

SHARES = (0.25, 0.5, 0.75, 1.0)

Clip = tuple[Float[np.ndarray, "t n v c"], int]
Labels = list[int | None]  # the most probable class after each frame


class StreamedNetwork:
    """A network that reads clips as streams of stored poses."""

    def __init__(
        self,
        net: trained_model.TrainedModel,
        *,
        seconds: float | None,
        keep: float,
        fps: float,
        carry: bool,
    ) -> None:
        """Builds the classifier.

        Args:
            net: the network.
            seconds: length of the window; None takes the run's.
            keep: weight of the running average of probabilities after 1/30 s.
            fps: frames per second of the stored poses.
            carry: whether a recogniser carries its state.
        """
        self.preprocessor = PosePreprocessor(
            net.layout, net.channels, dataclasses.asdict(net.config.clip)
        )
        self.classifier = online_classifier.build(
            net, self.preprocessor, carry=carry, seconds=seconds
        )
        self.tracks = net.channels == POSE_CHANNELS and net.layout.name in LAYOUTS.values()
        self._keep, self._fps, self._frames = keep, fps, 0
        self._pairs = net.config.clip.persons == 2
        self.restart()

    def restart(self) -> None:
        """Drops everything that was read so far."""
        self.classifier.keep_only(())
        self._previous = None
        self._processor = StreamProcessor(
            classifier=self.classifier,
            preprocessor=self.preprocessor,
            pairs=self._pairs,
            keep=self._keep,
        )

    def labels(self, joints: Float[np.ndarray, "t n v c"]) -> Labels:
        """The most probable class after each frame; None before anybody was found."""
        read = self._track if self.tracks else self._classify
        labels: Labels = []
        last = None
        for frame in joints:
            time = self._frames / self._fps
            self._frames += 1
            label = read(frame, time)
            if label is not None:
                last = label
            labels.append(last)
        return labels

    def _track(self, joints: Float[np.ndarray, "n v 3"], time: float) -> int | None:
        """Reads a frame as `jaxact stream` does; None where the first person is out of sight."""
        visible = joints[(joints[..., 2] > 0).any(axis=1)]
        result = self._processor.process(Frame(self._frames, time, poses=visible))
        for person in result.people:
            if person.id == result.ranked[0] and person.prediction is not None:
                return int(np.argmax(person.prediction.probabilities))
        return None

    def _classify(self, joints: Float[np.ndarray, "n v c"], time: float) -> int | None:
        """Reads a frame of the people in their slots of the record, without tracking."""
        slots = 2 if self._pairs and len(joints) > 1 else 1
        group = tuple(range(slots))
        people = dict(zip(group, joints, strict=False))
        probabilities = self.classifier.step(time, people, [group])[group]
        self._previous = smooth(self._previous, probabilities, keep=self._keep ** (30 / self._fps))
        return int(np.argmax(self._previous.probabilities))


def read_clips(net: trained_model.TrainedModel, options: argparse.Namespace) -> Iterator[Clip]:
    """The joints and the label of each clip of the split, with every n-th frame."""
    data = net.config.data
    info = dataset_info.load(data.name, options.data_dir or data.data_dir)
    split = options.split or data.eval_split
    for number, record in enumerate(records.records(info, split).as_numpy_iterator()):
        if number == options.clips:
            return
        yield record["joints"][:: options.every], int(record["label"])


def accuracy(
    network: StreamedNetwork, clips: list[Clip], *, joined: bool
) -> Float[np.ndarray, " shares"]:
    """Share of the clips whose label is right after each of `SHARES`, in %."""
    right = np.zeros(len(SHARES))
    for joints, label in clips:
        if not joined:
            network.restart()
        labels = network.labels(joints)
        for index, share in enumerate(SHARES):
            frame = int(np.ceil(share * len(joints))) - 1
            right[index] += labels[frame] == label
    return 100 * right / len(clips)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--checkpoint", required=True, help="--workdir of a skeleton network's run")
    parser.add_argument("--data-dir", default="", help="default: the run's")
    parser.add_argument("--split", default="", help="default: the run's evaluation split")
    parser.add_argument("--clips", type=int, default=-1, help="number of clips (default: all)")
    parser.add_argument("--fps", type=float, default=30.0, help="of the records")
    parser.add_argument("--every", type=int, default=1, help="feeds every n-th frame")
    parser.add_argument("--window-seconds", default="", help="one or several, such as 1,2")
    parser.add_argument("--smooth", type=float, default=0.8)
    parser.add_argument("--carry", action="store_true")
    parser.add_argument("--joined", action="store_true", help="one stream of all clips")
    parser.add_argument("--out", help="writes a JSON file")
    options = parser.parse_args()
    net = trained_model.load(options.checkpoint)
    clips = list(read_clips(net, options))
    lengths: list[float | None] = [None]
    if options.window_seconds:
        lengths = [float(text) for text in options.window_seconds.split(",")]
    rows: list[dict[str, Any]] = []
    for seconds in lengths:
        network = StreamedNetwork(
            net,
            seconds=seconds,
            keep=options.smooth,
            fps=options.fps / options.every,
            carry=options.carry,
        )
        percents = accuracy(network, clips, joined=options.joined)
        row = {"window_seconds": seconds, "clips": len(clips)}
        for share, percent in zip(SHARES, percents, strict=True):
            row[f"{100 * share:.0f} %"] = round(float(percent), 2)
        rows.append(row)
        print(json.dumps(row), flush=True)
    if options.out:
        Path(options.out).write_text(json.dumps({**vars(options), "rows": rows}, indent=1))


if __name__ == "__main__":
    main()
