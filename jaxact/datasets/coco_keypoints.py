"""COCO keypoints (Lin et al., ECCV 2014): pictures with people and seventeen joints of each."""

import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow_datasets as tfds

from jaxact.datasets.formats.json_file import load_json
from jaxact.datasets.preparation.builder import (
    RawClip,
    RawDataset,
    Record,
    compressed_tensor,
    matching_files,
)
from jaxact.datasets.preparation.picture_builder import (
    CHANNELS,
    PictureBuilder,
    find_pictures,
    jpeg_size,
    picture_record,
    segmentation_mask,
)
from jaxact.errors import UserError
from jaxact.skeletons import get_layout

_FILE = re.compile(r"person_keypoints_(\w+)\.json")
HALVES = {"train": "train", "val": "test"}
KEPT = ("keypoints", "area", "bbox", "iscrowd")


class CocoKeypoints(PictureBuilder):
    """COCO keypoints: the pictures with people; splits by their files' names, and `train` and
    `test` (val2017).

    Everybody is there, also crowds and people without a marked joint, whose joints are zero; where
    these are is ignored in training. Areas, boxes and crowds are what the average precision needs.
    """

    EXPECTS = "annotations person_keypoints_{train,val}2017.json and the pictures that they name"
    LICENCE = "annotations CC BY 4.0; pictures from Flickr under their own terms"

    @classmethod
    def find(cls, raw: Path, *, layout: str | None = None) -> RawDataset:
        """One source per picture with people."""
        del layout
        sources, unions = [], defaultdict(list)
        for path in matching_files(raw, "person_keypoints_*.json", cls.EXPECTS):
            match = _FILE.fullmatch(path.name)
            if match is None:
                raise UserError(f"{str(path)!r} is not named person_keypoints_<split>.json")
            split = match[1]
            images, people = _read(path)
            lying = find_pictures(
                raw, [image["file_name"] for key, image in images.items() if key in people], path
            )
            for key, marked in people.items():
                name = images[key]["file_name"]
                facts = {"size": (images[key]["height"], images[key]["width"]), "people": marked}
                sources.append(
                    RawClip(f"{split}/{Path(name).stem}", str(lying[name]), split, 0, facts)
                )
            for half in {
                split,
                *(half for start, half in HALVES.items() if split.startswith(start)),
            }:
                unions[half].append(split)
        cells = {name: tuple(cells) for name, cells in unions.items()}
        shown = get_layout("coco-17")
        return RawDataset(
            sources=sources, labels=("person",), layout=shown, channels=CHANNELS, unions=cells
        )

    @staticmethod
    def parse(source: RawClip) -> Iterator[Record]:
        """One picture."""
        image, people, size = (
            Path(source.path).read_bytes(),
            source.facts["people"],
            source.facts["size"],
        )
        if jpeg_size(image, source.path) != tuple(size):
            raise UserError(
                f"{source.path!r} is of another size than the {size[1]} x {size[0]} of its annotations"
            )
        ignored = np.zeros(size, bool)
        for one in people:
            if "segmentation" in one:
                ignored |= segmentation_mask(one["segmentation"], size)
        joints, areas, boxes, crowd = ([one[name] for one in people] for name in KEPT)
        yield picture_record(
            source.id,
            source.label,
            image,
            size,
            np.array(joints, np.float64).reshape(-1, 17, 3),
            ignored,
            areas=np.array(areas, np.float32),
            boxes=np.array(boxes, np.float32).reshape(-1, 4),
            crowd=np.array(crowd, np.uint8),
        )

    @classmethod
    def extras(cls, found: RawDataset) -> dict[str, Any]:
        """Of each person in turn."""
        del found
        return {
            "areas": tfds.features.Tensor(
                shape=(None,), dtype=np.float32, doc="square pixels of the segmentation"
            ),
            "boxes": compressed_tensor((None, 4), np.float32, "m (x, y, width, height)"),
            "crowd": tfds.features.Tensor(
                shape=(None,), dtype=np.uint8, doc="1: a group, no single person"
            ),
        }


def _read(path: Path) -> tuple[dict[Any, Any], dict[Any, list[dict[str, Any]]]]:
    """The pictures by number, and what is marked in those with people; a segmentation only where it
    is ignored.
    """
    content = load_json(path)
    people: dict[Any, list[dict[str, Any]]] = defaultdict(list)
    try:
        images = {
            image["id"]: {name: image[name] for name in ("file_name", "height", "width")}
            for image in content["images"]
        }
        for one in content["annotations"]:
            marked = {name: one[name] for name in KEPT}
            if len(one["keypoints"]) != 51 or one["image_id"] not in images:
                raise KeyError(f"51 keypoint numbers and a picture of annotation {one.get('id')}")
            if one["iscrowd"] or not any(one["keypoints"][2::3]):
                marked["segmentation"] = one["segmentation"]
            people[one["image_id"]].append(marked)
    except (KeyError, TypeError) as error:
        raise UserError(
            f"{str(path)!r} is not a file of COCO keypoints: it lacks {error}"
        ) from error
    return images, dict(people)
