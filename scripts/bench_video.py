"""Benchmarks the video pipeline: files to records, records to examples, batches on all cores.

    python scripts/bench_video.py jhmdb_video --data-dir data --split official1_train --raw JHMDB
    python scripts/bench_video.py ucf101 --data-dir data --size 224 --frames 16

Frames per core are per second of processor time, so that other programs change little; wall time is
printed too. Where batches cost no more processor time per frame than examples alone, the number of
cores is the limit. A frame that a short clip repeats counts every time.
"""

import argparse
import itertools
import os
import time
from collections.abc import Callable
from pathlib import Path

from jaxact.cli.command import quiet_libraries


def show(what: str, work: Callable[[], int]) -> None:
    """Prints the frames per second of `work`, which returns the number of frames."""
    clock, processor = time.perf_counter(), time.process_time()
    frames = work()
    processor, clock = time.process_time() - processor, time.perf_counter() - clock
    print(
        f"{what:20s}{frames / processor:8.0f} frames/s per core, {frames / clock:8.0f} in wall time"
    )


def main() -> None:
    """Prints a line for each stage."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("name", help="a prepared set of videos")
    parser.add_argument("--data-dir", default="")
    parser.add_argument("--split", default="all")
    parser.add_argument("--raw", help="also decode this folder's video files")
    parser.add_argument("--frames", type=int, default=40)
    parser.add_argument("--size", type=int, default=299)
    parser.add_argument("--clips", type=int, default=64, help="clips per measurement")
    options = parser.parse_args()

    quiet_libraries()  # before TensorFlow starts
    import numpy as np

    from jaxact.datasets import dataset_info, records
    from jaxact.datasets.formats import video_encoding
    from jaxact.datasets.preparation.video_builder import video_files
    from jaxact.pipeline import batches, video

    info = dataset_info.load(options.name, options.data_dir)
    clip = {"frames": options.frames, "height": options.size, "width": options.size, "views": 1}
    clip |= {"sampling": "uniform", "fit": "stretch", "stream": "rgb", "motion": "recorded"}
    fields = video.fields(clip, stored=records.fields(info), dataset=info.name)
    data = records.records(info, options.split, fields=fields).take(options.clips).cache()
    jpegs = [len(jpeg) for record in data.as_numpy_iterator() for jpeg in record["frames"]]
    frames = f"{len(jpegs)} frames of {np.mean(jpegs):.0f} bytes"
    print(f"{options.clips} clips, {frames}, {os.cpu_count()} cores")

    if options.raw:
        paths = list(map(str, video_files(Path(options.raw), "videos")[: options.clips]))
        show(
            "file to JPEG",
            lambda: sum(len(video_encoding.encode(path, short_side=256).frames) for path in paths),
        )

    pictures = data.map(lambda record: video.decode_frames(record["frames"], stream="rgb"))
    show("JPEG to pixels", lambda: sum(map(len, pictures)))

    examples = data.map(lambda record: video.evaluate(record, **clip)["inputs"][0])
    show("record to example", lambda: sum(map(len, examples)))

    rows, plain = 4, {"crop": 1.0, "mirror": False}
    source = batches.train_batches(
        info, split=options.split, batch_size=rows, seed=0, clip=clip, augment=plain
    )
    steps = max(2, options.clips // rows)
    next(source)
    show(
        "training batches",
        lambda: rows * options.frames * sum(1 for _ in itertools.islice(source, steps)),
    )


if __name__ == "__main__":
    main()
