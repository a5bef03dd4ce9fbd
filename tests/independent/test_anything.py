"""Whatever is said in an auction and whatever is done to its log, both programs say the same of it."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from auctionctl.auction.bid import decode_bid, decode_join
from auctionctl.auction.events import Gap, GapCause, encode_event
from auctionctl.auction.increments import Fixed, Percent, Table
from auctionctl.auction.terms import SECOND_NS
from auctionctl.cli.manual.log_rules import BID_REFUSALS, JOIN_REFUSALS
from auctionctl.keys.signing import SecretKey
from auctionctl.tlog.entry import Entry, Kind
from auctionctl.wire.messages import Bye

# What participants say


def claims(book: Any, index: int, near_ns: int, seq: int) -> list[dict[str, Any]]:
    """Other fields for the joining or bid at ``index``."""
    changes: list[dict[str, Any]] = [{}, {"not_after_ns": near_ns}, {"auction": b"a" * 32}, {"house": b"h" * 32}]
    changes += [{"bidder": b"b" * 32}, {"nonce" if book.kinds()[index] == "joined" else "head_root": b"n" * 16}]
    if book.kinds()[index] == "bid":
        amount = decode_bid(book.entry(index).body).amount_minor
        changes += [{"amount_minor": max(1, amount + step)} for step in (-700, -100, -1, 1, 10**6)]
        changes += [{"seq": seq}, {"currency": "USD"}, {"head_size": seq, "head_root": b"r" * 32}]
    return changes


def said_by(book: Any, staging: Any, index: int, name: str, changes: dict[str, Any]) -> Any:
    """The joining or bid at ``index`` as one of ``name``, who signs it, with other fields."""
    entry, key = book.entry(index), staging.key_of(name)
    said = decode_bid(entry.body) if entry.kind == "bid" else decode_join(entry.body)
    return book.resigned(index, key, replace(said, **{"bidder": key.identity.signing} | changes))


def test_both_give_the_same_reason_why_a_bid_or_joining_may_not_be(book: Any, judge: Any, staging: Any) -> None:
    files: set[bytes] = set()
    last_seq = decode_bid(book.entry(5).body).seq  # ann's, before entry 10
    for index in (1, 3, 5, 10):
        time_ns = book.entry(index).time_ns
        for near_ns in (time_ns - 1, time_ns, time_ns + 10 * SECOND_NS, time_ns + 10 * SECOND_NS + 1):
            for name in ("ann", "ben", "dora", "sue"):
                for seq in (last_seq - 1, last_seq):
                    for changes in claims(book, index, near_ns, seq):
                        said = said_by(book, staging, index, name, changes)
                        files.add(said.file())
                        files.add(said.changed(index, time_ns=said.entry(11).time_ns).file())
    rules = {judge(file, book.house.identity)[0] for file in files}
    joins_and_bids = {str(code) for code in (*dict(JOIN_REFUSALS), *dict(BID_REFUSALS))}
    assert joins_and_bids - rules == {"not_open", "paused", "join_repeated"}


def test_a_joining_that_is_said_twice_is_refused_by_both(book: Any, judge: Any) -> None:
    """cleo joins, leaves (entry 8), and the house shows her first joining again."""
    again = replace(book.entry(3), time_ns=book.entry(8).time_ns)
    body = replace(decode_join(again.body), not_after_ns=again.time_ns + SECOND_NS)
    cleo = SecretKey(b"cleo".ljust(32, b"."))
    longer = book.resigned(3, cleo, replace(body, not_after_ns=book.entry(3).time_ns + 10 * SECOND_NS))
    for each in (book, longer):
        assert judge(each.inserted(9, replace(each.entry(3), time_ns=again.time_ns)).file(), book.house.identity) == (
            "join_repeated",
            9,
        )
    fresh = longer.inserted(9, again).resigned(9, cleo, replace(body, nonce=b"n" * 16))
    assert judge(fresh.file(), book.house.identity)[1] != 9


# Gaps and deadlines


@pytest.mark.parametrize("before_ns", [-1, 0, 1, SECOND_NS])
def test_both_let_a_deadline_stay_that_had_passed_when_the_gap_began(
    stage: Any, book: Any, binding: Any, judge: Any, before_ns: int
) -> None:
    auction = stage.announce()
    stage.after(30 * SECOND_NS)
    cancelled = binding(stage.key, auction, tuple(stage.data(auction)), stage.announcement(auction))
    for each in (book, cancelled):
        index = len(each.entries) - 1
        deadline_ns = each.entry(index).time_ns
        gap = Gap(deadline_ns - before_ns, deadline_ns + SECOND_NS, GapCause.STALLED)
        moved = each.inserted(index, Entry(Kind.GAP, deadline_ns, encode_event(gap)))
        verdict = judge(moved.file(), each.house.identity)
        ends = (each.kinds()[index], index + 1)
        assert (verdict == ends) == (before_ns > 0), verdict


# Anything


RULE_CHANGES: dict[str, Any] = {
    "increment": st.sampled_from([Fixed(100), Percent(700), Percent(1), Table(((0, 50), (1_200, 300)))]),
    "reserve_minor": st.sampled_from([None, 1_200, 9_000]),
    "currency": st.sampled_from(["EUR", "JPY", "gold"]),
    "min_bidders": st.integers(1, 3),
    "duration_ns": st.sampled_from([9 * SECOND_NS, 20 * SECOND_NS]),
}
ACTIONS = st.one_of(
    st.tuples(st.just("bid"), st.integers(1, 3), st.integers(-1, 4)),
    st.tuples(st.just("bid"), st.integers(1, 3), st.integers(0, 2)),
    st.tuples(st.just("join"), st.integers(1, 3), st.just(0)),
    st.tuples(st.just("pass"), st.integers(1, 9), st.just(0)),
    st.tuples(st.sampled_from(["stall", "restart", "lose", "leave"]), st.integers(1, 3), st.just(0)),
)


def act(stage: Any, auctions: list[bytes], action: str, number: int, step: int) -> None:
    for session, name in enumerate(("ann", "ben", "cleo"), 1):
        if session not in stage.house.presence.peers:
            stage.enter(session, name)
    match action:
        case "bid":
            requests = []
            for auction in auctions:
                log = stage.log(auction)
                head = {"head_size": log.tree.size, "head_root": log.tree.root()} if step % 2 else {}
                amount, currency = max(1, log.auction.minimum_minor + 60 * step), log.auction.terms.rules.currency
                requests.append(stage.bid(number, auction, amount, currency=currency, **head))
            stage.handle(*requests)
        case "join":
            stage.handle(*(stage.join(number, auction) for auction in auctions))
        case "pass":
            stage.after(number * SECOND_NS)
        case "stall":
            stage.now_ns += number * SECOND_NS
            stage.handle()
        case "restart":
            stage.store.alive(stage.now_ns)
            stage.restart(number * SECOND_NS)
        case "lose":
            stage.house.gateway_lost(stage.now_ns)
            stage.now_ns += number * SECOND_NS
            stage.do(stage.house.gateway_back(stage.now_ns))
        case _:
            stage.handle(stage.ask(number, Bye()))


def tampered(book: Any, staging: Any, chance: random.Random) -> bytes:
    """The file of a log with which something was done: by anybody, or by the house under a new signature."""
    size = len(book.entries)
    index, other = chance.randrange(size), chance.randrange(size)
    kind, entry = book.kinds()[index], book.entry(index)
    near_ns = entry.time_ns + chance.choice([-(10**9), -1, 1, 10**9, 10**10])
    match chance.randrange(9):
        case 0:
            data = bytearray(book.file())
            data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
            return bytes(data)
        case 1:
            return bytes(book.without(index).file()) if size > 1 else bytes(book.file())
        case 2:
            return bytes(book.swapped(index, other).file())
        case 3:
            return bytes(book.inserted(other, entry).file())
        case 4:
            return bytes(book.changed(index, time_ns=near_ns).file())
        case 5:
            return bytes(book.cut(index + 1).file())
        case 6:
            raw = bytearray(book.entries[index])
            raw[chance.randrange(len(raw))] = chance.randrange(256)
            return bytes(book.with_data(*book.entries[:index], bytes(raw), *book.entries[index + 1 :]).file())
        case _:
            pass
    if kind in {"bid", "joined"}:
        name, seq = chance.choice((*staging.NAMES, "sue")), chance.randrange(1, 40)
        return bytes(said_by(book, staging, index, name, chance.choice(claims(book, index, near_ns, seq))).file())
    if kind == "gap":
        said = {"since_ns": near_ns} if chance.random() < 0.5 else {"until_ns": near_ns + chance.choice([0, 5 * 10**9])}
        return bytes(book.reworded(index, **said).file())
    if kind == "closed":
        said = chance.choice(
            [{"winner": None}, {"price_minor": 1_000}, {"bid_index": 4}, {"end_reason": "no_bids"}, {"reserve": None}]
        )
        return bytes(book.reworded(index, **said).file())
    return bytes(book.changed(index, signature=chance.choice([b"", bytes(64)])).file())


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    told=st.tuples(
        st.fixed_dictionaries({}, optional=RULE_CHANGES),
        st.lists(ACTIONS, max_size=25),
        st.sampled_from([0, 60]),
        st.integers(0, 2**32),
    )
)
def test_whatever_happens_and_whatever_is_done_to_it_both_say_the_same(
    staging: Any, binding: Any, judge: Any, told: tuple[dict[str, Any], list[Any], int, int]
) -> None:
    """``told``: changes of the rules, what happens, seconds that pass after it, a seed for the tampering."""
    rules, actions, wait_s, seed = told
    stage, chance = staging.Stage(), random.Random(seed)
    soft = {"soft_close_window_ns": 4 * SECOND_NS, "max_extension_ns": 9 * SECOND_NS}
    auctions = [stage.announce(**rules, **soft), stage.announce(min_bidders=1)]
    for action in (("join", 1, 0), ("join", 2, 0), *actions):
        act(stage, auctions, *action)
    stage.after(wait_s * SECOND_NS)
    for auction in auctions:
        found, house = judge(stage.export(auction), stage.key.identity), stage.key.identity
        assert found is None or isinstance(found[0], bytes), found
        book = binding(stage.key, auction, tuple(stage.data(auction)), stage.announcement(auction))
        for _ in range(12):
            judge(tampered(book, staging, chance), house)
