"""kill -9 of everything, in random order and at random instants, under load: nothing acknowledged is ever lost."""

from __future__ import annotations

import pytest
from bidder_process import BidderDaemon, Desk
from house_clients import all_join
from house_process import lot
from kill_loop import KillLoop

CLIENTS = ("ann", "ben")
DAEMONS = ("cleo", "dora")
LISTINGS = ("vase", "lamp", "bowl")
SEED = 20_260_131


@pytest.fixture
def desk(start_house, tmp_path) -> Desk:
    """A home at a house with all the lots, for everybody."""
    names = (*CLIENTS, *DAEMONS)
    house = start_house(names, [lot(name) for name in LISTINGS], verifiers=2)
    return Desk(tmp_path / "desk", house, names)


@pytest.fixture
def loop(desk, bidder_of, stack) -> KillLoop:
    """Everybody is bidding."""
    clients = [bidder_of(name, desk.house) for name in CLIENTS]
    all_join(clients, desk.house.auctions.values())
    daemons = [BidderDaemon(desk, name) for name in DAEMONS]
    for daemon in daemons:
        stack.callback(daemon.close)
        daemon.await_receipts(len(LISTINGS))
    return KillLoop(desk.house, clients, daemons, SEED)


@pytest.mark.parametrize("kills", [20, pytest.param(200, marks=[pytest.mark.soak, pytest.mark.timeout(3_600)])])
def test_nothing_acknowledged_is_lost_or_doubled_whoever_is_killed_in_whatever_order(loop, desk, say_at_the_end, kills):
    loop.run(kills)
    tally = loop.count(desk)
    say_at_the_end(tally.line)
    assert not tally.faults
    assert (tally.kills.total(), tally.lost, tally.doubled, tally.corrupt) == (kills, 0, 0, 0)
    assert tally.acknowledged > 10 * kills
    assert not loop.missing_gaps()
    assert not desk.house.stderr


def test_a_house_that_acknowledges_what_it_has_not_written_is_found_out(start_house, bidder_of, tmp_path):
    """The control: the same count, after one bid and one kill."""
    house = start_house(CLIENTS, [lot("vase")], disk="hasty")
    clients = [bidder_of(name, house) for name in CLIENTS]
    all_join(clients, house.auctions.values())
    assert clients[0].settle(clients[0].bid(house.auctions["vase"], 100)) == "receipted"
    loop = KillLoop(house, clients, [], SEED)
    loop.strike("house")
    house.await_report("Serving", number=2)
    assert loop.count(Desk(tmp_path / "desk", house, CLIENTS)).lost == 1
