"""What the manual says of markets and tapes is what their readers accept, all of it."""

from __future__ import annotations

from pathlib import Path

from auctionctl.cli.manual.market_page import (
    BIDDER_MEANINGS,
    MARKET_EXAMPLE,
    MARKET_MEANINGS,
    TAPE_EXAMPLE,
    VALUE_MEANINGS,
)
from auctionctl.cli.settings.market_file import BIDDER_KEYS, MARKET_KEYS, VALUE_KEYS, Asked, read_market
from auctionctl.cli.settings.tape_file import AUCTION_COLUMN, NEEDED_COLUMNS, read_tape
from auctionctl.market.plan import Order


def test_every_key_is_described_and_no_other() -> None:
    assert set(MARKET_MEANINGS) == MARKET_KEYS
    assert set(BIDDER_MEANINGS) == BIDDER_KEYS
    assert {
        name: [key for key in keys if f"`{key}`" not in VALUE_MEANINGS[name]] for name, keys in VALUE_KEYS.items()
    } == {name: [] for name in VALUE_MEANINGS}


def test_the_examples_are_read_by_the_real_readers(tmp_path: Path) -> None:
    market, tape = tmp_path / "market.toml", tmp_path / "tape.csv"
    market.write_text(MARKET_EXAMPLE)
    tape.write_text(TAPE_EXAMPLE)
    plan = read_market(market, Asked())
    assert (plan.auctions, plan.lots, plan.order, plan.bidders) == (20_000, 4, Order.CONCURRENT, 5)
    assert [group.strategy for group in plan.groups] == ["truthful", "sniper", "shading"]
    (bids,) = read_tape(tape, "EUR").values()
    assert [bid.bidder for bid in bids] == ["ann", "ben"]
    assert set(TAPE_EXAMPLE.partition("\n")[0].split(",")) == {AUCTION_COLUMN, *NEEDED_COLUMNS}
