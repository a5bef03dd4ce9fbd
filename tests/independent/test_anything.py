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
from auctionctl.auction.rules import Cancellation, Disconnection, OnDefault, PauseRules, PaymentRules
from auctionctl.auction.terms import SECOND_NS
from auctionctl.cli.manual.log_rules import BID_REFUSALS, JOIN_REFUSALS
from auctionctl.keys.signing import SecretKey
from auctionctl.tlog.entry import Entry, Kind

# What participants say


def test_both_give_the_same_reason_why_a_bid_or_joining_may_not_be(
    book: Any, judge: Any, staging: Any, forging: Any
) -> None:
    files: set[bytes] = set()
    last_seq = decode_bid(book.entry(5).body).seq  # ann's, before entry 10
    for index in (1, 3, 5, 10):
        time_ns = book.entry(index).time_ns
        for near_ns in (time_ns - 1, time_ns, time_ns + 10 * SECOND_NS, time_ns + 10 * SECOND_NS + 1):
            for name in ("ann", "ben", "dora", "sue"):
                for seq in (last_seq - 1, last_seq):
                    for changes in forging.claims(book, index, near_ns, seq):
                        said = forging.said_by(book, staging, index, name, changes)
                        files.add(said.file())
                        files.add(said.changed(index, time_ns=said.entry(11).time_ns).file())
    rules = {judge(file, book.house.identity)[0] for file in files}
    joins_and_bids = {str(code) for code in (*dict(JOIN_REFUSALS), *dict(BID_REFUSALS))}
    # These terms ask for no reputation, so none can be too low.
    assert joins_and_bids - rules == {"not_open", "paused", "join_repeated", "low_reputation"}


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
    stage: Any, book: Any, book_of: Any, judge: Any, before_ns: int
) -> None:
    auction = stage.announce()
    stage.after(30 * SECOND_NS)
    cancelled = book_of(stage, auction)
    for each in (book, cancelled):
        index = len(each.entries) - 1
        deadline_ns = each.entry(index).time_ns
        gap = Gap(deadline_ns - before_ns, deadline_ns + SECOND_NS, GapCause.STALLED)
        moved = each.inserted(index, Entry(Kind.GAP, deadline_ns, encode_event(gap)))
        verdict = judge(moved.file(), each.house.identity)
        ends = (each.kinds()[index], index + 1)
        assert (verdict == ends) == (before_ns > 0), verdict


# Anything


def seconds(*choices: int) -> Any:
    return st.sampled_from([choice * SECOND_NS for choice in choices])


PAUSES = st.builds(PauseRules, st.sampled_from(Disconnection), st.integers(0, 3), seconds(0, 5, 30), st.integers(0, 2))
PAYMENTS = st.one_of(
    st.just(PaymentRules()),
    st.builds(PaymentRules, seconds(9, 40), seconds(0, 12)),
    st.builds(PaymentRules, seconds(9, 40), seconds(0, 12), st.just(OnDefault.OFFER), seconds(5, 20)),
)
RULE_CHANGES: dict[str, Any] = {
    "increment": st.sampled_from([Fixed(100), Percent(700), Percent(1), Table(((0, 50), (1_200, 300)))]),
    "reserve_minor": st.sampled_from([None, 1_200, 9_000]),
    "currency": st.sampled_from(["EUR", "JPY", "gold"]),
    "min_bidders": st.integers(1, 3),
    "duration_ns": seconds(9, 20),
    "pauses": st.builds(
        lambda rules, each_ns: replace(rules, max_pause_a_bidder_ns=each_ns), PAUSES, seconds(0, 4, 20)
    ),
    "payment": PAYMENTS,
    "cancellation": st.sampled_from(Cancellation),
}
BIDDERS = st.integers(1, 3)
BIDS = st.tuples(st.just("bid"), BIDDERS, st.integers(0, 2))
ACTIONS = st.one_of(
    st.tuples(st.just("bid"), BIDDERS, st.integers(-1, 4)),
    BIDS,
    st.tuples(st.just("join"), BIDDERS),
    st.tuples(st.just("wait"), st.integers(1, 15)),
    st.tuples(st.sampled_from(["stall", "restart", "lose", "leave"]), BIDDERS),
    st.tuples(st.sampled_from(["pause", "pause", "resume", "resume", "cancel"]), st.just(9)),
)
DEALINGS = st.one_of(
    st.tuples(st.just("proceed"), st.integers(0, 9)),
    st.tuples(st.just("proceed"), st.integers(0, 9)),
    st.tuples(st.sampled_from(["pay", "pay", "accept", "decline", "leave", "join"]), BIDDERS),
    st.tuples(st.sampled_from(["settle", "reject_payment", "offer", "offer"]), st.sampled_from([8, 8, 9])),
    st.tuples(st.just("wait"), st.integers(1, 15)),
    st.tuples(st.sampled_from(["stall", "restart", "lose"]), BIDDERS),
)
"""What happens once bidding is over, mostly."""


def act(stage: Any, staging: Any, plays: Any, auctions: list[bytes], action: tuple[Any, ...]) -> None:
    if action[0] == "proceed":
        plays.proceed(stage, staging, auctions[0], action[1])
        return
    if action[0] != "bid":
        plays.do(stage, staging, auctions, action)
        return
    _, number, step = action
    requests = []
    for auction in auctions:
        log = stage.log(auction)
        head = {"head_size": log.tree.size, "head_root": log.tree.root()} if step % 2 else {}
        amount, currency = max(1, log.auction.minimum_minor + 60 * step), log.auction.terms.rules.currency
        requests.append(stage.bid(number, auction, amount, currency=currency, **head))
    stage.handle(*requests)


TOLD = st.tuples(
    st.fixed_dictionaries({}, optional=RULE_CHANGES),
    st.one_of(st.lists(ACTIONS, max_size=25), st.lists(BIDS, min_size=2, max_size=5)),
    st.lists(DEALINGS, max_size=12),
    st.sampled_from([0, 60]),
    st.integers(0, 2**32),
)
"""Changes of the rules, what happens, what happens afterwards, seconds that pass then, a seed for the tampering."""


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(told=TOLD)
def test_whatever_happens_and_whatever_is_done_to_it_both_say_the_same(
    staging: Any, plays: Any, *, forging: Any, judge: Any, book_of: Any, told: tuple[Any, ...]
) -> None:
    rules, actions, dealings, wait_s, seed = told
    stage, chance = staging.Stage(), random.Random(seed)
    soft = {"soft_close_window_ns": 4 * SECOND_NS, "max_extension_ns": 9 * SECOND_NS}
    auctions = [stage.announce(**rules, **soft), stage.announce(min_bidders=1)]
    plays.enter(stage)
    for action in (("join", 1), ("join", 2), *actions, ("wait", 20), *dealings):
        act(stage, staging, plays, auctions, action)
    stage.after(wait_s * SECOND_NS)
    for auction in auctions:
        found, house = judge(stage.export(auction), stage.key.identity), stage.key.identity
        assert found is None or isinstance(found[0], bytes), found
        book = book_of(stage, auction)
        for _ in range(12):
            judge(forging.tampered(book, staging, chance), house)
