"""Memory that a step frees is kept for the next one: page faults are half of a training step on a
CPU otherwise.
"""

import ctypes
import os
import sys

SWITCH = "JAXACT_ALLOCATOR"  # "default" leaves the C library's allocator as it is

# Names and numbers of glibc's malloc.h.
_TRIM_THRESHOLD, _TOP_PAD, _MMAP_MAX, _ARENA_MAX = -1, -2, -4, -8
_SETTINGS = (
    (
        _MMAP_MAX,
        0,
    ),  # large blocks come from the heap, which is kept, not from mappings, which are returned
    (_TRIM_THRESHOLD, 2**31 - 1),  # the heap's end is never given back
    (_TOP_PAD, 2**28),  # and grows by 256 MiB
    (_ARENA_MAX, 1),  # one heap for all threads, so that one thread's free block serves another
)


def keep_pages() -> bool:
    """Makes this process keep the memory it frees; to be called before the first large allocation.

    Activations of tens of megabytes are otherwise mapped, zeroed page by page and unmapped in every
    step. The price is that the process holds its peak until it ends (and somewhat more than it, by
    fragmentation). Does nothing where the C library is not glibc, or where the environment variable
    JAXACT_ALLOCATOR is "default".

    Returns:
        Whether every setting was taken.
    """
    if not sys.platform.startswith("linux") or os.environ.get(SWITCH) == "default":
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)  # musl has none
    return mallopt is not None and all([mallopt(name, value) == 1 for name, value in _SETTINGS])
