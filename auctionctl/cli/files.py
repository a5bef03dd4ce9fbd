"""Files that are there whole or not at all, and directories that are nobody else's.

Rule: new content is written beside its target, made durable, and then given its name; whatever goes wrong before that
leaves the old file and nothing else.
"""

from __future__ import annotations

import enum
import os
from pathlib import Path

from auctionctl.errors import ConfigurationError

PRIVATE_MODE = 0o600
PUBLIC_MODE = 0o666
"""Before the umask."""


class Existing(enum.Enum):
    """What becomes of a file that is there already."""

    REPLACE = "replace"
    REFUSE = "refuse"


def make_private_directories(directory: Path) -> None:
    """Create ``directory`` and what leads to it, mode 0700 each. Raises ConfigurationError where that cannot be."""
    missing = [step for step in (directory, *directory.parents) if not step.exists()]
    try:
        for step in reversed(missing):
            step.mkdir(0o700, exist_ok=True)
    except OSError as error:
        raise ConfigurationError(f"cannot create {directory}: {(error.strerror or '').lower()}") from error


def write_whole(path: Path, data: bytes, mode: int, existing: Existing) -> None:
    """Put ``data`` at ``path``, atomically and durably. Raises ConfigurationError.

    ``mode`` is of a new file, before the umask. With ``Existing.REFUSE`` nobody's file is replaced, not even one that
    appears meanwhile.
    """
    new = path.with_name(f".{path.name}.{os.urandom(6).hex()}.new")
    try:
        try:
            with open(new, "xb", opener=lambda name, flags: os.open(name, flags, mode)) as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            if existing is Existing.REPLACE:
                new.replace(path)
            else:
                os.link(new, path)
        finally:
            new.unlink(missing_ok=True)
        sync_directory(path.parent)
    except FileExistsError:
        raise ConfigurationError(f"{path} exists already", hint="choose another name, or give --force") from None
    except OSError as error:
        raise ConfigurationError(f"cannot write {path}: {(error.strerror or '').lower()}") from error


def sync_directory(directory: Path) -> None:
    """Make the names in ``directory`` durable."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
