"""One table of a TOML file, read key by key into exact types.

Rule: what is not understood is never passed over. Unknown keys, other types and values out of bounds raise
ConfigurationError naming the file, the table and the key, with a hint. Money and shares are text, since a TOML float is
not exact. Source: TOML 1.0, DESIGN.md section 6.
"""

from __future__ import annotations

import difflib
import enum
import os
import re
import stat
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, NoReturn, TypeVar

from auctionctl.auction.increments import Fixed, Increment, Percent, Table
from auctionctl.auction.price import Money, minor_digits, parse_money
from auctionctl.auction.rules import WHOLE_PPM
from auctionctl.cli.settings.durations import parse_duration
from auctionctl.cli.settings.shares import PPM_A_PERCENT
from auctionctl.errors import AuctionctlError, ConfigurationError

MAX_PATH_CHARACTERS: Final = 1_024
T = TypeVar("T")
E = TypeVar("E", bound=enum.StrEnum)

_TYPE_NAMES: Final = {
    str: "text",
    bool: "a truth value",
    int: "a whole number",
    float: "a number with a point",
    list: "a list",
    dict: "a table",
}
_PERCENT: Final = re.compile(r"([0-9]{1,4})(?:\.([0-9]{1,2}))?[ ]?%")


class TomlTable:
    """``values`` of one table of ``path``, called ``place`` in errors; ``known`` are the keys that it may have.

    ``origins`` says of keys that were written elsewhere where that was.
    """

    def __init__(
        self,
        path: Path,
        place: str,
        values: Mapping[str, Any],
        known: frozenset[str],
        origins: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self._path = path
        self._place = place
        self._values = values
        self._origins = origins
        for key in values:
            if key not in known:
                close = difflib.get_close_matches(key, known, n=1)
                hint = f"did you mean {close[0]}?" if close else f"known are: {', '.join(sorted(known))}"
                raise self._error(f"unknown key {key!r}", hint)

    def fail(self, key: str, message: str, hint: str = "") -> NoReturn:
        """Raise ConfigurationError about ``key``."""
        where = f" (said in {self._origins[key]})" if key in self._origins else ""
        raise self._error(f"{key}: {message}{where}", hint)

    def _error(self, message: str, hint: str = "") -> ConfigurationError:
        hint = hint or f"look at {self._place} in {self._path}"
        return ConfigurationError(f"{self._path}: {self._place}: {message}", hint=hint)

    def __contains__(self, key: str) -> bool:
        return key in self._values

    def written(self, key: str) -> Any:
        """The value of ``key`` as the file has it, whatever it is."""
        return self._values[key]

    def _get(self, key: str, kind: type[T], hint: str) -> T:
        value = self._values[key]
        # bool is a subclass of int, and `port = true` is no port.
        if type(value) is not kind:
            found = _TYPE_NAMES.get(type(value), "a date or time")
            self.fail(key, f"{_TYPE_NAMES[kind]} is needed, and this is {found}", hint)
        return value

    def _read(self, key: str, hint: str, read: Callable[[str], T]) -> T:
        text = self._get(key, str, hint)
        try:
            return read(text)
        except AuctionctlError as error:
            self.fail(key, str(error), error.hint or hint)

    def text(self, key: str, default: str, max_characters: int) -> str:
        """Text of 1 to ``max_characters``; empty only where ``default`` is and nothing is written."""
        if key not in self._values:
            return default
        text = self._get(key, str, f'write it in quotes: {key} = "…"')
        if not 1 <= len(text) <= max_characters:
            self.fail(
                key,
                f"{len(text)} characters, where 1 to {max_characters} are allowed",
                "shorten it" if text else "leave the line out, or write something between the quotes",
            )
        return text

    def file(self, key: str) -> str:
        """The path of a file, absolute: one that is relative begins where this file is."""
        text = self.text(key, "", MAX_PATH_CHARACTERS)
        if not text.isprintable():
            self.fail(key, "this is no path", f'write {key} = "/path/of/the/file"')
        return os.path.abspath(self._path.parent / os.path.expanduser(text))

    def opened_to_others(self) -> int:
        """The file's mode if others have access to it, else 0; 0 too if that cannot be known."""
        try:
            mode = stat.S_IMODE(self._path.stat().st_mode)
        except OSError:
            return 0
        return mode if mode & (stat.S_IRWXG | stat.S_IRWXO) else 0

    def require(self, key: str, hint: str) -> None:
        """Raise ConfigurationError if ``key`` is missing."""
        if key not in self._values:
            raise self._error(f"{key} is missing", hint)

    def integer(self, key: str, default: int, low: int, high: int) -> int:
        """A whole number between ``low`` and ``high``."""
        if key not in self._values:
            return default
        number = self._get(key, int, f"write it as a number without quotes: {key} = {default}")
        if not low <= number <= high:
            shown = number if abs(number) < 10**20 else "a number of more than 20 digits"
            self.fail(key, f"{shown} is not between {low} and {high}", f"{default} is what holds where it is left out")
        return number

    def word(self, key: str, default: E) -> E:
        """One of the words of an enumeration."""
        if key not in self._values:
            return default
        words = [each.value for each in type(default)]
        text = self._get(key, str, f'write it in quotes: {key} = "{default.value}"')
        if text not in words:
            self.fail(key, f"{text[:40]!r} is none of {', '.join(words)}", f'write {key} = "{default.value}"')
        return type(default)(text)

    def duration_ns(self, key: str, default_ns: int) -> int:
        """A duration such as ``"30s"``, in nanoseconds."""
        if key not in self._values:
            return default_ns
        return self._read(key, f'write it in quotes with its unit: {key} = "30s"', parse_duration)

    def share_ppm(self, key: str, default_ppm: int) -> int:
        """A percentage such as ``"40%"``, of at most 100%, in parts per million."""
        if key not in self._values:
            return default_ppm
        hint = f'write it in quotes, with at most two digits after the point: {key} = "40%"'
        text = self._get(key, str, hint)
        match = _PERCENT.fullmatch(text)
        ppm = PPM_A_PERCENT * int(match[1]) + 100 * int((match[2] or "").ljust(2, "0")) if match is not None else -1
        if not 0 <= ppm <= WHOLE_PPM:
            self.fail(key, f"not a percentage from 0% to 100%: {text[:40]!r}", hint)
        return ppm

    def money(self, key: str) -> Money:
        """A required amount with its currency."""
        self.require(key, f'write it as {key} = "100.00EUR"')
        return self._read(key, f'write it in quotes with its currency: {key} = "100.00EUR"', parse_money)

    def minor(self, key: str, currency: str) -> int | None:
        """An amount in minor units of ``currency``, whose name it may leave out; None if it is missing."""
        if key not in self._values:
            return None
        hint = f'write it in quotes: {key} = "100{currency}"'
        return self._read(key, hint, lambda text: parse_money(text, currency=currency).minor)

    def increment(self, key: str, currency: str) -> Increment:
        """``"1.00EUR"``, ``"5%"`` or ``[["0", "1.00"], ["100", "5.00"]]``; one whole unit of money by default."""
        value = self._values.get(key)
        if value is None:
            return Fixed(10 ** minor_digits(currency))
        hint = f'write it as "1.00{currency}", "5%" or [["0", "1.00"], ["100", "5.00"]]'
        if isinstance(value, list):
            return Table(tuple(self._increment_row(key, row, currency, hint) for row in value))
        text = self._get(key, str, hint)
        if text.endswith("%"):
            match = _PERCENT.fullmatch(text)
            if match is None:
                self.fail(key, f"not a percentage: {text[:40]!r}", "write it as 5% or 2.25%")
            return Percent(int(match[1]) * 100 + int((match[2] or "").ljust(2, "0")))
        return Fixed(self._amount(key, text, currency))

    def _increment_row(self, key: str, row: object, currency: str, hint: str) -> tuple[int, int]:
        if not (isinstance(row, list) and len(row) == 2 and all(isinstance(cell, str) for cell in row)):
            self.fail(key, "a row of the table is no pair of amounts in quotes", hint)
        bound, step = row
        return self._amount(key, bound, currency), self._amount(key, step, currency)

    def _amount(self, key: str, text: str, currency: str) -> int:
        try:
            return parse_money(text, currency=currency).minor
        except AuctionctlError as error:
            self.fail(key, str(error), error.hint)
