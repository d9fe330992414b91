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
PERSON_FIELDS = ("keypoints", "area", "bbox", "iscrowd")

Images = dict[Any, dict[str, Any]]
People = dict[Any, list[dict[str, Any]]]


class CocoKeypoints(PictureBuilder):
    """COCO keypoints: the pictures with people, in the splits of their files.

    `train` and `test` are train2017 and val2017. Every annotation is stored. Crowds and people
    without an annotated joint have zero joints, and training ignores their pixels. Average
    precision needs the areas, boxes and crowd flags.
    """

    EXPECTS = "annotations person_keypoints_{train,val}2017.json and the pictures that they name"
    LICENCE = "annotations CC BY 4.0; pictures from Flickr under their own terms"

    @classmethod
    def find(cls, raw: Path, *, layout: str | None = None) -> RawDataset:
        """One clip per picture with people."""
        del layout
        raw_clips: list[RawClip] = []
        unions: dict[str, tuple[str, ...]] = {}
        for path in matching_files(raw, "person_keypoints_*.json", cls.EXPECTS):
            match = _FILE.fullmatch(path.name)
            if match is None:
                raise UserError(f"{str(path)!r} is not named person_keypoints_<split>.json")
            split = match[1]
            raw_clips += _pictures_of_split(raw, path, split)
            names = [split]
            for prefix, half in HALVES.items():
                if split.startswith(prefix) and split != half:
                    names.append(half)
            for name in names:
                unions[name] = (*unions.get(name, ()), split)
        return RawDataset(
            clips=raw_clips,
            labels=("person",),
            layout=get_layout("coco-17"),
            channels=CHANNELS,
            unions=unions,
        )

    @staticmethod
    def parse(raw_clip: RawClip) -> Iterator[Record]:
        """One picture."""
        image = Path(raw_clip.path).read_bytes()
        people = raw_clip.facts["people"]
        size = raw_clip.facts["size"]
        if jpeg_size(image, raw_clip.path) != tuple(size):
            raise UserError(
                f"{raw_clip.path!r} is of another size than the {size[1]} x {size[0]} "
                "of its annotations"
            )
        ignored = np.zeros(size, bool)
        for person in people:
            if "segmentation" in person:
                ignored |= segmentation_mask(person["segmentation"], size)
        joints = [person["keypoints"] for person in people]
        areas = [person["area"] for person in people]
        boxes = [person["bbox"] for person in people]
        crowd = [person["iscrowd"] for person in people]
        yield picture_record(
            raw_clip.id,
            raw_clip.label,
            image,
            size,
            np.array(joints, np.float64).reshape(-1, 17, 3),
            ignored,
            areas=np.array(areas, np.float32),
            boxes=np.array(boxes, np.float32).reshape(-1, 4),
            crowd=np.array(crowd, np.uint8),
        )

    @classmethod
    def extras(cls, dataset: RawDataset) -> dict[str, Any]:
        """Area, box and crowd flag of each person."""
        del dataset
        return {
            "areas": tfds.features.Tensor(
                shape=(None,), dtype=np.float32, doc="square pixels of the segmentation"
            ),
            "boxes": compressed_tensor((None, 4), np.float32, "m (x, y, width, height)"),
            "crowd": tfds.features.Tensor(
                shape=(None,), dtype=np.uint8, doc="1: a group, no single person"
            ),
        }


def _pictures_of_split(raw: Path, annotation_file: Path, split: str) -> list[RawClip]:
    """The pictures with people of one annotation file."""
    images, people = _read(annotation_file)
    names = [image["file_name"] for key, image in images.items() if key in people]
    paths = find_pictures(raw, names, annotation_file)
    raw_clips = []
    for key, persons in people.items():
        image = images[key]
        name = image["file_name"]
        facts = {"size": (image["height"], image["width"]), "people": persons}
        raw_clips.append(RawClip(f"{split}/{Path(name).stem}", str(paths[name]), split, 0, facts))
    return raw_clips


def _read(path: Path) -> tuple[Images, People]:
    """Reads an annotation file.

    Returns:
        Name and size of each picture, and the people of each picture that has any, both by picture
        id. Only people whose pixels are ignored have a segmentation.
    """
    content = load_json(path)
    images: Images = {}
    people: People = defaultdict(list)
    try:
        for image in content["images"]:
            images[image["id"]] = {name: image[name] for name in ("file_name", "height", "width")}
        for annotation in content["annotations"]:
            person = {name: annotation[name] for name in PERSON_FIELDS}
            keypoints = annotation["keypoints"]
            if len(keypoints) != 51 or annotation["image_id"] not in images:
                raise KeyError(
                    f"51 keypoint numbers and a picture of annotation {annotation.get('id')}"
                )
            if annotation["iscrowd"] or not any(keypoints[2::3]):
                person["segmentation"] = annotation["segmentation"]
            people[annotation["image_id"]].append(person)
    except (KeyError, TypeError) as error:
        raise UserError(
            f"{str(path)!r} is not a file of COCO keypoints: it lacks {error}"
        ) from error
    return images, dict(people)
