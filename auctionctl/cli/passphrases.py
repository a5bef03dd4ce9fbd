"""Where a passphrase comes from: a file that an option or the environment names, or a person at the terminal.

Rule: it is never an argument nor the value of a variable, where other processes could see it; it is not shown while it
is typed, asked for only where a key is under one, and kept by nobody here. A command asks for one key once.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from auctionctl.errors import PassphraseError

if TYPE_CHECKING:
    from auctionctl.keys.keyfile import StoredKey

PASSPHRASE_VARIABLE: Final = "AUCTIONCTL_PASSPHRASE_FILE"  # noqa: S105 - the name of a file

OwnPassphraseFile = Annotated[
    Path | None,
    typer.Option(
        "--passphrase-file", metavar="FILE", readable=False, help="The passphrase of the key; else it is asked for."
    ),
]
"""The option, of a command that has it for itself."""


def open_key(path: Path, file: Path | None, environment: Mapping[str, str] = os.environ) -> StoredKey:
    """The key in the file at ``path``, by the passphrase in ``file``, where it is under one.

    Raises what :func:`~auctionctl.keys.keyfile.read_key_file` and :func:`find_passphrase` do, and PassphraseError if
    the passphrase is wrong.
    """
    from auctionctl.keys.core_dumps import forbid_dumps  # noqa: PLC0415
    from auctionctl.keys.keyfile import StoredKey as Stored  # noqa: PLC0415 - imports libsodium
    from auctionctl.keys.keyfile import read_key_file  # noqa: PLC0415

    forbid_dumps()
    content = read_key_file(path)
    if isinstance(content, Stored):
        return content
    passphrase = find_passphrase(file, environment, f"passphrase of {path.stem}: ", f"{path} is under a passphrase")
    return Stored(content.unlock(str(path), passphrase), content.created)


def find_passphrase(file: Path | None, environment: Mapping[str, str], prompt: str, why: str) -> bytes:
    """The passphrase in ``file``, else in the file that the environment names, else as it is typed after ``prompt``.

    Raises what :func:`~auctionctl.keys.keyfile.read_passphrase` does; PassphraseError, which begins with ``why``, where
    there is no terminal to ask at.
    """
    from auctionctl.keys.keyfile import read_passphrase  # noqa: PLC0415 - imports libsodium

    if file is None and (named := environment.get(PASSPHRASE_VARIABLE)):
        file = Path(named)
    return ask_passphrase(prompt, why) if file is None else read_passphrase(file)


def new_passphrase(file: Path | None, environment: Mapping[str, str]) -> bytes:
    """The passphrase to put a key under: as :func:`find_passphrase`; at a terminal it is typed twice.

    Raises PassphraseError too if the two differ, or it is too short.
    """
    from auctionctl.keys.locked_key import check_new_passphrase  # noqa: PLC0415 - imports libsodium

    why = "a key is to be put under a passphrase"
    passphrase = find_passphrase(file, environment, "new passphrase: ", why)
    check_new_passphrase(passphrase)
    is_typed = file is None and not environment.get(PASSPHRASE_VARIABLE)
    if is_typed and ask_passphrase("the same again: ", why) != passphrase:
        raise PassphraseError("the two differ: nothing was changed", hint="type the same passphrase twice")
    return passphrase


def ask_passphrase(prompt: str, why: str) -> bytes:
    """What a person types, which is not shown. Raises PassphraseError where stdin is no terminal, or is at its end."""
    from auctionctl.keys.keyfile import PASSPHRASE_HINT  # noqa: PLC0415 - imports libsodium

    if not sys.stdin.isatty():
        raise PassphraseError(f"{why}, and nobody can be asked for it: stdin is no terminal", hint=PASSPHRASE_HINT)
    import getpass  # noqa: PLC0415

    try:
        typed = getpass.getpass(prompt, sys.stderr)
    except EOFError:
        raise PassphraseError(f"{why}, and none was typed", hint=PASSPHRASE_HINT) from None
    return typed.encode("utf-8", "surrogateescape")
