"""Files that are read with a limit, written whole or not at all, and directories that are nobody else's.

Rule: new content is written beside its target, made durable, and then given its name; whatever goes wrong before that
leaves the old file and nothing else. What is missing is NotFoundError, and what cannot be read ConfigurationError.
"""

from __future__ import annotations

import difflib
import enum
import errno
import fcntl
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from auctionctl.errors import ConfigurationError, NotFoundError
from auctionctl.keys.encoding import redacted

PRIVATE_MODE = 0o600
PUBLIC_MODE = 0o666
"""Before the umask."""
MAX_SHOWN = 300


class Existing(enum.Enum):
    """What becomes of a file that is there already."""

    REPLACE = "replace"
    REFUSE = "refuse"


def is_there(path: Path) -> bool:
    """Whether there is something at ``path``; where that cannot be found out, let whoever reads it complain."""
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        return True
    return True


def read_bounded(path: Path, max_bytes: int, *, mark: tuple[bytes, ...] = (b"",)) -> bytes:
    """The content of ``path``; the first bytes alone if it begins with none of ``mark``.

    Raises NotFoundError if there is none, ConfigurationError if it cannot be read or has more than ``max_bytes``. A
    named pipe that nobody writes to is empty.
    """
    is_too_large = False
    try:
        # Non-blocking, as a named pipe would otherwise wait for a writer for ever; whoever writes is waited for.
        with open(path, "rb", opener=lambda name, flags: os.open(name, flags | os.O_NONBLOCK)) as file:
            os.set_blocking(file.fileno(), True)
            data = file.read(max(map(len, mark)))
            if data.startswith(mark):
                # What says itself how large it is need not be read to be refused: that may be a gigabyte.
                is_too_large = os.fstat(file.fileno()).st_size > max_bytes
                data = data if is_too_large else _read_on(file, data, max_bytes + 1)
    except (FileNotFoundError, NotADirectoryError):
        raise NotFoundError(f"there is no file {shown(path)}", hint=_missing_hint(path)) from None
    except OSError as error:
        raise ConfigurationError(
            f"cannot read {shown(path)}: {(error.strerror or str(error)).lower()}", hint="give a file that you may read"
        ) from error
    if is_too_large or len(data) > max_bytes:
        raise ConfigurationError(f"{path} is larger than {max_bytes} bytes", hint="is it the file that you meant?")
    return data


def _read_on(file: BinaryIO, begun: bytes, max_bytes: int) -> bytes:
    """What ``file`` holds, of which ``begun`` was read: a regular one from its start, which spares a copy of it all."""
    if file.seekable():
        file.seek(0)
        return file.read(max_bytes)
    return begun + file.read(max_bytes - len(begun))


def shown(path: Path) -> str:
    """``path`` for a message that has to stay readable: the middle of a very long one is left out."""
    text = redacted(str(path))
    return text if len(text) <= MAX_SHOWN else f"{text[: MAX_SHOWN // 2]}…{text[-MAX_SHOWN // 2 :]}"


def _missing_hint(path: Path) -> str:
    directory = Path(os.path.abspath(path)).parent
    if not os.path.isdir(directory):
        return f"there is no directory {directory} either"
    close = difflib.get_close_matches(path.name, sorted(os.listdir(directory)), n=1)
    return f"did you mean {close[0]}?" if close else f"it was looked for in {directory}"


def make_private_directories(directory: Path) -> None:
    """Create ``directory`` and what leads to it, mode 0700 each. Raises ConfigurationError where that cannot be."""
    try:
        missing = [step for step in (directory, *directory.parents) if not step.exists()]
        for step in reversed(missing):
            step.mkdir(0o700, exist_ok=True)
    except OSError as error:
        raise ConfigurationError(
            f"cannot create {directory}: {(error.strerror or '').lower()}",
            hint="AUCTIONCTL_HOME=DIR puts all files under a directory of your choice",
        ) from error


@contextmanager
def held_alone(directory: Path) -> Iterator[None]:
    """Wait until nobody else holds ``directory``, and hold it: two who read, change and write would lose one change."""
    try:
        descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as error:
        raise ConfigurationError(
            f"cannot open {directory}: {(error.strerror or '').lower()}", hint="give a directory that is yours"
        ) from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def write_whole(path: Path, data: bytes, mode: int, existing: Existing) -> None:
    """Put ``data`` at ``path``, atomically and durably. Raises ConfigurationError.

    ``mode`` is of a new file, before the umask; one that replaces another has that one's owner, group and mode, and
    stands where a symbolic link at ``path`` leads to. With ``Existing.REFUSE`` nobody's file is replaced, not even one
    that appears meanwhile.
    """
    if existing is Existing.REPLACE:
        path = Path(os.path.realpath(path))
    new = path.with_name(f".{path.name}.{os.urandom(6).hex()}.new")
    try:
        try:
            with open(new, "xb", opener=lambda name, flags: os.open(name, flags, mode)) as file:
                if existing is Existing.REPLACE:
                    _take_over_rights(file.fileno(), path)
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
        raise ConfigurationError(
            f"cannot write {path}: {(error.strerror or '').lower()}", hint="choose a place where you may write"
        ) from error


def _take_over_rights(descriptor: int, path: Path) -> None:
    """Give the file behind ``descriptor`` what the file at ``path``, if there is one, has of owner, group and mode.

    Who reads a list is not always who changes it: a service must not lose its file to an operator's edit.
    """
    try:
        old = path.lstat()
    except FileNotFoundError:
        return
    if stat.S_ISLNK(old.st_mode):
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
    if not stat.S_ISREG(old.st_mode):
        return
    new = os.fstat(descriptor)
    if (new.st_uid, new.st_gid) != (old.st_uid, old.st_gid):
        try:
            os.fchown(descriptor, old.st_uid, old.st_gid)
        except PermissionError:
            raise ConfigurationError(
                f"cannot write {path}: it would no longer belong to its owner (uid {old.st_uid}, gid {old.st_gid})",
                hint="run the command as the file's owner, or as root",
            ) from None
    os.fchmod(descriptor, stat.S_IMODE(old.st_mode))


def sync_directory(directory: Path) -> None:
    """Make the names in ``directory`` durable."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
