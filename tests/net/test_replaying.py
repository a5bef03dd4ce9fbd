"""Several processes replay to what one does, and one that is lost, or stands still, costs nothing but time."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from typing import Any

import pytest

from auctionctl.auction.terms import SECOND_NS
from auctionctl.house.recovery import Replayed
from auctionctl.keys.allowlist import AllowList, Entry
from auctionctl.keys.signing import SecretKey
from auctionctl.net import replaying
from auctionctl.net.filling import fill
from auctionctl.net.replaying import WORTH_ENTRIES, Outcome, Replayer, count_replayers, outcome_of, replay_all
from auctionctl.replica.registry import REGISTRY
from auctionctl.store.memory import MemoryStore

HOUSE = SecretKey(b"h" * 32)
BIDDERS = [SecretKey(bytes([number]) * 32) for number in (1, 2)]
ALLOWED = AllowList((n, Entry(key.identity, f"bidder{n}", "bidder")) for n, key in enumerate(BIDDERS, 1))
ENTRIES = 6_000


@pytest.fixture(scope="module")
def store() -> MemoryStore:
    store = MemoryStore()
    fill(
        store,
        HOUSE,
        BIDDERS,
        allowed=ALLOWED,
        entries=ENTRIES,
        now_ns=1_767_225_600 * SECOND_NS,
        on_progress=lambda done, total: None,
    )
    return store


def sizes_of(store: MemoryStore) -> list[tuple[str, int]]:
    return [each for each in store.logs() if each[0] != REGISTRY]


def plain(outcome: Outcome) -> Any:
    """Everything in an outcome, in a form that can be compared."""
    if isinstance(outcome, str):
        return outcome
    assert set(Replayed.__struct_fields__) == {"terms_entry", "auction", "tree", "commands", "times_ns"}
    auction, tree = outcome.auction, outcome.tree
    state = {name: getattr(auction, name) for name in type(auction).__slots__ if name != "_format"}
    leaves = [tree.leaf(index) for index in range(tree.size)]
    proofs = [tree.inclusion(index) for index in range(0, tree.size, 97)]
    return (
        outcome.terms_entry,
        state,
        type(auction._format),
        leaves,
        proofs,
        tree.root(),
        outcome.commands,
        outcome.times_ns,
    )


def alone(store: MemoryStore) -> dict[str, Any]:
    house = HOUSE.identity.signing
    return {name: plain(outcome_of(house, name, store.read(name))) for name, _ in sizes_of(store)}


def together(store: MemoryStore, replayers: int, read: Any = None) -> dict[str, Any]:
    outcomes = replay_all(HOUSE.identity.signing, sizes_of(store), read or store.read, replayers)
    return {name: plain(outcome) for name, outcome in outcomes.items()}


@pytest.mark.parametrize("replayers", [0, 1, 2])
def test_several_processes_come_to_the_state_that_one_comes_to(store: MemoryStore, replayers: int) -> None:
    assert together(store, replayers) == alone(store)


def test_what_another_process_says_is_what_the_house_would(store: MemoryStore) -> None:
    waiting = [name for name, _ in sizes_of(store)][-3:]
    expected, found = alone(store), {}
    names = list(waiting)
    replayer = Replayer(
        HOUSE.identity.signing, lambda: (name, store.read(name)) if names and (name := names.pop()) else None
    )
    try:
        while len(found) < len(waiting):
            found.update({name: plain(outcome) for name, outcome in replayer.feed()})
    finally:
        replayer.close()
    assert found == {name: expected[name] for name in waiting}


def damaged(store: MemoryStore, broken: str) -> Any:
    def read(name: str) -> Iterator[bytes]:
        for index, data in enumerate(store.read(name)):
            yield b"nonsense" if name == broken and index == 5 else data

    return read


@pytest.mark.parametrize("place", [0, 1, -1])
def test_a_log_that_does_not_hold_is_named_whoever_replays_it(store: MemoryStore, place: int) -> None:
    broken = sizes_of(store)[place][0]
    found = together(store, 1, damaged(store, broken))
    assert found.pop(broken).startswith("entry 5: entry")
    expected = alone(store)
    del expected[broken]
    assert found == expected


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP])
def test_a_process_that_is_lost_or_stands_still_leaves_its_share_to_the_house(
    store: MemoryStore, number: signal.Signals, monkeypatch: pytest.MonkeyPatch
) -> None:
    spawn, pids = replaying.spawn, []

    def struck(kind: str) -> Any:
        child = spawn(kind)
        pids.append(child.process.pid)
        os.kill(child.process.pid, number)
        return child

    monkeypatch.setattr(replaying, "spawn", struck)
    assert together(store, 2) == alone(store)
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


def test_no_process_stays_when_reading_fails(store: MemoryStore, monkeypatch: pytest.MonkeyPatch) -> None:
    spawn, pids = replaying.spawn, []

    def noted(kind: str) -> Any:
        child = spawn(kind)
        pids.append(child.process.pid)
        return child

    def read(name: str) -> Iterator[bytes]:
        raise OSError("the disk")
        yield

    monkeypatch.setattr(replaying, "spawn", noted)
    with pytest.raises(OSError, match="the disk"):
        together(store, 1, read)
    with pytest.raises(ProcessLookupError):
        os.kill(pids[0], 0)


def test_others_help_where_there_is_enough_to_do_and_a_core_to_do_it_on() -> None:
    assert count_replayers(WORTH_ENTRIES - 1, 16, cores=4) == 0
    assert count_replayers(WORTH_ENTRIES, 16, cores=1) == 0
    assert count_replayers(WORTH_ENTRIES, 16, cores=2) == 1
    assert count_replayers(WORTH_ENTRIES, 1, cores=8) == 0
    assert count_replayers(WORTH_ENTRIES, 16, cores=64) == replaying.MAX_REPLAYERS
    assert count_replayers(WORTH_ENTRIES, 0, cores=2) == 0
