"""Instances agree on who holds what, take nobody for dead on hearsay, and move nothing whose holder lives."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from auctionctl.house.instances import DEAF_NS, LEASE_NS, TURN_NS, Heard, Instances

S = 1_000_000_000
LOGS = [f"auction/{number:064x}" for number in range(600)]


class Seen:
    """One observer, and what signs come to it."""

    def __init__(self, name: str = "one") -> None:
        self.now_ns = 100 * S
        self.number = 0
        self.instances = Instances(name, self.now_ns)
        self._signs: dict[str, Heard] = {}

    def sign(self, *names: str, holds: int = 0, is_deposed: bool = False) -> None:
        for name in names:
            self.number += 1
            self._signs[name] = Heard(name, self.number, f"{name}:1", holds, is_deposed)
        self.hear()

    def hear(self) -> None:
        self.instances.hear(self._signs.values(), self.number, self.now_ns)

    def wait(self, seconds: float, *living: str) -> None:
        """Time passes, and each of ``living`` signs each half second."""
        for _ in range(int(seconds * 2)):
            self.now_ns += S // 2
            self.sign(*living)

    def living(self) -> set[str]:
        return {each.name for each in self.instances.all(self.now_ns) if each.is_alive}


def test_an_instance_lives_until_it_has_not_been_heard_for_its_lease() -> None:
    seen = Seen()
    seen.sign("one", "two", "three")
    seen.wait(LEASE_NS / S, "one", "three")
    assert seen.living() == {"one", "two", "three"}
    assert seen.instances.endpoint_of("two", seen.now_ns) == "two:1"
    seen.wait(0.5, "one", "three")
    assert seen.living() == {"one", "three"}
    assert seen.instances.endpoint_of("two", seen.now_ns) == ""
    seen.sign("two")
    assert seen.living() == {"one", "two", "three"}


def test_whoever_is_deposed_is_dead_at_once_until_it_signs_again() -> None:
    seen = Seen()
    seen.sign("one", "two")
    seen.sign("two", is_deposed=True)
    assert seen.living() == {"one"}
    seen.sign("two")
    assert seen.living() == {"one", "two"}


def test_whoever_hears_nothing_at_all_takes_nobody_for_dead() -> None:
    seen = Seen()
    seen.sign("one", "two")
    seen.now_ns += 60 * S
    seen.hear()
    assert seen.instances.due({LOGS[0]: "two"}, seen.now_ns) == []
    # It hears itself again: the others have their lease from now on.
    seen.sign("one")
    assert seen.living() == {"one", "two"}
    assert seen.instances.due({LOGS[0]: "two"}, seen.now_ns) == []
    seen.wait(LEASE_NS / S + 0.5, "one")
    assert seen.instances.due({LOGS[0]: "two"}, seen.now_ns) == LOGS[:1]
    assert DEAF_NS < LEASE_NS


def test_whoever_could_not_have_signed_has_its_whole_lease_again() -> None:
    seen = Seen()
    seen.sign("one", "two")
    seen.wait(LEASE_NS / S, "one")
    seen.instances.excuse(seen.now_ns)
    seen.wait(LEASE_NS / S, "one")
    assert seen.living() == {"one", "two"}
    seen.wait(0.5, "one")
    assert seen.living() == {"one"}


def test_all_that_live_agree_on_who_claims_each_log_of_one_that_died() -> None:
    observers = [Seen(name) for name in ("one", "two", "three")]
    holders = dict.fromkeys(LOGS, "four")
    for seen in observers:
        seen.sign("one", "two", "three", "four")
        assert seen.instances.due(holders, seen.now_ns) == []
        seen.wait(LEASE_NS / S + 0.5, "one", "two", "three")
    claimed = [seen.instances.due(holders, seen.now_ns) for seen in observers]
    assert sorted(log for logs in claimed for log in logs) == LOGS
    assert all(len(logs) > len(LOGS) // 5 for logs in claimed)


def test_where_the_chosen_one_does_nothing_the_next_one_claims() -> None:
    seen = Seen()
    seen.sign("one", "two")
    holders = dict.fromkeys(LOGS, "dead")
    mine = seen.instances.due(holders, seen.now_ns)
    assert 0 < len(mine) < len(LOGS)
    seen.wait(TURN_NS / S - 0.5, "one", "two")
    assert seen.instances.due(holders, seen.now_ns) == mine
    seen.wait(0.5, "one", "two")
    assert seen.instances.due(holders, seen.now_ns) == LOGS


def test_what_is_said_to_be_its_own_is_its_to_claim_and_what_a_living_one_has_is_not() -> None:
    seen = Seen()
    seen.sign("one", "two", holds=500)
    holders = {LOGS[0]: "one", LOGS[1]: "two"}
    assert seen.instances.due(holders, seen.now_ns) == [LOGS[0]]


def test_whoever_ends_gives_to_another_that_lives() -> None:
    seen = Seen()
    seen.sign("one")
    assert seen.instances.choose_other(LOGS[0], seen.now_ns) is None
    seen.sign("two")
    assert seen.instances.choose_other(LOGS[0], seen.now_ns) == "two"


def test_the_loaded_are_chosen_less() -> None:
    seen = Seen()
    seen.sign("one", holds=0)
    seen.sign("two", holds=300)
    chosen = Counter(seen.instances.choose(log, seen.now_ns) for log in LOGS)
    assert chosen["one"] > 1.5 * chosen["two"]
    assert chosen["two"] > 0


def test_one_that_comes_is_noticed_once_and_gets_an_even_share_of_what_the_others_have() -> None:
    seen = Seen()
    seen.sign("one", "two", holds=300)
    assert seen.instances.arrived(seen.now_ns) == set()
    seen.sign("three")
    assert seen.instances.arrived(seen.now_ns) == {"three"}
    assert seen.instances.arrived(seen.now_ns) == set()
    shares = Counter(seen.instances.choose_evenly(log, seen.now_ns) for log in LOGS)
    assert all(150 < shares[name] < 250 for name in ("one", "two", "three"))
    # One that dies and comes back is another one that comes.
    seen.wait(LEASE_NS / S + 0.5, "one", "two")
    assert seen.instances.arrived(seen.now_ns) == set()
    seen.sign("three")
    assert seen.instances.arrived(seen.now_ns) == {"three"}


@given(st.sets(st.sampled_from("abcdefgh"), min_size=2), st.integers(0, len(LOGS) - 1))
def test_one_that_dies_moves_no_choice_of_the_others(names: set[str], number: int) -> None:
    def chosen(living: set[str]) -> str:
        seen = Seen(min(living))
        seen.sign(*sorted(living))
        return seen.instances.choose(LOGS[number], seen.now_ns)

    first = chosen(names)
    for gone in names - {first}:
        assert chosen(names - {gone}) == first
