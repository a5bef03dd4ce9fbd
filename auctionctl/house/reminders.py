"""What sessions remind the house of: checkpoints that it signed once, whatever its store says now.

Rule: the authority of a reminder is the house's own signature on the note, and nothing else; who brought it does not
matter. Where such a note contradicts the store, the store has been rolled back, or damaged: nothing is written any more
to that log, and to that log alone, for whatever was would be a second history. It can be read, and a store that has
again what was signed is written to again when the house is started on it (DESIGN.md sections 8 and 10).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from auctionctl.errors import NoteError, RemoteProtocolError
from auctionctl.house.auction_log import log_name
from auctionctl.house.effects import Effect, Halt, Send
from auctionctl.house.intake import Request, refused
from auctionctl.house.log import HouseLog
from auctionctl.keys.signing import Identity
from auctionctl.replica.registry import REGISTRY, REGISTRY_ID
from auctionctl.tlog.checkpoint import Checkpoint, open_checkpoint, origin_of, parse
from auctionctl.wire.frames import Message, message_type
from auctionctl.wire.messages import Refused, Remind, decode_request, encode

REMIND: Final = "remind"
"""The type of the message."""
REMINDERS_A_TURN: Final = 8
"""So many at most have their signature checked in one turn of the house: as many as a bid or two cost in all."""


class Reminders:
    """The logs that are halted, by their ids, and why each of them is. ``house`` is whose notes count."""

    def __init__(self, house: Identity) -> None:
        self._house = house
        self._reasons: dict[bytes, str] = {}

    def why(self, *logs: bytes) -> str | None:
        """Why nothing is written to one of ``logs``; None if all of them go on."""
        if not self._reasons:
            return None
        return next((self._reasons[log] for log in logs if log in self._reasons), None)

    def judge(self, reminder: Remind, log: HouseLog | None) -> Halt | None:
        """What follows from ``reminder`` of ``log``, None where the house has no such log: nothing, or that it halts.

        Raises RemoteProtocolError for a note that is no checkpoint of this log by this house.
        """
        claimed = self._read(reminder)
        if reminder.log in self._reasons or not (reason := _contradiction(claimed, log)):
            # Whether it is signed makes no difference, and need not be checked.
            return None
        self._open(reminder)
        self._reasons[reminder.log] = reason
        if log is not None:
            log.is_halted = True
        return Halt(_name_of(reminder.log), reason, reminder)

    def _read(self, reminder: Remind) -> Checkpoint:
        try:
            claimed = parse(reminder.note[: reminder.note.rfind(b"\n\n") + 1].decode())
            if claimed.origin != origin_of(self._house.text, _name_of(reminder.log)):
                raise NoteError("of another log")
        except (UnicodeDecodeError, NoteError) as error:
            raise RemoteProtocolError(f"no checkpoint of this log: {error}") from error
        return claimed

    def _open(self, reminder: Remind) -> None:
        try:
            open_checkpoint(reminder.note, origin_of(self._house.text, _name_of(reminder.log)), self._house.signing)
        except NoteError as error:
            raise RemoteProtocolError(f"no checkpoint that this house signed: {error}") from error


def heed(
    requests: Sequence[Request],
    refuse: Callable[[Request, str], Refused | None],
    remind: Callable[[Remind], list[Effect]],
) -> list[Effect]:
    """What follows from the reminders among ``requests``: before everything else in a batch, but what is refused.

    So what they halt is not written to in this batch either. Those that are too many for one turn are passed over:
    whoever has a reason to remind the house does so again.
    """
    effects: list[Effect] = []
    heeded = 0
    for request in requests:
        if message_type(request.body) != REMIND:
            continue
        if (refusal := refuse(request, REMIND)) is not None:
            effects.append(Send(request.session, Message(encode(refusal))))
            continue
        heeded += 1
        if heeded > REMINDERS_A_TURN:
            continue
        try:
            message = decode_request(request.body)
            assert isinstance(message, Remind)
            effects += remind(message)
        except RemoteProtocolError as error:
            effects.append(Send(request.session, refused("malformed", str(error))))
    return effects


def _name_of(log: bytes) -> str:
    return REGISTRY if log == REGISTRY_ID else log_name(log)


def _contradiction(signed: Checkpoint, log: HouseLog | None) -> str:
    size = 0 if log is None else log.durable_size
    if signed.size > size:
        return f"this house has signed for {signed.size} entries, and its store has {size}"
    if log is not None and log.tree.root(signed.size) != signed.root:
        return f"this house has signed for {signed.size} entries, and its store has others in their place"
    return ""
