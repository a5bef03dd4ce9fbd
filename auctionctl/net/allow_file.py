"""The allow list's file, watched: a change takes effect within half a second, an error keeps the list before it.

Rule: what was changed is told by what was last read or written here, and by nothing that was found after that. A file
that is so young that another one could have the same times is compared word for word.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Final

from auctionctl.auction.terms import SECOND_NS
from auctionctl.errors import AllowListError, ConfigurationError
from auctionctl.keys.access import Access
from auctionctl.keys.allowlist import MAX_TEXT_BYTES, AllowList, Entry, Role, parse
from auctionctl.keys.signing import Identity

HOUSE_NAME: Final = "(house)"
YOUNG_NS: Final = 2 * SECOND_NS
"""No file system's clock ticks more slowly: within one tick, a file can be changed under its old times."""

Stamp = tuple[int, int, int, int] | None
"""What a file is known by, but for its words; None where there is none."""


class AllowFile:
    """``path`` need not exist: nobody is on the list then, but ``house``, whose operator it is in any case."""

    def __init__(
        self,
        path: Path,
        house: Identity | None = None,
        access: Access = Access.LISTED,
        wall_ns: Callable[[], int] = time.time_ns,
    ) -> None:
        """``wall_ns`` is the clock of those that give files their times."""
        self.path = path
        self._access = access
        self._house = house
        self._wall_ns = wall_ns
        self._seen: Stamp = None
        self._said = _digest(b"")
        """Of what the file said when it was seen last, or was written."""
        self._is_settled = True
        """Whether it has said that for so long that it cannot say anything else without being known by it."""
        self.text = b""
        """What the list was read from that was taken last."""

    def changed(self) -> bool:
        """Whether the file is another one than it was when it was last read, or written, here."""
        stamp = self._stamp()
        if stamp != self._seen:
            return True
        if self._is_settled or stamp is None:
            return False
        self._is_settled = self._wall_ns() - max(stamp[:2]) > YOUNG_NS
        return self._digest_now() != self._said

    def read(self) -> AllowList:
        """The list as it stands now; AllowListError names the line that is wrong.

        Raises ConfigurationError for a file that is there and cannot be read.
        """
        try:
            data = self._load()
        except OSError as error:
            raise ConfigurationError(f"cannot read the allow list {self.path}: {error.strerror}") from error
        return self.take(data)

    def differs(self, text: bytes) -> bool:
        """Whether the file says something else than ``text``, or cannot be read; what it says counts as read."""
        try:
            return self._load() != text
        except OSError:
            return True

    def write(self, text: bytes, *known: bytes) -> Path | None:
        """Have the file say ``text``, whole or not at all. Raises ConfigurationError where it cannot be written.

        What it says before, unless that is ``text`` or one of ``known``, is kept in a file beside it; returns its path.
        From here on a change is what comes after this.
        """
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            return self._replace(text, {text, b"", *known})
        except OSError as error:
            raise ConfigurationError(
                f"cannot write the allow list {self.path}, which another instance has changed:"
                f" {(error.strerror or '').lower()}",
                hint="the file and its directory have to be writable for the house",
            ) from error

    def _replace(self, text: bytes, known: set[bytes]) -> Path | None:
        kept = None
        new = self._beside(self.path)
        with open(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
            # Last of all, and again after each copy, for that takes time.
            while (said := self._words()) not in known:
                kept = self._keep(said)
                known.add(said)
            new.replace(self.path)
            # Of what was written, whatever is in its place by now.
            self._see(_stamp_of(os.fstat(file.fileno())), text)
        return kept

    def _keep(self, said: bytes) -> Path:
        kept = self.path.with_name(f"{self.path.name}.replaced-{sha256(said).hexdigest()[:8]}")
        new = self._beside(kept)
        with open(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(said)
            file.flush()
            os.fsync(file.fileno())
        new.replace(kept)
        return kept

    def _beside(self, path: Path) -> Path:
        return path.with_name(f".{path.name}.{os.getpid()}.new")

    def read_after(self, before: bytes, text: bytes | None = None) -> tuple[AllowList, str]:
        """The list as it stands now, and nothing; or the one of the text ``before``, and what is wrong with the file.

        ``before`` is what was in :attr:`text` once, and so holds. Where the file was found, or made, to say ``text``,
        that stands for it.
        """
        try:
            return self.read() if text is None else self.take(text), ""
        except (AllowListError, ConfigurationError) as error:
            return self.take(before), str(error)

    def take(self, data: bytes) -> AllowList:
        """The list of the text ``data``, whatever the file says. Raises AllowListError."""
        try:
            allowed = parse(data.decode())
        except UnicodeDecodeError as error:
            line = data[: error.start].count(b"\n") + 1
            raise AllowListError("this is no text", line=line) from error
        self.text = data
        entries = list(allowed)
        if self._house is not None and allowed.by_signing(self._house.signing) is None:
            # A name that no line can have, so that it is never taken.
            entries.append(Entry(self._house, HOUSE_NAME, f"{Role.OPERATOR}+{Role.SELLER}"))
        return AllowList(enumerate(entries, 1), self._access)

    def _load(self) -> bytes:
        """What the file says, which counts as seen. Raises OSError where it cannot be read, which counts as well."""
        # Before it is read: what changes meanwhile is a change.
        stamp = self._stamp()
        self._see(stamp, None)
        data = self._words()
        self._see(stamp, data)
        return data

    def _words(self) -> bytes:
        """What the file says, of which no more is read than makes clear that it is no list. Raises OSError."""
        try:
            with self.path.open("rb") as file:
                return file.read(MAX_TEXT_BYTES + 1)
        except FileNotFoundError:
            return b""

    def _see(self, stamp: Stamp, data: bytes | None) -> None:
        self._seen, self._said, self._is_settled = stamp, _digest(data), False

    def _digest_now(self) -> bytes:
        try:
            return _digest(self._words())
        except OSError:
            return _digest(None)

    def _stamp(self) -> Stamp:
        try:
            return _stamp_of(self.path.stat())
        except OSError:
            return None


def _stamp_of(status: os.stat_result) -> Stamp:
    # The time of the last change of anything too: a file can be written, or made readable, under its old time.
    return status.st_mtime_ns, status.st_ctime_ns, status.st_size, status.st_ino


def _digest(data: bytes | None) -> bytes:
    """What stands for the words of a file; None: it cannot be read."""
    return b"" if data is None else sha256(data).digest()
