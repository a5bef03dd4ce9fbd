"""A real house stamps a short sale second by second, and real bidders keep the last stamp, which its log bears out."""

from __future__ import annotations

import json
import random
import time
from typing import Any

from auctionctl.auction.price import Money
from auctionctl.auction.terms import SECOND_NS
from auctionctl.bidding import strategies
from auctionctl.bidding.agent import Agent
from auctionctl.bidding.wallet import Wallet
from auctionctl.cli.bidder import fresh_nonces
from auctionctl.client.receipts import CLOCK_HEAD
from auctionctl.keys.keyfile import key_path, read_key
from auctionctl.net.dealer import Dealer
from auctionctl.replica.follower import Advanced, Stamped
from auctionctl.tlog.entry import Kind
from auctionctl.wire.address import HouseAddress, parse_address

from .conftest import HouseStarter, finish, start_program

SHORT_TOML = """
[house]
port = {port}
verifiers = 1
[[auction]]
item = "Vase"
listing = "vase"
starting_price = "100.00EUR"
estimate = "200.00EUR"
increment = "1.00EUR"
duration = "3s"
min_bidders = 2
"""
PATIENCE_S = 40


def follow(address: HouseAddress, key: Any, auction_count: int) -> tuple[Agent, list[tuple[float, Any]]]:
    """A bidder in this process, to the end of its auctions; and what it was told, each with when that was."""
    agent = Agent(
        key,
        address.identity,
        strategy=strategies.factory("market-value", {}),
        wallet=Wallet(Money(100_000, "EUR")),
        rng=random.Random(1),
        nonces=fresh_nonces(),
        auctions=None,
    )
    told: list[tuple[float, Any]] = []
    deadline_s = time.monotonic() + PATIENCE_S
    dealer = Dealer(agent, address, key)
    try:
        dealer.run(
            lambda notice: told.append((time.monotonic(), notice)),
            lambda: len(agent.outcomes) == auction_count or time.monotonic() > deadline_s,
        )
    finally:
        dealer.close()
    assert len(agent.outcomes) == auction_count
    return agent, told


def test_a_bidder_of_a_short_sale_hears_every_second_how_late_it_is(start_house: HouseStarter) -> None:
    house = start_house(SHORT_TOML, "--json")
    assert house.stdout is not None
    while b'"serving"' not in (line := house.stdout.readline()):
        assert line
    home = start_house.home
    address = parse_address((home / "run/house.address").read_text().strip())
    words = ("bid", "vase", "--strategy", "market-value", "--budget", "1000EUR", "--key", "bob")
    bob = start_program(home, *words)
    _, told = follow(address, read_key(key_path(home / "config/keys", "alice")), 1)
    applied = [each for _, notice in told if isinstance(notice, Advanced) for each in notice.applied]
    dates = {each.entry.kind: each.entry.time_ns // SECOND_NS for each in applied}
    stamps = [(at_s, notice.kept.head) for at_s, notice in told if isinstance(notice, Stamped)]
    stamped = {head.time_s for _, head in stamps}
    silent = {second for second in range(dates[Kind.OPENED] + 1, dates[Kind.CLOSED]) if second not in stamped}
    # A house that was not there for a second says so in its log.
    assert not silent or Kind.GAP in dates
    assert len(stamped) >= 2
    # It kept the last one, which the log that the house exports agrees with.
    assert finish(bob).status in (0, 6)
    (kept,) = (home / "state/receipts").glob(f"vase-*/{CLOCK_HEAD}")
    exported = start_house.run("export", "vase", "-o", home / "vase.auction", "--key", "bob")
    assert exported.status == 0, exported.err
    verified = start_house.run("verify", home / "vase.auction", "--clock-head", kept, "--json")
    assert verified.status == 0, verified.err
    assert json.loads(verified.out)["clock_heads_checked"] == 1
