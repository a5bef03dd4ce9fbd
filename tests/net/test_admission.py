"""Who gets in: CURVE and ZAP by the allow list, which is read again while the house runs (DESIGN.md section 5)."""

from __future__ import annotations

import socket
import time

import pytest
from house_clients import BiddingCore, HonestBidder, all_join
from house_process import HOUSE_KEY, PATIENCE_S, key_of, lot, until

from auctionctl.errors import NotAuthorisedError, UnreachableError
from auctionctl.net.dealer import Dealer
from auctionctl.wire.address import HouseAddress

IN_FORCE_WITHIN_S = 1.0
NOISE_S = 8.0
"""What a machine that does other things may add."""


def test_an_unlisted_key_is_refused_in_the_handshake_and_told_so(start_house, bidder_of):
    house = start_house(("ann",), [lot("vase")])
    with pytest.raises(NotAuthorisedError, match="does not know this key") as caught:
        bidder_of("mallory", house).greet()
    assert "auctionctl allow add" in caught.value.hint
    bidder_of("ann", house).greet()


def test_another_house_than_the_address_says_is_not_spoken_to(start_house, stack):
    house = start_house(("ann",), [lot("vase")])
    wrong = HouseAddress(key_of("impostor").identity, "127.0.0.1", house.address.port)
    bidder = HonestBidder("ann", wrong)
    stack.callback(bidder.close)
    with pytest.raises(UnreachableError):
        bidder.dealer.run(print, lambda: False, patience_s=1.0)
    assert not bidder.core.greetings


def test_nobody_at_an_address_is_an_error_that_names_it_after_the_patience(stack):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    address = HouseAddress(HOUSE_KEY.identity, "127.0.0.1", port)
    dealer = Dealer(BiddingCore(key_of("ann"), address, "bidder"), address, key_of("ann"))
    stack.callback(dealer.close)
    started_s = time.monotonic()
    with pytest.raises(UnreachableError, match=f"no house answered at 127.0.0.1:{port} within 0.5 s"):
        dealer.run(print, lambda: False, patience_s=0.5)
    assert 0.5 <= time.monotonic() - started_s < PATIENCE_S


def test_a_key_that_is_listed_while_the_house_runs_is_admitted_soon(start_house, stack):
    house = start_house(("ann",), [lot("vase")])
    address = house.address
    with pytest.raises(NotAuthorisedError):
        welcome("ben", address)
    house.allow("ann", "ben")
    listed_s = time.monotonic()

    def is_welcome():
        try:
            return welcome("ben", address)
        except NotAuthorisedError:
            return False

    until(is_welcome, "admission")
    assert time.monotonic() - listed_s < IN_FORCE_WITHIN_S + NOISE_S


def welcome(name: str, address: HouseAddress) -> bool:
    bidder = HonestBidder(name, address)
    try:
        bidder.greet()
    finally:
        bidder.close()
    return True


def test_a_key_that_is_taken_off_the_list_is_cut_off_and_nobody_else_is(start_house, bidder_of):
    house = start_house(("ann", "ben", "cleo=observer"), [lot("vase")])
    auction = house.auctions["vase"]
    ann, ben = bidder_of("ann", house), bidder_of("ben", house)
    looker_on = bidder_of("cleo", house, "observer")
    looker_on.greet()
    all_join([ann, ben], [auction])
    assert ann.settle(ann.bid(auction, 5)) == "receipted"
    house.allow("ann")
    delisted_s = time.monotonic()
    with pytest.raises(NotAuthorisedError):
        until(
            lambda: False, "a refusal", lambda: ben.settle(ben.bid(auction, ben.auction(auction).minimum_minor + 100))
        )
    assert time.monotonic() - delisted_s < IN_FORCE_WITHIN_S + NOISE_S
    with pytest.raises(NotAuthorisedError):
        # Only listens: its next heartbeat tells it.
        looker_on.run_until(lambda: False, "a refusal")
    with pytest.raises(NotAuthorisedError):
        welcome("ben", house.address)
    ann.run_until(lambda: ann.is_current(auction), "what ben did")
    leader = ann.auction(auction).standing.leader
    if leader != ann.key.identity.signing:
        assert ann.settle(ann.bid(auction, ann.auction(auction).minimum_minor)) == "receipted"
    assert ann.audited(auction).auction.present == {ann.key.identity.signing, ben.key.identity.signing}


def test_a_key_that_is_taken_off_the_list_is_cut_off_at_once_and_its_standing_bid_stays(
    start_house, bidder_of, say_at_the_end
):
    house = start_house(("ann", "ben"), [lot("vase")])
    auction = house.auctions["vase"]
    ann, ben = bidder_of("ann", house), bidder_of("ben", house)
    all_join([ann, ben], [auction])
    assert ben.settle(ben.bid(auction, 5)) == "receipted"
    house.allow("ann")
    delisted_s = time.monotonic()
    # It says nothing: it is its connection that is cut, and its key that does not come back.
    with pytest.raises(NotAuthorisedError):
        ben.run_until(lambda: False, "its end")
    seconds = time.monotonic() - delisted_s
    say_at_the_end(f"a key that was taken off the list was cut off and refused after {seconds:.2f} s")
    assert seconds < IN_FORCE_WITHIN_S + NOISE_S
    ann.run_until(lambda: ann.auction(auction).standing is not None, "what ben did")
    assert ann.settle(ann.bid(auction, 1)) != "receipted"
    assert ann.auction(auction).standing.leader == ben.key.identity.signing


@pytest.mark.parametrize("wrong", ["text", "directory"])
def test_a_wrong_allow_list_keeps_the_one_before_and_is_reported(start_house, bidder_of, wrong):
    house = start_house(("ann",), [lot("vase")])
    ann = bidder_of("ann", house)
    ann.greet()
    if wrong == "text":
        house.write_allow_list(house.allow_list.read_text() + "\nnonsense\n")
        assert house.await_report("AllowListKept")["reason"].startswith("line 3: ")
    else:
        house.allow_list.unlink()
        house.allow_list.mkdir()
        # Between the two the house may have seen no list at all, which is a list of nobody.
        assert str(house.allow_list) in house.await_report("AllowListKept")["reason"]
        house.allow_list.rmdir()
        house.allow("ann")
        until(lambda: welcome_if_listed("ann", house.address), "the list to be read again")
    assert welcome("ann", house.address)
    assert [report["report"] for report in house.reports].count("AllowListKept") == 1


def test_a_house_that_dies_while_its_allow_list_is_wrong_serves_again_under_the_list_last_in_force(start_house):
    house = start_house(("ann",), [lot("vase")])
    assert welcome("ann", house.address)
    house.allow("ann", "ben")  # the list of the first start is not the last one
    until(lambda: welcome_if_listed("ben", house.address), "the second list")
    house.write_allow_list(house.allow_list.read_text() + "nonsense\n")
    assert house.await_report("AllowListKept")["reason"].startswith("line 3: ")
    for deaths in (1, 2):  # what was kept once is kept again
        house.kill("house")
        assert house.await_report("AllowListKept", number=1 + deaths)["reason"].startswith("line 3: ")
        assert welcome("ann", house.address)
        assert welcome("ben", house.address)
        assert not welcome_if_listed("cleo", house.address)
    house.allow("ann", "cleo")
    until(lambda: welcome_if_listed("cleo", house.address), "the mended list")
    assert not welcome_if_listed("ben", house.address)
    assert [report.get("process") for report in house.reports].count("house") == 2, "it died of nothing else"


def welcome_if_listed(name: str, address: HouseAddress) -> bool:
    try:
        return welcome(name, address)
    except NotAuthorisedError:
        return False
