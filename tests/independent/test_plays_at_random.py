"""Long plays at random, from a seed: after every entry both programs are in one state, whatever was said."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest

from auctionctl.auction.phase import Stage
from auctionctl.auction.rules import Cancellation, Disconnection, OnDefault, PauseRules, PaymentRules
from auctionctl.auction.terms import SECOND_NS
from auctionctl.cli.manual.log_bodies import OF_AUCTIONS

SEEDS = 150
MANY_SEEDS = 5_000


class Played(NamedTuple):
    """The log that came of a seed, and where the auction then stood."""

    seed: int
    book: Any
    stands: str


def rules_of(chance: random.Random) -> dict[str, Any]:
    """Terms under which much happens."""
    often, long, each_often, each_long = (chance.choice(few) for few in ((1, 3, 9), (5, 40), (0, 1, 3), (3, 12)))
    on_default = chance.choice([OnDefault.REVERT, OnDefault.OFFER, OnDefault.OFFER])
    offer_ns = chance.choice([6, 20]) * SECOND_NS if on_default is OnDefault.OFFER else 0
    payment = PaymentRules(chance.choice([15, 60]) * SECOND_NS, chance.choice([0, 8]) * SECOND_NS, on_default, offer_ns)
    return {
        "pauses": PauseRules(
            chance.choice(list(Disconnection)), often, long * SECOND_NS, each_often, each_long * SECOND_NS
        ),
        "payment": payment if chance.random() < 0.9 else PaymentRules(),
        "cancellation": chance.choice(list(Cancellation)),
        "min_bidders": chance.choice([1, 2, 2, 3]),
        "duration_ns": chance.choice([10, 25]) * SECOND_NS,
        "reserve_minor": chance.choice([None, None, 1_300]),
        "soft_close_window_ns": 4 * SECOND_NS,
        "max_extension_ns": 9 * SECOND_NS,
    }


def bidding(chance: random.Random, plays: Any) -> tuple[Any, ...]:
    """Something that happens while there is bidding."""
    bidder = chance.choice([plays.ANN, plays.BEN, plays.CLEO])
    rare = chance.choice(
        ["pause", "resume", "resume", "stall", "restart", "lose"] + ["cancel"] * (chance.random() < 0.6)
    )
    who = plays.OTTO if rare in {"pause", "resume", "cancel"} else chance.randint(1, 4)
    return chance.choice(
        [
            ("bid", bidder),
            ("bid", bidder),
            ("bid", bidder),
            ("join", bidder),
            ("leave", bidder),
            ("wait", chance.choice([1, 2, 5, 11])),
            (rare, who),
        ]
    )


def dealing(chance: random.Random, plays: Any) -> tuple[Any, ...]:
    """Something that happens while a sale is settled."""
    bidder, seller = chance.choice([plays.ANN, plays.BEN, plays.CLEO]), chance.choice([plays.SUE, plays.OTTO])
    odd = chance.choice(["settle", "reject_payment", "offer", "pay", "accept", "decline", "join", "leave"])
    return chance.choice(
        [("proceed", chance.randrange(60))] * 4
        + [("wait", chance.choice([1, 3, 9])), ("join", bidder)]
        + [(odd, seller if odd in {"settle", "reject_payment", "offer"} else bidder)]
        + [(chance.choice(["stall", "restart", "lose"]), chance.randint(1, 9))]
    )


def play(seed: int, staging: Any, plays: Any, book_of: Any) -> Played:
    chance, stage = random.Random(seed), staging.Stage()
    plays.enter(stage)
    auction = stage.announce(**rules_of(chance))
    steps = [("join", plays.ANN), ("join", plays.BEN), ("join", plays.CLEO)]
    if chance.random() < 0.5:
        steps += [("bid", who) for who in (plays.ANN, plays.BEN, plays.CLEO, plays.ANN)] + [("wait", 30)]
    else:
        steps += [bidding(chance, plays) for _ in range(chance.randint(4, 25))] + [("wait", 15)]
    steps += [dealing(chance, plays) for _ in range(chance.randint(4, 25))]
    for what, who in steps:
        state = stage.log(auction).auction
        if what == "proceed":
            plays.proceed(stage, staging, auction, who)
        elif what == "bid":
            plays.do(stage, staging, [auction], (what, who, state.minimum_minor + chance.choice([-1, 0, 0, 100])))
        else:
            plays.do(stage, staging, [auction], (what, who))
    stage.after(chance.choice([0, 0, 60 * SECOND_NS]))
    return Played(seed, book_of(stage, auction), str(stage.log(auction).auction.whereabouts))


@pytest.fixture(scope="module")
def played(staging: Any, plays: Any, book_of: Any) -> list[Played]:
    return [play(seed, staging, plays, book_of) for seed in range(SEEDS)]


def hold_together(log: Played, states: Any, rules: Any) -> int:
    """After every entry both programs are in one state; how many entries those were."""
    pair = states.Pair(log.book.house.identity.signing, log.book.auction, rules)
    for index, data in enumerate(log.book.entries):
        assert not pair.put(data), (log.seed, index)
    return len(log.book.entries)


def test_after_every_entry_both_are_in_one_state(
    played: list[Played], states: Any, rules: Any, say_at_the_end: Callable[[str], None]
) -> None:
    entries = sum(hold_together(log, states, rules) for log in played)
    say_at_the_end(f"independent verifier: {len(played)} plays at random, {entries} entries, one state after each")


@pytest.mark.soak
@pytest.mark.timeout(3_600)
def test_after_every_entry_of_many_plays_both_are_in_one_state(
    staging: Any, plays: Any, book_of: Any, *, states: Any, rules: Any
) -> None:
    for seed in range(SEEDS, MANY_SEEDS):
        hold_together(play(seed, staging, plays, book_of), states, rules)


def test_whatever_is_done_to_them_both_say_the_same(
    played: list[Played], judge: Any, forging: Any, staging: Any
) -> None:
    for log in played:
        chance, house = random.Random(log.seed), log.book.house.identity
        judge(log.book.file(), house)
        for _ in range(8):
            judge(forging.tampered(log.book, staging, chance), house)


def test_the_plays_go_everywhere(played: list[Played]) -> None:
    kinds = Counter(kind for log in played for kind in set(log.book.kinds()))
    stands = Counter(log.stands for log in played)
    # A house of one instance takes nothing over: every beginning of a log with that is in test_next_entries.py.
    assert set(kinds) == {*OF_AUCTIONS} - {"takeover"}
    assert min(kinds.values()) >= 5, kinds
    assert set(stands) == {*map(str, Stage), "open", "paused", "closed"}
