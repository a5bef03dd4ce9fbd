from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from auctionctl.auction.increments import Fixed, Percent, Table
from auctionctl.auction.rules import Cancellation, Disconnection, OnDefault, PauseRules, PaymentRules
from auctionctl.cli.settings.house_file import read_house_layer
from auctionctl.cli.settings.lots import LOT_KEYS, AuctionsFile, read_auctions, slug
from auctionctl.errors import ConfigurationError, NotFoundError

SECOND_NS = 1_000_000_000
LOT = '[[auction]]\nitem = "Gold watch"\nstarting_price = "100.00EUR"\n'


def read(tmp_path: Path, text: str) -> AuctionsFile:
    path = tmp_path / "AUCTIONS.toml"
    path.write_text(text)
    return read_auctions(path)


def test_what_is_left_out_has_the_defaults_of_the_design(tmp_path: Path) -> None:
    content = read(tmp_path, LOT)
    house, (lot,) = content.house, content.lots
    assert (house.name, house.bind, house.port, house.key) == ("house", "127.0.0.1", 8888, "house")
    assert (house.max_concurrent_auctions, house.queue) == (10, 1_000)
    assert house.verifiers >= 1
    assert (lot.listing, lot.title, lot.currency, lot.starting_price_minor) == (
        "gold-watch",
        "Gold watch",
        "EUR",
        10_000,
    )
    assert (lot.increment, lot.min_bidders, lot.format) == (Fixed(100), 3, "english")
    assert (lot.duration_ns, lot.start_timeout_ns, lot.bid_timeout_ns) == (
        300 * SECOND_NS,
        600 * SECOND_NS,
        30 * SECOND_NS,
    )
    assert (lot.soft_close_window_ns, lot.max_extension_ns) == (0, 0)
    assert (lot.reserve_minor, lot.estimate_minor, lot.description) == (None, None, "")


def test_everything_that_is_written_is_taken(tmp_path: Path) -> None:
    content = read(
        tmp_path,
        """
[house]
name = "a"
bind = "[::1]"
port = 1
key = "b"
max_concurrent_auctions = 1
queue = 2
verifiers = 3
[[auction]]
item = "X"
listing = "x.1"
description = "d"
starting_price = "0JPY"
reserve_price = "5"
estimate = "7JPY"
increment = [["0", "1"], ["100", "5JPY"]]
duration = "1h30m"
start_timeout = "1m"
min_bidders = 1
bid_timeout = "500ms"
soft_close = "30s"
format = "english"
""",
    )
    house, (lot,) = content.house, content.lots
    assert (house.name, house.bind, house.port, house.key) == ("a", "[::1]", 1, "b")
    assert (house.max_concurrent_auctions, house.queue, house.verifiers) == (1, 2, 3)
    assert (lot.listing, lot.description, lot.starting_price_minor) == ("x.1", "d", 0)
    assert (lot.reserve_minor, lot.estimate_minor) == (5, 7)
    assert lot.increment == Table(((0, 1), (100, 5)))
    assert (lot.duration_ns, lot.start_timeout_ns, lot.min_bidders) == (5_400 * SECOND_NS, 60 * SECOND_NS, 1)
    assert (lot.bid_timeout_ns, lot.soft_close_window_ns) == (SECOND_NS // 2, 30 * SECOND_NS)
    assert lot.max_extension_ns == 300 * SECOND_NS


@pytest.mark.parametrize(
    ("written", "increment"),
    [
        ('"5%"', Percent(500)),
        ('"2.25%"', Percent(225)),
        ('"0.5 %"', Percent(50)),
        ('"2.50"', Fixed(250)),
        ('"2.50EUR"', Fixed(250)),
    ],
)
def test_an_increment_is_exact(tmp_path: Path, written: str, increment: object) -> None:
    assert read(tmp_path, f"{LOT}increment = {written}\n").lots[0].increment == increment


def test_the_default_increment_is_one_whole_unit(tmp_path: Path) -> None:
    lots = [read(tmp_path, LOT.replace("100.00EUR", price)).lots[0] for price in ("1JPY", "1credits", "1BHD")]
    assert [lot.increment for lot in lots] == [Fixed(1), Fixed(1), Fixed(1_000)]


@pytest.mark.parametrize(
    ("title", "listing"),
    [("Gold watch, 1962", "gold-watch-1962"), ("  Öl & Essig ", "ol-essig"), ("北京", ""), ("x" * 99, "x" * 64)],
)
def test_a_listing_is_made_from_the_title(title: str, listing: str) -> None:
    assert slug(title) == listing


WRONG = [
    ("", "there is no auction", "[[auction]]"),
    ("[[auction]\n", "line 1", "key = value"),
    ("a = 1\n" + LOT, "top level: unknown key 'a'", "auction, defaults, house"),
    ("house = 1\n" + LOT, "house is no table", "[house]"),
    ("auction = 1\n", "auction is no list of tables", "[[auction]]"),
    ("[auction]\nitem = 'x'\n", "auction is no list of tables", "[[auction]]"),
    ("[house]\nport = '1'\n" + LOT, "[house]: port: a whole number is needed, and this is text", "without quotes"),
    ("[house]\nport = true\n" + LOT, "port: a whole number is needed, and this is a truth value", ""),
    ("[house]\nport = 0\n" + LOT, "port: 0 is not between 1 and 65535", ""),
    ("[house]\nport = 70000\n" + LOT, "port: 70000 is not between", ""),
    ("[house]\nname = 'A B'\n" + LOT, "name: 'A B' is no name", "a-z"),
    ("[house]\nkey = '../x'\n" + LOT, "key: '../x' is no name", "a-z"),
    ("[house]\nbind = 'a b'\n" + LOT, "bind: 'a b' is no host", "127.0.0.1"),
    ("[house]\nmax_concurrent_auction = 1\n" + LOT, "unknown key", "did you mean max_concurrent_auctions?"),
    ("[house]\nmax_concurrent_auctions = 1\n" + LOT + LOT, "2 auctions, more than", "raise max_concurrent_auctions"),
    ("[house]\nverifiers = 2024-01-01\n" + LOT, "verifiers: a whole number is needed, and this is a date or time", ""),
    (LOT + LOT, "auction 2 ('Gold watch'): listing 'gold-watch' is that of auction 1", "another listing"),
    ("[[auction]]\nstarting_price = '1EUR'\n", "auction 1: item is missing", "item ="),
    ("[[auction]]\nitem = 'x'\n", "auction 1 ('x'): starting_price is missing", "100.00EUR"),
    ("[[auction]]\nitem = 5\nstarting_price = '1EUR'\n", "item: text is needed, and this is a whole number", "quotes"),
    ("[[auction]]\nitem = ''\nstarting_price = '1EUR'\n", "item: 0 characters", ""),
    (f"[[auction]]\nitem = '{'x' * 201}'\nstarting_price = '1EUR'\n", "item: 201 characters", ""),
    ("[[auction]]\nitem = '北京'\nstarting_price = '1EUR'\n", "no letter or digit to make a name from", "add listing"),
    (LOT + "listing = 'A'\n", "the listing 'A' is no name", "lower-case"),
    (LOT + "item_price = '1'\n", "unknown key 'item_price'", ""),
    (LOT + "reserve = '1'\n", "unknown key 'reserve'", "did you mean reserve_price?"),
    (LOT.replace('"100.00EUR"', "100.0"), "starting_price: text is needed, and this is a number", "quotes"),
    (LOT.replace("EUR", ""), "starting_price: the amount '100.00' has no currency", "EUR"),
    (LOT.replace("EUR", "XYZ"), "unknown currency 'XYZ'", "ISO 4217"),
    (LOT.replace("100.00", "100.001"), "starting_price: ", ""),
    (LOT + "reserve_price = '1.00USD'\n", "is in USD, where EUR is needed", ""),
    (LOT + "estimate = '-1'\n", "estimate: not an amount", ""),
    (LOT + "increment = 5\n", "increment: text is needed", "5%"),
    (LOT + "increment = '5.555%'\n", "not a percentage", "2.25%"),
    (LOT + "increment = '0%'\n", "a percentage increment must be between", ""),
    (LOT + "increment = '0'\n", "the increment must be at least one minor unit", ""),
    (LOT + "increment = [[0, 1]]\n", "no pair of amounts in quotes", "[["),
    (LOT + "increment = [['5', '1']]\n", "must start at 0", ""),
    (LOT + "increment = [['0', 'x']]\n", "increment: not an amount", ""),
    (LOT + "increment = []\n", "1 to 64 rows", ""),
    (LOT + "duration = 5\n", "duration: text is needed", "unit"),
    (LOT + "duration = '5'\n", "duration: not a duration", "500ms"),
    (LOT + "duration = '0s'\n", "the duration must be more than 0", ""),
    (LOT + "duration = '400d'\n", "the duration must be more than 0 and at most 366 days", ""),
    (LOT + "bid_timeout = '1ms'\n", "the bid timeout must be between", ""),
    (LOT + "soft_close = '1h'\n", "the soft-close window is longer than the auction", ""),
    (LOT + "max_extension = '1h'\n", "a soft close needs both", "or neither"),
    (LOT + "min_bidders = 0\n", "min_bidders: 0 is not between 1 and 10000", ""),
    (LOT + "format = 'dutch'\n", "unknown format 'dutch'", "english"),
    (LOT + f"description = '{'x' * 4001}'\n", "description: 4001 characters", ""),
]


@pytest.mark.parametrize(("text", "message", "hint"), WRONG)
def test_what_is_wrong_is_named_with_file_auction_key_and_advice(
    tmp_path: Path, text: str, message: str, hint: str
) -> None:
    with pytest.raises(ConfigurationError) as caught:
        read(tmp_path, text)
    assert message in str(caught.value)
    assert str(tmp_path / "AUCTIONS.toml") in str(caught.value)
    assert hint in caught.value.hint


def test_a_byte_order_mark_as_some_editors_write_it_is_passed_over(tmp_path: Path) -> None:
    assert read(tmp_path, "\ufeff" + LOT).lots[0].title == "Gold watch"


def test_a_file_that_is_no_text_or_too_large_or_missing_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x"
    for data, message in [
        (b"a = 1\nb = '\xff'\n", "line 2: not UTF-8"),
        (b"#" * (1024 * 1024 + 1), "is larger than"),
        (b"a = " + b"[" * 50_000, "nested too deep"),
    ]:
        path.write_bytes(data)
        with pytest.raises(ConfigurationError, match=message):
            read_auctions(path)
    with pytest.raises(NotFoundError, match="there is no file"):
        read_auctions(tmp_path / "missing")
    with pytest.raises(ConfigurationError, match="is a directory"):
        read_auctions(tmp_path)


def test_pauses_payment_and_cancellation_are_those_of_the_terms_unless_said_otherwise(tmp_path: Path) -> None:
    (lot,) = read(tmp_path, LOT).lots
    assert (lot.pauses, lot.payment, lot.cancellation) == (
        PauseRules(),
        PaymentRules(),
        Cancellation.BEFORE_FIRST_BID,
    )
    words = """
        on_disconnect = "pause"
        max_pauses = 3
        max_pause = "4m"
        max_pauses_a_bidder = 1
        max_pause_a_bidder = "30s"
        payment_timeout = "7d"
        payment_absence = "1h"
        on_default = "offer"
        offer_timeout = "2d"
        cancellation = "before_close"
    """
    (lot,) = read(tmp_path, LOT + words).lots
    assert lot.pauses == PauseRules(Disconnection.PAUSE, 3, 240 * SECOND_NS, 1, 30 * SECOND_NS)
    day_ns = 86_400 * SECOND_NS
    assert lot.payment == PaymentRules(7 * day_ns, 3_600 * SECOND_NS, OnDefault.OFFER, 2 * day_ns)
    assert lot.cancellation is Cancellation.BEFORE_CLOSE


def test_an_offer_may_be_answered_for_as_long_as_the_price_may_be_paid(tmp_path: Path) -> None:
    (lot,) = read(tmp_path, f'{LOT}payment_timeout = "3h"\non_default = "offer"').lots
    assert lot.payment.offer_ns == lot.payment.payment_ns == 3 * 3_600 * SECOND_NS


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ('on_disconnect = "stop"', "'stop' is none of continue, pause_below_min_bidders, pause"),
        ("on_disconnect = true", "text is needed"),
        ("max_pauses = -1", "is not between 0 and 1000"),
        ('on_default = "offer"', "absence and offers matter only where a payment is waited for"),
        ('payment_absence = "1h"', "absence and offers matter only where a payment is waited for"),
        ('payment_timeout = "1h"\noffer_timeout = "1h"', "a second offer needs a time to answer it"),
        ('payment_timeout = "1h"\non_default = "offer"\noffer_timeout = "0s"', "a second offer needs a time"),
        ('payment_timeout = "400d"', "at most 366 days"),
        ('cancellation = "never"', "'never' is none of before_first_bid, before_close"),
    ],
)
def test_what_does_not_fit_together_is_named_with_its_lot(tmp_path: Path, line: str, words: str) -> None:
    with pytest.raises(ConfigurationError) as raised:
        read(tmp_path, f"{LOT}{line}\n")
    assert words in str(raised.value)
    assert "auction 1 ('Gold watch')" in str(raised.value)
    assert raised.value.hint


def test_the_examples_of_the_readme_can_be_used_and_name_every_key_of_a_lot(tmp_path: Path) -> None:
    readme = (Path(__file__).parents[3] / "README.md").read_text()
    house, lots = re.findall(r"```toml\n(# (?:house|AUCTIONS)\.toml.*?)```", readme, flags=re.DOTALL)
    (tmp_path / "house.toml").write_text(house)
    (lot,) = read(tmp_path, lots).lots
    assert (lot.listing, lot.payment.on_default) == ("gold-watch-1962", OnDefault.OFFER)
    read_house_layer(tmp_path / "house.toml")
    assert set(tomllib.loads(lots)["auction"][0]) == LOT_KEYS - {"format"}
