"""What each command does. Imports come with the command, so that `jaxact --help` is instant."""

import argparse
import os
from typing import Any

from jaxact.errors import UserError, missing_extra


def quickstart(options: argparse.Namespace) -> None:
    """`jaxact quickstart`"""
    start_jax()
    from jaxact import quickstart

    quickstart.run(options.out)


def prepare(options: argparse.Namespace) -> None:
    """`jaxact prepare`"""
    _need_tensorflow("preparing data")
    from jaxact.datasets.prepare import prepare

    summary = prepare(
        f"{options.dataset}/{options.own_name}" if options.own_name else options.dataset,
        raw=options.raw,
        data_dir=options.data_dir,
        layout=options.layout,
        to_layout=options.to_layout,
        workers=options.workers,
        skip_bad=options.skip_bad,
        overwrite=options.overwrite,
        beam_options=options.beam_pipeline_options,
    )
    print(summary)


def check(options: argparse.Namespace) -> int:
    """`jaxact check`; 1 where there are errors in the data"""
    from jaxact import check

    corpus = check.open_corpus(options.data, data_dir=options.data_dir, raw=options.raw, layout=options.layout)
    report = check.check(corpus, ignore=[rule for rule in options.ignore.split(",") if rule])
    print(report)
    if options.out:
        report.write(options.out)
        drawn = check.draw_worst(report, corpus, os.path.join(options.out, "worst.png"))
        print(f"written to {options.out}{'' if drawn else '; no finding that can be drawn, so no picture'}")
    return 1 if report.count("error") else 0


def train(options: argparse.Namespace) -> None:
    """`jaxact train`"""
    from jaxact import config

    run = config.load(options.config, options.overrides)
    if options.data_dir:
        run.data.data_dir = options.data_dir
    _need_tensorflow("reading prepared data")
    start_jax()
    _start_processes(options)
    if options.streams:
        _train_streams(run, options)
        return
    from jaxact import train

    outcome = train.run(run, options.workdir)
    if outcome.stopped:
        print(f"stopped after step {outcome.step} and saved; the same command resumes there")
    else:
        last = f": top-1 {outcome.metrics['top1']:.2%} on {run.data.eval_split!r}" if outcome.metrics else ""
        print(f"finished {outcome.step} steps{last}; next: jaxact evaluate --checkpoint {options.workdir} --out DIR")


def _train_streams(run: Any, options: argparse.Namespace) -> None:
    from jaxact import ensemble

    found = ensemble.run(run, options.workdir, options.streams.split(","))
    if found is None:
        print("stopped and saved; the same command resumes there")
    else:
        _print_fused(found, os.path.join(options.workdir, "fused"))


def evaluate(options: argparse.Namespace) -> None:
    """`jaxact evaluate`"""
    _need_tensorflow("reading prepared data")
    start_jax()
    from jaxact import evaluate

    report = evaluate.run(
        options.checkpoint,
        out=options.out,
        split=options.split,
        subset=options.subset,
        data_dir=options.data_dir,
        step=options.step,
        how=options.select,
        batch_size=options.batch_size,
    )
    protocol = "" if report["protocol"] == "none" else f", protocol {report['protocol']}"
    print(
        f"{report['dataset']} {report['split']}{protocol}, {report['count']} clips, "
        f"step {report['step']} ({report['step_chosen']}): "
        f"top-1 {report['top1']:.2%}, top-5 {report['top5']:.2%}, mean class {report['mean_class']:.2%}, "
        f"loss {report['loss']:.4f}; written to {options.out}"
    )


def fuse(options: argparse.Namespace) -> None:
    """`jaxact fuse`"""
    from jaxact import fusion

    found = fusion.run(
        options.scores,
        out=options.out,
        weights=options.weights,
        kind=options.kind,
        search_on=options.search_on,
        oracle=options.oracle,
    )
    _print_fused(found, options.out)


def _print_fused(found: dict[str, Any], out: str) -> None:
    fused = found["fusion"]
    for system, top1, weight in zip(fused["systems"], fused["top1"], fused["weights"], strict=True):
        print(f"{top1:8.2%}  weight {weight:<5g} {system}")
    print(
        f"{found['top1']:8.2%}  fused ({fused['scores']}, weights {fused['weights_chosen']}), {found['count']} clips, "
        f"top-5 {found['top5']:.2%}, mean class {found['mean_class']:.2%}; written to {out}"
    )


def export(options: argparse.Namespace) -> None:
    """`jaxact export`"""
    start_jax()
    from jaxact import export

    meta = export.run(options.checkpoint, out=options.out, step=options.step, how=options.select)
    print(
        f"{options.out}: step {meta['step']}, input {meta['input']['shape']}, symbolic {meta['input']['symbolic']}, "
        f"largest difference {meta['parity']['max_relative_difference']:.1e} of the largest logit after reloading"
    )


def plot_curves(options: argparse.Namespace) -> None:
    """`jaxact plot curves`"""
    from jaxact.plots import training_curves

    training_curves(options.workdirs, options.out)
    print(options.out)


def plot_confusion(options: argparse.Namespace) -> None:
    """`jaxact plot confusion`"""
    from jaxact import report
    from jaxact.plots import confusion_matrix

    found = report.read(options.results)
    confusion_matrix(found.confusion, found.labels, options.out, title=found.title)
    print(options.out)


def plot_classes(options: argparse.Namespace) -> None:
    """`jaxact plot classes`"""
    from jaxact import report
    from jaxact.plots import per_class_bars

    found = report.read(options.results)
    per_class_bars(found.recall, found.labels, options.out, counts=found.confusion.sum(axis=1), title=found.title)
    print(options.out)


def plot_partition(options: argparse.Namespace) -> None:
    """`jaxact plot partition`"""
    from jaxact.plots import partition
    from jaxact.skeletons import get_layout

    partition(get_layout(options.layout), options.out)
    print(options.out)


def plot_clip(options: argparse.Namespace) -> None:
    """`jaxact plot clip`"""
    _need_tensorflow("reading prepared data")
    from jaxact.datasets import read
    from jaxact.plots import animation

    info = read.describe(options.dataset, options.data_dir)
    record = _record(info, options)
    title = f"{info.labels[record['label']]} ({record['id'].decode()})"
    animation(record["joints"], info.layout, options.out, fps=options.fps, title=title)
    print(options.out)


def plot_response(options: argparse.Namespace) -> None:
    """`jaxact plot response`"""
    _need_tensorflow("reading prepared data")
    start_jax()
    from jaxact import evaluate, plots, response, trained
    from jaxact.datasets import read

    net = trained.load(options.checkpoint, step=options.step, how=options.select)
    info = read.describe(net.config.data.name, options.data_dir or net.config.data.data_dir)
    evaluate.check_data(info, net)
    options.split = options.split or net.config.data.eval_split
    record = _record(info, options)
    found = response.respond(net, record)
    title = f"{net.labels[record['label']]} ({record['id'].decode()}), recognised as {found.predicted}"
    scores, fps = net.channels[-1] == "score", options.fps * found.rate
    plots.response(found.joints, found.strength, net.layout, options.out, fps=fps, title=title, scores=scores)
    print(options.out)


def quiet_libraries() -> None:
    """TensorFlow, TFDS and Orbax say only what went wrong."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")  # its only effect here is a notice at every start
    from absl import logging

    logging.set_verbosity(logging.ERROR)


def start_jax() -> None:
    """What must be set before JAX starts: page reuse on CPUs, and a cache of compiled programs."""
    from jaxact import allocator

    allocator.keep_pages()
    import jax

    if "JAX_COMPILATION_CACHE_DIR" not in os.environ:
        cache = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
        jax.config.update("jax_compilation_cache_dir", os.path.join(cache, "jaxact", "xla"))
        jax.config.update("jax_persistent_cache_min_compile_time_secs", 1.0)


def _start_processes(options: argparse.Namespace) -> None:
    given = (options.coordinator, options.processes, options.process)
    if options.distributed:
        import jax

        jax.distributed.initialize()
    elif any(value is not None for value in given):
        if None in given:
            raise UserError("several processes need all of --coordinator, --processes and --process (or --distributed)")
        import jax

        jax.distributed.initialize(options.coordinator, options.processes, options.process)


def _need_tensorflow(purpose: str) -> None:
    import importlib.util

    if importlib.util.find_spec("tensorflow") is None:
        raise missing_extra("tensorflow", "data", purpose)


def _record(info: Any, options: argparse.Namespace) -> dict[str, Any]:
    from jaxact.datasets import read

    for index, record in enumerate(read.records(info, options.split).as_numpy_iterator()):
        if (record["id"].decode() == options.id) if options.id else (index == options.index):
            return record
    wanted = f"the id {options.id!r}" if options.id else f"the index {options.index}"
    raise UserError(f"no record with {wanted} in the split {options.split!r} of {info.name!r} ({index + 1} records)")
