"""A tape is judged as a house would have judged it, and as forty lines that know nothing of the house say."""

from __future__ import annotations

import random

import pytest
from naive_english import NaiveTerms, hold

from auctionctl.auction.increments import Fixed
from auctionctl.auction.phase import EndReason
from auctionctl.auction.rejection import Code
from auctionctl.market.floor import MarketTerms, terms_of
from auctionctl.market.tape import TapedBid, replay
from auctionctl.wire.listing import LotDescription

SECOND_NS = 1_000_000_000


def terms(**changes: object) -> MarketTerms:
    lot = {"increment": Fixed(100), "duration_ns": 60 * SECOND_NS, "min_bidders": 2, **changes}
    return terms_of(LotDescription("watch", "Watch", "EUR", 1_000, **lot))  # type: ignore[arg-type]


def tape(*bids: tuple[str, int, float], currency: str = "EUR") -> list[TapedBid]:
    return [
        TapedBid(line, bidder, amount_minor, currency, int(time_s * SECOND_NS))
        for line, (bidder, amount_minor, time_s) in enumerate(bids, 2)
    ]


TAPE = tape(("ann", 1_000, 5), ("ben", 1_050, 6), ("ben", 1_200, 7), ("ben", 1_300, 8), ("ann", 1_500, 70))


def test_every_bid_is_taken_or_refused_with_the_code_of_the_rule() -> None:
    replayed = replay("watch", TAPE, terms())
    codes = [None if judged.refusal is None else judged.refusal.code for judged in replayed.bids]
    assert codes == [None, Code.BELOW_INCREMENT, None, Code.ALREADY_LEADING, Code.CLOSED]
    assert [judged.price_minor for judged in replayed.accepted] == [1_000, 1_200]
    assert replayed.rejections == {Code.BELOW_INCREMENT: 1, Code.ALREADY_LEADING: 1, Code.CLOSED: 1}
    assert (replayed.winner, replayed.price_minor, replayed.end_reason) == ("ben", 1_200, EndReason.COMPLETED)
    assert (replayed.opened_at_ns, replayed.ended_at_ns) == (5 * SECOND_NS, 65 * SECOND_NS)


def test_other_rules_make_another_sale_of_the_same_tape() -> None:
    assert replay("watch", TAPE, terms(increment=Fixed(50))).rejections[Code.ALREADY_LEADING] == 2
    rows = tape(("ann", 1_000, 5), ("ben", 1_100, 60), ("ann", 1_500, 69))
    assert replay("watch", rows, terms()).winner == "ben"
    late = replay("watch", rows, terms(soft_close_window_ns=10 * SECOND_NS, max_extension_ns=30 * SECOND_NS))
    assert (late.winner, late.price_minor, late.extensions) == ("ann", 1_500, 2)


def test_a_reserve_that_is_not_met_leaves_the_lot_unsold() -> None:
    replayed = replay("watch", TAPE, terms(reserve_minor=1_201))
    assert (replayed.winner, replayed.price_minor, replayed.end_reason) == (None, None, EndReason.RESERVE_NOT_MET)
    assert replay("watch", TAPE, terms(reserve_minor=1_200)).winner == "ben"


def test_too_few_bidders_never_open_an_auction() -> None:
    replayed = replay("watch", TAPE, terms(min_bidders=3, start_timeout_ns=2 * SECOND_NS))
    assert replayed.rejections == {Code.NOT_OPEN: 2, Code.CLOSED: 3}
    assert (replayed.end_reason, replayed.opened_at_ns) == (EndReason.CANCELLED, None)


def test_bids_from_before_the_opening_are_refused_and_the_time_counts_from_it() -> None:
    replayed = replay("watch", TAPE, terms(), opens_ns=6 * SECOND_NS)
    assert replayed.rejections[Code.NOT_OPEN] == 1
    assert replayed.opened_at_ns == 6 * SECOND_NS
    assert replayed.ended_at_ns == 66 * SECOND_NS


def test_rows_out_of_order_are_judged_by_their_times_and_ties_by_their_lines() -> None:
    shuffled = [TAPE[4], TAPE[2], TAPE[0], TAPE[1], TAPE[3]]
    assert replay("watch", shuffled, terms()).bids == replay("watch", TAPE, terms()).bids
    tied = replay("watch", tape(("ann", 1_000, 5), ("ben", 1_000, 5)), terms())
    assert tied.winner == "ann"


def test_a_bid_in_another_currency_is_refused_by_the_rules() -> None:
    rows = [*tape(("ann", 1_000, 5), ("ben", 1_100, 6)), *tape(("ann", 9_000, 7), currency="USD")]
    assert replay("watch", rows, terms()).rejections == {Code.WRONG_CURRENCY: 1}


def test_terms_with_payments_and_reputations_end_with_the_bidding() -> None:
    replayed = replay("watch", TAPE, terms(min_reputation_ppm=500_000))
    assert replayed.winner == "ben"


@pytest.mark.parametrize("seed", range(300))
def test_a_naive_auction_has_the_same_winner_and_price_for_any_tape(seed: int) -> None:
    rng = random.Random(seed)
    names = ["ann", "ben", "cat", "dan"][: rng.randint(2, 4)]
    window = rng.choice([0, 3, 10])
    naive = NaiveTerms(
        rng.choice([0, 1, 20]), rng.randint(1, 5), rng.randint(10, 40), window, window * rng.randint(1, 4)
    )
    time, price, rows = 0, naive.start, []
    for _ in range(rng.randint(2, 60)):
        time += rng.choice([0, 0, 1, 1, 2, 5])
        price = max(0, price + rng.randint(-3, 6))
        rows.append((rng.choice(names), price, time))
    rows[:2] = [(name, *row[1:]) for name, row in zip(names[:2], rows[:2], strict=True)]  # enough of them to open
    market = terms_of(
        LotDescription(
            "lot",
            "Lot",
            "credits",
            naive.start,
            increment=Fixed(naive.step),
            duration_ns=naive.duration * SECOND_NS,
            soft_close_window_ns=naive.window * SECOND_NS,
            max_extension_ns=naive.longest * SECOND_NS,
            min_bidders=2,
        )
    )
    replayed = replay("lot", tape(*rows, currency="credits"), market)
    winner, price_minor, heard = hold(naive, rows)
    assert (replayed.winner, replayed.price_minor) == (winner, price_minor)
    assert [judged.refusal is None for judged in replayed.bids] == heard
