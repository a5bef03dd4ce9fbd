"""The processes that a supervisor starts: one child, how two of them are joined, and what one's end or error means.

Rule: whatever a child has to say comes over its control socket, and the end of that is the end of the child.
"""

from __future__ import annotations

import contextlib
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass

from auctionctl import errors
from auctionctl.errors import AllowListError, AuctionctlError, ConfigurationError, StoreError
from auctionctl.net.control import tell_child
from auctionctl.net.hops import Failed, ToChild
from auctionctl.net.pipes import PipeClosedError


@dataclass(slots=True)
class Child:
    """One process and the supervisor's end of its control socket. ``started_s`` is of the monotonic clock."""

    name: str
    process: subprocess.Popen[bytes]
    control: socket.socket
    started_s: float

    @property
    def is_buried(self) -> bool:
        """Whether its end has been noticed."""
        return self.control.fileno() < 0

    def tell(self, message: ToChild, *descriptors: int) -> None:
        """Send it a message; one that is dead does not matter, for its end of stream is noticed anyway."""
        with contextlib.suppress(PipeClosedError):
            tell_child(self.control, message, *descriptors)


def spawn(name: str) -> Child:
    """Start the child called ``name``: its kind, and for a verifier its slot after a blank."""
    ours, theirs = socket.socketpair()
    kind = name.partition(" ")[0]
    with theirs:
        process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
            [sys.executable, "-P", "-m", "auctionctl.net.child", kind, str(theirs.fileno())],
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            start_new_session=True,
        )
    return Child(name, process, ours, time.monotonic())


def join(one: Child, to_one: ToChild, other: Child, to_other: ToChild) -> None:
    """A fresh pair of sockets between two children: half a frame of a dead one must not reach its successor."""
    first, second = socket.socketpair()
    with first, second:
        one.tell(to_one, first.fileno())
        other.tell(to_other, second.fileno())


def describe_end(status: int) -> str:
    """How a process ended, from its exit status: the signal's name, or the status."""
    if status < 0:
        with contextlib.suppress(ValueError):
            return signal.Signals(-status).name
    return f"status {status}"


def as_error(failed: Failed) -> AuctionctlError:
    """The error that a child reported, as the class that it was there where that class can be made from a message."""
    kind = getattr(errors, failed.error, StoreError)
    if kind is AllowListError:
        return ConfigurationError(f"allow list: {failed.message}", hint=failed.hint)
    try:
        error = kind(failed.message, hint=failed.hint)
    except TypeError:
        error = StoreError(failed.message, hint=failed.hint)
    assert isinstance(error, AuctionctlError)
    return error
