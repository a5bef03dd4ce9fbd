"""A listed client aborts libzmq's ROUTER by taking the next automatic routing id: the gateway ends, never the house.

It is back soon, nobody wins anything by it, and the key is kept out when it does that again; an id that is ahead of
those given out is found out before it does any harm.
"""

from __future__ import annotations

import time

import pytest
from house_clients import all_join, bid_against_each_other, check_promises
from house_process import lot, until

from auctionctl.errors import NotAuthorisedError
from auctionctl.net.bans import CHOSE_ROUTE, FIRST_BAN_S, SAID_NOTHING, WAS_THERE
from auctionctl.wire.messages import Status, encode

NAMES = ("ann", "ben")
BACK_WITHIN_S = 2.0
NOISE_S = 4.0
"""What a machine that does other things may add."""


@pytest.fixture
def attacked(start_house, bidder_of, raw_session_of, tmp_path):
    return Attacked(start_house, bidder_of, raw_session_of, tmp_path / "routing-ids")


class Attacked:
    """A house whose two bidders bid against each other, and whose routing ids somebody can see."""

    def __init__(self, start_house, bidder_of, raw_session_of, revealed):
        self.revealed = revealed
        self.raw_session_of = raw_session_of
        self.house = start_house((*NAMES, "mallory", "cleo"), [lot("vase")], revealing=revealed)
        self.house.expects_trace = True  # the abort of libzmq
        self.bidders = [bidder_of(name, self.house) for name in NAMES]
        self.auction = self.house.auctions["vase"]
        all_join(self.bidders, [self.auction])
        self.bid_on()
        self.house.hear()
        self.before = dict(self.house.pids)

    def bid_on(self):
        """Everybody gets three more receipts."""
        counts = [len(bidder.kept) for bidder in self.bidders]
        bid_against_each_other(
            self.bidders,
            [self.auction],
            lambda: all(len(bidder.kept) > count + 2 for bidder, count in zip(self.bidders, counts, strict=True)),
            "bids",
        )

    def connect_ahead(self, places):
        """Mallory, under the id that is so many places ahead of the last one that was given out."""
        # Automatic ids are a zero byte and a counter, so the next one can be told from the last one in use.
        lines = [line.split() for line in self.revealed.read_text().splitlines()]
        self.house.hear()
        last = max(int(route[2:], 16) for pid, route in lines if int(pid) == self.house.pids["gateway"])
        return self.raw_session_of(
            "mallory", self.house, routing_id=b"\0" + ((last + places) % 2**32).to_bytes(4, "big")
        )

    def turn(self):
        for bidder in self.bidders:
            bidder.turn(0.002)
        self.house.hear()

    def await_report(self, kind, number=1):
        until(lambda: self.house.count(kind) >= number, f"report {number} of {kind}", self.turn)
        return [report for report in self.house.reports if report["report"] == kind][number - 1]

    def await_back(self, number):
        """Until the bidders are greeted for the ``number``-th time; how long that took, in seconds."""
        started_s = time.monotonic()
        until(lambda: all(each.core.greetings >= number for each in self.bidders), "bidders to be back", self.turn)
        until(lambda: all(each.core.is_welcome for each in self.bidders), "bidders to be greeted", self.turn)
        return time.monotonic() - started_s

    def check(self, gaps):
        """Everything that was acknowledged holds, so many gaps say when nobody could bid, and nothing else died."""
        self.bid_on()
        assert [gap.cause for gap in check_promises(self.bidders, self.auction)] == ["gateway_lost"] * gaps
        self.house.hear()
        assert {name: pid for name, pid in self.house.pids.items() if name != "gateway"} == {
            name: pid for name, pid in self.before.items() if name != "gateway"
        }

    def check_kept_out(self, bidder_of):
        with pytest.raises(NotAuthorisedError):
            bidder_of("mallory", self.house).greet()


def test_who_takes_the_next_routing_id_ends_two_gateways_and_no_auction_and_is_banned(
    attacked, bidder_of, say_at_the_end
):
    for attack in (1, 2):
        mallory = attacked.connect_ahead(1)
        mallory.send(*mallory.hello())
        if attack == 2:  # As a suspect it is let in late.
            until(lambda: attacked.house.count("Restarted") == 2, "the second death", attacked.turn)
        back_s = attacked.await_back(attack + 1)
        say_at_the_end(f"attack {attack} by a routing id: bidders were back after {back_s:.2f} s")
        assert back_s < BACK_WITHIN_S + NOISE_S
        assert attacked.await_report("Restarted", attack)["process"] == "gateway"
        mallory.close()
        attacked.bid_on()
    assert attacked.house.stderr.count("Assertion failed") == 2, "this is how libzmq ends"
    banned = attacked.await_report("Banned")
    assert (banned["name"], banned["reason"], banned["seconds"]) == ("mallory", WAS_THERE, FIRST_BAN_S)
    attacked.check_kept_out(bidder_of)
    attacked.house.kill("gateway")
    attacked.await_back(4)
    attacked.check_kept_out(bidder_of)  # A ban lasts longer than a gateway.
    bidder_of("cleo", attacked.house).greet()
    assert attacked.house.count("Banned") == 1
    attacked.check(gaps=3)


def test_who_lies_in_wait_under_the_next_routing_id_is_banned_when_it_comes_again(attacked, bidder_of):
    last = attacked.connect_ahead(1)
    time_s = time.monotonic()
    # Nobody sees it come, for it says nothing.
    until(lambda: time.monotonic() - time_s > 0.5, "its handshake", attacked.turn)
    bidder_of("cleo", attacked.house).greet()
    assert attacked.await_report("Restarted")["process"] == "gateway"
    assert "Assertion failed" in attacked.house.stderr
    assert attacked.await_report("Banned")["reason"] == SAID_NOTHING
    last.close()
    attacked.check_kept_out(bidder_of)
    assert attacked.house.count("Banned") == 1
    attacked.check(gaps=1)


def test_an_id_that_has_not_been_given_out_yet_is_found_out_and_no_gateway_ends(attacked, bidder_of, raw_session_of):
    mallory = attacked.connect_ahead(9)
    mallory.send(*mallory.hello())
    banned = attacked.await_report("Banned")
    assert (banned["name"], banned["reason"]) == ("mallory", CHOSE_ROUTE)
    mallory.close()
    attacked.check_kept_out(bidder_of)
    cleo = raw_session_of("cleo", attacked.house)
    cleo.greet()
    assert cleo.ask(encode(Status()), b"").warnings == (("banned", f"mallory: {CHOSE_ROUTE}"),)
    attacked.check(gaps=0)
    assert attacked.house.pids == attacked.before
