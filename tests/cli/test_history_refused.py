"""A real house that is restored from an older copy: whoever was there before refuses it, and has the proof."""

from __future__ import annotations

import shutil
from typing import Any

import pytest

from auctionctl.cli.demo import free_port

LOT = """
[house]
port = {port}
verifiers = 1
[[auction]]
item = "A lot"
listing = "first"
starting_price = "10EUR"
start_timeout = "1h"
"""
SECOND = (
    LOT
    + """
[[auction]]
item = "Another lot"
listing = "second"
starting_price = "10EUR"
start_timeout = "1h"
"""
)


def serve(start_house: Any, toml: str) -> Any:
    (start_house.home / "AUCTIONS.toml").write_text(toml.format(port=free_port()))
    house = start_house.start(start_house.home / "AUCTIONS.toml", "--json")
    while b'"serving"' not in (line := house.stdout.readline()):
        assert line, house.stderr.read()
    return house


def stop(house: Any) -> None:
    house.terminate()
    house.wait(30)


@pytest.mark.parametrize("grows_again", ["shorter", "forked"])
def test_a_house_restored_from_an_older_copy_is_refused_and_begun_anew_if_one_is_satisfied(
    start_house: Any, grows_again: str
) -> None:
    home = start_house.home
    start_house.prepare(LOT)
    stop(serve(start_house, LOT))
    state, copy = home / "state/house-house", home / "copy"
    shutil.copytree(state, copy)
    house = serve(start_house, SECOND)
    assert start_house.run("ls", "--key", "alice").status == 0
    (memory,) = (home / "state/houses").iterdir()
    kept = memory.read_bytes()
    stop(house)
    shutil.rmtree(state)
    shutil.copytree(copy, state)
    forked = SECOND.replace("second", "third")
    house = serve(start_house, LOT if grows_again == "shorter" else forked)
    for line in (("ls", "--key", "alice"), ("show", "second", "--key", "bob")):
        done = start_house.run(*line)
        assert done.status == 7, (line, done)
        assert "this house shows another registry than before" in done.err
    assert memory.read_bytes() == kept
    assert sorted(path.name for path in (home / "state/evidence").glob("*/*")) == [
        "before.note",
        "log.auction",
        "now.note",
    ], "the same case is kept once"
    memory.unlink()
    assert start_house.run("ls", "--key", "alice").status == 0, "begun anew"
    stop(house)


OPEN = LOT.replace("start_timeout", 'min_bidders = 1\nduration = "1h"\nincrement = "1EUR"\nstart_timeout')


def test_a_house_that_lost_a_bid_is_refused_by_every_command_that_reads_the_auction(start_house: Any) -> None:
    """Its registry is as it was, and only the auction's log tells. Two bids are gone, of which there are receipts."""
    home = start_house.home
    start_house.prepare(OPEN)
    house = serve(start_house, OPEN)
    bid = ("bid", "first", "--amount", "min", "--key")
    assert start_house.run(*bid, "alice").status == 0
    stop(house)
    state, copy = home / "state/house-house", home / "copy"
    shutil.copytree(state, copy)
    house = serve(start_house, OPEN)
    assert start_house.run(*bid, "bob").status == 0
    assert start_house.run(*bid, "alice").status == 0
    stop(house)
    shutil.rmtree(state)
    shutil.copytree(copy, state)
    house = serve(start_house, OPEN)
    lines = [
        (*bid, "bob"),
        ("bid", "first", "--strategy", "smart", "--budget", "50EUR", "--key", "bob"),
        ("bid", "--all", "--strategy", "smart", "--budget", "50EUR", "--key", "bob"),
        *((command, "first", "--key", "alice") for command in ("watch", "show", "events", "verify")),
        ("export", "first", "-o", "-", "--key", "alice"),
        ("ls", "--key", "alice"),
    ]
    for line in lines:
        done = start_house.run(*line)
        assert (done.status, "shows another log of the auction first" in done.err) == (7, True), (line, done)
        assert "the evidence is kept in " in done.err
    cases = list((home / "state/evidence").iterdir())
    assert all({path.name for path in case.iterdir()} >= {"before.note", "now.note"} for case in cases)
    assert start_house.run("verify", done.err.partition("kept in ")[2].partition(";")[0] + "/log.auction").status == 0
    # Whoever has no memory of it is told by the house itself, which was reminded of what it had signed.
    for forgotten in ("houses", "receipts", "bidders"):
        shutil.rmtree(home / "state" / forgotten)
    told = "the house has halted this auction: its log is not what it had signed before"
    once = start_house.run(*bid, "bob")
    assert (once.status, told in once.out) == (7, True), once
    strategy = start_house.run("bid", "first", "--strategy", "market-value", "--budget", "50EUR", "--key", "bob")
    assert (strategy.status, told in strategy.err) == (7, True), strategy
    assert "ended\tfirst\thalted" in strategy.out
    stop(house)
