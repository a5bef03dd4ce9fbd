"""A house that strangers may come in to: as bidders, within their limits, and no revoked key among them."""

from __future__ import annotations

import time

import pytest
from house_clients import RawSession, all_join
from house_process import HOUSE_KEY, key_of, lot, until

from auctionctl.errors import NotAuthorisedError
from auctionctl.keys.allowlist import stranger_name
from auctionctl.net.mutes import POINTS_TO_MUTE
from auctionctl.net.porter import MISGREETED
from auctionctl.replica.registry import Revoke, encode_registry_event
from auctionctl.wire.frames import sign_body
from auctionctl.wire.messages import Refused, Welcome

IN_FORCE_WITHIN_S = 1.0
NOISE_S = 8.0
"""What a machine that does other things may add."""


def test_a_stranger_bids_beside_a_listed_bidder_and_is_nothing_but_a_bidder(start_house, bidder_of, raw_session_of):
    house = start_house(("ann", "otto=operator"), [lot("vase")], strangers={})
    auction = house.auctions["vase"]
    ann, eve = bidder_of("ann", house), bidder_of("eve", house)
    all_join([ann, eve], [auction])
    assert ann.settle(ann.bid(auction, 5)) == "receipted"
    assert eve.settle(eve.bid(auction, 500)) == "receipted"
    looking_on = raw_session_of("mallory", house)
    assert isinstance(looking_on.greet("observer"), Welcome)
    for role in ("seller", "operator"):
        answer = looking_on.greet(role)
        assert (answer.code, stranger_name(looking_on.key.identity.signing) in answer.message) == (
            "not_authorised",
            True,
        )
    ann.run_until(lambda: ann.auction(auction).standing.leader == eve.key.identity.signing, "her bid")
    revoked_s = revoke(house, raw_session_of("otto", house), "eve")
    with pytest.raises(NotAuthorisedError):
        eve.run_until(lambda: False, "its end")
    assert time.monotonic() - revoked_s < IN_FORCE_WITHIN_S + NOISE_S
    with pytest.raises(NotAuthorisedError, match="does not know this key"):
        bidder_of("eve", house).greet()
    assert ann.auction(auction).standing.leader == eve.key.identity.signing, "no revocation is a retraction"
    house.kill("house")
    with pytest.raises(NotAuthorisedError, match="does not know this key"):
        bidder_of("eve", house).greet()
    bidder_of("ann", house).greet()


def revoke(house, operator: RawSession, name: str) -> float:
    """An operator takes the key of ``name`` out of use; returns when."""
    assert isinstance(operator.greet("operator"), Welcome)
    command = Revoke(HOUSE_KEY.identity.signing, operator.key.identity.signing, key_of(name).identity.signing)
    operator.send(*sign_body(operator.key, encode_registry_event(command)))
    return time.monotonic()


def test_one_address_has_its_connections_and_listed_bidders_come_in_from_it_all_the_same(
    start_house, bidder_of, raw_session_of
):
    house = start_house(("ann",), strangers={"connections_an_address": 2, "arrivals_a_minute": 1_000})
    first, second = raw_session_of("eve", house), raw_session_of("mallory", house)
    assert isinstance(first.greet(), Welcome)
    assert isinstance(second.greet(), Welcome)
    third = raw_session_of("trudy", house)
    third.send(*third.hello())
    bidder_of("ann", house).greet()
    assert not third._socket.poll(500), "it is put off"
    first.close()
    answer = third.receive()
    assert isinstance(answer, Welcome), "until there is room"


def test_hellos_without_end_from_one_address_are_answered_slowly(start_house, bidder_of, raw_session_of):
    house = start_house(("ann",), strangers={"arrivals_a_minute": 3})
    eve = raw_session_of("eve", house)
    answers = [eve.greet() for _ in range(5)]
    assert [type(answer) for answer in answers] == [Welcome] * 3 + [Refused] * 2
    assert {answer.code for answer in answers[3:]} == {"rate"}
    bidder_of("ann", house).greet()


def test_a_house_that_is_not_open_is_not_for_having_been(start_house, bidder_of):
    house = start_house(("ann",), [lot("vase")], strangers={})
    eve = bidder_of("eve", house)
    assert eve.settle(eve.join(house.auctions["vase"])) == "receipted"
    house.signal(15)
    again = start_house(("ann",), [lot("vase")], port=house.address.port)
    with pytest.raises(NotAuthorisedError, match="does not know this key"):
        bidder_of("eve", again).greet()
    ann = bidder_of("ann", again)
    ann.greet()
    ann.run_until(lambda: ann.auction(house.auctions["vase"]), "the auction")
    assert ann.auction(house.auctions["vase"]).present == {eve.key.identity.signing}, "what she did there stays"


def test_what_an_address_was_muted_for_counts_after_the_gateway_was_replaced(start_house, bidder_of, raw_session_of):
    house = start_house(("ann",), strangers={})
    eve = raw_session_of("eve", house)
    body, _ = eve.hello()
    for _ in range(POINTS_TO_MUTE):
        eve.send(body, bytes(64))
    until(lambda: MISGREETED in [each.get("fault") for each in house.reports], "the mute", lambda: house.hear(0.1))
    house.kill("gateway")
    bidder_of("ann", house).greet()
    other = raw_session_of("mallory", house)
    other.send(*other.hello())
    assert not other._socket.poll(1_500), "another key of that address, at another gateway"
