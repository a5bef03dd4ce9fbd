"""What the core asks its shell to do. It is told of a finished :class:`Commit`, and only then releases answers."""

from __future__ import annotations

from typing import NamedTuple

from auctionctl.keys.signing import Identity
from auctionctl.tlog import append
from auctionctl.wire.frames import Message
from auctionctl.wire.messages import Remind

Append = append.Append


class Commit(NamedTuple):
    """Make all of these durable at once, then call ``committed`` — or ``rolled_back`` if nothing was written.

    With it, the time that :meth:`House.alive_ns` tells becomes durable, and of no appends nothing but that.
    """

    appends: tuple[Append, ...]


class Send(NamedTuple):
    """``message`` goes to one session."""

    session: int
    message: Message


class Page(Send):
    """A long answer to a short question: it waits its turn behind everything else, and a later one takes its place."""

    __slots__ = ()


class Publish(NamedTuple):
    """``message`` goes to all who subscribed to ``auction`` (32 bytes)."""

    auction: bytes
    message: Message


class Fetch(NamedTuple):
    """Read ``log`` from index ``start`` on and send it to ``session``, under ``checkpoint``, which is over ``size``."""

    session: int
    log: str
    auction: bytes
    start: int
    checkpoint: bytes
    size: int


class Follow(NamedTuple):
    """``session`` is to get what is published about ``auctions`` from now on."""

    session: int
    auctions: tuple[bytes, ...]


class Greeted(NamedTuple):
    """``session`` has proved to be ``identity``; its welcome follows."""

    session: int
    identity: Identity
    name: str
    role: str


class Halt(NamedTuple):
    """Nothing is written to ``log`` any more, for ``reason``. To be remembered, with the note that says so.

    What is in the same batch already does not write to it either.
    """

    log: str
    reason: str
    reminder: Remind


class Conflict(NamedTuple):
    """A second bid of one bidder under one seq: signed, refused, and evidence together with the one in ``log``.

    To be kept, if there is room for it; ``time_ns`` is when it was refused.
    """

    log: str
    bidder: bytes
    seq: int
    message: Message
    time_ns: int


class Gauge(NamedTuple):
    """``session`` wants to know how the house works: whoever drives it has measured that."""

    session: int


Effect = Conflict | Gauge | Halt | Commit | Send | Publish | Fetch | Follow | Greeted
