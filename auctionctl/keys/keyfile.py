"""Secret keys on disk: made, written once, and read only while nobody else could have touched them.

A key file is plain text: ``# created: …``, ``# public key: auc1…``, and one line ``AUC-SECRET-KEY-1…``; or it is under
a passphrase (:mod:`auctionctl.keys.locked_key`). Rule: mode 0600 in a directory that nobody else can write to, or it is
refused with the command that mends it; never overwritten unless asked; on disk before the call returns. Besides
``store``, the only module below ``net`` that touches files, and the only one that touches randomness. Other formats are
known by their first line, and refused by name.
Source: DESIGN.md section 5.
"""

from __future__ import annotations

import fcntl
import os
import re
import shlex
import stat
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from auctionctl.errors import KeyFileError, KeyTextError, NotFoundError, PassphraseError
from auctionctl.keys.encoding import NAME_HINT, SECRET_PREFIX, is_name
from auctionctl.keys.locked_key import (
    MAX_PASSPHRASE_BYTES,
    NONCE_BYTES,
    SALT_BYTES,
    LockedKey,
    is_locked,
    lock_key,
    parse_locked_key,
)
from auctionctl.keys.signing import SEED_BYTES, Identity, SecretKey

SUFFIX: Final = ".key"
MAX_FILE_BYTES: Final = 64 * 1024
MAX_SHOWN: Final = 40
PLACE_HINT: Final = "AUCTIONCTL_HOME=DIR puts keys, and everything else, under a directory of your choice"
READ_HINT: Final = "a key is a file that you alone may read, in a directory that is yours"
PASSPHRASE_HINT: Final = "give it in a file: --passphrase-file FILE, or AUCTIONCTL_PASSPHRASE_FILE=FILE"  # noqa: S105 - advice
DAMAGED_HINT: Final = "take the file from a backup, or make another key: auctionctl keygen NAME"

_UNFINISHED_BYTES: Final = 8
"""Randomness in the name of a file that is to take another's place."""
_FILE_MODE: Final = 0o600
_DIRECTORY_MODE: Final = 0o700
_CREATED: Final = re.compile(r"\d{4}-[01]\d-[0-3]\dT[0-2]\d:[0-5]\d:[0-6]\dZ", re.ASCII)
_CREATED_COMMENT: Final = "# created:"
_PUBLIC_COMMENT: Final = "# public key:"
_OTHER_FORMATS: Final = (b"auctionctl-key/", b"age-encryption.org/", b"-----BEGIN ")


@dataclass(frozen=True, slots=True)
class StoredKey:
    """A key as a file has it. ``created`` is a UTC time such as ``2026-01-31T12:00:00Z``, or ``""``: it is not said."""

    key: SecretKey
    created: str


@dataclass(frozen=True, slots=True)
class KeyComments:
    """What a key file says of its key, without proof: the public key as text, and when it was made; or ``""``."""

    public: str
    created: str


def generate() -> SecretKey:
    """A new key from the operating system's randomness."""
    return SecretKey(os.urandom(SEED_BYTES))


def key_path(directory: Path, name: str) -> Path:
    """Where the key called ``name`` lives; raises KeyFileError if that is no name (DESIGN.md section 5)."""
    if not is_name(name):
        raise KeyFileError(f"{name[:MAX_SHOWN]!a} is no name for a key", hint=NAME_HINT)
    return directory / f"{name}{SUFFIX}"


def list_keys(directory: Path) -> list[str]:
    """The names of the key files in ``directory``, sorted; none if there is no such directory."""
    try:
        with os.scandir(directory) as found:
            stems = [entry.name.removesuffix(SUFFIX) for entry in found if entry.name.endswith(SUFFIX)]
    except FileNotFoundError:
        return []
    except OSError as error:
        raise KeyFileError(f"cannot list the keys in {directory}: {_reason(error)}", hint=READ_HINT) from None
    return sorted(stem for stem in stems if is_name(stem))


def write_key(path: Path, key: SecretKey, *, created: str, replace: bool = False) -> None:
    """Put ``key`` into a new file at ``path``; as :func:`write_key_file`, without a passphrase."""
    write_key_file(path, StoredKey(key, created), replace=replace)


def write_key_file(path: Path, content: StoredKey | LockedKey, *, replace: bool = False) -> None:
    """Put a key into a new file at ``path``, mode 0600; with ``replace``, in place of a file that may be there.

    Its ``created`` is a UTC time such as ``2026-01-31T12:00:00Z``. Missing directories are made, mode 0700. When this
    returns, file and directory entry are durable; when it raises KeyFileError, no half-written file is left, and a file
    that was there is whole. What a process that was killed while it replaced this file has left is taken away. Raises
    KeyFileError if the file exists or its directory is open to others.
    """
    text = content.text if isinstance(content, LockedKey) else key_text(content)
    try:
        _make_directory(path.parent)
        _refuse_loose_directory(path)
        _remove_unfinished(path)
        if replace:
            _replace(path, text)
        else:
            _write_new(path, text)
        _sync_directory(path.parent)
    except OSError as error:
        raise KeyFileError(f"cannot write {path}: {_reason(error)}", hint=PLACE_HINT) from None


def lock(stored: StoredKey, passphrase: bytes) -> LockedKey:
    """``stored`` under ``passphrase``, at the usual cost, with new randomness. Raises PassphraseError, KeyFileError."""
    _check_created(stored.created)
    salt, nonce = os.urandom(SALT_BYTES), os.urandom(NONCE_BYTES)
    return lock_key(stored.key, stored.created, passphrase, salt=salt, nonce=nonce)


def key_text(stored: StoredKey) -> str:
    """The content of a key file, the secret included. KeyFileError if its time of creation is none."""
    _check_created(stored.created)
    key = stored.key
    return f"{_CREATED_COMMENT} {stored.created}\n{_PUBLIC_COMMENT} {key.identity.text}\n{key.seed_text}\n"


def _check_created(created: str) -> None:
    if _CREATED.fullmatch(created) is None:
        raise KeyFileError(f"{created!a} is no time of creation", hint="write it as 2026-01-31T12:00:00Z")


def parse_key_file(source: str, data: bytes) -> StoredKey | LockedKey:
    """The key that ``data`` is the text of: a key file's content, or the secret's line alone.

    Raises KeyFileError, which calls the place ``source`` and never repeats the text, if it is no such thing.
    """
    if len(data) > MAX_FILE_BYTES:
        raise KeyFileError(f"{source} is larger than {MAX_FILE_BYTES} bytes: it is no key file", hint=DAMAGED_HINT)
    if is_locked(data):
        return parse_locked_key(source, data)
    key = _parse(source, data)
    return StoredKey(key, _comments(data).created)


def parse_key(source: str, data: bytes) -> StoredKey:
    """As :func:`parse_key_file`, of a key without a passphrase; raises PassphraseError for one that has one."""
    return _opened(source, parse_key_file(source, data))


def read_key_comments(path: Path) -> KeyComments:
    """What the file at ``path`` says of its key, for a file that :func:`read_key` refuses; the secret is not read.

    Both are ``""`` if it cannot be read, or says nothing that could be true.
    """
    try:
        with open(path, "rb", opener=lambda name, flags: os.open(name, flags | os.O_NONBLOCK)) as file:
            data = file.read(MAX_FILE_BYTES) if stat.S_ISREG(os.fstat(file.fileno()).st_mode) else b""
    except OSError:
        return KeyComments("", "")
    return _comments(data)


def read_key(path: Path) -> SecretKey:
    """The key in the file at ``path``; raises what :func:`read_stored_key` does."""
    return read_stored_key(path).key


def read_stored_key(path: Path) -> StoredKey:
    """The key in the file at ``path``, and when it was made; raises what :func:`read_key_file` does.

    Raises PassphraseError if it is under a passphrase.
    """
    return _opened(str(path), read_key_file(path))


def read_key_file(path: Path) -> StoredKey | LockedKey:
    """What the file at ``path`` holds: a key, or one that a passphrase has to unlock.

    Raises NotFoundError if there is none; KeyFileError, with the command that mends it, if the file's mode lets others
    in or its directory lets them write; KeyFileError too if it cannot be read, is damaged or larger than 64 KiB.
    """
    try:
        data = _read_guarded(path)
    except (FileNotFoundError, NotADirectoryError):
        name = path.stem if path.suffix == SUFFIX and is_name(path.stem) else "NAME"
        raise NotFoundError(f"there is no key file {path}", hint=f"make one: auctionctl keygen {name}") from None
    except OSError as error:
        raise KeyFileError(f"cannot read {path}: {_reason(error)}", hint=READ_HINT) from None
    return parse_key_file(str(path), data)


def read_private_file(path: Path, what: str, hint: str) -> bytes:
    """The content of the file at ``path``, which holds the secret ``what``, guarded as a key file is; at most 64 KiB.

    Raises NotFoundError if there is none; KeyFileError for a file that is open to others, too large, or cannot be read.
    """
    try:
        data = _read_guarded(path)
    except (FileNotFoundError, NotADirectoryError):
        raise NotFoundError(f"there is no file of {what} {path}", hint=hint) from None
    except OSError as error:
        raise KeyFileError(f"cannot read {path}: {_reason(error)}", hint="give a file that you may read") from None
    if len(data) > MAX_FILE_BYTES:
        raise KeyFileError(f"{path} is larger than {MAX_FILE_BYTES} bytes", hint="is it the file that you meant?")
    return data


def read_passphrase(path: Path) -> bytes:
    """The passphrase in the file at ``path``: its content without the newline at its end. A pipe will do.

    Raises NotFoundError if there is none; KeyFileError for a file that is open to others, or cannot be read;
    PassphraseError if it holds nothing, or more than 1024 bytes.
    """
    try:
        if stat.S_ISFIFO(path.stat().st_mode):
            # Whoever writes to it is waited for; a named pipe to which nobody does is empty.
            with open(path, "rb", opener=lambda name, flags: os.open(name, flags | os.O_NONBLOCK)) as pipe:
                os.set_blocking(pipe.fileno(), True)
                data = pipe.read(MAX_PASSPHRASE_BYTES + 3)
        else:
            data = _read_guarded(path)
    except (FileNotFoundError, NotADirectoryError):
        raise NotFoundError(f"there is no passphrase file {path}", hint=PASSPHRASE_HINT) from None
    except OSError as error:
        raise KeyFileError(f"cannot read {path}: {_reason(error)}", hint=READ_HINT) from None
    passphrase = data.removesuffix(b"\n").removesuffix(b"\r")
    if not passphrase:
        raise PassphraseError(f"there is no passphrase in {path}", hint="write it into the first line of the file")
    if len(passphrase) > MAX_PASSPHRASE_BYTES or b"\n" in passphrase:
        raise PassphraseError(
            f"{path} holds more than a passphrase: it is one line of up to {MAX_PASSPHRASE_BYTES} bytes",
            hint="is it the file that you meant?",
        )
    return passphrase


def _opened(source: str, content: StoredKey | LockedKey) -> StoredKey:
    if isinstance(content, LockedKey):
        raise PassphraseError(f"{source} is under a passphrase", hint=PASSPHRASE_HINT)
    return content


def _reason(error: OSError) -> str:
    return (error.strerror or type(error).__name__).lower()


def remove_key(path: Path) -> None:
    """Take the file at ``path`` away, durably. Raises NotFoundError if there is none, KeyFileError."""
    try:
        path.unlink()
        _sync_directory(path.parent)
    except FileNotFoundError:
        raise NotFoundError(f"there is no key file {path}", hint="see which there are: auctionctl key ls") from None
    except OSError as error:
        raise KeyFileError(
            f"cannot remove {path}: {_reason(error)}", hint="remove it as whoever owns its directory"
        ) from None


def _make_directory(directory: Path) -> None:
    # Path.mkdir(parents=True) would leave the outer ones at the mercy of the umask.
    missing = [step for step in (directory, *directory.parents) if not step.exists()]
    for step in reversed(missing):
        step.mkdir(_DIRECTORY_MODE, exist_ok=True)
        _sync_directory(step.parent)


def _refuse_loose_directory(path: Path) -> None:
    # Both ends of a symbolic link: whoever can write to either directory chooses the key.
    for directory in dict.fromkeys((Path(os.path.abspath(path)).parent, path.resolve().parent)):
        mode = stat.S_IMODE(directory.stat().st_mode)
        if mode & (stat.S_IWGRP | stat.S_IWOTH):
            raise KeyFileError(
                f"others can write to the directory {directory} (mode {mode:04o})",
                hint=f"run: chmod go-w {shlex.quote(str(directory))}",
            )


def _remove_unfinished(path: Path) -> None:
    """Take away what was to become ``path`` and was left behind by a killed process: it holds a secret.

    Whoever still writes such a file has it locked (flock(2)), until it has its name.
    """
    pattern = re.compile(rf"\.{re.escape(path.name)}\.[0-9a-f]{{{2 * _UNFINISHED_BYTES}}}\.new")
    for name in filter(pattern.fullmatch, os.listdir(path.parent)):
        unfinished = path.with_name(name)
        with suppress(OSError):  # It is locked, or has its name by now; or files cannot be locked here.
            status = unfinished.lstat()
            if stat.S_ISREG(status.st_mode) and status.st_uid == os.geteuid():
                _remove_unlocked(unfinished)


def _remove_unlocked(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        path.unlink()
    finally:
        os.close(descriptor)


def _write_new(path: Path, text: str) -> None:
    descriptor = _create(path)
    durable = False
    try:
        _write_durably(descriptor, text)
        durable = True
    finally:
        # A crash before this point leaves a file that reads as damaged; any other way out leaves none.
        os.close(descriptor)
        if not durable:
            path.unlink()


def _replace(path: Path, text: str) -> None:
    new, descriptor = _claim_beside(path)
    renamed = False
    try:
        _write_durably(descriptor, text)
        # A crash before this line leaves the old file, one after it the new one: both are whole.
        new.replace(path)
        renamed = True
    finally:
        os.close(descriptor)
        if not renamed:
            new.unlink()


def _claim_beside(path: Path) -> tuple[Path, int]:
    """A new file beside ``path``, so that a rename stays within one file system and is atomic; locked."""
    while True:
        new = path.with_name(f".{path.name}.{os.urandom(_UNFINISHED_BYTES).hex()}.new")
        descriptor = _create(new)
        with suppress(OSError):  # Where files cannot be locked, nobody takes them away.
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        if os.fstat(descriptor).st_nlink:
            return new, descriptor
        os.close(descriptor)  # Another process took it for one that was left, before it was locked.


def _create(path: Path) -> int:
    try:
        return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, _FILE_MODE)
    except FileExistsError:
        raise KeyFileError(f"{path} exists already", hint="choose another name, or replace it with --force") from None


def _write_durably(descriptor: int, text: str) -> None:
    with os.fdopen(descriptor, "w", encoding="ascii", newline="\n", closefd=False) as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def _sync_directory(directory: Path) -> None:
    # Until then a power cut may take the new name away again, and the caller would have announced a lost key.
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _read_guarded(path: Path) -> bytes:
    # Non-blocking, as a named pipe would otherwise wait for a writer for ever.
    with open(path, "rb", opener=lambda name, flags: os.open(name, flags | os.O_NONBLOCK)) as file:
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode):
            raise KeyFileError(f"{path} is no regular file", hint=READ_HINT)
        mode = stat.S_IMODE(status.st_mode)
        if mode & (stat.S_IRWXG | stat.S_IRWXO):
            raise KeyFileError(
                f"others have access to {path} (mode {mode:04o})",
                hint=f"run: chmod 600 {shlex.quote(os.path.abspath(path))}",
            )
        _refuse_loose_directory(path)
        return file.read(MAX_FILE_BYTES + 1)


def _comments(data: bytes) -> KeyComments:
    """The first comment of each kind that could be true."""
    public = created = ""
    for line in data.decode("ascii", "replace").split("\n"):
        value = line.partition(":")[2].strip()
        if line.startswith(_CREATED_COMMENT) and not created and _CREATED.fullmatch(value):
            created = value
        elif line.startswith(_PUBLIC_COMMENT) and not public and _is_public_key(value):
            public = value
    return KeyComments(public, created)


def _is_public_key(text: str) -> bool:
    try:
        Identity.from_text(text)
    except KeyTextError:
        return False
    return True


def _parse(path: str, data: bytes) -> SecretKey:
    if data.startswith(_OTHER_FORMATS):
        mark = data.split(b"\n", 1)[0][:40].decode("ascii", "replace")
        raise KeyFileError(
            f"{path} is in another format, {mark!a}, which this version does not read",
            hint="use a plain key file, or a newer auctionctl",
        )
    if not data.isascii():
        raise KeyFileError(f"{path} is damaged: it is not plain text", hint=DAMAGED_HINT)
    lines = [line.strip() for line in data.decode("ascii").split("\n")]
    secrets = [(number, line) for number, line in enumerate(lines, 1) if line and not line.startswith("#")]
    if len(secrets) != 1:
        raise KeyFileError(
            f"{path} is damaged: it has {len(secrets)} lines besides comments, not one",
            hint=f"beside comments it holds one line, {SECRET_PREFIX}1…",
        )
    number, secret = secrets[0]
    try:
        key = SecretKey.from_text(secret)
    except KeyTextError as error:
        raise KeyFileError(f"{path} is damaged: line {number}: {error}", hint=DAMAGED_HINT) from None
    publics = [line.removeprefix(_PUBLIC_COMMENT).strip() for line in lines if line.startswith(_PUBLIC_COMMENT)]
    if any(public != key.identity.text for public in publics):
        raise KeyFileError(
            f"{path} is damaged: its public key is not that of its secret",
            hint="take the file from a backup; if the secret is surely yours, remove the line '# public key'",
        )
    return key
