"""MARKET.toml: what ``simulate`` holds, checked as a whole before the first auction.

Rule: a lot has the keys of an ``[[auction]]`` in AUCTIONS.toml (:mod:`auctionctl.cli.settings.lots`), with one default
of its own: ``min_bidders`` is 1. All other keys stand below. What is not understood is never passed over; an error
names file, table and key, and what is allowed.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from auctionctl.auction.price import MAX_MINOR, parse_money
from auctionctl.cli.own_strategies import find_spec
from auctionctl.cli.settings.durations import parse_duration
from auctionctl.cli.settings.house_file import Inherited
from auctionctl.cli.settings.lots import read_lot
from auctionctl.cli.settings.toml_table import TomlTable
from auctionctl.client.files import read_bounded
from auctionctl.client.toml_file import read_toml
from auctionctl.errors import AuctionctlError, ConfigurationError
from auctionctl.market.casting import refuse_name, strategy_maker
from auctionctl.market.floor import terms_of
from auctionctl.market.plan import BidderGroup, MarketPlan, Order, StrategyMaker, names_of
from auctionctl.market.values import Affiliated, Lognormal, Recorded, Uniform, Values

FILE_KEYS: Final = frozenset({"market", "lot", "values", "bidder"})
MARKET_KEYS: Final = frozenset({"auctions", "lots", "order", "seed"})
BIDDER_KEYS: Final = frozenset(
    {"name", "strategy", "params", "count", "budget", "reaction", "latency", "noise", "values"}
)
VALUE_KEYS: Final[Mapping[str, tuple[str, ...]]] = {
    "uniform": ("low", "high"),
    "lognormal": ("median", "sigma"),
    "affiliated": ("common", "private"),
    "recorded": ("file",),
}
"""Distribution → the keys that it needs, besides ``distribution``."""

MAX_AUCTIONS: Final = 10_000_000
MAX_LOTS: Final = 1_000
MAX_SEED: Final = 2**63 - 1
MAX_BIDDERS: Final = 1_000
MAX_VALUES_BYTES: Final = 64 * 1024 * 1024
DEFAULT_AUCTIONS: Final = 1_000
DEFAULT_SEED: Final = 1
DEFAULT_REACTION_NS: Final = (100_000_000, 500_000_000)
MAX_DELAY_NS: Final = 3_600_000_000_000

_NAME: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,31}")
_SIGMA: Final = re.compile(r"[0-9](?:\.[0-9]{1,6})?")


@dataclass(frozen=True, slots=True)
class Asked:
    """What the command line says of a market, above its file; None where it says nothing."""

    auctions: int | None = None
    seed: int | None = None


def read_market(path: Path, asked: Asked) -> MarketPlan:
    """The plan in the MARKET.toml at ``path``. Raises ConfigurationError, NotFoundError."""
    content = read_toml(path)
    top = TomlTable(path, "top level", content, FILE_KEYS)
    top.require("lot", 'say what is sold: [lot], then item = "…"')
    market = TomlTable(path, "[market]", _table(path, content, "market"), MARKET_KEYS)
    lots = market.integer("lots", 1, 1, MAX_LOTS)
    auctions = market.integer("auctions", DEFAULT_AUCTIONS, 1, MAX_AUCTIONS)
    own_default = {"min_bidders": Inherited(1, "every market")}
    description = read_lot(path, "[lot]", _table(path, content, "lot"), own_default)
    currency = description.currency
    groups = _Groups(path, currency).read(content.get("bidder"))
    bidders = sum(group.count for group in groups)
    if description.min_bidders > bidders:
        raise ConfigurationError(
            f"{path}: [lot]: min_bidders: {description.min_bidders}, of {bidders} bidders: nothing would ever open",
            hint="leave it out, or raise the count of a [[bidder]]",
        )
    names = [name for group in groups for name in group.names()]
    values = _read_values(path, "[values]", _table(path, content, "values"), currency, names)
    return MarketPlan(
        terms_of(description),
        values,
        groups,
        auctions if asked.auctions is None else asked.auctions,
        lots,
        market.word("order", Order.SEQUENTIAL),
        market.integer("seed", DEFAULT_SEED, 0, MAX_SEED) if asked.seed is None else asked.seed,
    )


def _table(path: Path, content: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    table = content.get(key, {})
    if not isinstance(table, dict):
        raise ConfigurationError(f"{path}: {key} is no table", hint=f"begin it with [{key}]")
    return table


class _Groups:
    """Reads the ``[[bidder]]`` tables."""

    def __init__(self, path: Path, currency: str) -> None:
        self._path = path
        self._currency = currency

    def read(self, tables: object) -> tuple[BidderGroup, ...]:
        if not isinstance(tables, list) or not tables or not all(isinstance(table, dict) for table in tables):
            raise ConfigurationError(
                f"{self._path}: there is no list of bidders", hint='add one: [[bidder]], then strategy = "truthful"'
            )
        groups: list[BidderGroup] = []
        for number, values in enumerate(tables, 1):
            group = self._group(f"bidder {number}", values)
            if any(group.name == other.name for other in groups):
                raise ConfigurationError(
                    f"{self._path}: bidder {number}: name: two are called {group.name!r}",
                    hint='give one of the two another name: name = "…"',
                )
            groups.append(group)
        count = sum(group.count for group in groups)
        if count > MAX_BIDDERS:
            raise ConfigurationError(f"{self._path}: {count} bidders, more than {MAX_BIDDERS}", hint="lower a count")
        return tuple(groups)

    def _group(self, place: str, values: Mapping[str, Any]) -> BidderGroup:
        table = TomlTable(self._path, place, values, BIDDER_KEYS)
        table.require("strategy", 'say how it bids: strategy = "truthful"; see auctionctl strategies ls')
        strategy = table.text("strategy", "", 400)
        make = self._maker(table, strategy, self._params(table))
        # A strategy of one's own is FILE.py:CLASS: its bidders are called after the class.
        name = table.text("name", strategy.rpartition(":")[2].lower(), 32)
        if not _NAME.fullmatch(name):
            table.fail("name", f"{name!r} is no name", 'write lower-case letters, digits, ".", "_" and "-"')
        count = table.integer("count", 1, 1, MAX_BIDDERS)
        own = None
        if "values" in table:
            drawn = _table(self._path, values, "values")
            own = _read_values(self._path, f"{place}: values", drawn, self._currency, names_of(name, count))
        budget_minor = table.minor("budget", self._currency)
        latency_ns = table.duration_ns("latency", 0)
        if latency_ns > MAX_DELAY_NS:
            table.fail("latency", "more than an hour", 'write it as latency = "20ms"')
        return BidderGroup(
            name,
            strategy,
            make,
            count,
            MAX_MINOR if budget_minor is None else budget_minor,
            self._reaction(table),
            latency_ns,
            table.minor("noise", self._currency) or 0,
            own,
        )

    def _maker(self, table: TomlTable, strategy: str, params: Mapping[str, str]) -> StrategyMaker:
        try:
            refuse_name(strategy)
            return strategy_maker(find_spec(strategy), params, self._currency)
        except AuctionctlError as error:
            table.fail("strategy", str(error), error.hint)

    def _params(self, table: TomlTable) -> dict[str, str]:
        if "params" not in table:
            return {}
        written = table.written("params")
        hint = 'write them as params = { margin = "0.2" }'
        if not isinstance(written, dict) or not all(type(value) in (str, int) for value in written.values()):
            table.fail("params", "no table of names and texts", hint)
        return {name: str(value) for name, value in written.items()}

    def _reaction(self, table: TomlTable) -> tuple[int, int]:
        if "reaction" not in table:
            return DEFAULT_REACTION_NS
        written = table.written("reaction")
        hint = 'write it as reaction = "100ms", or as the shortest and the longest: ["100ms", "500ms"]'
        texts = written if isinstance(written, list) else [written, written]
        if len(texts) != 2 or not all(isinstance(text, str) for text in texts):
            table.fail("reaction", "no time, nor two of them", hint)
        try:
            shortest_ns, longest_ns = map(parse_duration, texts)
        except AuctionctlError as error:
            table.fail("reaction", str(error), error.hint)
        if not shortest_ns <= longest_ns <= MAX_DELAY_NS:
            table.fail("reaction", "the longest is shorter than the shortest, or more than an hour", hint)
        return shortest_ns, longest_ns


def _read_values(path: Path, place: str, written: Mapping[str, Any], currency: str, names: Sequence[str]) -> Values:
    known = frozenset({"distribution"}).union(*VALUE_KEYS.values())
    table = TomlTable(path, place, written, known)
    distributions = ", ".join(VALUE_KEYS)
    table.require("distribution", f'say how values are drawn: distribution = "uniform"; known are: {distributions}')
    distribution = table.text("distribution", "", 32)
    needed = VALUE_KEYS.get(distribution)
    if needed is None:
        table.fail("distribution", f"{distribution!r} is none of {distributions}", 'write distribution = "uniform"')
    for key in needed:
        table.require(key, f"{distribution} needs: {', '.join(needed)}")
    for key in written:
        if key not in ("distribution", *needed):
            table.fail(key, f"{distribution} has no such key", f"it has: {', '.join(needed)}")
    match distribution:
        case "uniform":
            return _uniform(table, "high", table.minor("low", currency), table.minor("high", currency))
        case "lognormal":
            return Lognormal(table.minor("median", currency) or 0, _sigma(table))
        case "affiliated":
            return Affiliated(_range(table, "common", currency), _range(table, "private", currency))
        case _:
            return _recorded(path.parent / table.text("file", "", 400), currency, names)


def _uniform(table: TomlTable, key: str, low_minor: int | None, high_minor: int | None) -> Uniform:
    assert low_minor is not None
    assert high_minor is not None
    if low_minor > high_minor:
        table.fail(key, "the highest value is less than the lowest", "exchange the two")
    return Uniform(low_minor, high_minor)


def _sigma(table: TomlTable) -> float:
    hint = 'write it in quotes, from 0 to 9.999999: sigma = "0.5"'
    text = table.text("sigma", "", 16)
    if not _SIGMA.fullmatch(text):
        table.fail("sigma", f"not a number: {text!r}", hint)
    return float(text)


def _range(table: TomlTable, key: str, currency: str) -> Uniform:
    hint = f'write the lowest and the highest: {key} = ["0{currency}", "50{currency}"]'
    written = table.written(key)
    if not isinstance(written, list) or len(written) != 2 or not all(isinstance(text, str) for text in written):
        table.fail(key, "no pair of amounts in quotes", hint)
    try:
        low_minor, high_minor = (parse_money(text, currency=currency).minor for text in written)
    except AuctionctlError as error:
        table.fail(key, str(error), error.hint or hint)
    return _uniform(table, key, low_minor, high_minor)


def _recorded(path: Path, currency: str, names: Sequence[str]) -> Recorded:
    """A CSV file: the names of the bidders, then a line of amounts for each auction."""
    try:
        text = read_bounded(path, MAX_VALUES_BYTES).decode().removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"{path}: not UTF-8", hint="save the file as UTF-8") from error
    rows = csv.reader(io.StringIO(text, newline=""), strict=True)
    hint = f"the first line names the bidders, in any order: {','.join(names)[:200]}"
    try:
        columns = [name.strip() for name in next(rows, [])]
        if sorted(columns) != sorted(names):
            raise ConfigurationError(f"{path}: line 1: these are not the bidders of the market", hint=hint)
        read: list[tuple[int, ...]] = []
        for row in rows:
            if not row:
                continue
            if len(row) != len(columns):
                found = f"{len(row)} fields, where {len(columns)} are needed"
                raise ConfigurationError(f"{path}: line {rows.line_num}: {found}", hint=hint)
            amounts = {
                name: _amount(path, rows.line_num, name, field, currency)
                for name, field in zip(columns, row, strict=True)
            }
            read.append(tuple(amounts[name] for name in names))
    except csv.Error as error:
        raise ConfigurationError(f"{path}: line {rows.line_num}: {str(error).lower()}", hint=hint) from error
    if not read:
        raise ConfigurationError(f"{path}: there are no values", hint=hint)
    return Recorded(tuple(read))


def _amount(path: Path, line: int, name: str, text: str, currency: str) -> int:
    try:
        return parse_money(text, currency=currency).minor
    except AuctionctlError as error:
        hint = error.hint or f"write it as 12{currency}"
        raise ConfigurationError(f"{path}: line {line}: {name}: {error}", hint=hint) from error
