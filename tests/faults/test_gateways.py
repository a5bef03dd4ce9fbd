"""Several gateways at one port: connections are spread, and whoever is at another one does not notice a death."""

from __future__ import annotations

import os
import signal
import time

import pytest
from gateway_places import names_of, place_of
from house_clients import all_join, bid_against_each_other, check_promises
from house_process import lot, until

from auctionctl.errors import NotAuthorisedError
from auctionctl.net.bans import CHOSE_ROUTE
from auctionctl.net.mutes import POINTS_TO_MUTE
from auctionctl.net.porter import MISGREETED
from auctionctl.tlog.entry import Kind

GATEWAYS = 3
NAMES = tuple(f"bidder-{number}" for number in range(30))
BACK_WITHIN_S = 2.0
NOISE_S = 4.0
"""What a machine that does other things may add."""
KEPT_OUT_MS = 1_000
ATTEMPTS = 60


def bid_on(bidders, auction, receipts=5):
    """Everybody gets so many more receipts."""
    wanted = [len(bidder.kept) + receipts for bidder in bidders]
    bid_against_each_other(
        bidders,
        [auction],
        lambda: all(len(bidder.kept) >= least for bidder, least in zip(bidders, wanted, strict=True)),
        "receipts",
    )


def turn(bidder):
    bidder.turn(0.002)


@pytest.fixture
def house(start_house):
    return start_house(NAMES, [lot("vase")], gateways=GATEWAYS, verifiers=1)


def test_a_gateway_killed_among_three_is_noticed_by_nobody_at_the_others_and_all_three_by_the_deadline(
    house, bidder_of, say_at_the_end
):
    everybody, places = [], {}

    def enter(name):
        everybody.append(bidder_of(name, house))
        everybody[-1].greet()

    for name in NAMES:
        places[name] = place_of(house, lambda name=name: enter(name))
    by_place = {place: [each for each in everybody if places[each.name] == place] for place in names_of(house)}
    assert len(by_place) == GATEWAYS
    assert all(by_place.values()), "each has some"
    killed, *others = sorted(by_place, key=lambda place: -len(by_place[place]))
    there, elsewhere = by_place[killed][:2], [by_place[other][0] for other in others]
    bidders, auction = there + elsewhere, house.auctions["vase"]
    all_join(bidders, [auction])
    bid_on(bidders, auction)
    before = {bidder.name: bidder.core.greetings for bidder in bidders}

    os.kill(house.pids[killed], signal.SIGKILL)
    killed_s = time.monotonic()

    def are_back() -> bool:
        return all(each.core.greetings > before[each.name] and each.core.is_welcome for each in there)

    bid_against_each_other(bidders, [auction], are_back, "those of the killed one to be back")
    back_s = time.monotonic() - killed_s
    say_at_the_end(f"one of {GATEWAYS} gateways killed: its bidders were back after {back_s:.2f} s")
    assert back_s < BACK_WITHIN_S + NOISE_S
    bid_on(bidders, auction)
    assert all(each.core.greetings == before[each.name] for each in elsewhere), "nobody else has noticed"
    until(lambda: house.count("Restarted"), "the restart", lambda: house.hear(0.1))
    assert [each["process"] for each in house.reports if each["report"] == "Restarted"] == [killed]
    assert check_promises(bidders, auction) == [], "others served all the while"

    for name in names_of(house):
        os.kill(house.pids[name], signal.SIGKILL)
    until(lambda: house.count("Restarted") == 1 + GATEWAYS, "the restarts", lambda: house.hear(0.1))
    bid_on(bidders, auction)
    assert [gap.cause for gap in check_promises(bidders, auction)] == ["gateway_lost"], "nobody could bid"
    assert Kind.LEFT not in [entry.kind for entry in bidders[0].log(auction)]
    for bidder in everybody:
        bidder.close()
    assert house.signal(signal.SIGTERM) == 0
    house.await_all_gone()


def test_a_gateway_that_stands_still_among_others_is_replaced_and_no_deadline_moves(start_house, bidder_of):
    house = start_house(("ann", "ben"), [lot("vase")], gateways=2, verifiers=1)
    bidders, places = [], []
    for name in ("ann", "ben"):
        places.append(place_of(house, lambda name=name: (bidders.append(bidder_of(name, house)), bidders[-1].greet())))
    all_join(bidders, [house.auctions["vase"]])
    os.kill(house.pids[places[0]], signal.SIGSTOP)
    until(lambda: house.count("Restarted"), "its replacement", lambda: (house.hear(0.01), *map(turn, bidders)))
    assert house.await_report("Restarted")["process"] == places[0]
    bid_on(bidders, house.auctions["vase"])
    assert check_promises(bidders, house.auctions["vase"]) == []
    assert house.count("Restarted") == 1


def test_who_attacks_one_gateway_is_kept_out_of_all(start_house, raw_session_of, bidder_of, tmp_path):
    revealed = tmp_path / "routing-ids"
    house = start_house(("ann", "mallory", "eve"), [lot("vase")], gateways=GATEWAYS, verifiers=1, revealing=revealed)
    ann = raw_session_of("ann", house)
    ann.greet()
    for _ in range(ATTEMPTS):  # An id means something at the gateway that gives it out; it is chance who gets there.
        lines = [line.split() for line in revealed.read_text().splitlines()]
        last = max(int(route[2:], 16) for pid, route in lines if pid == lines[0][0])
        ahead = ((last + 9) % 2**32).to_bytes(4, "big")
        mallory = raw_session_of("mallory", house, routing_id=b"\0" + ahead)
        mallory.send(*mallory.hello())
        until(lambda m=mallory: m._socket.poll(50) or house.count("Banned"), "an answer", lambda: house.hear(0.05))
        mallory.close()
        if house.count("Banned"):
            break
    assert house.await_report("Banned")["reason"] == CHOSE_ROUTE
    for _ in range(5):
        with pytest.raises(NotAuthorisedError):
            bidder_of("mallory", house).greet()

    eve = raw_session_of("eve", house)
    body, _ = eve.hello()
    for _ in range(POINTS_TO_MUTE):
        eve.send(body, bytes(64))
    until(lambda: MISGREETED in [each.get("fault") for each in house.reports], "the mute", lambda: house.hear(0.1))
    again = [raw_session_of("eve", house) for _ in range(5)]
    for session in again:
        session.send(*session.hello())
    assert not again[0]._socket.poll(KEPT_OUT_MS)
    assert not any(session._socket.poll(0) for session in again), "whichever gateway it comes to"
    assert house.count("Restarted") == 0
    ann.greet()
