"""``house.toml``: the settings of a house on this machine, and where each of them was said.

Rule: every key stands in the tables below, and what is read, documented and proposed elsewhere comes from them. A
command line overrides AUCTIONS.toml, which overrides house.toml, key by key; what is overridden is checked all the
same, for a mistake that waits is found by the wrong person. Source: DESIGN.md section 6 for the defaults.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, NoReturn, assert_never

from auctionctl.auction.increments import check_increment
from auctionctl.auction.rules import MAX_MIN_BIDDERS, MAX_PAUSES, Cancellation, Disconnection, OnDefault
from auctionctl.cli.arguments import ArgumentError
from auctionctl.cli.process_log import LogFormat
from auctionctl.cli.settings.cluster_settings import CLUSTER_SETTINGS, check_instance, is_endpoint, read_store
from auctionctl.cli.settings.durations import parse_duration
from auctionctl.cli.settings.setting import Kind, Setting
from auctionctl.cli.settings.stranger_settings import STRANGER_SETTINGS
from auctionctl.cli.settings.toml_table import TomlTable
from auctionctl.client.files import is_there
from auctionctl.client.toml_file import read_toml
from auctionctl.errors import ConfigurationError, TermsError
from auctionctl.keys.access import Access
from auctionctl.keys.encoding import NAME_HINT, is_name
from auctionctl.store.cluster_address import Durability
from auctionctl.wire.address import DEFAULT_PORT, MAX_ENDPOINT_CHARACTERS

HOUSE_FILE: Final = "house.toml"
FOREVER: Final = "forever"
DEFAULT_ORIGIN: Final = "default"
_HOST: Final = re.compile(r"\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]{1,253}")
_CURRENCY: Final = re.compile(r"[A-Za-z]+$")
_MOST_DIGITS: Final = "BHD"
"""A currency of as many digits as any has: an increment without a currency is checked as if it were in this one."""


HOUSE_SETTINGS: Final[tuple[Setting, ...]] = (
    Setting(
        "name",
        Kind.NAME,
        "house",
        "The name of the house's state: under another name it is another house, which sells everything anew.",
        needs_restart=True,
    ),
    Setting("key", Kind.NAME, "house", "The name of the house's key.", needs_restart=True),
    Setting(
        "bind",
        Kind.HOST,
        "127.0.0.1",
        "Where to listen: 0.0.0.0 or [::] for every address of this machine.",
        needs_restart=True,
    ),
    Setting("port", Kind.INTEGER, DEFAULT_PORT, "The port to listen on.", 1, 65_535, needs_restart=True),
    Setting(
        "verifiers",
        Kind.INTEGER,
        None,
        "How many processes check signatures.",
        1,
        64,
        default_words="one a core",
        needs_restart=True,
    ),
    Setting(
        "gateways",
        Kind.INTEGER,
        1,
        "How many processes take connections, all at the same port; of all limits of connections each has its share.",
        1,
        16,
        needs_restart=True,
    ),
    Setting(
        "log_format",
        Kind.WORD,
        "auto",
        "What the house writes on stderr: lines for people (text), one object a line (json), or lines with their"
        " priority for systemd (journal); auto: journal where stderr leads there, else text.",
        needs_restart=True,
        words=LogFormat,
    ),
    Setting("max_concurrent_auctions", Kind.INTEGER, 10, "How many auctions run at once.", 1, 100_000),
    Setting(
        "max_auctions_a_seller",
        Kind.INTEGER,
        5,
        "How many of them one seller may have, with sales that are paid for and not settled; the house itself may have"
        " all.",
        1,
        100_000,
    ),
    Setting(
        "max_openings_an_hour", Kind.INTEGER, 60, "How many auctions one seller may open within an hour.", 1, 1_000_000
    ),
    Setting(
        "max_connections",
        Kind.INTEGER,
        256,
        "How many connections there may be at once; beyond them whoever comes has to come again.",
        1,
        65_536,
        needs_restart=True,
    ),
    Setting(
        "max_connections_a_key",
        Kind.INTEGER,
        4,
        "How many of them one identity may have.",
        1,
        65_536,
        needs_restart=True,
    ),
    Setting("queue", Kind.INTEGER, 1_000, "How many requests may wait; beyond it a bidder is told to.", 1, 1_000_000),
    Setting("bids_per_s", Kind.INTEGER, 20, "How many commands a second are taken of one identity.", 1, 1_000_000),
    Setting("bids_burst", Kind.INTEGER, 40, "How many of them may come at once.", 1, 1_000_000),
    Setting("all_bids_per_s", Kind.INTEGER, 2_000, "How many a second are taken of everybody.", 1, 1_000_000),
    Setting(
        "max_bids_an_auction",
        Kind.INTEGER,
        10_000,
        "How many bids of one bidder one auction takes, from one start of the house to the next.",
        1,
        1_000_000_000,
    ),
    *STRANGER_SETTINGS,
    Setting(
        "read_bytes_per_s",
        Kind.INTEGER,
        8_388_608,
        "How many bytes of logs a second are read to one identity; beyond them it is told when to read on.",
        4_096,
        1_000_000_000,
    ),
    Setting(
        "read_bytes_burst",
        Kind.INTEGER,
        67_108_864,
        "How many of them it may read at once: as it stands, a log of some 200,000 bids.",
        65_536,
        1_000_000_000_000,
    ),
    Setting(
        "max_subscriptions",
        Kind.INTEGER,
        2_048,
        "How many logs that may yet grow one session may follow; beyond them it has to ask for what is new.",
        1,
        1_000_000,
    ),
    Setting(
        "retention",
        Kind.RETENTION,
        FOREVER,
        "How long an auction that has ended stays in the store before its log is moved to `archive` in the"
        " state directory, a file that verifies; the house then serves it to nobody.",
    ),
    *CLUSTER_SETTINGS,
)

DEFAULT_SETTINGS: Final[tuple[Setting, ...]] = (
    Setting(
        "increment",
        Kind.INCREMENT,
        None,
        "The least step from one bid to the next; amounts without a currency are in that of the lot.",
        default_words="one whole unit of the lot's currency",
    ),
    Setting("duration", Kind.DURATION, "5m", "How long an auction is open."),
    Setting("start_timeout", Kind.DURATION, "10m", "How long it waits for its bidders before it is cancelled."),
    Setting("min_bidders", Kind.INTEGER, 3, "How many bidders have to join before it opens.", 1, MAX_MIN_BIDDERS),
    Setting("bid_timeout", Kind.DURATION, "30s", "How long a bid may be valid at most."),
    Setting("soft_close", Kind.DURATION, "0s", "A bid in the last so many seconds moves the end by as much."),
    Setting(
        "max_extension",
        Kind.DURATION,
        None,
        "How far such bids can move the end in all.",
        default_words="ten times soft_close",
    ),
    Setting(
        "on_disconnect",
        Kind.WORD,
        "continue",
        "What an open auction does when a bidder has left: go on; stand still while fewer are there than it took to"
        " open; stand still until everybody is back.",
        words=Disconnection,
    ),
    Setting("max_pauses", Kind.INTEGER, 10, "How often it may stand still in all.", 0, MAX_PAUSES),
    Setting("max_pause", Kind.DURATION, "30m", "For how long it may stand still in all."),
    Setting("max_pauses_a_bidder", Kind.INTEGER, 2, "How often it waits for one and the same bidder.", 0, MAX_PAUSES),
    Setting("max_pause_a_bidder", Kind.DURATION, "2m", "For how long it waits for one bidder in all."),
    Setting(
        "payment_timeout",
        Kind.DURATION,
        "0s",
        "How long the winner has to report its payment; 0s: the log ends with the close, and payment is no matter of"
        " it.",
    ),
    Setting(
        "payment_absence",
        Kind.DURATION,
        "0s",
        "For how long the winner may be away before it has paid; 0s: that does not matter.",
    ),
    Setting(
        "on_default",
        Kind.WORD,
        "revert",
        "What becomes of a sale that was not paid for: it is undone, or the seller may offer the lot to the next"
        " bidder.",
        words=OnDefault,
    ),
    Setting(
        "offer_timeout",
        Kind.DURATION,
        None,
        "How long the seller has to make such an offer, and the bidder to answer it.",
        default_words="as long as payment_timeout, where there are offers",
    ),
    Setting(
        "cancellation",
        Kind.WORD,
        "before_first_bid",
        "Until when an operator may call the auction off.",
        words=Cancellation,
    ),
    Setting(
        "min_reputation",
        Kind.SHARE,
        "0%",
        "What a bidder's reputation at this house has to be at least for it to join; a stranger has 50%. 0%: anything.",
    ),
)

HOUSE_KEYS: Final = frozenset(setting.name for setting in HOUSE_SETTINGS)
DEFAULT_KEYS: Final = frozenset(setting.name for setting in DEFAULT_SETTINGS)


@dataclass(frozen=True, slots=True)
class HouseSection:
    """What holds for a house: its name here, where it listens, its key's name, its limits. Retention 0: forever."""

    name: str
    bind: str
    port: int
    key: str
    max_concurrent_auctions: int
    max_auctions_a_seller: int
    max_openings_an_hour: int
    max_connections: int
    max_connections_a_key: int
    queue: int
    bids_per_s: int
    bids_burst: int
    all_bids_per_s: int
    max_bids_an_auction: int
    access: Access
    stranger_bids_per_s: int
    stranger_bids_burst: int
    all_stranger_bids_per_s: int
    stranger_questions_per_s: int
    max_stranger_connections: int
    max_connections_a_stranger: int
    max_connections_an_address: int
    max_arrivals_a_minute: int
    read_bytes_per_s: int
    read_bytes_burst: int
    max_subscriptions: int
    verifiers: int
    gateways: int
    log_format: LogFormat
    retention_ns: int
    store: str | None
    durability: Durability
    instance: str | None
    advertise: str | None
    store_credentials: str | None
    store_ca: str | None
    store_cert: str | None
    store_key: str | None


@dataclass(frozen=True, slots=True)
class Inherited:
    """A setting that lots may leave out, as it was written, and where."""

    value: Any
    origin: str


@dataclass(frozen=True, slots=True)
class HouseConfiguration:
    """The settings in force, the origin of each (a path, an option, or ``default``), and what lots inherit."""

    section: HouseSection
    origins: Mapping[str, str]
    defaults: Mapping[str, Inherited] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Layer:
    """One place that says settings: a file's table of the house and its table of defaults, both checked."""

    origin: str
    house: TomlTable
    defaults: Mapping[str, Any] = field(default_factory=dict)


class _Options(TomlTable):
    """Settings that came by the command line: what is wrong with them is a usage error."""

    def fail(self, key: str, message: str, hint: str = "") -> NoReturn:
        raise ArgumentError(f"--{key}: {message}", hint=hint)


def read_house_layer(path: Path) -> Layer:
    """The settings of a house.toml. Raises ConfigurationError naming file and key."""
    return read_house_values(path, read_toml(path))


def read_house_values(path: Path, values: Mapping[str, Any]) -> Layer:
    """The settings in ``values``, which stand in the house.toml at ``path``, checked. Raises ConfigurationError."""
    content = dict(values)
    defaults = content.pop("defaults", {})
    if "house" in content or "auction" in content:
        table = "house" if "house" in content else "auction"
        raise ConfigurationError(
            f"{path}: [{table}] belongs into an AUCTIONS.toml",
            hint="here the settings of the house stand by themselves: port = 8888"
            if table == "house"
            else "give that file to `auctionctl serve`",
        )
    return make_layer(path, "top level", content, defaults)


def make_layer(path: Path, place: str, house: Any, defaults: Any) -> Layer:
    """A layer of the two tables of ``path``; ``place`` is what the first is called there. ConfigurationError."""
    for name, values in (("house", house), ("defaults", defaults)):
        if not isinstance(values, dict):
            raise ConfigurationError(f"{path}: {name} is no table", hint=f"begin it with [{name}]")
    known = HOUSE_KEYS if place == "[house]" else HOUSE_KEYS | {"defaults"}
    layer = Layer(str(path), TomlTable(path, place, house, known), defaults)
    for setting in HOUSE_SETTINGS:
        if setting.name in house:
            _read(layer.house, setting)
    table = TomlTable(path, "[defaults]", defaults, DEFAULT_KEYS)
    for setting in DEFAULT_SETTINGS:
        if setting.name in defaults:
            _read(table, setting)
    return layer


def find_house_layers(config_directory: Path, file: Path | None) -> list[Layer]:
    """The layer of ``file``, or else that of the house.toml in ``config_directory`` if there is one."""
    if file is not None:
        return [read_house_layer(file)]
    usual = config_directory / HOUSE_FILE
    return [read_house_layer(usual)] if is_there(usual) or os.path.islink(usual) else []


def option_layer(options: Mapping[str, str | int]) -> Layer:
    """What the command line says: setting → value. Raises ArgumentError."""
    table = _Options(Path("command line"), "options", options, HOUSE_KEYS)
    for setting in HOUSE_SETTINGS:
        if setting.name in options:
            _read(table, setting)
    return Layer("option", table)


def combine(layers: Sequence[Layer]) -> HouseConfiguration:
    """Later layers override earlier ones, key by key; what nobody says has its default."""
    values: dict[str, Any] = {}
    origins: dict[str, str] = {}
    defaults: dict[str, Inherited] = {}
    for setting in HOUSE_SETTINGS:
        values[setting.name] = _default(setting)
        origins[setting.name] = DEFAULT_ORIGIN
    for layer in layers:
        for setting in HOUSE_SETTINGS:
            if setting.name in layer.house:
                values[setting.name] = _read(layer.house, setting)
                is_option = isinstance(layer.house, _Options)
                origins[setting.name] = _option(setting.name) if is_option else layer.origin
        for name, value in layer.defaults.items():
            defaults[name] = Inherited(value, layer.origin)
    for setting in DEFAULT_SETTINGS:
        inherited = defaults.get(setting.name)
        origins[f"defaults.{setting.name}"] = DEFAULT_ORIGIN if inherited is None else inherited.origin
    values["retention_ns"] = values.pop("retention")
    section = HouseSection(**values)
    check_instance(section)
    return HouseConfiguration(section, origins, defaults)


def needing_restart(before: HouseSection, after: HouseSection) -> tuple[str, ...]:
    """The settings that differ and cannot change while the house runs."""
    names = [setting.name for setting in HOUSE_SETTINGS if setting.needs_restart]
    return tuple(name for name in names if getattr(before, name) != getattr(after, name))


def _option(name: str) -> str:
    """The option by which the command line says a setting."""
    return {"access": "--open", "durability": "--allow-lossy"}.get(name, f"--{name.replace('_', '-')}")


def _default(setting: Setting) -> Any:
    if setting.name == "verifiers":
        return os.cpu_count() or 1
    if setting.words is not None:
        return setting.words(str(setting.default))
    return 0 if setting.kind is Kind.RETENTION else setting.default


def _read(table: TomlTable, setting: Setting) -> Any:
    """The value of a setting that ``table`` has, checked; durations in nanoseconds."""
    name = setting.name
    match setting.kind:
        case Kind.INTEGER:
            return table.integer(
                name, setting.default if isinstance(setting.default, int) else 1, setting.low, setting.high
            )
        case Kind.NAME:
            text = table.text(name, "", 32)
            return text if is_name(text) else table.fail(name, f"{text!a} is no name", NAME_HINT)
        case Kind.HOST:
            text = table.text(name, "", 255)
            if not _HOST.fullmatch(text):
                table.fail(name, f"{text!a} is no host", "a name, 127.0.0.1, 0.0.0.0, or [::1]")
            return text
        case Kind.STORE:
            return read_store(table, name)
        case Kind.FILE:
            return table.file(name)
        case Kind.ENDPOINT:
            text = table.text(name, "", MAX_ENDPOINT_CHARACTERS)
            return text if is_endpoint(text) else table.fail(name, f"{text!a} is no endpoint", "HOST:PORT")
        case Kind.DURATION:
            return table.duration_ns(name, 0)
        case Kind.RETENTION:
            return _read_retention(table, name)
        case Kind.INCREMENT:
            return _check_increment(table, name)
        case Kind.SHARE:
            return table.share_ppm(name, 0)
        case Kind.WORD:
            assert setting.words is not None
            return table.word(name, setting.words(str(setting.default)))
        case _:
            assert_never(setting.kind)


def _read_retention(table: TomlTable, name: str) -> int:
    text = table.text(name, "", 40)
    if text == FOREVER:
        return 0
    hint = f'write {name} = "{FOREVER}", or a duration such as "30d"'
    try:
        retention_ns = parse_duration(text)
    except ConfigurationError as error:
        table.fail(name, str(error), hint)
    return retention_ns or table.fail(name, "nothing would be kept at all", hint)


def _check_increment(table: TomlTable, name: str) -> None:
    """An increment by itself, without the lot that says in which currency it is."""
    value = table.written(name)
    texts = [value] if isinstance(value, str) else [cell for row in value for cell in row] if _is_rows(value) else []
    units = [match[0] for text in texts if isinstance(text, str) and (match := _CURRENCY.search(text.strip()))]
    try:
        check_increment(table.increment(name, units[0] if units else _MOST_DIGITS))
    except TermsError as error:
        table.fail(name, str(error), error.hint)


def _is_rows(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(row, list) for row in value)
