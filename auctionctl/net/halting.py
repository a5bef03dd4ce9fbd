"""Logs that are halted, from one run of a house to the next: kept in its state directory, told to its supervisor."""

from __future__ import annotations

import socket
from pathlib import Path

from auctionctl.errors import StoreError, VerificationError
from auctionctl.house.effects import Halt
from auctionctl.net.control import send_control
from auctionctl.net.hops import Halted, encode
from auctionctl.replica.house_logs import auction_of
from auctionctl.replica.registry import REGISTRY, REGISTRY_ID
from auctionctl.store.halted_logs import HaltedLogs
from auctionctl.wire.messages import Remind


class Halting:
    """``control`` leads to the supervisor; ``directory`` is that of the state, and held."""

    def __init__(self, control: socket.socket, directory: Path) -> None:
        """Raises ConfigurationError if what was kept there is damaged."""
        self._control = control
        self._logs = HaltedLogs(directory)

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
    if log == REGISTRY:
        return REGISTRY_ID
    try:
        return auction_of(log)
    except VerificationError:
        return log.encode()[:32]  # which the house holds for no log of its own, and so ignores
