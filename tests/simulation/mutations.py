"""Bugs, put into the real code on purpose: each is one that a house could well have, and that must not go unseen.

Rule: a mutation changes one decision of the product and nothing of the simulator; what then happens is up to the seeds.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import pytest
from msgspec.structs import replace

from auctionctl.auction.auction import Auction
from auctionctl.auction.bid import decode_bid
from auctionctl.auction.events import GapCause
from auctionctl.auction.formats.english import English
from auctionctl.auction.rejection import Refusal
from auctionctl.house.auction_log import AuctionLog
from auctionctl.house.effects import Effect
from auctionctl.house.house import House
from auctionctl.replica import conduct, reputation
from auctionctl.replica.conduct import Deeds
from auctionctl.wire.frames import message_type

Mutation = Callable[[pytest.MonkeyPatch], None]


def release_before_append(patch: pytest.MonkeyPatch) -> None:
    """The house answers a batch as soon as it has decided it, and lets it become durable afterwards."""

    commit = House._commit

    def release_and_commit(house: House) -> list[Effect]:
        effects = commit(house)
        if not house._in_flight:
            return effects
        released = house.committed()
        house._in_flight = True
        return [*released, *effects]

    patch.setattr(House, "_commit", release_and_commit)


def skipped_gap(patch: pytest.MonkeyPatch) -> None:
    """A restart is not worth a gap."""
    append_gaps: Any = House._append_gaps

    def append_no_restart(house: House, *arguments: Any) -> None:
        if GapCause.RESTART not in arguments and getattr(arguments[0], "cause", None) is not GapCause.RESTART:
            append_gaps(house, *arguments)

    patch.setattr(House, "_append_gaps", append_no_restart)


def dropped_dedupe(patch: pytest.MonkeyPatch) -> None:
    """No command is recognised when it comes again, and nothing but the price stands in its way."""
    decide_bid, decide_join = Auction.decide_bid, Auction.decide_join

    def decide_any_bid(auction: Auction, bid: Any, now_ns: int) -> Refusal | None:
        seq = auction.seqs.pop(bid.bidder, 0)
        try:
            return decide_bid(auction, bid, now_ns)
        finally:
            if seq:
                auction.seqs[bid.bidder] = seq

    def decide_any_join(auction: Auction, join: Any, now_ns: int) -> Refusal | None:
        refusal = decide_join(auction, join, now_ns)
        return None if refusal is not None and refusal.code in ("already_joined", "join_repeated") else refusal

    patch.setattr(AuctionLog, "owe_again", lambda *_: False)
    patch.setattr(Auction, "decide_bid", decide_any_bid)
    patch.setattr(Auction, "decide_join", decide_any_join)


def forgotten_commands(patch: pytest.MonkeyPatch) -> None:
    """A restarted house does not know which commands its logs hold."""
    rebuild = house_module_rebuild()

    def rebuild_without(*arguments: Any) -> AuctionLog:
        log = rebuild(*arguments)
        log.commands = {log.id: 0}
        return log

    patch.setattr("auctionctl.net.stored_logs.rebuild", rebuild_without)


def house_module_rebuild() -> Callable[..., AuctionLog]:
    """The real one."""
    from auctionctl.house.recovery import rebuild

    return rebuild


def wrong_tie_rule(patch: pytest.MonkeyPatch) -> None:
    """Of two equal bids the later one wins."""
    refuse = English.refuse

    def refuse_lower(english: English, rules: Any, standing: Any, bidder: bytes, amount_minor: int) -> Any:
        refusal = refuse(english, rules, standing, bidder, amount_minor)
        is_equal = standing is not None and amount_minor == standing.price_minor and bidder != standing.leader
        return None if is_equal else refusal

    patch.setattr(English, "refuse", refuse_lower)


def reordered_batch(patch: pytest.MonkeyPatch) -> None:
    """A batch is judged in the order of the times that its bidders claim."""
    handle = House.handle

    def handle_by_claim(house: House, requests: Any, now_ns: int) -> list[Effect]:
        def claimed(request: Any) -> int:
            return decode_bid(request.body).placed_at_ns if message_type(request.body) == "bid" else 0

        return handle(house, sorted(requests, key=claimed), now_ns)

    patch.setattr(House, "handle", handle_by_claim)


def time_read_twice(patch: pytest.MonkeyPatch) -> None:
    """What is due is judged a little later than the bids of the same batch: the clock was read a second time for it."""
    run_due = House._run_due
    patch.setattr(House, "_run_due", lambda house, now_ns: run_due(house, now_ns + 5_000_000))


def forgotten_default(patch: pytest.MonkeyPatch) -> None:
    """Whoever did not pay is said to have bought nothing, by the house and by all who check its word."""

    def deeds_but_defaults(*arguments: Any) -> tuple[Deeds, ...]:
        deeds = conduct.deeds_of(*arguments)
        return tuple(replace(each, won=0, defaulted=0, stood=1) if each.defaulted else each for each in deeds)

    patch.setattr("auctionctl.house.reputation.deeds_of", deeds_but_defaults)
    patch.setattr("auctionctl.replica.audit.deeds_of", deeds_but_defaults)


def default_counted_twice(patch: pytest.MonkeyPatch) -> None:
    """A default costs double."""
    points_of = reputation.points_of

    def points_and_again(deeds: Deeds) -> reputation.Points:
        good, bad = points_of(deeds)
        return reputation.Points(good, bad + reputation.DEFAULTED_POINTS * deeds.defaulted)

    patch.setattr(reputation, "points_of", points_and_again)


def second_key(patch: pytest.MonkeyPatch) -> None:
    """Whoever has put a new key in the place of its own takes part under both."""
    patch.setattr("auctionctl.house.authority.is_here_already", lambda *_: False)


MUTATIONS: Final[dict[str, Mutation]] = {
    "release before append": release_before_append,
    "skipped gap": skipped_gap,
    "dropped dedupe": dropped_dedupe,
    "commands forgotten at a restart": forgotten_commands,
    "wrong tie rule": wrong_tie_rule,
    "batch reordered by claimed time": reordered_batch,
    "time read twice": time_read_twice,
    "default forgotten": forgotten_default,
    "default counted twice": default_counted_twice,
    "two keys of one bidder": second_key,
}
"""What it is called → what it does."""
