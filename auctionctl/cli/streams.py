"""The three standard streams, whatever the shell has made of them.

Rule: descriptors 0, 1 and 2 are always taken, so that no key file and no socket ever gets the number of stdout; a
stream that was closed fails when it is used, as for any program. What cannot be written is complained about once, and
not a second time when the interpreter flushes at its end.
"""

from __future__ import annotations

import os
import select
import sys
from typing import TextIO


def hold_streams() -> None:
    """Take the descriptors of streams that are closed (``>&-``), and show the codes of what cannot be shown."""
    # In order, as the lowest free descriptor is taken. Each is open in the direction in which it is not used.
    for number, flags in enumerate((os.O_WRONLY, os.O_RDONLY, os.O_WRONLY)):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, flags)
    if sys.stdout is None:
        sys.stdout = _text_stream(1)
    if sys.stderr is None:
        sys.stderr = _text_stream(2)
    for stream in (sys.stdout, sys.stderr):
        # A terminal that cannot show a character gets its code instead of an error.
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


def _text_stream(descriptor: int) -> TextIO:
    return os.fdopen(descriptor, "w", encoding="utf-8", closefd=False)


def check_reader() -> None:
    """Raise BrokenPipeError if stdout is a pipe that nobody reads any more: the next write may be long in coming."""
    watched = select.poll()
    watched.register(sys.stdout.fileno(), 0)
    if any(happened & (select.POLLERR | select.POLLHUP) for _, happened in watched.poll(0)):
        raise BrokenPipeError


def has_room(descriptor: int | None = None) -> bool:
    """Whether a line can be written at once; not if nobody empties the pipe, or a terminal stands still.

    To stdout, or to what ``descriptor`` names.
    """
    watched = select.poll()
    watched.register(sys.stdout.fileno() if descriptor is None else descriptor, select.POLLOUT)
    return any(happened for _, happened in watched.poll(0))


def stop_writing() -> None:
    """From now on stdout leads nowhere, with what it still holds."""
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, sys.stdout.fileno())
    os.close(null)


def drop_what_cannot_be_written() -> bool:
    """If stdout fails, let it lead nowhere, so that the interpreter's last flush does not fail again; True if so."""
    try:
        sys.stdout.flush()
    except OSError:
        stop_writing()
        return True
    return False
