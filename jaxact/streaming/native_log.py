"""Hides the messages that native libraries write to standard error while they work as they should.

Absl and LiteRT write dozens of lines whenever a model is loaded and have no setting against it.
"""

import contextlib
import os
import re
import sys
import tempfile
from collections.abc import Iterator

# The start of a message of absl (I0000 00:00:17...) or LiteRT (INFO: [...), of the levels info and
# warning, and the lines that absl writes before its first message.
_ROUTINE = re.compile(
    rb"[IW]\d{4} \d\d:\d\d:\d|(INFO|WARNING): \S|To enable the following instructions: "
)


@contextlib.contextmanager
def without_routine_messages() -> Iterator[None]:
    """Withholds standard error, then writes all of it but messages of the levels info and warning.

    It applies to the file descriptor, thus to every thread of the process.
    """
    sys.stderr.flush()
    try:
        terminal = os.dup(2)
    except OSError:  # standard error is closed
        yield
        return
    with tempfile.TemporaryFile() as messages:
        os.dup2(messages.fileno(), 2)
        try:
            yield
        finally:
            sys.stderr.flush()
            os.dup2(terminal, 2)
            os.close(terminal)
            messages.seek(0)
            for line in messages:
                if not _ROUTINE.match(line):
                    os.write(2, line)
