"""The processes that a supervisor starts: one child, how two of them are joined, and what one's end or error means.

Rule: whatever a child has to say comes over its control socket, and the end of that is the end of the child.
"""

from __future__ import annotations

import contextlib
import selectors
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from auctionctl import errors
from auctionctl.errors import (
    AccessFileError,
    AllowListError,
    AuctionctlError,
    ClockBackError,
    ConfigurationError,
    ShutOutError,
    StoreAwayError,
    StoreError,
)
from auctionctl.net.child_words import Failed, Stop, encode
from auctionctl.net.postbox import Postbox

if TYPE_CHECKING:
    # Whoever only verifies starts children too, and need not read what others are told.
    from auctionctl.net.child_words import ToVerifier
    from auctionctl.net.gateway_orders import ToGateway
    from auctionctl.net.house_words import ToHouse

    ToChild = ToHouse | ToGateway | ToVerifier

MAX_BACKLOG_BYTES: Final = 1 << 24
"""Far more than is ever to be said at once: whoever lets so much wait has stood still for long."""


@dataclass(slots=True)
class Child:
    """One process and the supervisor's end of its control socket. ``started_s`` is of the monotonic clock."""

    name: str
    process: subprocess.Popen[bytes]
    control: socket.socket
    started_s: float
    postbox: Postbox = field(init=False)

    def __post_init__(self) -> None:
        self.postbox = Postbox(self.control)

    @property
    def is_buried(self) -> bool:
        """Whether its end has been noticed."""
        return self.control.fileno() < 0

    def tell(self, message: ToChild, *descriptors: int) -> None:
        """Send it a message, now or once it reads again; one that lets too much wait is ended.

        One that is dead does not matter, for its end of stream is noticed anyway.
        """
        with contextlib.suppress(OSError):
            self.postbox.put(encode(message), descriptors)
        if self.postbox.backlog_bytes > MAX_BACKLOG_BYTES:
            self.process.kill()

    def serve(self, events: int) -> bool:
        """Heed a selector's ``events``: give it more of what waits for it; whether it has something to say."""
        if events & selectors.EVENT_WRITE:
            with contextlib.suppress(OSError):
                self.postbox.flush()
        return bool(events & selectors.EVENT_READ)

    def put_away(self, patience_s: float | None = None) -> int:
        """Nothing more is said to it or heard of it; waits for its end, and returns its exit status.

        One that has not ended within ``patience_s`` is ended: whoever got the better of it may have it live on.
        """
        self.postbox.close()
        self.control.close()
        try:
            return self.process.wait(patience_s)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()


def await_room(selector: selectors.BaseSelector) -> None:
    """Have ``selector`` wake up as well when a child takes more of what waits for it."""
    for key in list(selector.get_map().values()):
        if isinstance(key.data, Child):
            wanted = selectors.EVENT_READ | (selectors.EVENT_WRITE if key.data.postbox.backlog_bytes else 0)
            if key.events != wanted:
                selector.modify(key.fileobj, wanted, key.data)


def end_all(children: Sequence[Child], patience_s: float) -> None:
    """Tell all of them to end, and end those that have not within so many seconds."""
    for child in children:
        child.tell(Stop())
        child.postbox.close()
        child.control.close()
    deadline_s = time.monotonic() + patience_s
    for child in children:
        try:
            child.process.wait(max(0.0, deadline_s - time.monotonic()))
        except subprocess.TimeoutExpired:
            child.process.kill()
            child.process.wait()


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


def may_pass(error: AuctionctlError) -> bool:
    """Whether time may mend what a child has reported: a clock, or a cluster that is away or lets nobody in.

    And so may whoever looks after the files by which the house gets in.
    """
    return isinstance(error, ClockBackError | StoreAwayError | ShutOutError | AccessFileError)
