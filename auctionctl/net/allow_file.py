"""The allow list's file, watched: a change takes effect within half a second, an error keeps the list before it."""

from __future__ import annotations

import os
from collections.abc import Collection
from hashlib import sha256
from pathlib import Path
from typing import Final

from auctionctl.errors import AllowListError, ConfigurationError
from auctionctl.keys.access import Access
from auctionctl.keys.allowlist import MAX_TEXT_BYTES, AllowList, Entry, Role, parse
from auctionctl.keys.signing import Identity

HOUSE_NAME: Final = "(house)"


class AllowFile:
    """``path`` need not exist: nobody is on the list then, but ``house``, whose operator it is in any case."""

    def __init__(self, path: Path, house: Identity | None = None, access: Access = Access.LISTED) -> None:
        self.path = path
        self._access = access
        self._house = house
        self._seen: tuple[int, int, int, int] | None = None
        self.text = b""
        """What the list was read from that was taken last."""

    def changed(self) -> bool:
        """Whether the file is another one than at the last :meth:`read`."""
        return self._stamp() != self._seen

    def read(self) -> AllowList:
        """The list as it stands now; AllowListError names the line that is wrong.

        Raises ConfigurationError for a file that is there and cannot be read.
        """
        self._seen = self._stamp()
        try:
            with self.path.open("rb") as file:
                data = file.read(MAX_TEXT_BYTES + 1)
        except FileNotFoundError:
            data = b""
        except OSError as error:
            raise ConfigurationError(f"cannot read the allow list {self.path}: {error.strerror}") from error
        return self._take(data)

    def differs(self, text: bytes) -> bool:
        """Whether the file says something else than ``text``, or cannot be read."""
        try:
            with self.path.open("rb") as file:
                return file.read(MAX_TEXT_BYTES + 1) != text
        except OSError:
            return True

    def write(self, text: bytes, *known: bytes) -> Path | None:
        """Have the file say ``text``, whole or not at all. Raises ConfigurationError where it cannot be written.

        What it says before, unless that is ``text`` or one of ``known``, is kept in a file beside it; returns its path.
        """
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            kept = self._keep({text, b"", *known})
            self._put(self.path, text)
        except OSError as error:
            raise ConfigurationError(
                f"cannot write the allow list {self.path}, which another instance has changed:"
                f" {(error.strerror or '').lower()}",
                hint="the file and its directory have to be writable for the house",
            ) from error

        return kept

    def _keep(self, known: Collection[bytes]) -> Path | None:
        try:
            with self.path.open("rb") as file:
                said = file.read(MAX_TEXT_BYTES + 1)  # What is larger is no list.
        except FileNotFoundError:
            return None
        if said in known:
            return None
        kept = self.path.with_name(f"{self.path.name}.replaced-{sha256(said).hexdigest()[:8]}")
        self._put(kept, said)
        return kept

    def _put(self, path: Path, text: bytes) -> None:
        new = self.path.with_name(f".{self.path.name}.{os.getpid()}.new")
        descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with open(descriptor, "wb") as file:
            file.write(text)
            os.fsync(file.fileno())
        new.replace(path)

    def read_after(self, before: bytes) -> tuple[AllowList, str]:
        """The list as it stands now, and nothing; or the one of the text ``before``, and what is wrong with the file.

        ``before`` is what was in :attr:`text` once, and so holds.
        """
        try:
            return self.read(), ""
        except (AllowListError, ConfigurationError) as error:
            return self._take(before), str(error)

    def take(self, text: bytes) -> AllowList:
        """The list of ``text``, whatever the file says as it stands now. Raises AllowListError."""
        self._seen = self._stamp()
        return self._take(text)

    def _take(self, data: bytes) -> AllowList:
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

    def _stamp(self) -> tuple[int, int, int, int] | None:
        try:
            status = self.path.stat()
        except OSError:
            return None
        # The time of the last change of anything too: a file can be written, or made readable, under its old time.
        return status.st_mtime_ns, status.st_ctime_ns, status.st_size, status.st_ino
