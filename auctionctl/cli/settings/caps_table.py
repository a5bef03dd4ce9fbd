"""``[caps]`` in config.toml: what one auction may tie up at most of a bidder's budget, by patterns over listings.

Rule: an option adds a cap, and takes none away (:mod:`auctionctl.bidding.caps`).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from auctionctl.client.files import is_there

if TYPE_CHECKING:
    from auctionctl.bidding.caps import Cap

CAPS_KEY: Final = "caps"
CAPS_MEANING: Final = "The most that one auction may tie up of a bidder's budget, by listing; the least holds."
CAPS_EXAMPLE: Final = '"gpu-*" = "100.00EUR"'
MAX_PATTERN_CHARACTERS: Final = 80


def read_caps(path: Path) -> tuple[Cap, ...]:
    """The caps that the config.toml at ``path`` says; none without it. Raises ConfigurationError."""
    if not is_there(path):
        return ()
    from auctionctl.cli.settings.toml_table import read_toml  # noqa: PLC0415 - most commands run without the file

    return parse_caps(path, read_toml(path))


def parse_caps(path: Path, values: Mapping[str, Any]) -> tuple[Cap, ...]:
    """The caps in ``values``, which stand in ``path``. Raises ConfigurationError."""
    from auctionctl.bidding.caps import Cap  # noqa: PLC0415
    from auctionctl.cli.settings.toml_table import TomlTable  # noqa: PLC0415

    table = values.get(CAPS_KEY, {})
    if not isinstance(table, dict):
        TomlTable(path, "top level", values, frozenset(values)).fail(
            CAPS_KEY, "a table is needed", f"write: [{CAPS_KEY}], and below it {CAPS_EXAMPLE}"
        )
    found = TomlTable(path, f"[{CAPS_KEY}]", table, frozenset(table))
    for pattern in table:
        if not 1 <= len(pattern) <= MAX_PATTERN_CHARACTERS:
            found.fail(pattern[:40], f"a pattern has 1 to {MAX_PATTERN_CHARACTERS} characters", f"as in {CAPS_EXAMPLE}")
    return tuple(Cap(pattern, found.money(pattern)) for pattern in table)
