"""A window shows what a replica of the same log would show to the same bidder."""

from __future__ import annotations

import pytest
from markets import group, plan

from auctionctl.bidding.outlook import look
from auctionctl.bidding.strategy import AuctionView, Wait
from auctionctl.bidding.tape import BidTape
from auctionctl.market import market
from auctionctl.market.market import Market
from auctionctl.market.values import Uniform
from auctionctl.market.window import Place, Taken, Window


def test_from_next_door_it_shows_at_every_look_what_the_rules_say(monkeypatch: pytest.MonkeyPatch) -> None:
    tape, looks = BidTape(), []
    see, view = Window.take, Window.view

    def take(self: Window, taken: Taken) -> None:
        tape.add(taken.place.key, taken.bid.amount_minor, taken.time_ns)
        see(self, taken)

    def compare(self: Window, place: Place) -> AuctionView:
        shown = view(self, place)
        auction = held._lots[self.auction].floor.auction
        expected = look(auction, place.key, tape, place.bidder.experience, 0)
        for name in AuctionView.__struct_fields__:
            if name != "tape":
                assert getattr(shown, name) == getattr(expected, name), name
        assert list(shown.tape.recent) == list(tape.recent)
        looks.append(shown)
        return shown

    monkeypatch.setattr(market.Window, "take", take)
    monkeypatch.setattr(market.Window, "view", compare)
    held = Market(plan(group(count=3), soft_close_window_ns=299_900_000_000, max_extension_ns=10**12), 0)
    held.run()
    assert len(looks) > 50
    assert looks[-1].end_ns > looks[0].end_ns


def test_from_far_off_everything_is_seen_but_as_much_later() -> None:
    seen: dict[int, list[tuple[int, int]]] = {0: [], 200_000_000: []}

    class Watching:
        def __init__(self, latency_ns: int) -> None:
            self.latency_ns = latency_ns

        def decide(self, view: AuctionView, purse: object, now_ns: int, rng: object) -> Wait:
            if view.tape.recent:
                seen[self.latency_ns].append((view.bid_count, now_ns - view.tape.recent[-1].time_ns))
                assert view.price_minor == view.tape.recent[-1].amount_minor
            return Wait()

    watchers = [
        group(
            "w",
            1,
            name=f"w{latency_ns}",
            latency_ns=latency_ns,
            reaction_ns=(0, 0),
            make=lambda _, d=latency_ns: Watching(d),
        )
        for latency_ns in seen
    ]
    Market(plan(group(count=2), *watchers, values=Uniform(5_000, 6_000)), 0).run()
    assert {age_ns for _, age_ns in seen[0]} == {0}
    assert {age_ns for _, age_ns in seen[200_000_000]} == {200_000_000}
    assert [count for count, _ in seen[0]] == [count for count, _ in seen[200_000_000]]
    assert len(seen[0]) > 10
