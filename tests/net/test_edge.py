"""What the house would refuse is refused at the edge, in the same words; and nobody fills the queue of a house."""

from __future__ import annotations

from dataclasses import replace

from auctionctl.auction.command_id import command_id
from auctionctl.auction.terms import SECOND_NS
from auctionctl.house.limits import Limits
from auctionctl.house.quotas import MUTE_NS, MUTED
from auctionctl.house.shares import QUESTION_BURST_S
from auctionctl.net.door import HELLOS, Door, DoorLimits
from auctionctl.net.edge import LEAST_SHARE, Edge
from auctionctl.net.sessions import Session
from auctionctl.net.strangers import StrangerLimits
from auctionctl.wire.messages import Refused

QUEUE = 100
LIMITS = Limits(queue=QUEUE, bids_per_s=20, bids_burst=3, all_bids_per_s=5)
ANN, BEN = b"a" * 32, b"b" * 32
BID = b"\x92\xa3bid" + bytes(80)


def session_of(*, unanswered: int = 0, **changes: object) -> Session:
    session = Session(1, b"route", ANN.hex(), ANN, 0, identity=ANN, unanswered=unanswered, host="192.0.2.1")
    for name, value in changes.items():
        setattr(session, name, value)
    return session


def refusal(session: Session, type_name: str = "list", under_way: int = 0) -> Refused | None:
    edge = Edge(Door(lambda key: 0), LIMITS)
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


def test_strangers_say_hello_so_often_a_minute_from_one_address_and_listed_keys_as_often_as_they_need() -> None:
    door = Door(lambda key: 0, DoorLimits(strangers=StrangerLimits(arrivals_a_minute=2)))
    edge = Edge(door, LIMITS)
    door.admit([ANN])
    assert [edge.refuse(session_of(), "hello", b"", 0, 0) for _ in range(5)] == [None] * 5
    door.admit([])
    answers = [edge.refuse(session_of(is_listed=False), "hello", b"", 0, 0) for _ in range(3)]
    assert answers[:2] == [None, None]
    assert answers[2] is not None
    assert (answers[2].code, answers[2].retry_after_ns) == ("rate", 30 * SECOND_NS)


def test_a_listed_key_that_says_hello_on_and_on_is_put_off_and_others_are_not() -> None:
    edge = Edge(Door(lambda key: 0), LIMITS)
    answers = [edge.refuse(session_of(transport=ANN), "hello", b"", 0, 0) for _ in range(HELLOS.burst + 1)]
    assert answers[:-1] == [None] * HELLOS.burst
    assert answers[-1] is not None
    assert (answers[-1].code, answers[-1].retry_after_ns) == ("rate", SECOND_NS // HELLOS.per_s)
    assert edge.refuse(session_of(transport=BEN), "hello", b"", 0, 0) is None


def test_what_no_house_knows_counts_as_a_question_and_a_goodbye_does_not() -> None:
    edge = Edge(Door(lambda key: 0), replace(LIMITS, stranger_questions_per_s=1))
    eve = session_of(is_listed=False)
    answers = [edge.refuse(eve, ("zzz", "list")[number % 2], b"", 0, 0) for number in range(QUESTION_BURST_S + 1)]
    assert answers[:-1] == [None] * QUESTION_BURST_S
    assert answers[-1] is not None
    assert answers[-1].code == "rate"
    assert edge.refuse(eve, "bye", b"", 0, 0) is None


def at_once(edge: Edge, session: Session, type_name: str, count: int, now_ns: int = 0) -> list[str]:
    """What so many messages at once are answered with; empty for what is passed on."""
    answers = [edge.refuse(session, type_name, BID, 0, now_ns) for _ in range(count)]
    return ["" if answer is None else answer.message for answer in answers]


def test_bids_beyond_the_rate_die_at_the_edge_in_the_words_of_the_house() -> None:
    edge = Edge(Door(lambda key: 0), LIMITS)
    ann, ben = session_of(), session_of(identity=BEN)
    each = "this house takes 20 commands a second of one identity; no log can say so"
    everybody = "this house takes 5 commands a second in all; no log can say so"
    assert at_once(edge, ann, "bid", 5) == [""] * 3 + [each] * 2
    assert at_once(edge, ben, "bid", 4) == [""] * 2 + [everybody] * 2
    answer = edge.refuse(ann, "bid", BID, 0, 0)
    assert answer is not None
    assert (answer.code, answer.command, answer.retry_after_ns) == ("rate", command_id(BID), SECOND_NS // 20)
    assert at_once(edge, ben, "bid", 1, SECOND_NS // 5) == [""]
    assert at_once(edge, session_of(identity=BEN), "bid", 1, SECOND_NS // 5) == [everybody], "of all its sessions"


def test_an_operators_commands_are_not_counted_and_questions_are_counted_apart() -> None:
    edge = Edge(Door(lambda key: 0), LIMITS)
    assert at_once(edge, session_of(is_operator=True), "pause", 100) == [""] * 100
    assert at_once(edge, session_of(), "list", 100) == [""] * 100
    assert at_once(edge, session_of(), "bid", 3) == [""] * 3


def test_a_stranger_has_its_own_rates_here_too() -> None:
    edge = Edge(Door(lambda key: 0), replace(LIMITS, stranger_bids_burst=1, all_stranger_bids_per_s=2))
    strangers = [session_of(is_listed=False, identity=bytes([number]) * 32) for number in range(3)]
    assert [at_once(edge, session, "bid", 2)[0] for session in strangers] == [
        "",
        "",
        "this house takes 2 commands a second in all; no log can say so",
    ]
    assert at_once(edge, session_of(), "bid", 3) == [""] * 3, "listed bidders have what is left"


def test_identities_one_after_the_other_have_no_more_than_what_their_address_has() -> None:
    door = Door(lambda key: 0, DoorLimits(strangers=StrangerLimits(connections_an_address=2)))
    edge = Edge(door, replace(LIMITS, stranger_bids_per_s=1, stranger_bids_burst=3, all_bids_per_s=100))
    eve = session_of(is_listed=False)
    taken = []
    for number in range(5):
        eve.identity = bytes([number]) * 32  # A hello more on the same connection.
        taken.append(at_once(edge, eve, "bid", 4).count(""))
    assert taken == [3, 3, 0, 0, 0]
    answer = edge.refuse(eve, "bid", BID, 0, 0)
    assert answer is not None
    assert (answer.code, answer.command, answer.retry_after_ns) == ("rate", command_id(BID), SECOND_NS // 2)
    assert answer.message == "this house takes 2 commands a second of strangers at one address"
    assert at_once(edge, session_of(is_listed=False, host="192.0.2.2"), "bid", 1) == [""], "another address"
    assert at_once(edge, session_of(), "bid", 3) == [""] * 3, "who is listed comes from there as before"
    assert at_once(edge, eve, "bid", 3, SECOND_NS).count("") == 2


def test_their_questions_are_those_of_their_address_too() -> None:
    door = Door(lambda key: 0, DoorLimits(strangers=StrangerLimits(connections_an_address=2)))
    edge = Edge(door, replace(LIMITS, stranger_questions_per_s=1))
    sessions = [session_of(is_listed=False, identity=bytes([number]) * 32) for number in range(3)]
    taken = [at_once(edge, each, "list", QUESTION_BURST_S + 1).count("") for each in sessions]
    assert taken == [QUESTION_BURST_S, QUESTION_BURST_S, 0]


def test_what_is_answered_here_counts_as_a_question_and_who_is_muted_may_keep_its_session() -> None:
    edge = Edge(Door(lambda key: 0), replace(LIMITS, stranger_questions_per_s=1))
    eve = session_of(is_listed=False)
    edge.mute(ANN, MUTE_NS, 0)
    answers = [edge.refuse_answer(eve, 0) for _ in range(QUESTION_BURST_S + 1)]
    assert answers[:-1] == [None] * QUESTION_BURST_S
    assert answers[-1] is not None
    assert (answers[-1].code, answers[-1].command) == ("rate", b"")
    unknown = session_of(is_listed=False, identity=b"", transport=BEN)
    assert edge.refuse_answer(unknown, 0) is None, "whoever has not said hello counts by its key"


def test_nothing_is_passed_on_of_whom_the_house_has_muted_but_a_hello_until_its_time_is_over() -> None:
    edge = Edge(Door(lambda key: 0), LIMITS)
    edge.mute(ANN, MUTE_NS, 0)
    for type_name in ("bid", "list", "pause"):
        answer = edge.refuse(session_of(is_operator=True), type_name, BID, 0, 1)
        assert answer is not None
        assert (answer.code, answer.message, answer.retry_after_ns) == ("muted", MUTED, MUTE_NS - 1)
    assert at_once(edge, session_of(identity=BEN), "bid", 1) == [""]
    assert at_once(edge, session_of(), "hello", 1) == [""]
    assert at_once(edge, session_of(), "bid", 1, MUTE_NS) == [""]


def test_new_limits_hold_at_once() -> None:
    edge = Edge(Door(lambda key: 0), LIMITS)
    assert at_once(edge, session_of(), "bid", 4)[-1]
    edge.obey(replace(LIMITS, bids_burst=10, all_bids_per_s=10))
    assert at_once(edge, session_of(), "bid", 10) == [""] * 10


def test_an_identity_with_limits_of_its_own_has_them_here_too_over_new_settings() -> None:
    edge = Edge(Door(lambda key: 0), replace(LIMITS, all_bids_per_s=1_000))
    edge.allow({BEN: {"bids_burst": 9}})
    assert at_once(edge, session_of(identity=BEN), "bid", 10).count("") == 9
    edge.obey(replace(LIMITS, all_bids_per_s=1_000, bids_per_s=10))
    assert at_once(edge, session_of(identity=BEN), "bid", 10).count("") == 9
    assert at_once(edge, session_of(), "bid", 10).count("") == LIMITS.bids_burst
    edge.allow({})
    assert at_once(edge, session_of(identity=BEN), "bid", 10).count("") == LIMITS.bids_burst
