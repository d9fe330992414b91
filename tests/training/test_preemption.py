"""Runs as programs of their own: killed, stopped by a signal, and two at a time."""

import random
import signal
import socket
import subprocess
import sys
import time

import pytest

from jaxact.runs import trained_model
from tests.helpers.toys import lines, same, short_networks, weights


def start(workdir, *arguments) -> subprocess.Popen:
    command = [sys.executable, "-m", "tests.helpers.toy_run", str(workdir), *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


@pytest.mark.slow  # five programs; test_train resumes in this one
def test_killed_at_random_moments_and_resumed_it_ends_bitwise_where_the_whole_one_does(tmp_path):
    plain, killed = tmp_path / "plain", tmp_path / "killed"
    longer = ["devices=1", "epochs=40", "checkpoint_every=3", "eval_every=0"]
    whole = start(plain, *longer)
    moments, deaths = random.Random(0), 0
    for _ in range(2):
        process = start(killed, *longer)
        while process.poll() is None and not list(killed.glob("checkpoints/[0-9]*")):
            time.sleep(0.02)
        time.sleep(moments.uniform(0.0, 0.3))
        process.kill()
        process.communicate()
        deaths += process.returncode == -signal.SIGKILL
    assert deaths, "every run was over before it was killed"
    assert "step=160" in start(killed, *longer).communicate(timeout=300)[0]
    assert "step=160" in whole.communicate(timeout=300)[0]
    with short_networks():
        assert same(weights(killed), weights(plain))


@pytest.mark.parametrize(
    "number", [signal.SIGTERM, pytest.param(signal.SIGINT, marks=pytest.mark.slow)]
)
def test_a_signal_saves_and_ends_with_success(tmp_path, number):
    process = start(tmp_path, "devices=1", "epochs=100000", "eval_every=0")
    while not (tmp_path / "metrics.jsonl").exists() or not (tmp_path / "metrics.jsonl").read_text():
        assert process.poll() is None, process.communicate()[0]
        time.sleep(0.02)
    process.send_signal(number)
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 0, output
    step = int(output.split("stopped=True step=")[1])
    with short_networks():
        assert trained_model.load(tmp_path).step == step > 0


@pytest.mark.slow  # two programs that compile for eight devices
def test_two_processes_train_one_model_and_save_one_checkpoint(tmp_path):
    # Under pmap, which moves more between forms of the state than jit does.
    steady = [
        "model__dropout=0",
        "model__init=he_fan_out",
        "optim__learning_rate=0.002",
        "devices=0",
        "parallel=pmap",
    ]
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    pair = [start(tmp_path / "pair", address, "2", str(index), *steady) for index in (0, 1)]
    for process in pair:
        output, _ = process.communicate(timeout=300)
        assert process.returncode == 0 and "step=12" in output, output[-3000:]
    assert len([p for p in (tmp_path / "pair" / "checkpoints").iterdir() if p.name == "12"]) == 1
    assert [line["step"] for line in lines(tmp_path / "pair") if "eval_top1" in line] == [4, 8, 12]
    assert all(
        line["eval_count"] == 13 for line in lines(tmp_path / "pair") if "eval_count" in line
    )
    with short_networks():
        assert len(weights(tmp_path / "pair")) > 10
