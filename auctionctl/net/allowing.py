"""The allow list in force, from one look at its file to the next: what is new or wrong there is told to the supervisor.

Rule: once a house has served, a wrong file never ends it, not even where its process has to be started again meanwhile:
the list before stays in force. The first start, at which somebody looks on, is refused.

Instances of a house share one list: what one of them takes from its file is the list of all, and each writes what it
hears into its own file, word for word, and takes it from there. At a start the list of all goes before the file.
"""

from __future__ import annotations

import socket
from typing import Protocol

from auctionctl.errors import AllowListError, ConfigurationError
from auctionctl.house.admission import CODES
from auctionctl.house.condition import Warnings
from auctionctl.keys.allowlist import AllowList
from auctionctl.net.allow_file import AllowFile
from auctionctl.net.control import send_control
from auctionctl.net.hops import AllowListKept, AllowListReplaced, AllowListTaken, KeysListed, encode


class Shares(Protocol):
    """What a list is shared by: see :mod:`auctionctl.net.instances`."""

    def shared_text(self) -> bytes | None:
        """The list of all instances; None if there is none, or no other instance."""
        ...

    def share(self, text: bytes, now_ns: int) -> None:
        """Have ``text`` be the list of all, if it is not."""
        ...


class Allowing:
    """``control`` leads to the supervisor, who keeps the text of the list in force for the next start."""

    def __init__(self, control: socket.socket, file: AllowFile) -> None:
        self._control = control
        self._file = file
        self._shared: bytes | None = None
        """The list of all, as it was taken into the file last."""

    def begin(self, before: bytes | None, shared: bytes | None = None) -> AllowList:
        """The list at a start: of the file, or else of the text ``before``, that of the list last in force.

        Where there is a list of all instances, ``shared``, the file says that from here on. Raises AllowListError and
        ConfigurationError for a wrong file where ``before`` is None: at the first start.
        """
        if shared is not None and self._file.differs(shared):
            self._write(shared)
            send_control(self._control, encode(AllowListReplaced()))
        if before is None:
            return self._taken(self._file.read())
        allowed, wrong = self._file.read_after(before)
        if not wrong:
            return self._taken(allowed)
        self._kept(wrong)
        return allowed

    def look(self, shares: Shares | None = None, now_ns: int = 0) -> AllowList | None:
        """Another list than the one in force; None where the file is the same as at the last look, or wrong.

        Through ``shares`` the list is that of all instances.
        """
        if not self._file.changed():
            if shares is None or not self._hear(shares, now_ns):
                return None
            shares = None  # It is theirs.
        try:
            allowed = self._taken(self._file.read())
            if shares is not None:
                self._shared = self._file.text
                shares.share(self._file.text, now_ns)
            return allowed
        except (AllowListError, ConfigurationError) as error:
            self._kept(str(error))
            return None

    def _hear(self, shares: Shares, now_ns: int) -> bool:
        """Whether another instance has changed the list: then the file says it now."""
        shared = shares.shared_text()
        if shared is None:
            shares.share(self._file.text, now_ns)
            return False
        if shared == self._shared:
            return False
        self._shared = shared
        try:
            return self._file.differs(shared) and self._write(shared)
        except ConfigurationError as error:
            self._kept(str(error))
            return False

    def _write(self, text: bytes) -> bool:
        self._file.write(text)
        self._shared = text
        return True

    def _taken(self, allowed: AllowList) -> AllowList:
        send_control(self._control, encode(AllowListTaken(self._file.text)))
        return allowed

    def _kept(self, reason: str) -> None:
        send_control(self._control, encode(AllowListKept(reason)))


def keys_listed(warnings: Warnings) -> list[KeysListed]:
    """What is to be told of keys on the list that have ended, by what the house warns of."""
    return [KeysListed(code, words) for code, words in warnings.listed() if code in CODES]
