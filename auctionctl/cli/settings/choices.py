"""Which key, which house, which auctions: what the command line leaves open is found out here, or asked for.

Rule: nothing is guessed where two answers are possible; the error then names them all.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final

from auctionctl.cli.address_file import running_houses
from auctionctl.cli.arguments import ArgumentError, argument
from auctionctl.cli.passphrases import open_key
from auctionctl.cli.settings.contexts import Contexts, read_contexts
from auctionctl.cli.settings.person_file import Said, find_setting
from auctionctl.client.choosing import listed
from auctionctl.client.files import read_bounded
from auctionctl.client.paths import ADDRESS_SUFFIX, Paths
from auctionctl.errors import ConfigurationError, KeyFileError, NotFoundError

if TYPE_CHECKING:
    from auctionctl.keys.signing import SecretKey
    from auctionctl.wire.address import HouseAddress

DEFAULT_KEY: Final = "default"
DEFAULT_ORIGIN: Final = "default"
MAX_ADDRESS_BYTES: Final = 4096


def choose_key(
    paths: Paths,
    name: str | None,
    context: str | None = None,
    environment: Mapping[str, str] = os.environ,
    *,
    passphrase_file: Path | None = None,
) -> SecretKey:
    """The key called ``name``; else what the settings say (:mod:`auctionctl.cli.settings.person_file`), ``default``,
    or the only one there is; by the passphrase in ``passphrase_file``, where it is under one.

    Raises NotFoundError if there is none, ArgumentError if there are several, KeyFileError for a file that is damaged
    or open to others, PassphraseError.
    """
    path = choose_key_path(paths, name, context, environment)
    return open_key(path, passphrase_file, environment).key


def choose_key_path(
    paths: Paths, name: str | None, context: str | None = None, environment: Mapping[str, str] = os.environ
) -> Path:
    """The file of the key that :func:`choose_key` reads; as raising as that is, but that the file is not looked at."""
    from auctionctl.keys.keyfile import key_path  # noqa: PLC0415 - imports libsodium

    said = choose_key_name(paths, name, context, environment)
    try:
        return key_path(paths.keys, said.value)
    except KeyFileError as error:
        if said.value == name:
            raise ArgumentError(f"--key: {error}", hint=error.hint) from error
        raise ConfigurationError(f"{said.origin}: {error}", hint=error.hint) from error


def choose_key_name(
    paths: Paths, name: str | None, context: str | None = None, environment: Mapping[str, str] = os.environ
) -> Said:
    """The name of the key that :func:`choose_key` reads, and where it comes from; as raising as that is."""
    from auctionctl.keys.keyfile import list_keys  # noqa: PLC0415 - imports libsodium

    said = find_setting(paths, "key", name, context, environment)
    if said is not None:
        return said
    names = list_keys(paths.keys)
    if DEFAULT_KEY in names:
        return Said(DEFAULT_KEY, DEFAULT_ORIGIN)
    if not names:
        raise NotFoundError(f"there is no key in {paths.keys}", hint="make one: auctionctl keygen")
    if len(names) > 1:
        raise ArgumentError(f"there are several keys: {listed(names)}", hint="choose one with --key NAME")
    return Said(names[0], DEFAULT_ORIGIN)


def choose_house(
    paths: Paths, address: str | None, context: str | None = None, environment: Mapping[str, str] = os.environ
) -> HouseAddress:
    """The house at ``address``, which may be the name of a context; without one that of the settings
    (:mod:`auctionctl.cli.settings.person_file`), else the only one that runs on this machine.

    Raises ArgumentError for an address that is none, ConfigurationError if no house or more than one is found.
    """
    from auctionctl.keys.encoding import is_name  # noqa: PLC0415
    from auctionctl.wire.address import parse_address  # noqa: PLC0415 - imports libsodium

    said = find_setting(paths, "house", address, context, environment)
    if said is None:
        return find_local_house(paths)
    text = said.value
    if is_name(text):
        contexts = read_contexts(paths)
        # A key alone is a name too, and gets a hint of its own where addresses are read.
        if text in contexts.by_name or not text.startswith("auc1"):
            text = _house_of(contexts, said)
    if said.value == address:
        with argument("--house"):
            return parse_address(text)
    return _parse_named(said.origin, text)


def _house_of(contexts: Contexts, said: Said) -> str:
    """The address in the context that ``said`` names. ConfigurationError, or ArgumentError if an option names it."""
    found = contexts.by_name.get(said.value)
    if found is not None and found.house:
        return found.house
    hint = "give an address, auction://auc1…@host:port, or save one: auctionctl context add NAME ADDR"
    what = "there is no context" if found is None else "it names no house: the context"
    message = f"{said.origin}: {what} {said.value}"
    raise ArgumentError(message, hint=hint) if said.origin == "--house" else ConfigurationError(message, hint=hint)


def find_local_house(paths: Paths) -> HouseAddress:
    """The only house that runs on this machine. ConfigurationError if there is none, or more than one."""
    found = running_houses(paths)
    if len(found) == 1:
        return _parse_named(str(found[0]), read_bounded(found[0], MAX_ADDRESS_BYTES).decode(errors="replace"))
    if not found:
        raise ConfigurationError(
            "no house is named, and none runs on this machine",
            hint="give --house auction://…, or set AUCTIONCTL_HOUSE; `auctionctl serve` prints the address",
        )
    names = [path.name.removesuffix(ADDRESS_SUFFIX) for path in found]
    raise ConfigurationError(
        f"{len(found)} houses run on this machine: {listed(names)}",
        hint=f"choose one: --house \"$(cat '{found[0]}')\"",
    )


def _parse_named(where: str, text: str) -> HouseAddress:
    from auctionctl.wire.address import parse_address  # noqa: PLC0415

    try:
        return parse_address(text)
    except ConfigurationError as error:
        raise ConfigurationError(f"{where}: {error}", hint=error.hint) from error
