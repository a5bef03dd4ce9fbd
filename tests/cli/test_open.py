"""A seller opens an auction at a house that really runs: once, whatever is repeated, and with the proof on disk."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from auctionctl.auction.terms import decode_terms
from auctionctl.cli import app
from auctionctl.cli.offers import read_offer
from auctionctl.cli.open import JSON_SCHEMA
from auctionctl.keys.keyfile import key_path, read_key
from auctionctl.replica.audit import audit

LOT = """
[house]
port = {port}
verifiers = 1
max_concurrent_auctions = 2
[[auction]]
item = "The house's own"
starting_price = "10EUR"
start_timeout = "1h"
"""
WATCH = ("--item", "Gold watch", "--starting-price", "200EUR", "--reserve-price", "800EUR", "--key", "mallory")


class Market:
    """A running house that lets mallory sell."""

    def __init__(self, starter: Any) -> None:
        self.home: Path = starter.home
        self.starter = starter
        starter.prepare(LOT)
        self.mallory = read_key(key_path(self.home / "config/keys", "mallory"))
        self.allow("mallory", "seller")
        self.house = self.serve()

    def allow(self, name: str, role: str) -> None:
        with (self.home / "config/allow").open("a") as file:
            file.write(f"{self.mallory.identity.text} {name} role={role}\n")

    def serve(self) -> subprocess.Popen[bytes]:
        house = self.starter.start(self.home / "AUCTIONS.toml", "--json")
        assert house.stdout is not None
        while b'"serving"' not in (line := house.stdout.readline()):
            assert line, house.stderr.read() if house.stderr else ""
        return house

    def run(self, *arguments: object, **environment: str) -> Any:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("AUCTIONCTL_")}
        done = subprocess.run(
            [*app_command(), *map(str, arguments)],
            capture_output=True,
            env=kept | {"AUCTIONCTL_HOME": str(self.home)} | environment,
            timeout=60,
            check=False,
        )
        return done.returncode, done.stdout.decode(), done.stderr.decode()

    def open(self, *arguments: object) -> dict[str, Any]:
        status, out, err = self.run("open", *arguments, "--json")
        assert status == 0, err
        document: dict[str, Any] = json.loads(out)
        return document

    def listings(self) -> list[str]:
        _, out, _ = self.run("ls", "--key", "alice", "--json")
        return [auction["listing"] for auction in json.loads(out)["auctions"]]

    def offers(self) -> list[Path]:
        return sorted((self.home / "state/offers").rglob("*.json"))


def app_command() -> list[str]:
    import sys

    return [sys.executable, "-P", "-m", app.PROGRAM]


@pytest.fixture
def market(start_house: Any) -> Market:
    return Market(start_house)


def test_a_lot_is_opened_once_with_proof_and_the_same_again_finds_it(market: Market, tmp_path: Path) -> None:
    first = market.open(*WATCH)
    assert (first["schema"], first["listing"], first["is_new"]) == ("auctionctl.open/1", "gold-watch", True)
    assert set(first) == {"schema", *JSON_SCHEMA["auctionctl.open/1"]}
    assert first["terms"]["seller"] == market.mallory.identity.signing.hex()
    status, out, err = market.run("verify", first["receipt"], "--json")
    assert status == 0, err
    verified = json.loads(out)
    assert (verified["id"], verified["entry"], verified["index"]) == (first["id"], "terms", 0)
    # Again, and after the offer is lost, and under another home: never a second auction, and always the same receipt.
    again = market.open(*WATCH)
    assert again == first | {"is_new": False, "receipt": again["receipt"]}
    (offer,) = market.offers()
    assert offer.stat().st_mode & 0o777 == 0o600
    kept = read_offer(offer)
    assert kept is not None
    assert (kept.auction.hex(), kept.reserve_minor) == (first["id"], 80_000)
    offer.unlink()
    Path(first["receipt"]).unlink()
    assert market.open(*WATCH)["id"] == first["id"]
    assert Path(first["receipt"]).exists()
    assert market.listings() == ["the-house-s-own", "gold-watch"]
    status, out, _ = market.run("open", *WATCH, "-q")
    assert (status, out) == (0, first["id"] + "\n")
    file = tmp_path / "watch.auction"
    assert market.run("export", "gold-watch", "-o", file, "--key", "alice")[0] == 0
    found = audit(file.read_bytes(), read_key(key_path(market.home / "config/keys", "house")).identity)
    assert found.auction.terms == decode_terms(kept.message.body)


def test_terms_that_were_signed_and_perhaps_sent_are_sent_again_after_a_crash(market: Market) -> None:
    first = market.open(*WATCH)
    (path,) = market.offers()
    market.house.terminate()
    market.house.wait(30)
    # A state from before the auction, and the same signed terms on the seller's side: as if they had not arrived.
    for file in sorted((market.home / "state/house-house").rglob("*"), reverse=True):
        if file.is_file():
            file.unlink()
    market.house = market.serve()
    kept = path.read_bytes()
    again = market.open(*WATCH)
    assert (again["id"], again["is_new"]) == (first["id"], True)
    assert path.read_bytes() == kept


def test_other_terms_under_a_listing_that_is_held_are_refused_and_named(market: Market) -> None:
    first = market.open(*WATCH)
    for option, value, word in (
        ("--duration", "7m", "duration"),
        ("--reserve-price", "900EUR", "reserve"),
        ("--description", "Runs.", "description"),
    ):
        status, out, err = market.run("open", *WATCH, option, value)
        assert (status, out) == (9, "")
        assert f"with other terms: {word}\n" in err
        assert "hint: choose another name with --listing" in err
    assert len(market.offers()) == 1
    assert market.open(*WATCH)["id"] == first["id"]


def test_one_auction_too_many_is_refused_and_nothing_is_left_behind(market: Market) -> None:
    market.open(*WATCH)
    status, out, err = market.run("open", *WATCH, "--listing", "other", "--json")
    assert (status, out) == (9, "")
    error = json.loads(err)["error"]
    assert error["code"] == "rejected"
    assert "holds 2 auctions, and its limit is 2" in error["message"]
    assert "wait until an auction has ended" in error["hint"]
    assert [path.stem for path in market.offers()] == ["gold-watch"]


def test_whoever_is_no_seller_is_told_how_to_become_one(market: Market) -> None:
    arguments = [*WATCH[:-1], "alice"]
    status, out, err = market.run("open", *arguments)
    assert (status, out) == (4, "")
    assert "alice is admitted as bidder, not as seller" in err
    alice = read_key(key_path(market.home / "config/keys", "alice"))
    assert f"auctionctl allow add {alice.identity.text} NAME --role seller" in err
    assert market.offers() == []


def test_a_file_holds_the_lot_wherever_its_table_stands_and_options_stand_above_it(
    market: Market, tmp_path: Path
) -> None:
    lot = 'item = "Vase"\nstarting_price = "10EUR"\nduration = "7m"\n'
    file = tmp_path / "lot.toml"
    for text in (lot, "[auction]\n" + lot, "[[auction]]\n" + lot, "[defaults]\nmin_bidders = 5\n[[auction]]\n" + lot):
        file.write_text(text)
        status, out, err = market.run("open", file, "--key", "mallory", "--listing", "x", "--dry-run", "--json")
        assert status == 0, err
        shown = json.loads(out)
        assert set(shown) == {"schema", *JSON_SCHEMA["auctionctl.open/1"]}
        assert (shown["item"], shown["listing"], shown["id"], shown["terms"]["duration_ns"]) == (
            "Vase",
            "x",
            None,
            420 * 10**9,
        )
        assert shown["terms"]["min_bidders"] == (5 if "defaults" in text else 3)
    assert market.offers() == []
    assert market.listings() == ["the-house-s-own"]
    assert market.open(file, "--key", "mallory", "--duration", "9m")["terms"]["duration_ns"] == 540 * 10**9


def test_what_would_be_signed_is_shown_without_a_house(run: Any, home: Path, fair: Any) -> None:
    dry = fair.run("open", *WATCH, "--dry-run")
    assert dry.status == 0, dry.err
    assert "reserve\t800.00EUR, which only the house is told\n" in dry.out
    assert "seller\tyou\n" in dry.out
    assert dry.err == "nothing was signed or sent\n"


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        ((), 2, "say what is sold"),
        (("--item", "X"), 2, "starting_price is missing"),
        (("--item", "X", "--starting-price", "many"), 2, "--starting-price"),
        (("--item", "X", "--starting-price", "1EUR", "--duration", "0s"), 2, "duration must be more than 0"),
        (("--item", "X", "--starting-price", "1EUR", "--min-bidders", "0"), 2, "--min-bidders"),
        (("--item", "X", "--starting-price", "1EUR", "--listing", "A B"), 2, "is no name"),
        (("--item", "X", "--starting-price", "1EUR", "-q", "--dry-run"), 2, "--quiet shows an id"),
        (("nowhere.toml",), 3, "there is no file"),
    ],
)
def test_what_cannot_be_sold_is_said_before_any_house_is_asked(
    run: Any, home: Path, arguments: tuple[str, ...], status: int, words: str
) -> None:
    done = run("open", *arguments)
    assert (done.status, done.out) == (status, "")
    assert words in done.err


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "item is missing"),
        ("[house]\nport = 1\n", "there is no auction"),
        ("[[auction]]\nitem = 'A'\n[[auction]]\nitem = 'B'\n", "2 auctions, where one is needed"),
        ("auction = 3\n", "auction is no table"),
        ("[auction]\nitem = 'A'\n[other]\nx = 1\n", "unknown key 'other'"),
        ("itme = 'A'\n", "unknown key 'itme'"),
    ],
)
def test_a_file_of_something_else_is_refused_by_name(run: Any, tmp_path: Path, text: str, words: str) -> None:
    file = tmp_path / "lot.toml"
    file.write_text(text)
    done = run("open", file)
    assert done.status == 78
    assert f"{file}: " in done.err
    assert words in done.err
