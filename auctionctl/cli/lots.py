"""AUCTIONS.toml: the settings of a house and the lots that it sells, checked as a whole before anything starts.

Rule: either every lot of the file can be auctioned under its terms, or none is announced. The keys are the tables
``HOUSE_KEYS`` and ``LOT_KEYS`` below; what is left out has the defaults of DESIGN.md section 6.
"""

from __future__ import annotations

import os
import re
import unicodedata
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from auctionctl.auction.rules import MAX_MIN_BIDDERS
from auctionctl.auction.terms import decode_terms
from auctionctl.cli.toml_table import TomlTable, read_toml
from auctionctl.errors import ConfigurationError, TermsError
from auctionctl.keys.encoding import NAME_HINT, is_name
from auctionctl.keys.signing import SecretKey
from auctionctl.wire.address import DEFAULT_PORT
from auctionctl.wire.listing import (
    DEFAULT_BID_TIMEOUT_NS,
    DEFAULT_DURATION_NS,
    DEFAULT_MIN_BIDDERS,
    DEFAULT_START_TIMEOUT_NS,
    Entropy,
    LotDescription,
    sign_terms,
)

MAX_TITLE_CHARACTERS: Final = 200
MAX_DESCRIPTION_CHARACTERS: Final = 4_000
MAX_LISTING_CHARACTERS: Final = 64
EXTENSIONS_BY_DEFAULT: Final = 10
"""How many windows a soft close may extend an auction by, where max_extension is left out."""

FILE_KEYS: Final = frozenset({"house", "auction"})
HOUSE_KEYS: Final = frozenset({"name", "bind", "port", "key", "max_concurrent_auctions", "queue", "verifiers"})
LOT_KEYS: Final = frozenset(
    {
        "item",
        "listing",
        "description",
        "starting_price",
        "reserve_price",
        "estimate",
        "increment",
        "duration",
        "start_timeout",
        "min_bidders",
        "bid_timeout",
        "soft_close",
        "max_extension",
        "format",
    }
)

_HOST: Final = re.compile(r"\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]{1,253}")
_NOT_IN_LISTING: Final = re.compile(r"[^a-z0-9]+")


@dataclass(frozen=True, slots=True)
class HouseSection:
    """The table ``[house]``: the house's name on this machine, where it listens, its key's name, its limits."""

    name: str
    bind: str
    port: int
    key: str
    max_concurrent_auctions: int
    queue: int
    verifiers: int


@dataclass(frozen=True, slots=True)
class AuctionsFile:
    """What an AUCTIONS.toml says."""

    house: HouseSection
    lots: tuple[LotDescription, ...]


def read_auctions(path: Path) -> AuctionsFile:
    """Read and check an AUCTIONS.toml. Raises ConfigurationError naming file, auction and key."""
    content = read_toml(path)
    TomlTable(path, "top level", content, FILE_KEYS)
    house = _read_house(path, content.get("house", {}))
    tables = content.get("auction", [])
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        raise ConfigurationError(f"{path}: auction is no list of tables", hint="begin each one with [[auction]]")
    if not tables:
        raise ConfigurationError(f"{path}: there is no auction", hint='add one: [[auction]], then item = "…"')
    if len(tables) > house.max_concurrent_auctions:
        raise ConfigurationError(
            f"{path}: {len(tables)} auctions, more than max_concurrent_auctions = {house.max_concurrent_auctions}",
            hint="raise max_concurrent_auctions in [house]",
        )
    lots: list[LotDescription] = []
    for number, values in enumerate(tables, 1):
        lot = _read_lot(path, number, values)
        for earlier, other in enumerate(lots, 1):
            if other.listing == lot.listing:
                raise ConfigurationError(
                    f"{path}: auction {number} ({lot.title!r}): listing {lot.listing!r} is that of auction {earlier}",
                    hint="give one of the two another listing",
                )
        lots.append(lot)
    return AuctionsFile(house, tuple(lots))


def slug(title: str) -> str:
    """The listing name of a title: its letters and digits in ASCII and lower case, joined by ``-``; may be empty."""
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode().lower()
    return _NOT_IN_LISTING.sub("-", plain).strip("-")[:MAX_LISTING_CHARACTERS].rstrip("-")


def _read_house(path: Path, values: Any) -> HouseSection:
    if not isinstance(values, dict):
        raise ConfigurationError(f"{path}: house is no table", hint="begin it with [house]")
    table = TomlTable(path, "[house]", values, HOUSE_KEYS)
    house = HouseSection(
        name=table.text("name", "house", 32),
        bind=table.text("bind", "127.0.0.1", 255),
        port=table.integer("port", DEFAULT_PORT, 1, 65_535),
        key=table.text("key", "house", 32),
        max_concurrent_auctions=table.integer("max_concurrent_auctions", 10, 1, 100_000),
        queue=table.integer("queue", 1_000, 1, 1_000_000),
        verifiers=table.integer("verifiers", os.cpu_count() or 1, 1, 64),
    )
    for key, name in (("name", house.name), ("key", house.key)):
        if not is_name(name):
            table.fail(key, f"{name!a} is no name", NAME_HINT)
    if not _HOST.fullmatch(house.bind):
        table.fail("bind", f"{house.bind!a} is no host", "a name, 127.0.0.1, 0.0.0.0, or [::1]")
    return house


def _read_lot(path: Path, number: int, values: dict[str, Any]) -> LotDescription:
    title = values.get("item")
    place = f"auction {number}" + (f" ({title[:60]!r})" if isinstance(title, str) else "")
    table = TomlTable(path, place, values, LOT_KEYS)
    table.require("item", 'say what is sold: item = "…"')
    title = table.text("item", "", MAX_TITLE_CHARACTERS)
    start = table.money("starting_price")
    currency = start.currency
    listing = table.text("listing", slug(title), MAX_LISTING_CHARACTERS)
    if not listing:
        table.fail("listing", "the title has no letter or digit to make a name from", 'add listing = "a-name"')
    window_ns = table.duration_ns("soft_close", 0)
    lot = LotDescription(
        listing=listing,
        title=title,
        currency=currency,
        starting_price_minor=start.minor,
        description=table.text("description", "", MAX_DESCRIPTION_CHARACTERS),
        estimate_minor=table.minor("estimate", currency),
        reserve_minor=table.minor("reserve_price", currency),
        increment=table.increment("increment", currency),
        duration_ns=table.duration_ns("duration", DEFAULT_DURATION_NS),
        start_timeout_ns=table.duration_ns("start_timeout", DEFAULT_START_TIMEOUT_NS),
        min_bidders=table.integer("min_bidders", DEFAULT_MIN_BIDDERS, 1, MAX_MIN_BIDDERS),
        bid_timeout_ns=table.duration_ns("bid_timeout", DEFAULT_BID_TIMEOUT_NS),
        soft_close_window_ns=window_ns,
        max_extension_ns=table.duration_ns("max_extension", EXTENSIONS_BY_DEFAULT * window_ns),
        format=table.text("format", "english", 32),
    )
    _check_terms(path, place, lot)
    return lot


def _check_terms(path: Path, place: str, lot: LotDescription) -> None:
    """Make, sign and read the terms under a key of nobody's: what cannot be announced is found out here."""
    key = SecretKey(bytes(32))
    entropy = Entropy(bytes(16), bytes(32), bytes(32))
    try:
        decode_terms(sign_terms(lot, key.identity.signing, key.escrow_public, key, entropy).body)
    except TermsError as error:
        raise ConfigurationError(f"{path}: {place}: {error}", hint=error.hint) from error
