"""The allow list in force, from one look at its file to the next: what is new or wrong there is told to the supervisor.

Rule: once a house has served, a wrong file never ends it, not even where its process has to be started again meanwhile:
the list before stays in force. The first start, at which somebody looks on, is refused.
"""

from __future__ import annotations

import socket

from auctionctl.errors import AllowListError, ConfigurationError
from auctionctl.house.admission import CODES
from auctionctl.house.condition import Warnings
from auctionctl.keys.allowlist import AllowList
from auctionctl.net.allow_file import AllowFile
from auctionctl.net.control import send_control
from auctionctl.net.hops import AllowListKept, AllowListTaken, KeysListed, encode


class Allowing:
    """``control`` leads to the supervisor, who keeps the text of the list in force for the next start."""

    def __init__(self, control: socket.socket, file: AllowFile) -> None:
        self._control = control
        self._file = file

    def begin(self, before: bytes | None) -> AllowList:
        """The list at a start: of the file, or else of the text ``before``, that of the list last in force.

        Raises AllowListError and ConfigurationError for a wrong file where ``before`` is None: at the first start.
        """
        if before is None:
            return self._taken(self._file.read())
        allowed, wrong = self._file.read_after(before)
        if not wrong:
            return self._taken(allowed)
        self._kept(wrong)
        return allowed

    def look(self) -> AllowList | None:
        """Another list than the one in force; None where the file is the same as at the last look, or wrong."""
        if not self._file.changed():
            return None
        try:
            return self._taken(self._file.read())
        except (AllowListError, ConfigurationError) as error:
            self._kept(str(error))
            return None

    def _taken(self, allowed: AllowList) -> AllowList:
        send_control(self._control, encode(AllowListTaken(self._file.text)))
        return allowed

    def _kept(self, reason: str) -> None:
        send_control(self._control, encode(AllowListKept(reason)))


def keys_listed(warnings: Warnings) -> list[KeysListed]:
    """What is to be told of keys on the list that have ended, by what the house warns of."""
    return [KeysListed(code, words) for code, words in warnings.listed() if code in CODES]
