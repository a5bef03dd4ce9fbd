"""Nobody fills the queue of a house: no session, not all strangers, and nothing an operator's lane."""

from __future__ import annotations

from auctionctl.net.door import Door, DoorLimits
from auctionctl.net.edge import LEAST_SHARE, Edge
from auctionctl.net.sessions import Session
from auctionctl.net.strangers import StrangerLimits
from auctionctl.wire.messages import Refused

QUEUE = 100


def session_of(*, unanswered: int = 0, **changes: object) -> Session:
    session = Session(1, b"route", "61" * 32, b"a" * 32, 0, unanswered=unanswered, host="192.0.2.1")
    for name, value in changes.items():
        setattr(session, name, value)
    return session


def refusal(session: Session, type_name: str = "list", under_way: int = 0) -> Refused | None:
    edge = Edge(Door(lambda key: 0), QUEUE)
    return edge.refuse(session, type_name, b"body", under_way, 0)


def test_no_session_has_more_than_its_part_of_the_queue_and_a_stranger_less() -> None:
    assert refusal(session_of(unanswered=24)) is None
    busy = refusal(session_of(unanswered=25))
    assert busy is not None
    assert (busy.code, busy.command) == ("busy", b"")
    assert refusal(session_of(unanswered=LEAST_SHARE - 1, is_listed=False)) is None
    assert refusal(session_of(unanswered=LEAST_SHARE, is_listed=False)) is not None


def test_a_full_queue_takes_hellos_and_what_operators_command_and_strangers_fill_half_of_it() -> None:
    assert refusal(session_of(), under_way=QUEUE - 1) is None
    assert refusal(session_of(), "bid", QUEUE) is not None
    assert refusal(session_of(), "hello", QUEUE) is None
    assert refusal(session_of(is_operator=True), "pause", QUEUE) is None
    assert refusal(session_of(is_listed=False), under_way=QUEUE // 2 - 1) is None
    assert refusal(session_of(is_listed=False), "hello", QUEUE // 2) is not None


def test_a_refused_command_is_named() -> None:
    (named, unnamed) = (refusal(session_of(), name, QUEUE) for name in ("bid", "list"))
    assert named is not None
    assert unnamed is not None
    assert (len(named.command), unnamed.command) == (32, b"")


def test_strangers_say_hello_so_often_a_minute_from_one_address_and_listed_keys_as_often_as_they_like() -> None:
    door = Door(lambda key: 0, DoorLimits(strangers=StrangerLimits(arrivals_a_minute=2)))
    edge = Edge(door, QUEUE)
    door.admit([b"a" * 32])
    assert [edge.refuse(session_of(), "hello", b"", 0, 0) for _ in range(5)] == [None] * 5
    door.admit([])
    answers = [edge.refuse(session_of(is_listed=False), "hello", b"", 0, 0) for _ in range(3)]
    assert answers[:2] == [None, None]
    assert answers[2] is not None
    assert (answers[2].code, answers[2].retry_after_ns) == ("rate", 30_000_000_000)
