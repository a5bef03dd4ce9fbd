"""AUCTIONS.toml: the settings of a house and the lots that it sells, checked as a whole before anything starts.

Rule: either every lot of the file can be auctioned under its terms, or none is announced. The keys are the tables
of :mod:`auctionctl.cli.settings.house_file` and ``LOT_KEYS`` below; what a lot leaves out is in ``[defaults]``, or
has the defaults of DESIGN.md section 6.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from auctionctl.auction.rules import MAX_MIN_BIDDERS, MAX_PAUSES, Cancellation, OnDefault, PauseRules, PaymentRules
from auctionctl.auction.terms import decode_terms
from auctionctl.cli.settings.house_file import HouseConfiguration, HouseSection, Inherited, Layer, combine, make_layer
from auctionctl.cli.settings.toml_table import TomlTable
from auctionctl.client.toml_file import read_toml
from auctionctl.errors import ConfigurationError, TermsError
from auctionctl.keys.signing import SecretKey
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
TERMS_HINT: Final = "change it, or leave it out: every setting but item and starting_price has a default"
EXTENSIONS_BY_DEFAULT: Final = 10
"""How many windows a soft close may extend an auction by, where max_extension is left out."""

FILE_KEYS: Final = frozenset({"house", "defaults", "auction"})
SALE_KEYS: Final = frozenset(
    {
        "on_disconnect",
        "max_pauses",
        "max_pause",
        "max_pauses_a_bidder",
        "max_pause_a_bidder",
        "payment_timeout",
        "payment_absence",
        "on_default",
        "offer_timeout",
        "cancellation",
        "min_reputation",
    }
)
"""Of disconnections, pauses, payment, cancellation and reputation."""
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
        *SALE_KEYS,
    }
)

_NO_ENTROPY: Final = Entropy(bytes(16), bytes(32), bytes(32))
_NOTHING: Final = re.compile(r"(?:0+[a-z]+)+")
_NOT_IN_LISTING: Final = re.compile(r"[^a-z0-9]+")


@dataclass(frozen=True, slots=True)
class AuctionsFile:
    """What an AUCTIONS.toml says, over what the layers below it say."""

    configuration: HouseConfiguration
    lots: tuple[LotDescription, ...]

    @property
    def house(self) -> HouseSection:
        """The settings of the house."""
        return self.configuration.section


def read_auctions(path: Path, below: Sequence[Layer] = (), above: Sequence[Layer] = ()) -> AuctionsFile:
    """Read and check an AUCTIONS.toml, whose settings stand between those of ``below`` and ``above``.

    Raises ConfigurationError naming file, auction and key.
    """
    return read_auction_values(path, read_toml(path), below, above)


def read_auction_values(
    path: Path, content: Mapping[str, Any], below: Sequence[Layer] = (), above: Sequence[Layer] = ()
) -> AuctionsFile:
    """The same of ``content``, which stands in the AUCTIONS.toml at ``path``. Raises ConfigurationError."""
    TomlTable(path, "top level", content, FILE_KEYS)
    own = make_layer(path, "[house]", content.get("house", {}), content.get("defaults", {}))
    configuration = combine([*below, own, *above])
    house = configuration.section
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
        lot = read_lot(path, f"auction {number}", values, configuration.defaults)
        for earlier, other in enumerate(lots, 1):
            if other.listing == lot.listing:
                raise ConfigurationError(
                    f"{path}: auction {number} ({lot.title!r}): listing {lot.listing!r} is that of auction {earlier}",
                    hint="give one of the two another listing",
                )
        lots.append(lot)
    return AuctionsFile(configuration, tuple(lots))


def slug(title: str) -> str:
    """The listing name of a title: its letters and digits in ASCII and lower case, joined by ``-``; may be empty."""
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode().lower()
    return _NOT_IN_LISTING.sub("-", plain).strip("-")[:MAX_LISTING_CHARACTERS].rstrip("-")


def read_lot(
    path: Path,
    place: str,
    values: Mapping[str, Any],
    defaults: Mapping[str, Inherited],
    origins: Mapping[str, str] = MappingProxyType({}),
) -> LotDescription:
    """The lot of the table ``values``, which errors call ``place``; ``origins`` says which of them were said elsewhere.

    Raises ConfigurationError.
    """
    title = values.get("item")
    place += f" ({title[:60]!r})" if isinstance(title, str) else ""
    inherited = {key: default for key, default in defaults.items() if key not in values}
    if not _has_soft_close(values, defaults):
        # A limit to something that this lot does not have.
        inherited.pop("max_extension", None)
    table = TomlTable(
        path,
        place,
        {key: default.value for key, default in inherited.items()} | dict(values),
        LOT_KEYS,
        {key: f"[defaults] of {default.origin}" for key, default in inherited.items()} | dict(origins),
    )
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
        pauses=_read_pauses(table),
        payment=_read_payment(table),
        cancellation=table.word("cancellation", Cancellation.BEFORE_FIRST_BID),
        min_reputation_ppm=table.share_ppm("min_reputation", 0),
    )
    _check_terms(path, place, lot)
    return lot


def _read_pauses(table: TomlTable) -> PauseRules:
    usual = PauseRules()
    return PauseRules(
        table.word("on_disconnect", usual.disconnection),
        table.integer("max_pauses", usual.max_pauses, 0, MAX_PAUSES),
        table.duration_ns("max_pause", usual.max_pause_ns),
        table.integer("max_pauses_a_bidder", usual.max_pauses_a_bidder, 0, MAX_PAUSES),
        table.duration_ns("max_pause_a_bidder", usual.max_pause_a_bidder_ns),
    )


def _read_payment(table: TomlTable) -> PaymentRules:
    """Without a time for payment none is waited for; an offer may be answered for as long as the price may be paid."""
    payment_ns = table.duration_ns("payment_timeout", 0)
    on_default = table.word("on_default", OnDefault.REVERT)
    usual_ns = payment_ns if on_default is OnDefault.OFFER else 0
    absence_ns = table.duration_ns("payment_absence", 0)
    return PaymentRules(payment_ns, absence_ns, on_default, table.duration_ns("offer_timeout", usual_ns))


def _has_soft_close(values: Mapping[str, Any], defaults: Mapping[str, Inherited]) -> bool:
    written = values.get("soft_close", defaults["soft_close"].value if "soft_close" in defaults else "0s")
    # What is no duration is for the reader of the table to complain of.
    return not (isinstance(written, str) and _NOTHING.fullmatch(written.strip()))


def _check_terms(path: Path, place: str, lot: LotDescription) -> None:
    """Make, sign and read the terms under a key of nobody's: what cannot be announced is found out here."""
    key = _nobody()
    try:
        decode_terms(sign_terms(lot, key.identity.signing, key.escrow_public, key, _NO_ENTROPY).body)
    except TermsError as error:
        raise ConfigurationError(f"{path}: {place}: {error}", hint=error.hint or TERMS_HINT) from error


@cache
def _nobody() -> SecretKey:
    """Made once for the lots of a file, of which there may be ten thousand: it costs more than reading one."""
    return SecretKey(bytes(32))
