"""What can stand for a name on the command line: keys, contexts, strategies, auctions, as this machine knows them.

Rule: nothing is asked of anybody, and nothing is written. A name is offered only if no shell can take it for anything
else; what cannot be read offers nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from auctionctl.client.paths import IDENTITY_CHARACTERS, Paths

HOUSE_VARIABLE: Final = "AUCTIONCTL_HOUSE"
CONTEXT_VARIABLE: Final = "AUCTIONCTL_CONTEXT"
MAX_FILE_BYTES: Final = 1_000_000
ID_DIGITS: Final = 12
MAX_NAMES: Final = 1_000

STRATEGIES: Final = (
    "market-value",
    "aggressive",
    "conservative",
    "smart",
    "truthful",
    "sniper",
    "jump",
    "shading",
    "zip",
    "zi-c",
    "pacing",
    "manual",
)
"""The names of auctionctl.bidding.strategies, which takes long to import; a test compares the two."""

ROLES: Final = ("bidder", "seller", "operator", "observer")

_PLAIN: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+@-]{0,127}")
_IDENTITY: Final = re.compile(rf"(?:auction://)?(auc1[a-z0-9]{{{IDENTITY_CHARACTERS - 4}}})")
_DIGITS: Final = re.compile(r"[0-9a-f]+")

Candidate = tuple[str, str]
"""A word, and what it is; the latter may be empty."""


@dataclass(frozen=True, slots=True)
class Known:
    """Where to look: files, environment, and the options of this command line so far (``--house`` → its value)."""

    paths: Paths
    environment: Mapping[str, str]
    options: Mapping[str, str]
    begun: str
    """What has been typed of the word."""


Source = Callable[[Known], list[Candidate]]


def key_names(known: Known) -> list[Candidate]:
    """The keys of this machine."""
    return _plain((path.stem, "") for path in _files(known.paths.keys, "*.key"))


def context_names(known: Known) -> list[Candidate]:
    """The houses that have a name in contexts.toml, with their addresses."""
    return _plain((name, _text(table, "house")) for name, table in _contexts(known)[1].items())


def strategy_names(known: Known) -> list[Candidate]:  # noqa: ARG001 - a source's shape
    """The strategies."""
    return [(name, "") for name in STRATEGIES]


def roles(known: Known) -> list[Candidate]:  # noqa: ARG001 - a source's shape
    """The roles that an allow list can give."""
    return [(name, "") for name in ROLES]


def allowed_names(known: Known) -> list[Candidate]:
    """Who is on the allow list of a house on this machine."""
    lines = (
        line.split("#")[0].split() for line in _read(known.paths.allow_list).decode("ascii", "replace").split("\n")
    )
    return _plain((fields[1], "") for fields in lines if len(fields) > 1)


def auctions(known: Known) -> list[Candidate]:
    """The auctions of the house that this command line means, or of all known houses; by id if an id is begun."""
    from auctionctl.cli.completion.catalogue_cache import PATTERN, catalogue_path, recall  # noqa: PLC0415 - for auctions alone

    identity = _house_identity(known)
    state = known.paths.state
    files = [catalogue_path(state, identity)] if identity else _files(state, PATTERN)
    found = [each for file in files for each in recall(file)]
    by_listing = _plain((each.listing, _described(each.title, each.phase)) for each in found)
    if known.begun and _DIGITS.fullmatch(known.begun):
        by_id = ((each.id[:ID_DIGITS], f"{each.listing}: {each.title}") for each in found)
        by_listing += _plain(each for each in by_id if _DIGITS.fullmatch(each[0]))
    return by_listing


def _described(title: str, phase: str) -> str:
    return f"{title} ({phase})" if phase else title


def _house_identity(known: Known) -> str:
    """The beginning of the identity of the house in question, or nothing."""
    options, environment = known.options, known.environment
    named = options.get("--house") or options.get("--context")
    current, contexts = _contexts(known)
    chosen = named or environment.get(HOUSE_VARIABLE) or environment.get(CONTEXT_VARIABLE) or current
    chosen = _text(contexts.get(chosen), "house") or chosen
    match = _IDENTITY.match(chosen)
    return match[1] if match else ""


def _contexts(known: Known) -> tuple[str, Mapping[str, object]]:
    """The name of the current context or nothing, and every context by name."""
    import tomllib  # noqa: PLC0415 - for contexts alone

    try:
        content = tomllib.loads(_read(known.paths.config / "contexts.toml").decode())
    except (ValueError, RecursionError):
        return "", {}
    contexts = content.get("contexts")
    return _text(content, "current"), contexts if isinstance(contexts, dict) else {}


def _text(table: object, key: str) -> str:
    value = table.get(key, "") if isinstance(table, Mapping) else ""
    return value if isinstance(value, str) else ""


def _read(path: Path) -> bytes:
    """The file's beginning; nothing if it cannot be read, for completion has nobody to complain to."""
    try:
        with path.open("rb") as file:
            return file.read(MAX_FILE_BYTES)
    except OSError:
        return b""


def _files(directory: Path, pattern: str) -> list[Path]:
    try:
        return sorted(directory.glob(pattern))
    except OSError:
        return []


def _plain(candidates: Iterable[Candidate]) -> list[Candidate]:
    """Those whose word no shell can take for anything else, each word once."""
    first: dict[str, str] = {}
    for word, text in candidates:
        if len(first) < MAX_NAMES and _PLAIN.fullmatch(word):
            first.setdefault(word, text)
    return list(first.items())
