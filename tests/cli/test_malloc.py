"""Freed memory stays with the process, unless it is asked not to."""

import subprocess
import sys

import pytest

from jaxact.cli.malloc import SWITCH

COUNT_FAULTS = """
import resource, sys
from jaxact.cli.malloc import keep_pages
print(keep_pages())
def touch():
    return bytearray(64 * 2**20)  # zeroed
touch()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(5):
    touch()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="glibc only")
@pytest.mark.parametrize("switch", ["", "default"])
def test_large_blocks_are_faulted_in_once_and_again_with_the_switch(switch, monkeypatch):
    monkeypatch.setenv(SWITCH, switch)
    ran = subprocess.run(
        [sys.executable, "-c", COUNT_FAULTS], capture_output=True, text=True, check=True
    )
    taken, faults = ran.stdout.split()
    assert taken == str(switch != "default")
    pages = 5 * 64 * 2**20 // 4096
    assert (int(faults) < pages / 100) == (switch != "default")
