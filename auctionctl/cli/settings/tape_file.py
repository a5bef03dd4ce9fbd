"""BIDS.csv: a recorded tape of bids, checked row by row before any of it is judged.

Rule: either every row can be read or none is judged; what is wrong is named by line and column. Amounts and times are
read exactly. Source: RFC 4180 for the rows, RFC 3339 for dates.
"""

from __future__ import annotations

import csv
import datetime
import io
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final, NoReturn, TypeVar

from auctionctl.auction.bid import MAX_TIME_NS
from auctionctl.auction.price import parse_money
from auctionctl.auction.terms import SECOND_NS
from auctionctl.client.files import read_bounded
from auctionctl.errors import AuctionctlError, ConfigurationError
from auctionctl.market.tape import TapedBid

T = TypeVar("T")

NEEDED_COLUMNS: Final = ("bidder", "amount", "time")
AUCTION_COLUMN: Final = "auction"
MAX_FILE_BYTES: Final = 256 * 1024 * 1024
MAX_NAME_CHARACTERS: Final = 200
TIME_HINT: Final = "write it as 2026-01-31T12:00:00.5Z, or as seconds: 12.5"
COLUMNS_HINT: Final = "the first line names the columns: bidder,amount,time, and auction where there are several"

_SECONDS: Final = re.compile(r"([0-9]{1,10})(?:\.([0-9]{1,9}))?", re.ASCII)
_DATE: Final = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})[Tt ]([0-9]{2}:[0-9]{2}:[0-9]{2})(?:\.([0-9]{1,9}))?([Zz]|[+-][0-9]{2}:[0-9]{2})",
    re.ASCII,
)
_EPOCH: Final = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)


def read_tape(path: Path, currency: str) -> dict[str, list[TapedBid]]:
    """Auction → its rows, in the order of the file; amounts without a currency are in ``currency``.

    Where there is no column ``auction``, the only one is called by the name of the file. Raises NotFoundError,
    ConfigurationError.
    """
    data = read_bounded(path, MAX_FILE_BYTES)
    try:
        text = data.decode().removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise ConfigurationError(f"{path}: line {line}: not UTF-8", hint="save the file as UTF-8") from error
    return _Reader(path, currency).read(text)


class _Reader:
    """Reads the rows of one file."""

    def __init__(self, path: Path, currency: str) -> None:
        self._path = path
        self._currency = currency
        self._line = 1
        self._has_dates: bool | None = None

    def read(self, text: str) -> dict[str, list[TapedBid]]:
        tape: dict[str, list[TapedBid]] = {}
        rows = csv.reader(io.StringIO(text, newline=""), strict=True)
        try:
            columns = self._columns(next(rows, []))
            for row in rows:
                self._line = rows.line_num
                if row:
                    name, bid = self._bid(columns, row)
                    tape.setdefault(name, []).append(bid)
        except csv.Error as error:
            self._line = rows.line_num
            self._fail("", str(error).lower(), "a field that holds a comma or a quote stands in quotes")
        if not tape:
            self._fail("", "there is no bid", COLUMNS_HINT)
        return tape

    def _columns(self, names: list[str]) -> list[str]:
        columns = [name.strip().lower() for name in names]
        for needed in NEEDED_COLUMNS:
            if needed not in columns:
                self._fail("", f"there is no column {needed}", COLUMNS_HINT)
        for name in columns:
            if name not in (*NEEDED_COLUMNS, AUCTION_COLUMN):
                self._fail("", f"unknown column {name[:40]!r}", "remove it: what is not understood is not passed over")
            if columns.count(name) > 1:
                self._fail("", f"two columns are called {name}", COLUMNS_HINT)
        return columns

    def _bid(self, columns: list[str], row: list[str]) -> tuple[str, TapedBid]:
        if len(row) != len(columns):
            self._fail("", f"{len(row)} fields, where {len(columns)} are needed", f"they are: {','.join(columns)}")
        fields = dict(zip(columns, row, strict=True))
        name = self._name(fields, AUCTION_COLUMN) if AUCTION_COLUMN in fields else self._path.stem
        bidder = self._name(fields, "bidder")
        money = self._read(fields, "amount", lambda text: parse_money(text, currency=_unit(text) or self._currency))
        return name, TapedBid(self._line, bidder, money.minor, money.currency, self._read(fields, "time", self._time))

    def _name(self, fields: Mapping[str, str], column: str) -> str:
        name = fields[column].strip()
        if not 1 <= len(name) <= MAX_NAME_CHARACTERS or not name.isprintable():
            self._fail(column, "no name", f"write 1 to {MAX_NAME_CHARACTERS} characters that can be shown")
        return name

    def _read(self, fields: Mapping[str, str], column: str, read: Callable[[str], T]) -> T:
        try:
            return read(fields[column].strip())
        except AuctionctlError as error:
            self._fail(column, str(error), error.hint or "write it as 12.50EUR")

    def _time(self, text: str) -> int:
        is_date = "-" in text
        time_ns = parse_time(text)
        if self._has_dates is None:
            self._has_dates = is_date
        if is_date != self._has_dates:
            raise ConfigurationError("dates and seconds in one file", hint="write all times in the same way")
        return time_ns

    def _fail(self, column: str, message: str, hint: str) -> NoReturn:
        where = f"line {self._line}: {column}: " if column else f"line {self._line}: "
        raise ConfigurationError(f"{self._path}: {where}{message}", hint=hint)


def _unit(text: str) -> str:
    """The currency that stands in an amount, or nothing."""
    return text.lstrip("0123456789. ")


def parse_time(text: str) -> int:
    """An RFC 3339 date, or seconds with at most nine digits after the point, in nanoseconds; ConfigurationError."""
    seconds, date = _SECONDS.fullmatch(text), _DATE.fullmatch(text)
    time_ns = -1
    if seconds is not None:
        time_ns = int(seconds[1]) * SECOND_NS + _fraction_ns(seconds[2])
    elif date is not None:
        try:
            moment = datetime.datetime.fromisoformat(f"{date[1]}T{date[2]}{date[4].upper()}")
        except ValueError as error:
            raise ConfigurationError(f"no such time: {text[:40]!r}", hint=TIME_HINT) from error
        time_ns = (moment - _EPOCH) // datetime.timedelta(seconds=1) * SECOND_NS + _fraction_ns(date[3])
    if not 0 <= time_ns <= MAX_TIME_NS // 2:
        raise ConfigurationError(f"not a time: {text[:40]!r}", hint=TIME_HINT)
    return time_ns


def _fraction_ns(digits: str | None) -> int:
    return int((digits or "").ljust(9, "0"))
