"""What a cluster's servers and wires can do to a store: nothing acknowledged is lost, nothing is there twice.

A cluster of this file's own, as its servers are killed; real processes and real wires, of which a proxy spoils one.
"""

from __future__ import annotations

import itertools
import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256

import pytest
from nats_cluster import Cluster, require_cluster
from tcp_proxy import Cut, Swallowed, TcpProxy, Whole

from auctionctl.errors import OvertakenError, SizeConflictError, StoreAwayError, StoreBrokenError, StoreError
from auctionctl.store.cluster_address import parse_cluster_address
from auctionctl.store.cluster_changes import Grown
from auctionctl.store.cluster_store import ClusterStore
from auctionctl.store.log_store import Append, LogStore
from auctionctl.store.stream_settings import Streams

A = "auction/" + "a" * 64
B = "auction/" + "b" * 64
PATIENCE_S = 30.0
_numbers = itertools.count()


@pytest.fixture(scope="module")
def mortal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A cluster whose servers may be killed, and are all there again when the test ends."""
    require_cluster()
    running = Cluster(tmp_path_factory.mktemp("mortal"))
    yield running
    running.stop()


@pytest.fixture
def house() -> str:
    return sha256(b"house %d" % next(_numbers)).hexdigest()


@pytest.fixture
def proxied(mortal: Cluster) -> Iterator[TcpProxy]:
    proxy = TcpProxy(mortal.ports[0])
    yield proxy
    proxy.close()


class Appending:
    """Appends to two logs at once, again and again, in a thread of its own; knows what was acknowledged."""

    def __init__(self, store: LogStore) -> None:
        self._store = store
        self._halt = threading.Event()
        self.acknowledged = 0
        self._pool = ThreadPoolExecutor(1)
        self._done = self._pool.submit(self._run)

    def _run(self) -> None:
        while not self._halt.is_set():
            size = self.acknowledged
            share = (entry(size), entry(size + 1))
            self._store.append([Append(A, size, share), Append(B, size, share)], size)
            self.acknowledged = size + 2

    def reach(self, count: int) -> None:
        wait_for(lambda: self.acknowledged >= count or self._done.done())

    def stop(self) -> int:
        self._halt.set()
        self._done.result()
        self._pool.shutdown()
        return self.acknowledged


def entry(index: int) -> bytes:
    return b"entry %d " % index + b"x" * 300


def wait_for(is_so: Callable[[], bool]) -> None:
    deadline_s = time.monotonic() + PATIENCE_S
    while not is_so():
        assert time.monotonic() < deadline_s
        time.sleep(0.01)


def check_whole(mortal: Cluster, house: str, count: int) -> None:
    """Whoever opens the store now finds what was acknowledged, once, and in order."""
    store = ClusterStore(mortal.address, house)
    assert store.logs() == [(A, count), (B, count)]
    expected = [entry(index) for index in range(count)]
    assert list(store.read(A)) == expected
    assert list(store.read(B)) == expected
    store.close()


def test_servers_killed_in_the_middle_of_appends_lose_and_double_nothing(mortal: Cluster, house: str) -> None:
    store = ClusterStore(mortal.address, house, patience_s=PATIENCE_S)
    appending = Appending(store)
    appending.reach(40)
    leader = mortal.leader_of(Streams(house).logs)
    mortal.signal(leader, signal.SIGKILL)
    appending.reach(appending.acknowledged + 40)
    # Back as it was, while the others write on; and without one that follows they do so too.
    mortal.start(leader)
    appending.reach(appending.acknowledged + 40)
    mortal.settle()
    follower = (mortal.leader_of(Streams(house).logs) + 1) % 3
    mortal.signal(follower, signal.SIGKILL)
    appending.reach(appending.acknowledged + 40)
    # Nor does a house that starts now have to wait for it.
    ClusterStore(mortal.address, house, instance="another").close()
    mortal.start(follower)
    count = appending.stop()
    store.close()
    mortal.settle()
    check_whole(mortal, house, count)


def test_without_a_quorum_nothing_is_acknowledged_and_it_is_said_and_goes_on_when_it_is_back(
    mortal: Cluster, house: str
) -> None:
    store = ClusterStore(mortal.address, house, patience_s=1.0)
    store.append([Append(A, 0, (entry(0),)), Append(B, 0, (entry(0),))], 1)
    others = [number for number in range(3) if number != mortal.leader_of(Streams(house).logs)]
    for number in others:
        mortal.signal(number, signal.SIGKILL)
    with pytest.raises(StoreAwayError, match="does not answer: write: no") as caught:
        store.append([Append(A, 1, (entry(1),)), Append(B, 1, (entry(1),))], 2)
    assert "two of its three servers" in caught.value.hint
    with pytest.raises(StoreBrokenError, match="durability is unknown"):
        store.size(A)
    store.close()
    with pytest.raises(StoreAwayError):
        ClusterStore(mortal.address, house, patience_s=3.0)
    for number in others:
        mortal.start(number)
    mortal.settle()
    store = ClusterStore(mortal.address, house)
    # What nobody acknowledged may have come about or not; but the whole of it.
    size = store.size(A)
    assert size in (1, 2)
    assert store.size(B) == size
    store.append([Append(A, size, (entry(size),)), Append(B, size, (entry(size),))], 3)
    store.close()
    check_whole(mortal, house, size + 1)


def test_servers_that_are_down_are_named_and_a_new_house_is_not_told_to_do_with_fewer(
    mortal: Cluster, house: str
) -> None:
    leader = mortal.ask(0, "jsz")["meta_cluster"]["leader"]
    down = [number for number in range(3) if f"n{number}" != leader]
    for number in down:
        # They say goodbye, so that the one that is left says at once that there is no place for a stream.
        mortal.signal(number, signal.SIGTERM)
    places = ", ".join(f"127.0.0.1:{mortal.ports[number]}" for number in down)
    with pytest.raises(StoreAwayError, match=f"too many of its servers are down: {places}") as caught:
        ClusterStore(mortal.address, house, patience_s=PATIENCE_S)
    for number in down:
        mortal.start(number)
    mortal.settle()
    assert "start them" in caught.value.hint
    assert "--allow-lossy" not in caught.value.hint


@pytest.mark.parametrize("logs", [(A,), (A, B)], ids=["one message", "a batch"])
def test_an_append_whose_acknowledgement_is_cut_off_is_there_once(
    mortal: Cluster, house: str, proxied: TcpProxy, logs: tuple[str, ...]
) -> None:
    store = ClusterStore(parse_cluster_address(mortal.url_of([proxied.port] * 1 + mortal.ports[1:])), house)
    for size in range(3):
        if size == 1:
            proxied.set(Swallowed(towards=False, back=True))
        with ThreadPoolExecutor(1) as pool:
            appended = pool.submit(store.append, [Append(log, size, (entry(size),)) for log in logs], size)
            if size == 1:
                # It is stored, and nobody has told us.
                wait_for(lambda: holds(mortal, house, 2 * len(logs) + 1))
                assert not appended.done()
                proxied.set(Cut())
                proxied.set(Whole())
            appended.result()
    assert store.logs() == [(log, 3) for log in logs]
    store.close()
    store = ClusterStore(mortal.address, house)
    assert all(list(store.read(log)) == [entry(0), entry(1), entry(2)] for log in logs)
    store.close()


def holds(mortal: Cluster, house: str, messages: int) -> bool:
    streams = mortal.ask(mortal.leader_of(Streams(house).logs), "jsz?streams=true")["account_details"][0]
    found = [each for each in streams["stream_detail"] if each["name"] == Streams(house).logs]
    return bool(found[0]["state"]["messages"] >= messages)


def test_a_stale_instance_can_write_to_no_log_that_another_has_written_to_or_claimed(
    mortal: Cluster, house: str
) -> None:
    stale = ClusterStore(mortal.address, house, instance="stale")
    stale.append([Append(A, 0, (entry(0),)), Append(B, 0, (entry(0),)), Append("registry", 0, (b"r",))], 1)
    fresh = ClusterStore(mortal.address, house, instance="fresh")
    assert fresh.claim(A, "fresh") == 1
    fresh.append([Append(B, 1, (entry(1),))], 2)
    # What it still has alone goes on; with a log that it has lost, nothing of a group does.
    stale.append([Append("registry", 1, (b"r1",))], 3)
    with pytest.raises(OvertakenError, match=f"taken over log {A}, which now has 1 entries"):
        stale.append([Append("registry", 2, (b"lost",)), Append(A, 1, (b"lost",))], 4)
    # Told what has become of it, it may go on where it has written last; then the other one is stale.
    assert list(stale.read(B)) == [entry(0), entry(1)]
    stale.append([Append(B, 2, (entry(2),))], 5)
    with pytest.raises(SizeConflictError, match="which now has 3 entries"):
        fresh.append([Append(B, 2, (b"lost",))], 6)
    assert list(fresh.read("registry")) == [b"r", b"r1"]
    assert fresh.claim(A, "fresh") == 2
    for store in (stale, fresh):
        store.close()


def test_what_others_write_is_heard_once_and_in_order_though_the_leader_is_killed(mortal: Cluster, house: str) -> None:
    store = ClusterStore(mortal.address, house, instance="writes", patience_s=PATIENCE_S)
    others = [ClusterStore(mortal.address, house, instance=f"hears{number}") for number in range(3)]
    for other in others:
        assert other.refresh() == []
    appending = Appending(store)
    appending.reach(20)
    leader = mortal.leader_of(Streams(house).logs)
    mortal.signal(leader, signal.SIGKILL)
    appending.reach(appending.acknowledged + 40)
    mortal.start(leader)
    count = appending.stop()
    for other in others:
        heard: dict[str, list[bytes]] = {A: [], B: []}

        def take(other: ClusterStore = other, heard: dict[str, list[bytes]] = heard) -> bool:
            for change in other.refresh():
                assert isinstance(change, Grown)
                assert change.first == len(heard[change.log])
                heard[change.log] += change.entries
            return len(heard[A]) >= count and len(heard[B]) >= count

        wait_for(take)
        assert heard[A] == heard[B] == [entry(index) for index in range(count)]
    # So each of them may write on at once.
    others[2].append([Append(A, count, (entry(count),))], count)
    for each in (store, *others):
        each.close()
    mortal.settle()


def test_two_claims_of_one_log_never_get_one_epoch(mortal: Cluster, house: str) -> None:
    stores = [ClusterStore(mortal.address, house, instance="same") for _ in range(2)]
    assert stores[0].claim(A, "same") == 1
    with pytest.raises(OvertakenError):
        stores[1].claim(A, "same")
    assert stores[1].claim(A, "same") == 2
    for store in stores:
        store.close()


def test_of_two_processes_that_run_one_instance_one_is_told_and_nothing_is_undone(mortal: Cluster, house: str) -> None:
    stores = [ClusterStore(mortal.address, house) for _ in range(2)]
    stores[0].alive(1)
    with pytest.raises(StoreError, match="another process runs this house as its instance main") as caught:
        stores[1].alive(2)
    assert "let one of them go on" in caught.value.hint
    stores[0].alive(3)
    for store in stores:
        store.close()
    store = ClusterStore(mortal.address, house)
    assert store.last_alive_ns() == 3
    store.close()
