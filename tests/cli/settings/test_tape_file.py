"""A tape is read exactly, or not at all: what is wrong with it is named by line and column."""

from __future__ import annotations

from pathlib import Path

import pytest

from auctionctl.cli.settings.tape_file import parse_time, read_tape
from auctionctl.errors import ConfigurationError
from auctionctl.market.tape import TapedBid

SECOND_NS = 1_000_000_000
HEAD = "bidder,amount,time\n"


def written(directory: Path, text: str | bytes) -> Path:
    path = directory / "bids.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_rows_are_read_exactly_in_any_order_of_columns(tmp_path: Path) -> None:
    path = written(tmp_path, '\ufeffTime, amount ,bidder\r\n12.5,10.50EUR,ann\r\n\r\n13,11,"ben, the 2nd"\r\n')
    assert read_tape(path, "EUR") == {
        "bids": [
            TapedBid(2, "ann", 1_050, "EUR", 25 * SECOND_NS // 2),
            TapedBid(4, "ben, the 2nd", 1_100, "EUR", 13 * SECOND_NS),
        ]
    }


def test_a_column_tells_the_auctions_apart_and_an_amount_may_name_another_currency(tmp_path: Path) -> None:
    path = written(tmp_path, "auction,bidder,amount,time\nb,ann,1,0\na,ben,2USD,0\nb,ben,3,1\n")
    tape = read_tape(path, "EUR")
    assert list(tape) == ["b", "a"]
    assert [bid.line for bid in tape["b"]] == [2, 4]
    assert tape["a"][0].currency == "USD"


@pytest.mark.parametrize(
    ("text", "time_ns"),
    [
        ("0", 0),
        ("12.5", 12_500_000_000),
        ("0.000000001", 1),
        ("1970-01-01T00:00:01Z", SECOND_NS),
        ("2026-01-31T12:00:00.123456789+01:00", 1_769_857_200_123_456_789),
        ("2026-01-31 11:00:00z", 1_769_857_200_000_000_000),
    ],
)
def test_times_are_dates_or_seconds_to_the_nanosecond(text: str, time_ns: int) -> None:
    assert parse_time(text) == time_ns


@pytest.mark.parametrize(
    "text",
    ["", "-1", "1e9", "NaN", "1.0000000001", "2026-01-31", "2026-02-30T00:00:00Z", "2026-01-31T12:00:00", "99999999999",
     "1969-12-31T23:59:59Z", "٣"],
)  # fmt: skip
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(ConfigurationError):
        parse_time(text)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "line 1: there is no column bidder"),
        (HEAD, "line 1: there is no bid"),
        ("bidder,amount,when\n", "line 1: there is no column time"),
        ("bidder,amount,time,note\n", "line 1: unknown column 'note'"),
        ("bidder,amount,time,time\n", "line 1: two columns are called time"),
        (HEAD + "ann,1,0\nann,2\n", "line 3: 2 fields, where 3 are needed"),
        (HEAD + "ann,-1,0\n", "line 2: amount: not an amount: '-1'"),
        (HEAD + "ann,NaN,0\n", "line 2: amount: not an amount: 'NaN'"),
        (HEAD + "ann,1.001,0\n", "line 2: amount: '1.001' has 3 digits"),
        (HEAD + "ann,1,soon\n", "line 2: time: not a time: 'soon'"),
        (HEAD + "ann,1,0\nann,1,1970-01-01T00:00:01Z\n", "line 3: time: dates and seconds in one file"),
        (HEAD + " ,1,0\n", "line 2: bidder: no name"),
        (HEAD + "a\x1bnn,1,0\n", "line 2: bidder: no name"),
        (HEAD + '"ann,1,0\n', "line 2: unexpected end of data"),
        (HEAD.encode() + b"ann,1,0\n\xff,1,0\n", "line 3: not UTF-8"),
    ],
)
def test_what_is_wrong_is_named_by_line_and_column(tmp_path: Path, text: str | bytes, words: str) -> None:
    path = written(tmp_path, text)
    with pytest.raises(ConfigurationError) as caught:
        read_tape(path, "EUR")
    assert str(caught.value).startswith(f"{path}: {words}")
    assert caught.value.hint
