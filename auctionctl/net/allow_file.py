"""The allow list's file, watched: a change takes effect within a second, an error keeps the list before it."""

from __future__ import annotations

from pathlib import Path

from auctionctl.errors import AllowListError, ConfigurationError
from auctionctl.keys.allowlist import MAX_TEXT_BYTES, AllowList, parse


class AllowFile:
    """``path`` need not exist: nobody is on the list then."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._seen: tuple[int, int, int, int] | None = None

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
            return AllowList()
        except OSError as error:
            raise ConfigurationError(f"cannot read the allow list {self.path}: {error.strerror}") from error
        try:
            return parse(data.decode())
        except UnicodeDecodeError as error:
            line = data[: error.start].count(b"\n") + 1
            raise AllowListError("this is no text", line=line) from error

    def _stamp(self) -> tuple[int, int, int, int] | None:
        try:
            status = self.path.stat()
        except OSError:
            return None
        # The time of the last change of anything too: a file can be written, or made readable, under its old time.
        return status.st_mtime_ns, status.st_ctime_ns, status.st_size, status.st_ino
