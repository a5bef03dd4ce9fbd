"""Of which log is what a session sends: so that it can go to the instance of the house that writes that log.

Rule: what can be told from the form of a message is read from there, and nothing is checked: these messages are our
own. What is of no log goes wherever the session itself is. Source: DESIGN.md section 8.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec

from auctionctl.auction.command_id import command_id
from auctionctl.auction.commands import KINDS
from auctionctl.replica.registry import REGISTRY_ID
from auctionctl.wire.frames import Message, message_type
from auctionctl.wire.messages import Subscribe, encode

_OF_AN_AUCTION: Final = frozenset({"bid", "join", *KINDS})
"""Their third element is the auction, after the type and the house."""
_OF_A_LOG: Final = frozenset({"read", "remind"})
"""Their second element is the log."""
_OF_THE_REGISTRY: Final = frozenset({"terms", "revoke", "rotate", "list"})
"""Whoever announces has the newest catalogue, too."""
UNANSWERED: Final = frozenset({"subscribe", "bye", "remind", "ping", "hello"})
"""What is not answered by a house, or not by the part of it that answers everything else."""

_decode: Final = msgspec.msgpack.Decoder().decode


def log_of(message: Message) -> bytes | None:
    """The log that ``message`` is about; None for one that is about none, or several."""
    name = message_type(message.body)
    if name in _OF_AN_AUCTION:
        return _element(message.body, 2)
    if name in _OF_A_LOG:
        return _element(message.body, 1)
    if name in _OF_THE_REGISTRY:
        return REGISTRY_ID
    if name == "finish":
        return _element(_element(message.body, 3), 2)
    return None


def names_of(message: Message) -> tuple[bytes, ...]:
    """By which ids a house may name this command: its own, and that of one which it brings."""
    if not message.signature:
        return ()
    own = command_id(message.body)
    if message_type(message.body) == "finish":
        return own, command_id(_element(message.body, 3))
    return (own,)


def is_of(message: Message, log: bytes) -> bool:
    """Whether a house may say of this command where ``log`` is taken; terms are of the auction too that they make."""
    if message_type(message.body) == "terms" and log == command_id(message.body):
        return True
    return log == log_of(message)


def subscribed_in(message: Message) -> tuple[bytes, ...]:
    """The logs of a ``subscribe``; none of any other message."""
    if message_type(message.body) != "subscribe":
        return ()
    logs: list[bytes] = _decode(message.body)[1]
    return tuple(logs)


def subscription(logs: tuple[bytes, ...]) -> Message:
    """A ``subscribe`` for these."""
    return Message(encode(Subscribe(logs)))


def _element(body: bytes, index: int) -> bytes:
    fields: list[Any] = _decode(body)
    found: bytes = fields[index]
    return found
