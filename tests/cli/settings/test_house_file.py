"""What house.toml says holds unless AUCTIONS.toml or the command line say otherwise; every mistake is named."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from auctionctl.auction.increments import Fixed, Percent, Table
from auctionctl.cli.arguments import ArgumentError
from auctionctl.cli.process_log import LogFormat
from auctionctl.cli.settings.house_file import (
    DEFAULT_SETTINGS,
    HOUSE_SETTINGS,
    HouseSection,
    combine,
    find_house_layers,
    needing_restart,
    option_layer,
    read_house_layer,
)
from auctionctl.cli.settings.lots import LOT_KEYS, AuctionsFile, read_auctions
from auctionctl.cli.settings.setting import Kind
from auctionctl.errors import ConfigurationError, NotFoundError
from auctionctl.keys.access import Access
from auctionctl.store.cluster_address import Durability
from auctionctl.wire.listing import LotDescription

SECOND_NS = 1_000_000_000
LOT = '[[auction]]\nitem = "Gold watch"\nstarting_price = "100.00EUR"\n'


def write(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def read(tmp_path: Path, house: str, auctions: str, **options: str | int) -> AuctionsFile:
    layers = [read_house_layer(write(tmp_path / "house.toml", house))]
    return read_auctions(write(tmp_path / "A.toml", auctions), layers, [option_layer(options)])


def test_without_any_file_every_setting_has_the_default_of_the_table(tmp_path: Path) -> None:
    assert find_house_layers(tmp_path, None) == []
    found = combine([])
    house = ("house", "127.0.0.1", 8888, "house")
    limits = (10, 5, 60, 256, 4, 1_000, 20, 40, 2_000, 10_000)
    strangers = (Access.LISTED, 2, 5, 200, 16, 128, 2, 8, 20)
    reading = (8 << 20, 64 << 20, 2_048)
    rest = (os.cpu_count() or 1, 1, LogFormat.AUTO, 0, None, Durability.REQUIRED, None, None, None, None, None, None)
    assert found.section == HouseSection(*house, *limits, *strangers, *reading, *rest)
    assert set(found.origins.values()) == {"default"}
    assert set(found.origins) == {s.name for s in HOUSE_SETTINGS} | {f"defaults.{s.name}" for s in DEFAULT_SETTINGS}


def test_the_defaults_of_the_table_are_those_that_a_lot_gets(tmp_path: Path) -> None:
    written = "".join(f"{s.name} = {s.default_text}\n" for s in DEFAULT_SETTINGS if s.default is not None)
    lots = [read(tmp_path, text, LOT).lots[0] for text in ("", f"[defaults]\n{written}")]
    assert lots[0] == lots[1] == LotDescription("gold-watch", "Gold watch", "EUR", 10_000)
    assert {setting.name for setting in DEFAULT_SETTINGS} <= LOT_KEYS


def test_a_key_is_taken_from_the_command_line_then_auctions_then_the_house_file(tmp_path: Path) -> None:
    house = "name = 'a'\nbind = '::1'\n".replace("'::1'", "'[::1]'") + "port = 1\nqueue = 5\nretention = '30d'\n"
    found = read(tmp_path, house, f"[house]\nport = 2\nqueue = 6\n{LOT}", port=3).configuration
    assert (found.section.name, found.section.port, found.section.queue) == ("a", 3, 6)
    assert found.section.retention_ns == 30 * 86_400 * SECOND_NS
    assert {key: found.origins[key] for key in ("name", "port", "queue", "key")} == {
        "name": str(tmp_path / "house.toml"),
        "port": "--port",
        "queue": str(tmp_path / "A.toml"),
        "key": "default",
    }


def test_a_house_is_opened_by_its_file_or_by_an_option(tmp_path: Path) -> None:
    assert read(tmp_path, "", LOT).configuration.section.access is Access.LISTED
    assert read(tmp_path, "access = 'open'\n", LOT).configuration.section.access is Access.OPEN
    by_option = read(tmp_path, "access = 'listed'\n", LOT, access="open").configuration
    assert (by_option.section.access, by_option.origins["access"]) == (Access.OPEN, "--open")
    with pytest.raises(ConfigurationError, match="access"):
        read(tmp_path, "access = 'ajar'\n", LOT)


def test_a_lot_inherits_what_it_leaves_out(tmp_path: Path) -> None:
    house = "[defaults]\nincrement = '5.00'\nduration = '2m'\nmin_bidders = 7\n"
    auctions = "[defaults]\nmin_bidders = 2\n" + LOT + LOT.replace("Gold", "Silver") + "duration = '1m'\n"
    found = read(tmp_path, house, auctions)
    assert [(lot.increment, lot.min_bidders) for lot in found.lots] == [(Fixed(500), 2)] * 2
    assert [lot.duration_ns for lot in found.lots] == [120 * SECOND_NS, 60 * SECOND_NS]
    assert found.configuration.origins["defaults.duration"] == str(tmp_path / "house.toml")
    assert found.configuration.origins["defaults.min_bidders"] == str(tmp_path / "A.toml")


@pytest.mark.parametrize(
    ("written", "price", "increment"),
    [
        ("'5%'", "1EUR", Percent(500)),
        ("'5'", "1EUR", Fixed(500)),
        ("'5'", "1JPY", Fixed(5)),
        ("'0.005'", "1BHD", Fixed(5)),
        ("'5EUR'", "1EUR", Fixed(500)),
        ("[['0', '1'], ['100', '5']]", "1JPY", Table(((0, 1), (100, 5)))),
    ],
)
def test_an_inherited_increment_is_in_the_currency_of_the_lot(
    tmp_path: Path, written: str, price: str, increment: object
) -> None:
    found = read(tmp_path, f"[defaults]\nincrement = {written}\n", LOT.replace("100.00EUR", price))
    assert found.lots[0].increment == increment


def test_an_inherited_amount_in_another_currency_says_where_it_comes_from(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError) as caught:
        read(tmp_path, "[defaults]\nincrement = '5USD'\n", LOT)
    assert "auction 1 ('Gold watch'): increment: '5USD' is in USD, where EUR is needed" in str(caught.value)
    assert f"(said in [defaults] of {tmp_path / 'house.toml'})" in str(caught.value)


@pytest.mark.parametrize("nothing", ["", "soft_close = '0s'\n"])
def test_a_limit_of_extensions_is_inherited_only_by_a_lot_that_extends(tmp_path: Path, nothing: str) -> None:
    house = "[defaults]\nmax_extension = '1m'\n"
    auctions = LOT + nothing + LOT.replace("Gold", "Silver") + "soft_close = '10s'\n"
    lots = read(tmp_path, house, auctions).lots
    assert [lot.max_extension_ns for lot in lots] == [0, 60 * SECOND_NS]


def test_a_byte_order_mark_is_no_mistake(tmp_path: Path) -> None:
    path = tmp_path / "house.toml"
    path.write_bytes(b"\xef\xbb\xbfport = 7\n")
    assert combine(find_house_layers(tmp_path, None)).section.port == 7


WRONG = [
    ("ports = 1\n", "top level: unknown key 'ports'", "did you mean port?"),
    ("port = '1'\n", "port: a whole number is needed", "without quotes"),
    ("[house]\nport = 1\n", "[house] belongs into an AUCTIONS.toml", "port = 8888"),
    ("[[auction]]\nitem = 'x'\n", "[auction] belongs into an AUCTIONS.toml", "auctionctl serve"),
    ("defaults = 1\n", "defaults is no table", "[defaults]"),
    ("retention = 'ever'\n", "retention: not a duration: 'ever'", '"forever"'),
    ("retention = '0s'\n", "retention: nothing would be kept", '"forever"'),
    ("retention = 30\n", "retention: text is needed", "quotes"),
    ("bind = '1:2'\n", "bind: '1:2' is no host", "127.0.0.1"),
    ("[defaults]\nitem = 'x'\n", "[defaults]: unknown key 'item'", "known are"),
    ("[defaults]\nduration = 5\n", "[defaults]: duration: text is needed", "unit"),
    ("[defaults]\nmin_bidders = 0\n", "min_bidders: 0 is not between", ""),
    ("[defaults]\nincrement = 'much'\n", "increment: not an amount", ""),
    ("[defaults]\nincrement = '0'\n", "increment: the increment must be at least one", ""),
    ("[defaults]\nincrement = '0.5XYZ'\n", "increment: unknown currency 'XYZ'", "ISO 4217"),
    ("[defaults]\nincrement = [['1', '1']]\n", "must start at 0", ""),
    ("[defaults]\nincrement = [1]\n", "increment: a row of the table is no pair", ""),
    ("[defaults]\nincrement = 5\n", "increment: text is needed", ""),
]


@pytest.mark.parametrize(("text", "message", "hint"), WRONG)
def test_every_mistake_names_file_and_key_with_advice(tmp_path: Path, text: str, message: str, hint: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        read(tmp_path, text, LOT)
    assert str(tmp_path / "house.toml") in str(caught.value)
    assert message in str(caught.value)
    assert hint in caught.value.hint


def test_a_mistake_that_is_overridden_is_a_mistake_all_the_same(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="port: 0 is not between"):
        read(tmp_path, "port = 0\n", f"[house]\nport = 1\n{LOT}", port=2)


def test_a_file_that_was_named_has_to_be_there(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError):
        find_house_layers(tmp_path, tmp_path / "other.toml")


@pytest.mark.parametrize(
    ("options", "message"),
    [({"bind": "a b"}, "--bind: 'a b' is no host"), ({"name": "A"}, "--name: 'A' is no name")],
)
def test_what_is_wrong_with_an_option_is_said_of_the_option(options: dict[str, str | int], message: str) -> None:
    with pytest.raises(ArgumentError) as caught:
        option_layer(options)
    assert str(caught.value) == message
    assert caught.value.hint


def test_what_cannot_change_while_the_house_runs_is_told_from_what_can() -> None:
    before = combine([]).section
    after = combine([option_layer({"port": 5, "bind": "0.0.0.0", "queue": 7, "retention": "1d"})]).section
    assert needing_restart(before, after) == ("bind", "port")
    assert needing_restart(before, before) == ()


def test_the_examples_of_readme_are_files_that_are_taken(tmp_path: Path) -> None:
    text = (Path(__file__).parents[3] / "README.md").read_text()
    house, auctions = re.findall(r"```toml\n# (?:house|AUCTIONS)\.toml.*?\n(.*?)```", text, flags=re.DOTALL)
    found = read(tmp_path, house, auctions)
    written = {key for key, origin in found.configuration.origins.items() if origin == str(tmp_path / "house.toml")}
    # A house to copy has its logs in a file: what is for a cluster is a comment there.
    clustered = {"store", "instance", "advertise"}
    files = {setting.name for setting in HOUSE_SETTINGS if setting.kind is Kind.FILE}
    assert {setting.name for setting in HOUSE_SETTINGS} - clustered - files < written
    assert all(f"#{name} = " in house for name in clustered)
    assert found.lots[0].listing == "gold-watch-1962"
