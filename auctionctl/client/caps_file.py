"""``[caps]`` in config.toml: what one auction may tie up at most of a bidder's budget, by patterns over listings.

Rule: an option, or an argument of the library, adds a cap, and takes none away (:mod:`auctionctl.bidding.caps`).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from auctionctl.client.files import is_there
from auctionctl.client.paths import Paths
from auctionctl.errors import ConfigurationError, MoneyError

if TYPE_CHECKING:
    from auctionctl.bidding.caps import Cap, CapOf

CAPS_KEY: Final = "caps"
CAPS_MEANING: Final = "The most that one auction may tie up of a bidder's budget, by listing; the least holds."
CAPS_EXAMPLE: Final = '"gpu-*" = "100.00EUR"'
MAX_PATTERN_CHARACTERS: Final = 80


def caps_of(paths: Paths, max_per_auction: str | None, currency: str) -> CapOf:
    """What bounds an auction: the caps of config.toml, and ``max_per_auction``, an amount of ``currency``, if given.

    Raises ConfigurationError for the file, MoneyError for the amount.
    """
    from auctionctl.auction.price import parse_money  # noqa: PLC0415
    from auctionctl.bidding.caps import Cap, cap_of  # noqa: PLC0415

    caps = list(read_caps(paths.settings))
    if max_per_auction is not None:
        caps.append(Cap("*", parse_money(max_per_auction, currency=currency)))
    return cap_of(caps)


def read_caps(path: Path) -> tuple[Cap, ...]:
    """The caps that the config.toml at ``path`` says; none without it. Raises ConfigurationError."""
    if not is_there(path):
        return ()
    from auctionctl.client.toml_file import read_toml  # noqa: PLC0415 - most commands run without the file

    return parse_caps(path, read_toml(path))


def parse_caps(path: Path, values: Mapping[str, Any]) -> tuple[Cap, ...]:
    """The caps in ``values``, which stand in ``path``. Raises ConfigurationError."""
    table = values.get(CAPS_KEY, {})
    if not isinstance(table, dict):
        hint = f"write: [{CAPS_KEY}], and below it {CAPS_EXAMPLE}"
        raise ConfigurationError(f"{path}: {CAPS_KEY}: a table is needed", hint=hint)
    return tuple(_cap(path, pattern, value) for pattern, value in table.items())


def _cap(path: Path, pattern: str, value: object) -> Cap:
    from auctionctl.auction.price import parse_money  # noqa: PLC0415
    from auctionctl.bidding.caps import Cap  # noqa: PLC0415

    place = f"{path}: [{CAPS_KEY}]: {pattern[:40]}"
    if not 1 <= len(pattern) <= MAX_PATTERN_CHARACTERS:
        message = f"{place}: a pattern has 1 to {MAX_PATTERN_CHARACTERS} characters"
        raise ConfigurationError(message, hint=f"as in {CAPS_EXAMPLE}")
    hint = f"write it in quotes with its currency: {CAPS_EXAMPLE}"
    if not isinstance(value, str):
        raise ConfigurationError(f"{place}: text is needed", hint=hint)
    try:
        return Cap(pattern, parse_money(value))
    except MoneyError as error:
        raise ConfigurationError(f"{place}: {error}", hint=error.hint or hint) from error
