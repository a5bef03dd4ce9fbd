"""Logs that are halted, from one run of a house to the next: kept in its state directory, told to its supervisor.

Rule: what was kept is a checkpoint of its log under the signature of this house, or the house does not start: a line
that cannot be heeded must not be passed over. Source: DESIGN.md section 10.
"""

from __future__ import annotations

import socket
from functools import partial
from pathlib import Path

from auctionctl.errors import KeyTextError, NoteError, StoreError
from auctionctl.house.effects import Halt
from auctionctl.keys.signing import Identity
from auctionctl.net.child_words import encode
from auctionctl.net.control import send_control
from auctionctl.net.house_words import Halted
from auctionctl.replica.house_logs import auction_of
from auctionctl.replica.registry import REGISTRY, REGISTRY_ID
from auctionctl.store.halted_logs import HaltedLogs
from auctionctl.store.state_directory import IDENTITY_NAME
from auctionctl.tlog.checkpoint import open_checkpoint, parse, split_origin
from auctionctl.wire.messages import Remind


class Halting:
    """``control`` leads to the supervisor; ``directory`` is that of the state, and held."""

    def __init__(self, control: socket.socket, directory: Path) -> None:
        """Raises ConfigurationError, with the file and the line, if what was kept there is damaged."""
        self._control = control
        self._logs = HaltedLogs(directory, partial(_check, _owner(directory)))

    def remembered(self) -> list[Remind]:
        """What has halted logs before, as whoever reminded the house said it."""
        return [Remind(_id_of(log), note) for log, note in self._logs.notes()]

    def halt(self, halt: Halt) -> None:
        """Keep what halts a log, and say so; a disk that keeps nothing does not hold up the others."""
        reason = halt.reason
        try:
            self._logs.keep(halt.log, halt.reminder.note)
        except StoreError as error:
            reason = f"{reason}; a restart will not know of it until somebody says it again: {error}"
        send_control(self._control, encode(Halted(halt.log, reason)))


def _id_of(log: str) -> bytes:
    return REGISTRY_ID if log == REGISTRY else auction_of(log)


def _owner(directory: Path) -> str:
    """Whose state it is, in text; empty for one that does not say."""
    path = directory / IDENTITY_NAME
    return path.read_text("ascii", "replace").strip() if path.is_file() else ""


def _check(owner: str, log: str, note: bytes) -> None:
    """NoteError unless ``note`` is a checkpoint of ``log`` that its house signed, ``owner`` where that is known."""
    try:
        origin = parse(note[: note.rfind(b"\n\n") + 1].decode()).origin
        house, of_log = split_origin(origin)
        if of_log != log:
            raise NoteError(f"a note of the log {of_log}, not of {log}")
        if owner not in ("", house):
            raise NoteError("a note of another house")
        open_checkpoint(note, origin, Identity.from_text(house).signing)
    except (UnicodeDecodeError, KeyTextError) as error:
        raise NoteError(f"no checkpoint: {error}") from error
