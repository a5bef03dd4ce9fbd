"""News are told where there is room, and never hold a house up."""

from __future__ import annotations

import socket

import pytest
from house_process import HOUSE_KEY, key_of

from auctionctl.auction.bid import Bid, Join
from auctionctl.auction.terms import SECOND_NS
from auctionctl.house.auction_log import AuctionLog
from auctionctl.keys.allowlist import AllowList, Entry
from auctionctl.net.control import receive_control
from auctionctl.net.house_words import Alive, Turned, decode_from_child
from auctionctl.net.news import describe_turn, tell
from auctionctl.net.pipes import PipeClosedError
from auctionctl.wire.listing import Entropy, LotDescription, sign_terms

ANN = key_of("ann")
LOT = LotDescription("vase", "A vase", "EUR", 500, min_bidders=1, duration_ns=SECOND_NS)


def test_news_arrive_and_those_without_room_are_dropped():
    ours, theirs = socket.socketpair()
    with ours, theirs:
        for _ in range(100_000):  # nobody reads: this would block for ever
            tell(ours, Alive(True, 1))
        data, _ = receive_control(theirs)
        assert decode_from_child(data) == Alive(True, 1)


def test_a_supervisor_that_is_gone_is_noticed():
    ours, theirs = socket.socketpair()
    theirs.close()
    with ours, pytest.raises(PipeClosedError):
        tell(ours, Alive(True, 1))


@pytest.mark.parametrize(("listed", "winner"), [([(1, Entry(ANN.identity, "ann"))], "ann"), ([], None)])
def test_an_end_names_winner_and_price(listed, winner):
    entropy = Entropy(bytes(16), bytes(32), bytes(32))
    terms = sign_terms(LOT, HOUSE_KEY.identity.signing, HOUSE_KEY.escrow_public, HOUSE_KEY, entropy)
    log = AuctionLog.announce(HOUSE_KEY, terms.body, terms.signature, 0)
    allowed = AllowList(listed)
    assert describe_turn(log, allowed) == Turned(log.id, "vase", "A vase", "announced", "", "", "")
    house, me = HOUSE_KEY.identity.signing, ANN.identity.signing
    log.auction.apply_join(Join(house, log.id, me, bytes(16), 0, SECOND_NS), 0)
    log.add_event(log.auction.due(0, None), 0)
    log.auction.apply_bid(Bid(house, log.id, me, 1, 700, "EUR", 0, SECOND_NS), 0)
    log.add_event(log.auction.due(2 * SECOND_NS, None), 2 * SECOND_NS)
    turned = describe_turn(log, allowed)
    assert (turned.phase, turned.end_reason, turned.price) == ("closed", "completed", "7.00EUR")
    assert turned.winner == (winner or ANN.identity.short)
