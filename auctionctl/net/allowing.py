"""The allow list in force, from one look at its file to the next: what is new or wrong there is told to the supervisor.

Rule: once a house has served, a wrong file never ends it, not even where its process has to be started again meanwhile:
the list before stays in force. The first start, at which somebody looks on, is refused.

Instances of a house share one list: what one of them takes from its file is the list of all, and each writes what it
hears into its own file, word for word. That is in force then, and not what stands there by the time: so whatever else
comes to stand there is a change, and shared. At a start the list of all goes before the file. Where the file cannot be
written, what was heard is in force for all that; where a list cannot be shared, it is not. A change that was made
without knowing the list of all comes second to that, and is lost by nobody's silence: what the file said is kept beside
it, and whoever runs the house is told where.
"""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Final, Protocol

from auctionctl.auction.terms import SECOND_NS
from auctionctl.errors import AllowListError, ConfigurationError, StoreBrokenError, StoreError, StoreFullError
from auctionctl.house.admission import CODES
from auctionctl.house.condition import Warnings
from auctionctl.keys.allowlist import AllowList
from auctionctl.net.admission_news import AllowListKept, AllowListReplaced, AllowListTaken, KeysListed
from auctionctl.net.allow_file import AllowFile
from auctionctl.net.child_words import encode
from auctionctl.net.control import send_control

AGAIN_NS: Final = 30 * SECOND_NS
"""How long after it failed the file is written, or the list shared, once more."""
_NEVER_NS: Final = 1 << 62


class Shares(Protocol):
    """What a list is shared by: see :mod:`auctionctl.net.instances`."""

    def shared_text(self) -> bytes | None:
        """The list of all instances; None if there is none, or no other instance."""
        ...

    def share(self, text: bytes, now_ns: int) -> bool:
        """Have ``text`` be the list of all; False if another came first. Raises StoreError where it cannot be."""
        ...


class Allowing:
    """``control`` leads to the supervisor, who keeps the text of the list in force for the next start."""

    def __init__(self, control: socket.socket, file: AllowFile) -> None:
        self._control = control
        self._file = file
        self._shared: bytes | None = None
        """The list of all, as it was taken last."""
        self._in_force = b""
        self._filed = b""
        """The list that was last taken from the file, or written to it: what else it says was changed here."""
        self._has_lost = False
        """Whether a change that was made here came second."""
        self._unwritten: bytes | None = None
        """The list of all, where it is in force and not in the file."""
        self._is_unshared = False
        """Whether what the file says could not be shared, and so is not in force."""
        self._again_ns = 0
        self._said = ""

    def begin(self, before: bytes | None, shared: bytes | None = None) -> AllowList:
        """The list at a start: of the file, or else of the text ``before``, that of the list last in force.

        Where there is a list of all instances, ``shared``, the file says that from here on. Raises AllowListError and
        ConfigurationError for a wrong file where ``before`` is None: at the first start.
        """
        self._shared, self._filed = shared, before or b""
        if shared is not None and self._file.differs(shared):
            try:
                kept = self._write(shared)
            except ConfigurationError as error:
                if before is None:
                    raise
                return self._take_unwritten(shared, str(error), 0)
            self._replaced(kept)
        if before is None:
            return self._taken(self._file.read() if shared is None else self._file.take(shared))
        allowed, wrong = self._file.read_after(before, shared)
        if not wrong:
            return self._taken(allowed)
        self._in_force = self._file.text
        self._kept(wrong)
        return allowed

    def look(self, shares: Shares | None = None, now_ns: int = 0) -> AllowList | None:
        """Another list than the one in force; None where the file is the same as at the last look, or wrong.

        Through ``shares`` the list is that of all instances.
        """
        try:
            if self._file.changed() or (self._is_unshared and now_ns >= self._again_ns):
                return self._look(shares, now_ns)
            return None if shares is None else self._hear(shares, now_ns)
        except (AllowListError, ConfigurationError) as error:
            self._kept(str(error))
        except StoreError as error:
            if isinstance(error, StoreBrokenError):
                raise
            # One that is too large stays so until it is another one.
            self._again_ns = now_ns + AGAIN_NS if isinstance(error, StoreFullError) else _NEVER_NS
            if str(error) != self._said:
                self._said = str(error)
                self._kept(self._said)
        return None

    def _look(self, shares: Shares | None, now_ns: int) -> AllowList | None:
        """What the file says now; None where another instance's change came first."""
        self._is_unshared = False
        allowed = self._file.read()
        if shares is not None:
            self._is_unshared = True
            # What was changed by somebody who did not know the list of all is no change of that.
            shared = shares.shared_text()
            is_second = shared is not None and shared not in (self._shared, self._file.text)
            self._has_lost = is_second or not shares.share(self._file.text, now_ns)
            self._is_unshared = False
            if self._has_lost:
                return None
            self._shared, self._unwritten = self._file.text, None
        return self._taken(allowed)

    def _hear(self, shares: Shares, now_ns: int) -> AllowList | None:
        """What another instance has changed; the file says it then, if it can be written."""
        shared = shares.shared_text()
        if shared is None:
            if now_ns >= self._again_ns:
                self._has_lost = not shares.share(self._in_force, now_ns)
                self._shared = None if self._has_lost else self._in_force
            return None
        if shared == self._unwritten:
            return self._write_again(shared, now_ns)
        if shared == self._shared and not self._has_lost:
            return None
        self._shared, has_lost = shared, self._has_lost
        self._has_lost = self._is_unshared = False
        if not self._file.differs(shared):
            return None if shared == self._in_force else self._taken(self._file.take(shared))
        try:
            kept = self._write(shared)
        except ConfigurationError as error:
            return self._take_unwritten(shared, str(error), now_ns)
        if has_lost or kept is not None:
            self._replaced(kept)
        return self._taken(self._file.take(shared))

    def _take_unwritten(self, shared: bytes, reason: str, now_ns: int) -> AllowList:
        """Have what others have changed be in force although the file cannot say it, which is told."""
        filed = self._filed
        allowed = self._taken(self._file.take(shared))
        self._filed = filed
        self._shared = self._unwritten = shared
        self._again_ns = now_ns + AGAIN_NS
        send_control(self._control, encode(AllowListReplaced(reason)))
        return allowed

    def _write_again(self, shared: bytes, now_ns: int) -> AllowList | None:
        if now_ns < self._again_ns:
            return None
        self._again_ns = now_ns + AGAIN_NS
        try:
            kept = self._write(shared)
        except ConfigurationError:
            return None  # As it was told.
        if kept is not None:
            self._replaced(kept)
        return self._taken(self._file.take(shared))

    def _write(self, text: bytes) -> Path | None:
        kept = self._file.write(text, self._filed)
        self._shared, self._unwritten = text, None
        return kept

    def _replaced(self, kept: Path | None) -> None:
        send_control(self._control, encode(AllowListReplaced(kept="" if kept is None else str(kept))))

    def _taken(self, allowed: AllowList) -> AllowList:
        self._in_force = self._filed = self._file.text
        self._said = ""
        send_control(self._control, encode(AllowListTaken(self._file.text)))
        return allowed

    def _kept(self, reason: str) -> None:
        send_control(self._control, encode(AllowListKept(reason)))


def keys_listed(warnings: Warnings) -> list[KeysListed]:
    """What is to be told of keys on the list that have ended, by what the house warns of."""
    return [KeysListed(code, words) for code, words in warnings.listed() if code in CODES]
