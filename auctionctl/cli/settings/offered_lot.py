"""The lot that ``open`` offers: from a file of one lot, from options, or from both.

Rule: an option stands above the file; the keys, their forms and their defaults are those of an ``[[auction]]`` in
AUCTIONS.toml (:mod:`auctionctl.cli.settings.lots`), so that a lot can move from one to the other.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from auctionctl.cli.arguments import ArgumentError
from auctionctl.cli.settings.house_file import Inherited, combine, make_layer
from auctionctl.cli.settings.lots import FILE_KEYS, read_lot
from auctionctl.cli.settings.toml_table import TomlTable
from auctionctl.client.toml_file import read_toml
from auctionctl.errors import ConfigurationError
from auctionctl.wire.listing import LotDescription

OPTIONS: Final = Path("the options")
"""What errors would call the file where there is none."""
OPTIONS_HINT: Final = "an option is written like this: --starting-price 100.00EUR --duration 5m"
ONE_LOT_HINT: Final = "give a file of one lot, or serve all of them: auctionctl serve FILE"


def read_offered_lot(file: Path | None, options: Mapping[str, Any]) -> LotDescription:
    """The lot in ``file``, with ``options`` (by the names of the keys) above it.

    Raises ConfigurationError naming file and key, ArgumentError where the options alone say what is wrong, and
    NotFoundError where there is no such file.
    """
    origins = {key: f"--{key.replace('_', '-')}" for key in options}
    if file is None:
        try:
            return read_lot(OPTIONS, "lot", options, {}, origins)
        except ConfigurationError as error:
            raise ArgumentError(str(error).removeprefix(f"{OPTIONS}: "), hint=OPTIONS_HINT) from error
    values, defaults = _one_table(file, read_toml(file))
    return read_lot(file, "lot", {**values, **options}, defaults, origins)


def _one_table(file: Path, content: dict[str, Any]) -> tuple[Mapping[str, Any], Mapping[str, Inherited]]:
    """The table of the one lot, wherever it stands, and what it inherits from ``[defaults]``."""
    if not FILE_KEYS & content.keys():
        return content, {}
    TomlTable(file, "top level", content, FILE_KEYS)
    tables = content.get("auction", [])
    if isinstance(tables, dict):
        tables = [tables]
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        raise ConfigurationError(f"{file}: auction is no table", hint="begin it with [auction]")
    if len(tables) != 1:
        found = f"{len(tables)} auctions, where one is needed" if tables else "there is no auction"
        raise ConfigurationError(f"{file}: {found}", hint=ONE_LOT_HINT)
    layer = make_layer(file, "[house]", {}, content.get("defaults", {}))
    return tables[0], combine([layer]).defaults
