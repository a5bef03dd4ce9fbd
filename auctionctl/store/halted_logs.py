"""The file ``halted`` in a state directory: logs to which the house writes no more, and the note of each that says why.

Rule: what is in it is on the disk before anybody is told, and stays: no program takes anything out. The house heeds a
note for as long as its store contradicts it, and each by itself: a store that bears out one note of a log may lack what
a later one says. Whoever removes a line, or the file, has the house write to that log again, with everything that
follows from two histories under one key. What a note has to be, others know. Source: DESIGN.md section 10.

A line is the name of a log, a blank, and a note of it in base64; ``#`` begins a comment.
"""

from __future__ import annotations

import os
from base64 import b64decode, b64encode
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

from auctionctl.errors import ConfigurationError, NoteError, StoreError
from auctionctl.store.log_store import check_name
from auctionctl.store.state_directory import sync_directory

FILE_NAME: Final = "halted"
_FILE_MODE: Final = 0o600
_HEADER: Final = """\
# Logs to which this house writes no more: its store holds less than it has signed for, or something else.
# A line: the log, and in base64 the signed note that says so. A store that holds what was signed again (restored from
# a newer backup) is written to again by itself. To remove a line here is to write on all the same: whoever has what
# was lost can then prove two histories.
"""


class HaltedLogs:
    """The file in the state ``directory``, which is this process's alone."""

    def __init__(self, directory: Path, check: Callable[[str, bytes], None]) -> None:
        """Raises ConfigurationError if the file is there and damaged: what it held back must not go on unseen.

        ``check`` raises NoteError for a log and a note that is none of it.
        """
        self._path = directory / FILE_NAME
        self._notes = self._read(check)

    def notes(self) -> list[tuple[str, bytes]]:
        """(log, note) of each, in the order in which they came; a log may have several."""
        return list(self._notes)

    def keep(self, log: str, note: bytes) -> None:
        """Remember ``note`` of ``log``, durably, besides what is there. Raises StoreError if the disk fails."""
        check_name(log)
        if (log, note) in self._notes:
            return
        notes = [*self._notes, (log, note)]
        new = self._path.with_name(f"{FILE_NAME}.new")
        lines = [f"{name} {b64encode(each).decode()}\n" for name, each in notes]
        try:
            with open(new, "w", opener=lambda name, flags: os.open(name, flags, _FILE_MODE)) as file:
                file.writelines([_HEADER, *lines])
                file.flush()
                os.fsync(file.fileno())
            new.replace(self._path)
            sync_directory(self._path.parent)
        except OSError as error:
            with suppress(OSError):
                new.unlink(missing_ok=True)
            raise StoreError(f"cannot write {self._path}: {(error.strerror or '').lower()}") from error
        self._notes = notes

    def _read(self, check: Callable[[str, bytes], None]) -> list[tuple[str, bytes]]:
        try:
            lines = self._path.read_text("ascii").splitlines()
        except FileNotFoundError:
            return []
        except (OSError, UnicodeDecodeError) as error:
            raise self._damaged(str(error)) from error
        notes: list[tuple[str, bytes]] = []
        for number, line in enumerate(lines, 1):
            if not line.strip() or line.startswith("#"):
                continue
            name, _, text = line.partition(" ")
            try:
                check_name(name)
                note = b64decode(text, validate=True)
                check(name, note)
            except (StoreError, NoteError, ValueError) as error:
                raise self._damaged(f"line {number}: {error}") from error
            notes.append((name, note))
        return notes

    def _damaged(self, how: str) -> ConfigurationError:
        return ConfigurationError(
            f"{self._path} is damaged: {how}",
            hint="it says to which logs nothing may be written: mend the line, or remove it if you know what it held",
        )
