"""Limits that are changed at one instance of a house hold at all, soon; the store is over a stream in memory."""

from __future__ import annotations

import select
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from auctionctl.auction.terms import SECOND_NS
from auctionctl.errors import ConfigurationError, StoreBrokenError, TermsError
from auctionctl.house.condition import LIMITS_DIFFER, LIMITS_UNSHARED
from auctionctl.house.limits import Limits
from auctionctl.house.shared_limits import RATES, part_of
from auctionctl.net.admission_news import LimitsDiffer, LimitsTaken
from auctionctl.net.control import receive_control
from auctionctl.net.house_store import MAX_AUCTIONS
from auctionctl.net.house_words import decode_from_child
from auctionctl.net.limiting import AGAIN_NS, Limiting, LimitsSeen, SharedLimiting
from auctionctl.store.cluster_signs import Shared
from auctionctl.store.cluster_store import ClusterStore

LOOK_NS = SECOND_NS // 4
BEGUN = Limits(max_concurrent_auctions=100, bids_per_s=60, bids_burst=120)
ROOMY = replace(BEGUN, max_auctions_a_seller=50, max_openings_an_hour=50)


class Machine:
    """An instance's limits, over the instance of its name in the company, and what its supervisor hears."""

    def __init__(self, stack: ExitStack, company: Any, name: str, directory: Path) -> None:
        self._stack, self._company, self.name, self._directory = stack, company, name, directory
        directory.mkdir()
        self.house = company[name].house
        self.begin(BEGUN)

    def begin(self, limits: Limits, *, is_first: bool = True) -> None:
        """Its process is started, the first of its supervisor or a later one; its settings say these limits."""
        self._ours, theirs = map(self._stack.enter_context, socket.socketpair())
        self.house.limits = limits
        store = self._company[self.name].store
        self.limiting = SharedLimiting(theirs, self.house, store, limits, LimitsSeen(self._directory))
        if is_first:
            self.limiting.compare()

    def heard(self) -> list[Any]:
        found = []
        while select.select([self._ours], [], [], 0.0)[0]:
            found.append(decode_from_child(receive_control(self._ours)[0]))
        return found

    @property
    def warnings(self) -> dict[str, str]:
        return dict(self.house.warnings.listed())


class World:
    """Instances with their limits; time passes for all."""

    def __init__(self, stack: ExitStack, company: Any, directory: Path) -> None:
        self._stack, self.company, self._directory = stack, company, directory
        self.machines: dict[str, Machine] = {}
        for name in company.instances:
            self.add(name)
        self.after(SECOND_NS)

    def add(self, name: str) -> Machine:
        machine = self.machines[name] = Machine(self._stack, self.company, name, self._directory / name)
        return machine

    def __getitem__(self, name: str) -> Machine:
        return self.machines[name]

    def after(self, duration_ns: int) -> None:
        for _ in range(duration_ns // LOOK_NS):
            self.company.after(LOOK_NS)
            for name, machine in self.machines.items():
                if name not in self.company.ended:
                    machine.limiting.look(self.company.now_ns)


@pytest.fixture
def world(company: Callable[..., Any], tmp_path: Path) -> Iterator[Callable[..., World]]:
    with ExitStack() as stack:
        yield lambda *names: World(stack, company(*names), tmp_path)


def test_a_change_at_one_instance_holds_at_all_within_a_second_each_of_which_takes_its_part(
    world: Callable[..., World],
) -> None:
    world = world("x", "y", "z")
    assert [each.house.limits for each in world.machines.values()] == [part_of(BEGUN, 3)] * 3
    for machine in world.machines.values():
        machine.heard()
    after = replace(BEGUN, max_concurrent_auctions=7, bids_per_s=90)
    world["x"].limiting.reload(after, world.company.now_ns)
    assert world["x"].house.limits == part_of(after, 3)
    world.after(SECOND_NS)
    assert [each.house.limits for each in world.machines.values()] == [part_of(after, 3)] * 3
    # Their supervisors have the gateways heed it; and whoever's settings say something else is told.
    part = replace(after, **{name: getattr(part_of(after, 3), name) for name in RATES})
    assert world["x"].heard() == [LimitsTaken(part)]
    here, house = {"max_concurrent_auctions": 100, "bids_per_s": 60}, {"max_concurrent_auctions": 7, "bids_per_s": 90}
    assert world["y"].heard() == [LimitsTaken(part), LimitsDiffer(here, house)]
    assert LIMITS_DIFFER not in world["x"].warnings
    assert "bids_per_s (60 here, 90 in force)" in world["y"].warnings[LIMITS_DIFFER]


def test_a_reload_that_changes_no_limit_undoes_none_that_was_changed_elsewhere(world: Callable[..., World]) -> None:
    world = world("x", "y")
    after = replace(BEGUN, bids_per_s=90)
    world["x"].limiting.reload(after, world.company.now_ns)
    world.after(SECOND_NS)
    world["y"].limiting.reload(BEGUN, world.company.now_ns)
    world["y"].limiting.reload(replace(BEGUN, bids_burst=10), world.company.now_ns)
    world.after(SECOND_NS)
    assert {each.house.limits for each in world.machines.values()} == {part_of(replace(after, bids_burst=10), 2)}
    # Once its settings say the same, there is nothing to warn of.
    world["y"].limiting.reload(replace(after, bids_burst=10), world.company.now_ns)
    assert world["y"].warnings == {}


def test_of_two_changes_at_once_both_hold_and_of_the_same_limit_the_later_one(world: Callable[..., World]) -> None:
    world = world("x", "y")
    world["x"].limiting.reload(replace(BEGUN, bids_per_s=90, bids_burst=9), world.company.now_ns)
    world["y"].limiting.reload(replace(BEGUN, bids_per_s=30, max_subscriptions=5), world.company.now_ns)
    world.after(SECOND_NS)
    wanted = part_of(replace(BEGUN, bids_per_s=30, bids_burst=9, max_subscriptions=5), 2)
    assert [each.house.limits for each in world.machines.values()] == [wanted] * 2


def test_at_a_start_the_limits_of_all_go_before_settings_that_have_not_changed(world: Callable[..., World]) -> None:
    world = world("x", "y")
    after = replace(BEGUN, bids_per_s=90)
    world["x"].limiting.reload(after, world.company.now_ns)
    world.after(SECOND_NS)
    world["y"].begin(BEGUN)
    world.after(SECOND_NS)
    assert [each.house.limits for each in world.machines.values()] == [part_of(after, 2)] * 2
    assert LIMITS_DIFFER in world["y"].warnings


def test_at_a_start_settings_that_were_changed_meanwhile_hold_for_all(world: Callable[..., World]) -> None:
    world = world("x", "y")
    after = replace(BEGUN, bids_per_s=90)
    world["y"].begin(after)
    world.after(SECOND_NS)
    assert [each.house.limits for each in world.machines.values()] == [part_of(after, 2)] * 2
    assert world["y"].warnings == {}


def test_a_new_instance_takes_the_limits_of_all_whatever_its_settings_say(world: Callable[..., World]) -> None:
    world = world("x")
    world.company.come("y")
    world.add("y").begin(replace(BEGUN, bids_per_s=1))
    world.after(SECOND_NS)
    assert [each.house.limits for each in world.machines.values()] == [part_of(BEGUN, 2)] * 2
    assert "bids_per_s (1 here, 60 in force)" in world["y"].warnings[LIMITS_DIFFER]


def test_parts_follow_the_number_of_instances_that_live(world: Callable[..., World]) -> None:
    world = world("x", "y", "z")
    assert world["x"].house.limits.bids_per_s == 20
    world.company.die("z")
    world.after(5 * SECOND_NS)
    assert [world[name].house.limits.bids_per_s for name in "xy"] == [30, 30]
    world.company.end("y")
    world.after(SECOND_NS)
    assert world["x"].house.limits == BEGUN
    world.company.come("v")
    world.add("v")
    world.after(LOOK_NS)
    assert world["x"].house.limits.bids_per_s == 30
    # One that comes does not know at once who is dead: until then it takes less than its part, not more.
    assert world["v"].house.limits.bids_per_s == 20
    world.after(2 * SECOND_NS)
    assert [world[name].house.limits.bids_per_s for name in "xv"] == [30, 30]


def test_a_change_for_which_there_is_no_room_is_not_in_force_and_is_made_later(world: Callable[..., World]) -> None:
    world = world("x", "y")
    after = replace(BEGUN, bids_per_s=90)
    world.company.link.is_full = True
    world["x"].limiting.reload(after, world.company.now_ns)
    assert world["x"].house.limits == part_of(BEGUN, 2)
    assert LIMITS_UNSHARED in world["x"].warnings
    world.company.link.is_full = False
    world.after(AGAIN_NS + SECOND_NS)
    assert [each.house.limits for each in world.machines.values()] == [part_of(after, 2)] * 2
    assert LIMITS_UNSHARED not in world["x"].warnings


def test_a_store_that_is_broken_is_not_taken_for_one_that_is_full(
    world: Callable[..., World], monkeypatch: pytest.MonkeyPatch
) -> None:
    world = world("x")

    def share(_self: ClusterStore, _text: bytes, _now_ns: int, _about: Shared) -> bool:
        raise StoreBrokenError("for the test", hint="")

    monkeypatch.setattr(ClusterStore, "share", share)
    with pytest.raises(StoreBrokenError):
        world["x"].limiting.reload(replace(BEGUN, bids_per_s=90), world.company.now_ns)


def test_auctions_are_counted_over_all_instances(world: Callable[..., World]) -> None:
    world = world("x", "y")
    company = world.company
    logs = [company.sell(f"lot-{number}") for number in range(6)]
    world.after(SECOND_NS)
    assert {company.holder(log) for log in logs} == {"x", "y"}
    world["y"].limiting.reload(replace(BEGUN, max_concurrent_auctions=6), company.now_ns)
    world.after(SECOND_NS)
    with pytest.raises(TermsError, match="this house holds 6 auctions, and its limit is 6"):
        company.sell("one-more")


def test_a_sellers_auctions_and_openings_are_counted_over_all_instances(
    world: Callable[..., World], staging: Any
) -> None:
    world = world("x", "y")
    company = world.company
    logs = [company.sell(f"lot-{number}") for number in range(6)]
    world.after(SECOND_NS)
    assert {company.holder(log) for log in logs} == {"x", "y"}
    registrar = next(each for each in company.instances.values() if each.part.announces())
    hello = company.people.hello(1, "sue", "seller")
    registrar.turn(company.now_ns, hello)
    for limits, words in (
        (replace(ROOMY, max_auctions_a_seller=6), "6 auctions of yours have not ended"),
        (replace(ROOMY, max_openings_an_hour=6), "you have opened 6 auctions within an hour"),
    ):
        world["y"].limiting.reload(limits, company.now_ns)
        world.after(SECOND_NS)
        terms = company.people.terms("sue", listing="one-more")
        request = staging.Request(1, staging.signer_of(terms), *terms)
        assert words in str(registrar.house.handle([request], company.now_ns))


def test_a_house_of_one_instance_has_the_limits_of_its_settings(world: Callable[..., World]) -> None:
    world = world("x")
    ours, theirs = socket.socketpair()
    with ours, theirs:
        limiting = Limiting(theirs, world["x"].house, is_in_cluster=True)
        limiting.reload(Limits(3, 4), 0)
        limiting.look(0)
        assert world["x"].house.limits == Limits(3, 4)
        assert decode_from_child(receive_control(ours)[0]) == LimitsTaken(Limits(3, 4))
        with pytest.raises(ConfigurationError, match="max_concurrent_auctions"):
            limiting.check(Limits(MAX_AUCTIONS + 1))


def test_what_was_seen_last_is_there_at_the_next_start_and_a_damaged_file_is_none(tmp_path: Path) -> None:
    LimitsSeen(tmp_path).keep({"bids_per_s": 5})
    assert LimitsSeen(tmp_path).read() == {"bids_per_s": 5}
    for damaged in (b"?", b'{"\xff":1}', b'{"bids_per_s":"\xff"}'):
        (tmp_path / "limits").write_bytes(damaged)
        assert LimitsSeen(tmp_path).read() == {}
    with pytest.raises(FileNotFoundError):
        LimitsSeen(tmp_path / "nowhere").keep({"bids_per_s": 5})


def test_a_process_that_dies_in_a_reload_takes_back_nothing_of_it(world: Callable[..., World]) -> None:
    """Its supervisor starts it with the settings of before, and has the reload made again."""
    world = world("x", "y")
    before, after = BEGUN, replace(BEGUN, bids_per_s=90)
    world["x"].limiting.reload(after, world.company.now_ns)
    world["x"].begin(before, is_first=False)
    world.after(SECOND_NS)
    assert world["y"].house.limits == part_of(after, 2)
    world["y"].limiting.reload(replace(BEGUN, bids_per_s=70), world.company.now_ns)
    world.after(SECOND_NS)
    world["x"].limiting.reload(after, world.company.now_ns)
    world.after(SECOND_NS)
    assert world["x"].house.limits == part_of(replace(BEGUN, bids_per_s=70), 2), "that had changed before"


def test_settings_that_cannot_be_remembered_are_warned_of_until_they_can(world: Callable[..., World]) -> None:
    world = world("x", "y")
    directory = world["x"].limiting._seen.path.parent
    away = directory.rename(directory.with_name("away"))
    world["x"].limiting.reload(replace(BEGUN, bids_per_s=90), world.company.now_ns)
    assert "cannot be written (no such file or directory)" in world["x"].warnings[LIMITS_UNSHARED]
    away.rename(directory)
    world.after(AGAIN_NS + SECOND_NS)
    assert LIMITS_UNSHARED not in world["x"].warnings
    assert LimitsSeen(directory).read()["bids_per_s"] == 90
