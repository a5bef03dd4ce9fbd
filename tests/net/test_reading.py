"""Readers get what they asked for, a little at a time."""

from __future__ import annotations

from auctionctl.auction.terms import SECOND_NS
from auctionctl.house.effects import Fetch, Page
from auctionctl.house.limits import Limits
from auctionctl.house.quotas import Quotas
from auctionctl.keys.allowlist import AllowList
from auctionctl.keys.signing import SecretKey
from auctionctl.net.reading import FETCH_BYTES_A_TURN, FULL_GATEWAY_BYTES, Reading
from auctionctl.replica.registry import REGISTRY_ID
from auctionctl.store.log_store import Append
from auctionctl.store.memory import MemoryStore
from auctionctl.wire.frames import Message
from auctionctl.wire.messages import MAX_ENTRIES_BYTES, Catalogue, Entries, Refused, decode_reply, encode
from auctionctl.wire.session import Peer

AUCTION = bytes(32)


NOW_NS = 1_800_000_000 * SECOND_NS
KEYS = [SecretKey(bytes([number]) * 32).identity for number in (1, 2)]


def reading_of(entries: int, entry_bytes: int = 1_000, sessions: int = 50, **limits: int) -> Reading:
    """Sessions from 0 on; those with even numbers are one identity's, and the others another's."""
    store = MemoryStore()
    store.append([Append("log", 0, tuple(b"%d" % number + bytes(entry_bytes) for number in range(entries)))], 1)
    peers = {number: Peer(KEYS[number % 2], "ann", "observer") for number in range(sessions)}
    return Reading(store, Quotas(Limits(**limits), AllowList(), peers), peers)


def fetch(session: int = 1, start: int = 0, size: int = 10, auction: bytes = AUCTION) -> Fetch:
    return Fetch(session, "log", auction, start, b"note", size)


def no_backlog(_session: int) -> int:
    return 0


def answers(reading: Reading, backlog_bytes: int = 0) -> list[tuple[int, Entries]]:
    found = []
    for answer in reading.answer(lambda _: backlog_bytes, NOW_NS):
        reply = decode_reply(answer.body)
        assert isinstance(reply, Entries)
        found.append((answer.session, reply))
    return found


def test_an_answer_ends_where_its_checkpoint_does() -> None:
    reading = reading_of(10)
    reading.ask(fetch(start=3, size=5))
    ((session, reply),) = answers(reading)
    assert (session, reply.start, len(reply.entries), reply.checkpoint) == (1, 3, 2, b"note")
    reading.ask(fetch(start=7, size=5))
    assert [len(reply.entries) for _, reply in answers(reading)] == [0]


def test_an_answer_holds_no_more_than_a_slice() -> None:
    reading = reading_of(200)
    reading.ask(fetch(size=200))
    ((_, reply),) = answers(reading)
    assert MAX_ENTRIES_BYTES - 2_000 < sum(map(len, reply.entries)) <= MAX_ENTRIES_BYTES


def test_a_turn_answers_only_so_much_and_nobody_is_forgotten() -> None:
    reading = reading_of(100)
    for session in range(50):
        reading.ask(fetch(session, size=100))
    turns = []
    while len(reading):
        turns.append([session for session, _ in answers(reading)])
    assert [session for turn in turns for session in turn] == list(range(50))
    assert max(map(len, turns)) <= FETCH_BYTES_A_TURN // MAX_ENTRIES_BYTES + 1


def test_a_later_question_about_the_same_log_takes_the_place_of_the_first() -> None:
    reading = reading_of(10)
    for start in (0, 4, 2):
        reading.ask(fetch(start=start))
    reading.ask(fetch(auction=b"another"))
    assert [reply.start for _, reply in answers(reading)] == [2, 0]


def test_a_page_waits_its_turn_and_a_later_one_takes_its_place() -> None:
    reading = reading_of(10)
    reading.ask(fetch(2))
    for start in (0, 16):
        reading.ask(Page(1, Message(encode(Catalogue(start, 20, ())))))
    first, second = reading.answer(no_backlog, NOW_NS)
    assert (first.session, decode_reply(second.body)) == (2, Catalogue(16, 20, ()))


def test_nothing_is_read_for_a_gateway_that_does_not_keep_up() -> None:
    reading = reading_of(10)
    reading.ask(fetch())
    assert answers(reading, FULL_GATEWAY_BYTES) == []
    assert len(answers(reading, FULL_GATEWAY_BYTES - 1)) == 1


def test_nobody_waits_once_its_gateway_is_gone() -> None:
    reading = reading_of(10)
    for session in (1, 12):
        reading.ask(fetch(session=session))
    reading.forget(range(10))
    assert [session for session, _ in answers(reading)] == [12]


def test_one_gateway_that_does_not_keep_up_keeps_nobody_at_another_waiting() -> None:
    reading = reading_of(10)

    def backlog_bytes(session: int) -> int:
        return FULL_GATEWAY_BYTES if session < 10 else 0

    for session in (1, 12):
        reading.ask(fetch(session=session))
    assert reading.is_due(backlog_bytes)
    assert [answer.session for answer in reading.answer(backlog_bytes, NOW_NS)] == [12]
    assert len(reading) == 1
    assert not reading.is_due(backlog_bytes), "what waits for a gateway that is full is no reason to go round"


def test_a_question_for_the_catalogue_takes_the_place_of_none_for_the_registry() -> None:
    reading = reading_of(10)
    page = Page(1, Message(encode(Catalogue(0, 0, ()))))
    reading.ask(fetch(auction=REGISTRY_ID))
    reading.ask(page)
    found = [decode_reply(answer.body) for answer in reading.answer(no_backlog, NOW_NS)]
    assert [type(reply) for reply in found] == [Entries, Catalogue]


def test_whoever_reads_too_much_is_refused_by_the_name_of_the_log_and_others_are_answered() -> None:
    reading = reading_of(200, read_bytes_per_s=100_000, read_bytes_burst=65_536)
    for _ in range(2):  # A slice is a little less than the burst, and what is more of it is waited for with the next.
        reading.ask(fetch(2, size=200))
        assert [session for session, _ in answers(reading)] == [2]
    reading.ask(fetch(4, size=200))
    reading.ask(Page(2, Message(encode(Catalogue(0, 0, ())))))
    reading.ask(fetch(3, size=200))
    found = [(answer.session, decode_reply(answer.body)) for answer in reading.answer(no_backlog, NOW_NS)]
    assert [(session, type(reply)) for session, reply in found] == [(4, Refused), (2, Refused), (3, Entries)]
    refusals = [reply for _, reply in found if isinstance(reply, Refused)]
    assert [(each.code, each.command) for each in refusals] == [("rate", AUCTION), ("rate", b"")]
    again_ns = NOW_NS + refusals[0].retry_after_ns
    for now_ns, expected in ((again_ns - 1, Refused), (again_ns, Entries)):
        reading.ask(fetch(4, size=200))
        assert [type(decode_reply(answer.body)) for answer in reading.answer(no_backlog, now_ns)] == [expected]


def test_nothing_is_read_for_whoever_is_gone() -> None:
    reading = reading_of(10)
    reading.ask(fetch(session=77))
    assert answers(reading) == []
    assert not len(reading)
