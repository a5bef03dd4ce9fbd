"""A strategy asked in lines of JSON: an answer counts for its very view, and whatever else comes is no bid."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from auctionctl.bidding.dialogue import (
    HANGING_LIMITS,
    LEAST_WAIT_NS,
    MAX_ANSWER_BYTES,
    MAX_UNASKED,
    RECENT_BIDS,
    SCHEMA,
    Dialogue,
    Remote,
)
from auctionctl.bidding.strategy import Failed, Offer, Purse, Wait
from auctionctl.bidding.tape import BidTape

LIMIT_NS = 10**9
PURSE = Purse(5_000, 9_000, 4_000, 1_000)


class Talk:
    """A dialogue, what it complained of, and a respondent that is told what to say."""

    def __init__(self) -> None:
        self.complaints: list[str] = []
        self.dialogue = Dialogue({"value": "12"}, LIMIT_NS, self.complaints.append)
        self.dialogue.came_up()

    def look(self, view: Any, now_ns: int = 0, purse: Purse = PURSE) -> Offer | Wait:
        return Remote(self.dialogue).decide(view, purse, now_ns, None)  # type: ignore[arg-type]

    def asked(self) -> Any:
        line = self.dialogue.next_line()
        return None if line is None else json.loads(line)

    def say(self, **answer: Any) -> None:
        self.dialogue.receive(json.dumps(answer).encode() + b"\n")


@pytest.fixture
def talk() -> Talk:
    return Talk()


def test_a_look_is_a_question_and_the_next_look_its_answer(talk: Talk, view: Callable[..., Any]) -> None:
    assert talk.look(view()) == Wait(LIMIT_NS)
    assert talk.look(view(), 5) == Wait(LIMIT_NS)
    question = talk.asked()
    assert talk.asked() is None
    assert (question["schema"], question["minimum"], question["parameters"]) == (SCHEMA, 1_100, {"value": "12"})
    assert (question["available"], question["budget"], question["committed"], question["spent"]) == (
        5_000,
        9_000,
        4_000,
        1_000,
    )
    talk.say(id=question["id"], bid=1_150)
    assert talk.dialogue.take_ready() == {bytes(32)}
    assert talk.dialogue.take_ready() == set()
    assert talk.look(view(), 7) == Offer(1_150)


def test_an_answer_to_a_view_that_is_gone_is_dropped(talk: Talk, view: Callable[..., Any]) -> None:
    talk.look(view())
    stale = talk.asked()["id"]
    assert talk.look(view(minimum_minor=1_200), 1) == Wait(1 + LIMIT_NS)
    talk.say(id=stale, bid=5_000)
    assert talk.look(view(minimum_minor=1_200), 2) == Wait(1 + LIMIT_NS)
    assert not talk.dialogue.take_ready()
    talk.say(id=talk.asked()["id"], bid=1_300)
    assert talk.look(view(minimum_minor=1_200), 3) == Offer(1_300)
    assert talk.look(view(minimum_minor=1_400), 4) == Wait(4 + LIMIT_NS)
    assert not talk.complaints


def test_a_question_that_was_not_sent_in_time_is_never_sent(talk: Talk, view: Callable[..., Any]) -> None:
    for minimum_minor in range(1_100, 1_200):
        talk.look(view(minimum_minor=minimum_minor))
    assert talk.asked()["minimum"] == 1_199
    assert talk.asked() is None


def test_who_leads_is_not_asked(talk: Talk, view: Callable[..., Any]) -> None:
    talk.look(view())
    assert talk.look(view(is_leading=True)) == Wait()
    assert talk.asked() is None


def test_a_late_answer_is_no_bid_and_a_complaint(talk: Talk, view: Callable[..., Any]) -> None:
    talk.look(view())
    number = talk.asked()["id"]
    assert talk.look(view(), LIMIT_NS) == Failed(HANGING_LIMITS * LIMIT_NS + 1)
    assert talk.complaints == ["it gave no answer within 1 s, and makes no bid"]
    talk.say(id=number, bid=1_150)
    assert talk.dialogue.take_ready() == {view().auction}
    assert talk.look(view(), LIMIT_NS + 1) == Wait(2 * LIMIT_NS + 1), "what came late is no bid; it is asked again"
    again = talk.asked()["id"]
    assert again > number
    talk.say(id=again, bid=1_150)
    assert talk.look(view(), LIMIT_NS + 2) == Offer(1_150)
    assert not talk.dialogue.is_hopeless


def test_who_is_silent_for_long_hangs_and_who_says_anything_does_not(talk: Talk, view: Callable[..., Any]) -> None:
    for now_ns in range(0, HANGING_LIMITS * LIMIT_NS + 1, LIMIT_NS // 2):
        talk.look(view(minimum_minor=1_100 + now_ns % 97), now_ns)
        assert not talk.dialogue.is_hopeless
    talk.say(id=0)
    now_ns = HANGING_LIMITS * LIMIT_NS + 1
    talk.look(view(), now_ns)
    assert not talk.dialogue.is_hopeless
    talk.look(view(), now_ns + HANGING_LIMITS * LIMIT_NS + 1)
    assert talk.dialogue.is_hopeless


def test_to_wait_is_to_be_asked_again_then(talk: Talk, view: Callable[..., Any]) -> None:
    talk.look(view(), 100)
    talk.say(id=talk.asked()["id"], wait_ns=5 * LEAST_WAIT_NS)
    then_ns = 100 + 5 * LEAST_WAIT_NS
    assert talk.look(view(), 120) == Wait(then_ns)
    assert talk.asked() is None
    assert talk.look(view(), then_ns) == Wait(then_ns + LIMIT_NS)
    talk.say(id=talk.asked()["id"])
    assert talk.look(view(), then_ns + 10) == Wait()


def test_whoever_wants_to_be_asked_at_once_is_not_asked_as_fast_as_a_machine_can(
    talk: Talk, view: Callable[..., Any]
) -> None:
    talk.look(view(), 100)
    talk.say(id=talk.asked()["id"], wait_ns=0)
    assert talk.look(view(), 101) == Wait(100 + LEAST_WAIT_NS)
    assert talk.asked() is None


@pytest.mark.parametrize(
    ("answer", "complaint"),
    [
        ({"bid": -5}, "it bids less than 11.00EUR, the least bid; it makes no bid"),
        ({"bid": 0}, "it bids less than 11.00EUR"),
        ({"bid": 1_099}, "it bids less than 11.00EUR"),
        ({"bid": 5_001}, "it bids more than 50.00EUR, which are left of the budget"),
        ({"bid": 2**63 - 1}, "it bids more than 50.00EUR"),
        ({"bid": "NaN"}, "its bid cannot be read: not an amount"),
        ({"bid": "1e3"}, "its bid cannot be read"),
        ({"bid": "12.50USD"}, "its bid cannot be read"),
        ({"bid": "12.505"}, "its bid cannot be read"),
        ({"bid": 1_200, "currency": "USD"}, "it bids in USD, and the auction is in EUR"),
        ({"wait_ns": -1}, "it wants to wait for -1 ns"),
        ({"bid": 12.5}, "is no answer"),
        ({"bid": True}, "is no answer"),
        ({"bid": [1_200]}, "is no answer"),
        ({"bid": 10**400}, ""),
    ],
)
def test_a_bid_that_money_and_rules_do_not_allow_is_none(
    talk: Talk, view: Callable[..., Any], answer: dict[str, Any], complaint: str
) -> None:
    talk.look(view())
    talk.say(id=talk.asked()["id"], **answer)
    assert isinstance(talk.look(view(), 1), Wait)
    assert len(talk.complaints) == 1
    assert complaint in talk.complaints[0]


def test_an_amount_may_be_text_in_its_currency(talk: Talk, view: Callable[..., Any]) -> None:
    for text in ("12.50", "12.5EUR", "12.50 EUR"):
        talk.look(view(), purse=Purse(5_000 + len(text), 9_000))
        talk.say(id=talk.asked()["id"], bid=text, currency="EUR")
        assert talk.look(view(), purse=Purse(5_000 + len(text), 9_000)) == Offer(1_250)


@pytest.mark.parametrize(
    "line", [b"hello", b"{}", b"[]", b"null", b'{"id": "x"}', b'{"id": NaN}', b"\xff\xfe", b"[" * 4_000, b"x" * 9_000]
)
def test_what_is_no_answer_is_garbage_and_what_follows_is_heard(
    talk: Talk, view: Callable[..., Any], line: bytes
) -> None:
    talk.look(view())
    number = talk.asked()["id"]
    talk.dialogue.receive(line + b"\n\n  \n")
    assert len(talk.complaints) == 1
    talk.say(id=number, bid=1_200)
    assert talk.look(view(), 1) == Offer(1_200)


def test_an_answer_may_come_in_pieces_and_a_line_without_end_is_not_kept(talk: Talk, view: Callable[..., Any]) -> None:
    talk.look(view())
    number = talk.asked()["id"]
    talk.dialogue.receive(b"z" * MAX_ANSWER_BYTES)
    for _ in range(MAX_UNASKED):
        talk.dialogue.receive(b"z" * 65_536)
        assert len(talk.dialogue._partial) <= MAX_ANSWER_BYTES
    assert len(talk.complaints) == 1
    talk.dialogue.receive(b"z\n" + f'{{"id":{number},'.encode())
    talk.dialogue.receive(b'"bid":1200}\n')
    assert talk.look(view(), 1) == Offer(1_200)
    for _ in range(MAX_UNASKED + 2):
        talk.dialogue.receive(b"z" * 65_536)
    assert talk.dialogue.is_hopeless


@pytest.mark.parametrize("line", [b'{"id":1}', b'{"id":999}', b'{"id":-1}', b"spam"])
def test_who_floods_is_given_up_and_the_rest_of_the_flood_not_even_read(
    talk: Talk, view: Callable[..., Any], line: bytes
) -> None:
    talk.look(view())
    talk.asked()
    talk.dialogue.receive((line + b"\n") * (MAX_UNASKED + 2))
    assert talk.dialogue.is_hopeless
    complaints = len(talk.complaints)
    talk.dialogue.receive(b"spam\n" * 10_000)
    assert len(talk.complaints) == complaints


def test_who_answers_and_says_a_little_besides_is_no_flood_however_long_that_goes_on(
    talk: Talk, view: Callable[..., Any]
) -> None:
    for number in range(3 * MAX_UNASKED):
        talk.look(view(minimum_minor=1_100 + number))
        talk.dialogue.receive(b"thinking\n")
        talk.say(id=talk.asked()["id"], bid=1_150 + number)
    assert not talk.dialogue.is_hopeless
    talk.dialogue.receive(b"thinking\n" * (MAX_UNASKED + 1))
    assert talk.dialogue.is_hopeless


def test_who_is_slow_is_not_taken_for_a_flood(talk: Talk, view: Callable[..., Any]) -> None:
    for number in range(10 * MAX_UNASKED):
        talk.look(view(minimum_minor=1_100 + number))
        question = talk.asked()
        talk.look(view(minimum_minor=1_101 + number))
        talk.say(id=question["id"], bid=5_000)
    assert not talk.dialogue.is_hopeless
    assert not talk.complaints


def test_who_is_gone_is_asked_nothing_and_its_successor_what_was_missed(talk: Talk, view: Callable[..., Any]) -> None:
    talk.look(view())
    question = talk.asked()
    talk.dialogue.receive(b'{"id":')
    talk.dialogue.went_down()
    assert talk.look(view(auction=b"b" * 32)) == Failed()
    assert talk.asked() is None
    talk.dialogue.came_up()
    assert talk.dialogue.take_ready() == {bytes(32), b"b" * 32}
    talk.say(id=question["id"], bid=1_200)
    assert talk.look(view()) == Wait(LIMIT_NS)
    assert talk.asked()["id"] > question["id"]


def test_a_question_has_bounded_size_whatever_was_bid(talk: Talk, view: Callable[..., Any]) -> None:
    tape = BidTape()
    for amount_minor in range(10_000):
        tape.add(amount_minor.to_bytes(4, "big"), 10**15 + amount_minor, 10**18)
    talk.look(view(tape=tape, title="ü" * 200))
    line = talk.dialogue.next_line()
    assert line is not None
    assert len(line) < 8_192
    question = json.loads(line)
    assert len(question["recent_bids"]) == RECENT_BIDS
    assert question["recent_bids"][-1] == [9_999, 10**15 + 9_999, 10**18]
