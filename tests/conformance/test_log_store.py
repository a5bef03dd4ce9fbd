"""One suite over all back ends: each sentence of the contract in ``auctionctl/store/log_store.py`` is a test here.

The cluster is a real one, of three servers that sync all that they acknowledge.
"""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test
from nats_cluster import Cluster

from auctionctl.errors import SizeConflictError, StoreError
from auctionctl.store.cluster_store import ClusterStore
from auctionctl.store.log_store import ENTRY_BYTES_MAX, NAME_CHARACTERS_MAX, TIME_NS_MAX, Append, LogStore
from auctionctl.store.memory import MemoryStore
from auctionctl.store.sqlite import SqliteStore

A = "auction/" + "a" * 64
B = "auction/" + "b" * 64


@dataclass(frozen=True)
class BackEnd:
    """``examples`` are how many sequences of calls are tried; a cluster takes milliseconds for each call."""

    name: str
    open: Callable[[Path, Cluster | None], LogStore]
    examples: int = 60


def house_of(directory: Path) -> str:
    """The house whose streams take the place of ``directory``."""
    return sha256(bytes(directory)).hexdigest()


def open_cluster(directory: Path, cluster: Cluster | None) -> LogStore:
    assert cluster is not None
    return ClusterStore(cluster.address, house_of(directory))


MEMORY = BackEnd("memory", lambda _directory, _cluster: MemoryStore())
SQLITE = BackEnd("sqlite", lambda directory, _cluster: SqliteStore(directory / "state", ballast_target_bytes=0))
CLUSTER = BackEnd("cluster", open_cluster, examples=6)
DURABLE = [SQLITE, CLUSTER]
ALL = [MEMORY, *DURABLE]


class Opened:
    """A store that can be closed and opened again over the same directory."""

    def __init__(self, back_end: BackEnd, directory: Path, cluster: Cluster | None) -> None:
        self._open = back_end.open
        self._directory = directory
        self._cluster = cluster
        self.store = self._open(directory, cluster)

    def reopen(self) -> LogStore:
        self.store.close()
        self.store = self._open(self._directory, self._cluster)
        return self.store

    def end(self) -> None:
        self.store.close()
        if isinstance(self.store, ClusterStore):
            assert self._cluster is not None
            self._cluster.forget(house_of(self._directory))


def cluster_of(request: pytest.FixtureRequest, back_end: BackEnd) -> Cluster | None:
    return request.getfixturevalue("cluster") if back_end is CLUSTER else None


@pytest.fixture(params=ALL, ids=lambda back_end: back_end.name)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[LogStore]:
    opened = Opened(request.param, tmp_path, cluster_of(request, request.param))
    yield opened.store
    opened.end()


@pytest.fixture(params=DURABLE, ids=lambda back_end: back_end.name)
def durable(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Opened]:
    opened = Opened(request.param, tmp_path, cluster_of(request, request.param))
    yield opened
    opened.end()


def numbered(count: int, prefix: str = "") -> tuple[bytes, ...]:
    return tuple(f"{prefix}{index}".encode() for index in range(count))


def everything(store: LogStore) -> dict[str, list[bytes]]:
    return {name: list(store.read(name)) for name, _ in store.logs()}


def test_a_new_store_holds_nothing(store: LogStore) -> None:
    assert store.logs() == []
    assert store.size("registry") == 0
    assert list(store.read("registry")) == []
    assert store.last_alive_ns() is None


def test_entries_come_back_as_they_went_in_and_in_order(store: LogStore) -> None:
    entries = (b"", b"\x00", bytes(range(256)), b"\xff" * ENTRY_BYTES_MAX, "größer".encode())
    store.append([Append("registry", 0, entries)], 1)
    store.append([Append("registry", 5, (b"later",))], 2)
    assert list(store.read("registry")) == [*entries, b"later"]
    assert store.size("registry") == 6


@pytest.mark.parametrize("expected_size", [0, 2, 4, -1, 10**9])
def test_another_size_than_expected_is_a_conflict_and_appends_nothing(store: LogStore, expected_size: int) -> None:
    store.append([Append(A, 0, numbered(3))], 10)
    with pytest.raises(SizeConflictError) as caught:
        store.append([Append(A, expected_size, (b"lost",))], 20)
    assert (caught.value.log, caught.value.expected, caught.value.actual) == (A, expected_size, 3)
    assert everything(store) == {A: list(numbered(3))}
    assert store.last_alive_ns() == 10


def test_one_conflict_keeps_every_log_of_the_group_as_it_was(store: LogStore) -> None:
    store.append([Append(A, 0, numbered(2)), Append(B, 0, numbered(1))], 1)
    for order in itertools.permutations(
        [Append(A, 2, (b"good",)), Append(B, 7, (b"conflict",)), Append("registry", 0, (b"new",))]
    ):
        with pytest.raises(SizeConflictError):
            store.append(order, 2)
        assert everything(store) == {A: list(numbered(2)), B: list(numbered(1))}
        assert store.size("registry") == 0
    store.append([Append(A, 2, (b"good",)), Append(B, 1, (b"good",)), Append("registry", 0, (b"new",))], 3)
    assert store.logs() == [(A, 3), (B, 2), ("registry", 1)]


def test_a_log_may_come_twice_in_a_group_and_its_turns_follow_on_each_other(store: LogStore) -> None:
    store.append([Append(A, 0, numbered(2)), Append(B, 0, (b"b",)), Append(A, 2, (b"2",))], 1)
    assert everything(store) == {A: list(numbered(3)), B: [b"b"]}
    with pytest.raises(SizeConflictError) as caught:
        store.append([Append(A, 3, (b"3",)), Append(A, 3, (b"3 again",))], 2)
    assert caught.value.actual == 4
    assert store.size(A) == 3


def test_a_share_without_entries_checks_the_size_and_creates_no_log(store: LogStore) -> None:
    store.append([Append(A, 0, ())], 5)
    assert store.logs() == []
    assert store.last_alive_ns() == 5
    with pytest.raises(SizeConflictError):
        store.append([Append(A, 1, ())], 6)


def test_an_empty_group_says_that_the_house_is_alive(store: LogStore) -> None:
    store.append([], 7)
    assert store.last_alive_ns() == 7


def test_an_entry_over_the_bound_is_refused_with_its_group(store: LogStore) -> None:
    with pytest.raises(StoreError, match=f"{ENTRY_BYTES_MAX + 1} bytes for log {B}"):
        store.append([Append(A, 0, (b"fine",)), Append(B, 0, (b"", b"x" * (ENTRY_BYTES_MAX + 1)))], 1)
    assert store.logs() == []
    store.append([Append(A, 0, (b"fine",))], 1)


@pytest.mark.parametrize("name", ["", " ", "a b", "a\n", "nul\x00", "ü", "\ud800", "x" * (NAME_CHARACTERS_MAX + 1)])
def test_a_name_that_is_none_is_refused_and_the_store_goes_on(store: LogStore, name: str) -> None:
    with pytest.raises(StoreError, match="is no name"):
        store.append([Append("registry", 0, (b"good",)), Append(name, 0, (b"x",))], 1)
    with pytest.raises(StoreError, match="is no name"):
        store.claim(name, "one")
    with pytest.raises(StoreError, match="is no name"):
        store.claim("registry", name)
    assert store.logs() == []
    longest = "x" * NAME_CHARACTERS_MAX
    store.append([Append(longest, 0, (b"good",))], 1)
    assert store.size(longest) == 1


@pytest.mark.parametrize("now_ns", [-1, TIME_NS_MAX + 1])
def test_a_time_out_of_bounds_is_refused_and_the_store_goes_on(store: LogStore, now_ns: int) -> None:
    with pytest.raises(StoreError, match="out of bounds"):
        store.append([Append(A, 0, (b"x",))], now_ns)
    with pytest.raises(StoreError, match="out of bounds"):
        store.alive(now_ns)
    assert store.logs() == []
    assert store.last_alive_ns() is None
    store.append([Append(A, 0, (b"x",))], TIME_NS_MAX)
    assert store.last_alive_ns() == TIME_NS_MAX


@pytest.mark.parametrize("count", [0, 1, 255, 256, 257, 600])
def test_a_slice_is_what_a_list_would_give(store: LogStore, count: int) -> None:
    entries = numbered(count)
    for first in range(0, count, 100):
        share = entries[first : first + 100]
        # Two logs, so that neither lies in one piece.
        store.append([Append(A, first, share), Append(B, first, tuple(b"other" + entry for entry in share))], 1)
    for start in (0, 1, 99, 255, 256, 257, 599, 600, 601):
        assert list(store.read(A, start)) == list(entries[start:])
        for limit in (0, 1, 2, 256, 257, 10**9):
            assert list(store.read(A, start, limit)) == list(entries[start : start + limit])


@pytest.mark.parametrize(("start", "limit"), [(-1, None), (0, -1), (-5, 3)])
def test_a_negative_slice_is_refused_at_the_call(store: LogStore, start: int, limit: int | None) -> None:
    with pytest.raises(StoreError, match="negative"):
        store.read(A, start, limit)


def test_what_is_appended_during_a_read_is_not_part_of_it(store: LogStore) -> None:
    store.append([Append(A, 0, numbered(300))], 1)
    reading = store.read(A)
    seen = [next(reading)]
    store.append([Append(A, 300, (b"late",)), Append(B, 0, (b"b",))], 2)
    seen += reading
    assert seen == list(numbered(300))


def test_two_reads_at_once_do_not_disturb_each_other(store: LogStore) -> None:
    store.append([Append(A, 0, numbered(600, "a")), Append(B, 0, numbered(600, "b"))], 1)
    pairs = list(zip(store.read(A), store.read(B), strict=True))
    assert pairs == list(zip(numbered(600, "a"), numbered(600, "b"), strict=True))


def test_logs_are_listed_in_the_order_of_their_first_appends(store: LogStore) -> None:
    store.claim("claimed-first", "one")
    store.append([Append("z", 0, (b"",)), Append("y", 0, (b"",))], 1)
    store.append([Append("a", 0, (b"",)), Append("z", 1, (b"",))], 2)
    store.append([Append("claimed-first", 0, numbered(2))], 3)
    assert store.logs() == [("z", 2), ("y", 1), ("a", 1), ("claimed-first", 2)]


def test_each_claim_of_a_log_gets_the_next_epoch(store: LogStore) -> None:
    assert [store.claim(A, "one"), store.claim(A, "two"), store.claim(A, "two")] == [1, 2, 3]
    assert store.claim(B, "one") == 1
    assert store.logs() == []


def test_alive_never_goes_back(store: LogStore) -> None:
    store.alive(5)
    store.alive(3)
    assert store.last_alive_ns() == 5
    store.append([Append(A, 0, (b"x",))], 4)
    assert store.last_alive_ns() == 5
    store.append([Append(A, 1, (b"y",))], 6)
    assert store.last_alive_ns() == 6
    store.alive(6)
    assert store.last_alive_ns() == 6


def test_time_zero_is_a_time(store: LogStore) -> None:
    store.alive(0)
    assert store.last_alive_ns() == 0


def test_a_closed_store_does_nothing_but_close(store: LogStore) -> None:
    store.append([Append(A, 0, numbered(300))], 1)
    reading = store.read(A)
    list(itertools.islice(reading, 256))
    store.close()
    store.close()
    calls: list[Callable[[], object]] = [
        lambda: store.append([], 1),
        lambda: store.read(A),
        lambda: next(reading),
        lambda: store.size(A),
        store.logs,
        lambda: store.claim(A, "one"),
        lambda: store.alive(1),
        store.last_alive_ns,
    ]
    for call in calls:
        with pytest.raises(StoreError, match="closed"):
            call()


def test_everything_survives_closing_and_opening(durable: Opened) -> None:
    store = durable.store
    store.claim(B, "one")
    store.append([Append(B, 0, numbered(300, "b")), Append(A, 0, numbered(2, "a"))], 17)
    store.append([Append(A, 2, (b"a2",)), Append(B, 300, (b"b300",))], 18)
    before = (store.logs(), everything(store))
    store = durable.reopen()
    assert (store.logs(), everything(store)) == before
    assert store.last_alive_ns() == 18
    assert store.claim(B, "two") == 2
    with pytest.raises(SizeConflictError):
        store.append([Append(A, 2, (b"again",))], 19)
    store.append([Append("registry", 0, (b"r",)), Append(A, 3, (b"a3",))], 19)
    store = durable.reopen()
    assert store.logs() == [(B, 301), (A, 4), ("registry", 1)]
    assert list(store.read(A)) == [*numbered(2, "a"), b"a2", b"a3"]


def test_being_alive_survives_without_any_entry(durable: Opened) -> None:
    durable.store.alive(99)
    assert durable.reopen().last_alive_ns() == 99
    durable.store.alive(98)
    assert durable.reopen().last_alive_ns() == 99


def test_a_refused_group_leaves_no_trace_after_opening_again(durable: Opened) -> None:
    durable.store.append([Append(A, 0, (b"a",))], 1)
    with pytest.raises(SizeConflictError):
        durable.store.append([Append(B, 0, (b"b",)), Append(A, 0, (b"conflict",))], 2)
    store = durable.reopen()
    assert store.logs() == [(A, 1)]
    assert store.last_alive_ns() == 1


def test_a_removed_log_is_gone_and_the_others_are_as_they_were(store: LogStore) -> None:
    store.append([Append(A, 0, numbered(300)), Append(B, 0, numbered(3)), Append(A, 300, numbered(2))], 1)
    store.remove(A, 302)
    assert everything(store) == {B: list(numbered(3))}
    assert (store.size(A), list(store.read(A))) == (0, [])
    store.append([Append(B, 3, (b"more",))], 2)
    assert store.size(B) == 4


def test_a_log_of_another_size_is_not_removed(store: LogStore) -> None:
    store.append([Append(A, 0, numbered(3))], 1)
    for size in (0, 2, 4):
        with pytest.raises(SizeConflictError):
            store.remove(A, size)
    assert everything(store) == {A: list(numbered(3))}


def test_a_log_that_was_never_there_is_removed_in_vain(store: LogStore) -> None:
    store.remove(A, 0)
    assert store.logs() == []


def test_a_removed_log_can_begin_anew_and_its_epochs_go_on(store: LogStore) -> None:
    assert store.claim(A, "one") == 1
    store.append([Append(A, 0, numbered(3)), Append(B, 0, (b"b",))], 1)
    store.remove(A, 3)
    store.append([Append(A, 0, (b"anew",))], 2)
    assert store.logs() == [(B, 1), (A, 1)]
    assert list(store.read(A)) == [b"anew"]
    assert store.claim(A, "one") == 2


def test_what_was_removed_stays_away_after_reopening(durable: Opened) -> None:
    durable.store.append([Append(A, 0, numbered(5)), Append(B, 0, numbered(2, "b"))], 1)
    durable.store.remove(A, 5)
    store = durable.reopen()
    assert everything(store) == {B: list(numbered(2, "b"))}
    store.append([Append(A, 0, (b"anew",))], 2)
    assert everything(durable.reopen()) == {B: list(numbered(2, "b")), A: [b"anew"]}


class AgainstModel(RuleBasedStateMachine):
    """Any sequence of calls gives what dictionaries give. Subclasses say which back end."""

    back_end: BackEnd
    cluster: Cluster | None
    names = st.sampled_from(["registry", A, B])
    entries = st.lists(st.binary(max_size=40), max_size=5).map(tuple)
    times_ns = st.integers(0, 1000)

    def __init__(self) -> None:
        super().__init__()
        self.directory = tempfile.TemporaryDirectory()
        self.opened = Opened(self.back_end, Path(self.directory.name), self.cluster)
        self.entries_by_log: dict[str, list[bytes]] = {}
        self.epochs: dict[str, int] = {}
        self.alive_ns: int | None = None

    def teardown(self) -> None:
        self.opened.end()
        self.directory.cleanup()

    @rule(shares=st.lists(st.tuples(names, entries, st.integers(-1, 20).map(lambda n: n if n in (-1, 1) else 0)),
                          max_size=4), now_ns=times_ns)  # fmt: skip
    def append(self, shares: list[tuple[str, tuple[bytes, ...], int]], now_ns: int) -> None:
        after = {name: list(entries) for name, entries in self.entries_by_log.items()}
        group, conflict = [], False
        for name, entries, off_by in shares:
            group.append(Append(name, len(after.get(name, [])) + off_by, entries))
            conflict = conflict or off_by != 0
            if entries:
                after.setdefault(name, []).extend(entries)
        if conflict:
            with pytest.raises(SizeConflictError):
                self.opened.store.append(group, now_ns)
        else:
            self.opened.store.append(group, now_ns)
            self.entries_by_log = after
            self.alive_ns = max(now_ns, self.alive_ns or 0)

    @rule(name=names)
    def claim(self, name: str) -> None:
        self.epochs[name] = self.epochs.get(name, 0) + 1
        assert self.opened.store.claim(name, "one") == self.epochs[name]

    @rule(name=names, off_by=st.sampled_from([0, 0, 1]))
    def remove(self, name: str, off_by: int) -> None:
        size = len(self.entries_by_log.get(name, [])) + off_by
        if off_by:
            with pytest.raises(SizeConflictError):
                self.opened.store.remove(name, size)
        else:
            self.opened.store.remove(name, size)
            self.entries_by_log.pop(name, None)

    @rule(now_ns=times_ns)
    def alive(self, now_ns: int) -> None:
        self.opened.store.alive(now_ns)
        self.alive_ns = max(now_ns, self.alive_ns or 0)

    @rule(name=names, start=st.integers(0, 30), limit=st.none() | st.integers(0, 30))
    def read(self, name: str, start: int, limit: int | None) -> None:
        model = self.entries_by_log.get(name, [])[start:]
        assert list(self.opened.store.read(name, start, limit)) == model[:limit]

    @precondition(lambda self: self.back_end in DURABLE)
    @rule()
    def reopen(self) -> None:
        self.opened.reopen()

    @invariant()
    def agrees(self) -> None:
        store = self.opened.store
        assert store.logs() == [(name, len(entries)) for name, entries in self.entries_by_log.items()]
        assert store.last_alive_ns() == self.alive_ns


@pytest.mark.parametrize("back_end", ALL, ids=lambda back_end: back_end.name)
def test_any_sequence_of_calls_agrees_with_a_model(request: pytest.FixtureRequest, back_end: BackEnd) -> None:
    cluster = cluster_of(request, back_end)
    machine = type("Machine", (AgainstModel,), {"back_end": back_end, "cluster": cluster})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=back_end.examples,
            stateful_step_count=20,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow],
        ),
    )
