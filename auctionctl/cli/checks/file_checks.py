"""Every file of the configuration directory, checked: all its mistakes, and not the first alone.

Rule: a file is right exactly if the commands that read it take it; here its keys and lines are read one by one, by the
same code, so that one mistake does not hide another. Nothing is changed.
"""

from __future__ import annotations

import os
import shlex
import stat
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from auctionctl.cli.checks.findings import Finding, State, wrong
from auctionctl.cli.settings.contexts import contexts_file, read_context_values
from auctionctl.cli.settings.house_file import HOUSE_FILE, read_house_values
from auctionctl.cli.settings.person_file import config_file, read_person_values
from auctionctl.client.files import is_there, read_bounded
from auctionctl.client.paths import Paths
from auctionctl.client.toml_file import read_toml
from auctionctl.errors import AuctionctlError, ConfigurationError
from auctionctl.keys.allowlist import MAX_TEXT_BYTES, find_mistakes
from auctionctl.keys.encoding import NAME_HINT, is_name
from auctionctl.keys.keyfile import SUFFIX, key_path, list_keys, read_key_file
from auctionctl.wire.address import parse_address

OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH


def check_files(paths: Paths) -> list[Finding]:
    """A finding for each file that is there and right, and one for each mistake in the others."""
    findings: list[Finding] = []
    checks: tuple[tuple[Path, Callable[[Path], Iterator[Finding]]], ...] = (
        (config_file(paths), lambda path: _check_person(paths, path)),
        (contexts_file(paths), lambda path: _check_contexts(paths, path)),
        (paths.config / HOUSE_FILE, lambda path: _check_house(paths, path)),
        (paths.allow_list, _check_allow_list),
    )
    for path, check in checks:
        if is_there(path) or os.path.islink(path):
            found = [*_check_mode(path), *_guarded(path, check)]
            findings += found or [Finding(State.OK, path.name, str(path))]
    findings += check_keys(paths)
    return findings


def check_keys(paths: Paths) -> list[Finding]:
    """A finding for each key file."""
    try:
        names = sorted(name for name in os.listdir(paths.keys) if name.endswith(SUFFIX) and not name.startswith("."))
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        reason = (error.strerror or "").lower()
        return [Finding(State.WRONG, "keys", f"cannot list the keys in {paths.keys}: {reason}", "make it yours")]
    return [_check_key(paths.keys / name) for name in names]


def _check_key(path: Path) -> Finding:
    subject = f"keys/{path.name}"
    if not is_name(path.name.removesuffix(SUFFIX)):
        return Finding(State.WARNING, subject, "it is never read: that is no name for a key", f"rename it: {NAME_HINT}")
    try:
        read_key_file(path)
    except AuctionctlError as error:
        return wrong(subject, error)
    return Finding(State.OK, subject, str(path))


def _guarded(path: Path, check: Callable[[Path], Iterator[Finding]]) -> list[Finding]:
    """What ``check`` finds; a file that cannot be read at all is one finding."""
    try:
        return list(check(path))
    except AuctionctlError as error:
        return [wrong(path.name, error)]


def _check_mode(path: Path) -> Iterator[Finding]:
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
    except OSError:
        return  # whoever reads it will say so
    if mode & OTHERS_WRITE:
        remedy = f"run: chmod go-w {shlex.quote(str(path))}"
        yield Finding(State.WRONG, path.name, f"others can write to {path} (mode {mode:04o})", remedy)


def _each(path: Path, read: Callable[[Path, dict[str, Any]], object], parts: list[dict[str, Any]]) -> Iterator[Finding]:
    """A finding for each of ``parts`` that ``read`` refuses."""
    for part in parts:
        try:
            read(path, part)
        except AuctionctlError as error:
            yield wrong(path.name, error)


def _check_person(paths: Paths, path: Path) -> Iterator[Finding]:
    content = read_toml(path)
    yield from _each(path, read_person_values, [{key: value} for key, value in content.items()])
    house = content.get("house")
    if isinstance(house, str) and is_name(house) and house not in _context_names(paths):
        message = f"{path}: house: there is no context {house}"
        yield Finding(State.WRONG, path.name, message, f"save it: auctionctl context add {house} ADDR")
    yield from _check_key_name(paths, path, "", content)


def _context_names(paths: Paths) -> set[str]:
    try:
        tables = read_toml(contexts_file(paths)).get("contexts", {})
    except AuctionctlError:
        return set()  # reported where that file is checked
    return set(tables) if isinstance(tables, dict) else set()


def _check_contexts(paths: Paths, path: Path) -> Iterator[Finding]:
    content = read_toml(path)
    tables = content.get("contexts", {})
    rest = [{key: value} for key, value in content.items() if key not in ("contexts", "current")]
    yield from _each(path, read_context_values, rest)
    if not isinstance(tables, dict):
        yield from _each(path, read_context_values, [{"contexts": tables}])
        return
    if "current" in content:
        names: dict[str, Any] = {name: {} for name in tables if is_name(name)}
        yield from _each(path, read_context_values, [{"current": content["current"], "contexts": names}])
    for name, values in tables.items():
        if not isinstance(values, dict) or not is_name(name):
            yield from _each(path, read_context_values, [{"contexts": {name: values}}])
            continue
        parts = [{"contexts": {name: {key: value}}} for key, value in values.items()]
        yield from _each(path, read_context_values, parts)
        yield from _check_address(path, name, values.get("house"))
        yield from _check_key_name(paths, path, f"[contexts.{name}]: ", values)


def _check_address(path: Path, name: str, house: object) -> Iterator[Finding]:
    if not isinstance(house, str) or not house:
        return
    try:
        parse_address(house)
    except ConfigurationError as error:
        yield Finding(State.WRONG, path.name, f"{path}: [contexts.{name}]: house: {error}", error.hint)


def _check_house(paths: Paths, path: Path) -> Iterator[Finding]:
    content = read_toml(path)
    defaults = content.pop("defaults", {})
    parts = [{key: value} for key, value in content.items()]
    if isinstance(defaults, dict):
        parts += [{"defaults": {key: value}} for key, value in defaults.items()]
    else:
        parts.append({"defaults": defaults})
    yield from _each(path, read_house_values, parts)
    yield from _check_key_name(paths, path, "", content)


def _check_key_name(paths: Paths, path: Path, place: str, values: Mapping[str, Any]) -> Iterator[Finding]:
    name = values.get("key")
    if isinstance(name, str) and is_name(name) and name not in list_keys(paths.keys):
        message = f"{path}: {place}key: there is no file {key_path(paths.keys, name)}"
        yield Finding(State.WARNING, path.name, message, f"make it: auctionctl keygen {name}")


def _check_allow_list(path: Path) -> Iterator[Finding]:
    text = read_bounded(path, MAX_TEXT_BYTES).decode("latin-1")
    for error in find_mistakes(text):
        yield Finding(State.WRONG, path.name, f"{path}: {error}", error.hint)
