"""The porter tells its supervisor things in an order that loses nothing, whenever the gateway ends."""

from __future__ import annotations

from auctionctl.net.door import DoorLimits
from auctionctl.net.gateway_words import ChoseRoute, Cut, FromGateway, Muting
from auctionctl.net.mutes import FIRST_MUTE_NS, POINTS_TO_MUTE
from auctionctl.net.porter import MISGREETED, Porter
from auctionctl.net.sessions import Session, Sessions
from auctionctl.net.strangers import StrangerLimits

EVE, HOST = b"e" * 32, "192.0.2.7"


class _Gate:
    """A porter with one session of a stranger, and what it said."""

    def __init__(self) -> None:
        self.said: list[FromGateway] = []
        self.ended: list[Session] = []
        self.sessions = Sessions()
        self.porter = Porter(self.sessions, self.said.append, self.ended.append)
        self.porter.door.obey(DoorLimits(strangers=StrangerLimits()))
        self.session = self.sessions.begin(b"\x00\x00\x00\x00\x05", EVE.hex(), 0)
        self.session.host = HOST
        self.session.is_listed = False


def test_a_mute_of_key_and_address_is_told_before_the_cut_that_is_reported_for_it() -> None:
    gate = _Gate()
    for _ in range(POINTS_TO_MUTE - 1):
        gate.porter.misgreeted(gate.session, 0)
    assert (gate.said, gate.ended) == ([], [])
    gate.porter.misgreeted(gate.session, 0)
    mutes, cut = gate.said[:-1], gate.said[-1]
    assert cut == Cut(EVE, HOST, MISGREETED, FIRST_MUTE_NS)
    assert [type(each) for each in mutes] == [Muting, Muting]
    assert mutes[0] == Muting(EVE, FIRST_MUTE_NS)
    assert gate.ended == [gate.session]


def test_whoever_chooses_a_route_is_told_of_at_once_and_as_muted() -> None:
    gate = _Gate()
    gate.porter.check_route(gate.session, b"\x00\x00\x00\x00\x04", 0)
    assert gate.said[0] == ChoseRoute(EVE)
    assert gate.said[1] == Muting(EVE, FIRST_MUTE_NS)
    assert gate.ended == [gate.session]


def test_a_mute_is_told_once() -> None:
    gate = _Gate()
    for _ in range(POINTS_TO_MUTE):
        gate.porter.misgreeted(gate.session, 0)
    told = len(gate.said)
    gate.porter.look(1)
    assert len(gate.said) == told
