"""Named houses: ``contexts.toml``, which says under each name where a house is and which key to use there.

Rule: one context may be current; it holds where neither an option nor the environment names another. The file is
written by ``auctionctl context``, and read here into exact types: what is not understood is never passed over.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from auctionctl.client.files import PRIVATE_MODE, Existing, is_there, write_whole
from auctionctl.client.paths import Paths
from auctionctl.errors import ConfigurationError, NotFoundError

CONTEXT_VARIABLE: Final = "AUCTIONCTL_CONTEXT"
CONTEXT_KEYS: Final = frozenset({"house", "key"})
MAX_CONTEXT_CHARACTERS: Final = 400
MAX_ADDRESS_CHARACTERS: Final = 4_500
"""An address of as many places as one may have, with the longest names of hosts."""


@dataclass(frozen=True, slots=True)
class Context:
    """A house's address as text, and the name of the key to use there; either may be left out."""

    name: str
    house: str = ""
    key: str = ""


@dataclass(frozen=True, slots=True)
class Contexts:
    """Every context by its name, and the name of the current one or ``""``."""

    current: str
    by_name: Mapping[str, Context]


def contexts_file(paths: Paths) -> Path:
    """Where the contexts are kept."""
    return paths.config / "contexts.toml"


def read_contexts(paths: Paths) -> Contexts:
    """All contexts; none if there is no file. ConfigurationError names what is wrong in it."""
    path = contexts_file(paths)
    if not is_there(path):
        return Contexts("", {})
    from auctionctl.client.toml_file import read_toml  # noqa: PLC0415 - most commands run without contexts

    return read_context_values(path, read_toml(path))


def read_context_values(path: Path, content: Mapping[str, Any]) -> Contexts:
    """The contexts in ``content``, which stands in ``path``, checked. Raises ConfigurationError."""
    from auctionctl.cli.settings.toml_table import TomlTable  # noqa: PLC0415
    from auctionctl.keys.encoding import NAME_HINT, is_name  # noqa: PLC0415

    top = TomlTable(path, "top level", content, frozenset({"current", "contexts"}))
    tables = content.get("contexts", {})
    if not isinstance(tables, dict) or not all(isinstance(values, dict) for values in tables.values()):
        raise ConfigurationError(f"{path}: contexts is no table of tables", hint="begin each one with [contexts.NAME]")
    by_name: dict[str, Context] = {}
    for name, values in tables.items():
        if not is_name(name):
            raise ConfigurationError(f"{path}: {name[:40]!a} is no name for a context", hint=NAME_HINT)
        table = TomlTable(path, f"[contexts.{name}]", values, CONTEXT_KEYS)
        house, key = table.text("house", "", MAX_ADDRESS_CHARACTERS), table.text("key", "", MAX_CONTEXT_CHARACTERS)
        by_name[name] = Context(name, house, key)
    current = top.text("current", "", MAX_CONTEXT_CHARACTERS)
    if current and current not in by_name:
        top.fail("current", f"there is no context {current!a}", _known(by_name))
    return Contexts(current, by_name)


def find_context(paths: Paths, name: str | None, environment: Mapping[str, str] = os.environ) -> Context | None:
    """The context called ``name``, else that of AUCTIONCTL_CONTEXT, else the current one, else None.

    Raises NotFoundError for a name that is not there.
    """
    contexts = read_contexts(paths)
    name = name or environment.get(CONTEXT_VARIABLE) or contexts.current
    return named_context(contexts, name) if name else None


def named_context(contexts: Contexts, name: str) -> Context:
    """The context called ``name``, and no other; raises NotFoundError."""
    found = contexts.by_name.get(name)
    if found is None:
        raise NotFoundError(f"there is no context {name[:64]!a}", hint=_known(contexts.by_name))
    return found


def write_contexts(paths: Paths, contexts: Contexts) -> None:
    """Put ``contexts`` in place of all that were there; the caller holds the directory alone. ConfigurationError."""
    import tomli_w  # noqa: PLC0415 - most commands write no contexts

    tables = {
        context.name: {key: value for key, value in (("house", context.house), ("key", context.key)) if value}
        for context in contexts.by_name.values()
    }
    content = {"current": contexts.current} if contexts.current else {}
    text = tomli_w.dumps(content | {"contexts": tables})
    write_whole(contexts_file(paths), text.encode(), PRIVATE_MODE, Existing.REPLACE)


def _known(by_name: Mapping[str, Context]) -> str:
    if not by_name:
        return "there is none yet: auctionctl context add NAME ADDR"
    return f"known are: {', '.join(sorted(by_name)[:8])}"
