"""The journal of security events: files in the state directory, one kind a file, written by the supervisor alone.

Rule: a flood costs little and never fills the disk. An event of somebody is written at once; what follows of the same
kind and the same one within WINDOW_S is counted, and written as one line at the end of it. A file of MAX_FILE_BYTES is
set aside in place of the one before; and since each kind has files of its own, a flood of one does not wash away what
the others hold. A disk that takes nothing loses no more than lines of this journal: it never holds up the house.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from auctionctl.errors import StoreError
from auctionctl.house.security import MAX_NAMED, OTHERS, SecurityEvent, SecurityKind
from auctionctl.store.state_directory import make_private_directory

DIRECTORY: Final = "security"
WINDOW_S: Final = 60.0
MAX_FILE_BYTES: Final = 128 * 1024
MAX_LINE_BYTES: Final = 8 * 1024
_FLAGS: Final = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(SecurityEvent).decode


@dataclass(slots=True)
class Window:
    """Until when events of one kind and one origin are only counted, and what was counted so far."""

    until_s: float
    counted: SecurityEvent | None = None


class SecurityJournal:
    """The writer, for the house whose state is in the directory ``state``; times are seconds of one steady clock."""

    def __init__(self, state: Path) -> None:
        self._state = state
        self._windows: dict[tuple[SecurityKind, str], Window] = {}
        self._named: dict[SecurityKind, int] = {}

    @property
    def next_s(self) -> float | None:
        """When :meth:`settle` has something to do, or None."""
        return min((window.until_s for window in self._windows.values()), default=None)

    def note(self, events: Iterable[SecurityEvent], now_s: float) -> None:
        """Write or count ``events``."""
        for event in events:
            self._note(event, now_s)

    def _note(self, event: SecurityEvent, now_s: float) -> None:
        if (event.kind, event.who) not in self._windows and self._named.get(event.kind, 0) >= MAX_NAMED:
            event = event.of(OTHERS)
        window = self._windows.get((event.kind, event.who))
        if window is not None:
            window.counted = event if window.counted is None else window.counted.with_later(event)
            return
        self._named[event.kind] = self._named.get(event.kind, 0) + 1
        is_written = self._write(event)
        self._windows[event.kind, event.who] = Window(now_s + WINDOW_S, None if is_written else event)

    def settle(self, now_s: float) -> None:
        """Write what has been counted for long enough; what could not be written is tried again."""
        for (kind, who), window in list(self._windows.items()):
            if window.until_s > now_s:
                continue
            if window.counted is None:
                del self._windows[kind, who]
                self._named[kind] -= 1
            else:
                window.until_s = now_s + WINDOW_S
                window.counted = None if self._write(window.counted) else window.counted

    def close(self) -> None:
        """Write all that has been counted."""
        for window in self._windows.values():
            if window.counted is not None:
                self._write(window.counted)
        self._windows.clear()
        self._named.clear()

    def _write(self, event: SecurityEvent) -> bool:
        """Whether one line was written. A house whose state is not there yet has nothing to say."""
        if not self._state.is_dir():
            return True
        path = path_of(self._state, event.kind)
        line = _encode(event) + b"\n"
        try:
            make_private_directory(path.parent, "journal of security events")
            if path.exists() and path.stat().st_size + len(line) > MAX_FILE_BYTES:
                os.replace(path, older_of(path))
            with open(os.open(path, _FLAGS, 0o600), "wb", buffering=0) as file:
                size_bytes = os.fstat(file.fileno()).st_size
                is_whole = file.write(line) == len(line)
                if not is_whole:
                    # On a full disk; what comes next would be taken for the rest of this line.
                    file.truncate(size_bytes)
                return is_whole
        except (OSError, StoreError):
            return False


def path_of(state: Path, kind: SecurityKind) -> Path:
    """The file of the latest events of ``kind``."""
    return state / DIRECTORY / f"{kind}.jsonl"


def older_of(path: Path) -> Path:
    """The file of those before."""
    return path.with_suffix(".1.jsonl")


class SecurityReader:
    """Reads the journal in the directory ``state``, from where it was last left, while somebody writes it or not."""

    def __init__(self, state: Path) -> None:
        self._state = state
        self._read_bytes: dict[bytes, int] = {}
        """How much of each file, by its first line: one that is set aside keeps it, and a new one has another."""

    def read(self) -> list[SecurityEvent]:
        """What has been written since the last call, in the order of time. Raises StoreError."""
        found: list[SecurityEvent] = []
        known: dict[bytes, int] = {}
        for kind in SecurityKind:
            path = path_of(self._state, kind)
            for each in (older_of(path), path):
                found += self._read(each, known)
        self._read_bytes = known
        return sorted(found, key=lambda event: event.last_ns)

    def _read(self, path: Path, known: dict[bytes, int]) -> list[SecurityEvent]:
        try:
            with open(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC), "rb") as file:
                data = file.read(MAX_FILE_BYTES)
        except FileNotFoundError:
            return []
        except OSError as error:
            raise StoreError(f"cannot read {path}: {str(error.strerror).lower()}") from error
        # A line that is still being written is left for the next time.
        whole = data[: data.rfind(b"\n") + 1]
        first_line = whole[: whole.find(b"\n") + 1]
        start = self._read_bytes.get(first_line, 0)
        known[first_line] = len(whole)
        whole = whole[start:]
        return [event for line in whole.splitlines() if (event := _event(line)) is not None]


def _event(line: bytes) -> SecurityEvent | None:
    """The event on ``line``; None for one that a full disk has cut, or that is none."""
    try:
        return _decode(line) if len(line) <= MAX_LINE_BYTES else None
    except msgspec.DecodeError:
        return None
