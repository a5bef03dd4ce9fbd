"""One hostile command line as data: what lies about, what is run, and how it has to end.

Rule: whatever the input, the ending is a status from the table, one line that says what is wrong, and a hint; never a
traceback, never a character that a terminal obeys, and nothing left behind.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from auctionctl.keys.signing import SecretKey

MAX_ERR_CHARACTERS: Final = 2_100
ALICE, BOB, HOUSE = (SecretKey(bytes([number]) * 32) for number in (41, 42, 43))
HOME: Final = "home"
KEYS: Final = "home/config/keys"


@dataclass(frozen=True)
class Ending:
    """How a command ended."""

    status: int
    out: str
    err: str


@dataclass(frozen=True)
class Materials:
    """True files of a house, to be damaged."""

    log: bytes
    receipt: bytes


@dataclass(frozen=True)
class Link:
    """A symbolic link."""

    target: str


@dataclass(frozen=True)
class Fifo:
    """A named pipe that nobody writes to."""


@dataclass(frozen=True)
class Folder:
    """A directory."""

    mode: int = 0o700


@dataclass(frozen=True)
class File:
    """A file; ``content`` may be made of the materials."""

    content: bytes | str | Callable[[Materials], bytes] = b""
    mode: int = 0o600


Lying = File | Link | Fifo | Folder | str | bytes | Callable[[Materials], bytes]


@dataclass(frozen=True)
class Case:
    """``says`` must be in stderr; ``name`` is the test's."""

    name: str
    arguments: tuple[str, ...]
    status: int
    says: str = ""
    files: Mapping[str, Lying] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    stdin: str = os.devnull
    keeps: tuple[str, ...] = ()
    """Directories that the command may leave although it fails."""
    has_keys: bool = True
    """Whether the keys of alice and of the house lie where they belong, unless ``files`` has others there."""


def key_file(key: SecretKey) -> str:
    """The content of a key file."""
    return f"# created: 2026-01-31T12:00:00Z\n# public key: {key.identity.text}\n{key.seed_text}\n"


def lay_out(case: Case, work: Path, materials: Materials) -> None:
    """Put the files of ``case`` into ``work``."""
    late: list[tuple[Path, int]] = []
    if case.has_keys:
        (work / KEYS).mkdir(mode=0o700, parents=True)
    for key_name, key in (("alice", ALICE), ("house", HOUSE)) if case.has_keys else ():
        path = work / KEYS / f"{key_name}.key"
        if f"{KEYS}/{key_name}.key" not in case.files:
            path.write_text(key_file(key))
            path.chmod(0o600)
    for name, lying in case.files.items():
        path = work / name
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        match lying:
            case Link(target):
                path.symlink_to(target)
            case Fifo():
                os.mkfifo(path, 0o600)
            case Folder(mode):
                path.mkdir(parents=True, exist_ok=True)
                late.append((path, mode))
            case File(content, mode):
                path.write_bytes(_content(content, materials))
                late.append((path, mode))
            case _:
                path.write_bytes(_content(lying, materials))
                path.chmod(0o600)
    for path, mode in late:
        path.chmod(mode)


def _content(content: bytes | str | Callable[[Materials], bytes], materials: Materials) -> bytes:
    if isinstance(content, str):
        return content.encode("utf-8", "surrogateescape")
    return content if isinstance(content, bytes) else content(materials)


def tree_of(work: Path) -> dict[str, tuple[int, str]]:
    """Everything below ``work``: path → (mode, hash of the content or target of the link)."""
    found: dict[str, tuple[int, str]] = {}
    for path in sorted(work.rglob("*")):
        status = path.lstat()
        content = ""
        if stat.S_ISREG(status.st_mode):
            content = hashlib.sha256(path.read_bytes()).hexdigest()
        elif stat.S_ISLNK(status.st_mode):
            content = os.readlink(path)
        found[str(path.relative_to(work))] = (status.st_mode, content)
    return found


def check_harmless(text: str) -> None:
    """No character that moves a cursor, turns the direction of writing, or hides."""
    for character in text:
        assert character in "\n\t" or unicodedata.category(character) not in ("Cc", "Cf", "Cs", "Co", "Cn"), (
            f"{character!a} was shown"
        )


def check_ending(case: Case, ending: Ending) -> None:
    """Everything that holds for all of them."""
    shown = f"{case.arguments}: {ending}"[:3_000]
    assert ending.status == case.status, shown
    assert "Traceback" not in ending.err, shown
    assert "internal error" not in ending.err, shown
    assert len(ending.err) <= MAX_ERR_CHARACTERS, shown
    check_harmless(ending.out + ending.err)
    if case.status == 0:
        assert case.says in ending.out + ending.err, shown
        return
    assert ending.out == "", shown
    assert case.says in ending.err, shown
    if "--json" in case.arguments:
        error = json.loads(ending.err)["error"]
        assert error["message"], shown
        assert error["hint"], shown
        return
    errors = [line for line in ending.err.splitlines() if line.startswith("auctionctl: ")]
    assert len(errors) == 1, shown
    hints = [line for line in ending.err.splitlines() if line.startswith("hint: ")]
    assert len(hints) == 1, shown
    assert len(hints[0]) > len("hint: ") + 5, shown
