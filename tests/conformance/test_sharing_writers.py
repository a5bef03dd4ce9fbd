"""An instance at a real stream says and writes nothing that another one, which has taken over from it, contradicts."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator
from hashlib import sha256
from types import ModuleType

import pytest
from nats_cluster import Cluster

from auctionctl.auction.terms import SECOND_NS
from auctionctl.errors import OvertakenError
from auctionctl.house.effects import Commit, Effect
from auctionctl.house.limits import Limits
from auctionctl.house.registry import RegistryLog
from auctionctl.house.shared_house import SharedHouse
from auctionctl.net.alone import Recovered
from auctionctl.net.instances import AmongSeveral, Place
from auctionctl.replica.registry import REGISTRY, REGISTRY_ID
from auctionctl.store.cluster_signs import Sign
from auctionctl.store.cluster_store import ClusterStore
from auctionctl.store.log_store import Append

B = "auction/" + "b" * 64
PATIENCE_S = 20.0
_numbers = itertools.count()


class Instance:
    """The instance ``x`` of a house, at ``x:1``, which holds the registry; ``performed`` is asked at each effect."""

    def __init__(self, store: ClusterStore, staging: ModuleType) -> None:
        self.store = store
        self.now_ns: int = staging.START_NS
        self.performed: Callable[[], None] = lambda: None
        key = staging.key_of("house")
        registry = RegistryLog(key, ())
        self.house = SharedHouse(key, Limits(), staging.EVERYBODY, self.now_ns, registry)
        self.part = AmongSeveral(store, self.house, Place("x", "x:1"), self.perform, self.now_ns)
        self.perform(self.part.adopt(Recovered(registry, [], None, []), self.now_ns), self.now_ns)
        self.part.turn(self.now_ns)

    def perform(self, effects: list[Effect], now_ns: int) -> None:
        self.performed()
        for effect in effects:
            if isinstance(effect, Commit):
                self.part.commit(effect.appends, now_ns)
                self.perform(self.house.committed(), now_ns)

    def turn(self, later_ns: int) -> None:
        self.now_ns += later_ns
        self.part.turn(self.now_ns)

    def sign_as_seen_by(self, other: ClusterStore, behind: Sign | None = None) -> Sign:
        """The last sign that ``other`` has from it, once it has one behind ``behind``."""
        deadline_s = time.monotonic() + PATIENCE_S
        while True:
            other.refresh()
            found = next((sign for sign in other.signs() if sign.instance == "x"), None)
            if found is not None and (behind is None or found.sequence > behind.sequence):
                return found
            assert time.monotonic() < deadline_s, found


@pytest.fixture
def both(cluster: Cluster, staging: ModuleType) -> Iterator[tuple[Instance, ClusterStore]]:
    """The instance, which has the registry, and the store of another one."""
    house = sha256(b"writers %d" % next(_numbers)).hexdigest()
    stores = [ClusterStore(cluster.address, house, instance=name) for name in ("x", "y")]
    for store in stores:
        assert store.refresh() == []
    one = Instance(stores[0], staging)
    deadline_s = time.monotonic() + PATIENCE_S
    while not one.house.holds(REGISTRY_ID):
        assert time.monotonic() < deadline_s
        one.turn(SECOND_NS)
    yield one, stores[1]
    for store in stores:
        store.close()
    cluster.forget(house)


def test_whoever_is_taken_for_dead_learns_of_it_when_it_makes_the_time_alone_durable(
    both: tuple[Instance, ClusterStore],
) -> None:
    x, y = both
    x.part.commit((), x.now_ns + 1)
    seen = x.sign_as_seen_by(y)
    while seen.time_ns < x.now_ns + 1:
        seen = x.sign_as_seen_by(y, behind=seen)
    assert (seen.time_ns, seen.endpoint, seen.holds) == (x.now_ns + 1, "x:1", 0)
    assert x.store.holder_of(REGISTRY) == (1, "x")
    assert y.depose("x")
    with pytest.raises(OvertakenError):
        x.part.commit((), x.now_ns + 2)
    with pytest.raises(OvertakenError):
        x.part.commit([Append(B, 0, (b"late",))], x.now_ns + 3)
    x.turn(SECOND_NS)
    # It has let go of everything, and claimed anew what nobody else has taken.
    assert x.store.holder_of(REGISTRY) == (2, "x")
    assert x.store.size(B) == 0


def test_what_has_come_and_is_not_heard_yet_is_in_the_way_of_a_write(both: tuple[Instance, ClusterStore]) -> None:
    x, y = both
    deadline_s = time.monotonic() + PATIENCE_S
    while (y.holder_of(REGISTRY), y.size(REGISTRY)) != ((1, "x"), x.store.size(REGISTRY)):
        assert time.monotonic() < deadline_s
        y.refresh()
    y.append([Append(B, 0, (b"entry",))], x.now_ns)
    y.give([REGISTRY], "y", x.now_ns)
    with pytest.raises(OvertakenError):
        x.store.give([REGISTRY], "x", x.now_ns)
    # All of it is here now, and nothing of it has been heard.
    held: list[bool] = []

    def write() -> None:
        held.append(x.house.holds(REGISTRY_ID))
        if held[-1]:
            with pytest.raises(OvertakenError) as caught:
                x.part.commit([Append(REGISTRY, x.store.size(REGISTRY), (b"late",))], x.now_ns)
            assert caught.value.log == REGISTRY

    x.performed = write
    x.part.turn(x.now_ns)
    assert held[0]
    assert not held[-1]
    assert x.store.holder_of(REGISTRY) == (2, "y")


def test_a_house_that_knows_less_of_a_log_than_its_store_is_overtaken(both: tuple[Instance, ClusterStore]) -> None:
    x, _y = both
    x.store.append([Append(B, 0, (b"a", b"b"))], x.now_ns)
    with pytest.raises(OvertakenError) as caught:
        x.part.commit([Append(B, 1, (b"c",))], x.now_ns)
    assert (caught.value.log, caught.value.expected, caught.value.actual) == (B, 1, 2)


def test_whoever_dates_what_it_takes_over_later_than_its_clock_signs_on_by_its_clock(
    both: tuple[Instance, ClusterStore],
) -> None:
    x, y = both
    x.turn(SECOND_NS)
    ahead_ns = x.now_ns + 4 * SECOND_NS
    x.perform(x.house.handle((), ahead_ns), ahead_ns)
    # What is said now is dated ahead, whatever the clock says: no sign of before goes so far.
    assert x.part.may_commit(x.now_ns)
    assert next(sign.time_ns for sign in x.store.signs() if sign.instance == "x") == ahead_ns
    x.part.commit((), ahead_ns + 1)
    seen = x.sign_as_seen_by(y)
    while seen.time_ns <= ahead_ns:
        seen = x.sign_as_seen_by(y, behind=seen)
    for _second in range(3):
        x.turn(SECOND_NS)
        seen = x.sign_as_seen_by(y, behind=seen)
