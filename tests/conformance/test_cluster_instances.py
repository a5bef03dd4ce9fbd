"""Several instances at one store: each sees exactly what the others have written, and writes on where they stopped."""

from __future__ import annotations

import itertools
import random
import time
from collections.abc import Callable, Iterator
from hashlib import sha256

import pytest
from nats_cluster import Cluster

from auctionctl.errors import OvertakenError, StoreBrokenError, StoreError
from auctionctl.store.cluster_changes import Change, Claimed, Forgotten, Grown
from auctionctl.store.cluster_mark import ClusterMark
from auctionctl.store.cluster_signs import MAX_MESSAGE_BYTES
from auctionctl.store.cluster_store import TOLD_ENTRIES, ClusterStore
from auctionctl.store.log_store import Append
from auctionctl.store.stream_records import HEADER
from auctionctl.store.stream_tail import StreamTail

A = "auction/" + "a" * 64
B = "auction/" + "b" * 64
R = "registry"
PATIENCE_S = 20.0
MS = 1_000_000
_numbers = itertools.count()
Open = Callable[[str], ClusterStore]


@pytest.fixture
def opened(cluster: Cluster) -> Iterator[Open]:
    """Opens a store of this test's house as an instance; it has taken what was there."""
    house = sha256(b"instances %d" % next(_numbers)).hexdigest()
    stores: list[ClusterStore] = []

    def open_one(instance: str) -> ClusterStore:
        stores.append(ClusterStore(cluster.address, house, instance=instance))
        assert stores[-1].refresh() == []
        return stores[-1]

    yield open_one
    for store in stores:
        store.close()
    cluster.forget(house)


def hear(store: ClusterStore, count: int) -> list[Change]:
    """The next ``count`` changes, and no more."""
    heard: list[Change] = []
    deadline_s = time.monotonic() + PATIENCE_S
    while len(heard) < count:
        assert time.monotonic() < deadline_s, heard
        heard += store.refresh()
    assert len(heard) == count
    return heard


def until(is_so: Callable[[], bool]) -> None:
    deadline_s = time.monotonic() + PATIENCE_S
    while not is_so():
        assert time.monotonic() < deadline_s


def test_each_hears_what_the_others_write_once_and_in_order_and_nothing_of_its_own(opened: Open) -> None:
    one, two = opened("one"), opened("two")
    one.append([Append(R, 0, (b"r0",)), Append(A, 0, (b"a0", b"a1"))], 1)
    one.append([Append(A, 2, (b"a2",))], 2)
    assert hear(two, 3) == [Grown(R, 0, (b"r0",)), Grown(A, 0, (b"a0", b"a1")), Grown(A, 2, (b"a2",))]
    two.append([Append(B, 0, (b"b0",))], 3)
    assert hear(one, 1) == [Grown(B, 0, (b"b0",))]
    one.remove(A, 3)
    assert hear(two, 1) == [Forgotten(A, 3)]
    assert one.logs() == two.logs() == [(R, 1), (B, 1)]
    assert one.refresh() == []


def test_whoever_hears_of_a_log_writes_on_in_it_at_once_and_reads_it_whole(opened: Open) -> None:
    one, two = opened("one"), opened("two")
    for size in range(0, 20, 2):
        one.append([Append(A, size, (b"%d" % size,))], size)
        hear(two, 1)
        two.append([Append(A, size + 1, (b"%d" % (size + 1),))], size)
        hear(one, 1)
    assert list(one.read(A)) == list(two.read(A)) == [b"%d" % index for index in range(20)]


def test_whoever_was_overtaken_then_hears_exactly_what_the_other_has_written(opened: Open) -> None:
    one, two = opened("one"), opened("two")
    one.append([Append(A, 0, (b"a0",)), Append(B, 0, (b"b0",))], 1)
    hear(two, 2)
    assert two.give([A], "two", 7) == {A: 1}
    two.append([Append(A, 1, (b"a1", b"a2"))], 8)
    with pytest.raises(OvertakenError) as caught:
        one.append([Append(B, 1, (b"lost",)), Append(A, 1, (b"lost",))], 9)
    assert caught.value.log == A
    # At least up to what was in its way; the rest comes like everything.
    assert hear(one, 2) == [Claimed(A, 1, "two", 7, 7), Grown(A, 1, (b"a1", b"a2"))]
    one.append([Append(B, 1, (b"b1",))], 10)
    assert hear(two, 1) == [Grown(B, 1, (b"b1",))]


def test_nothing_is_written_behind_what_has_come_and_was_not_told(opened: Open) -> None:
    one, two = opened("one"), opened("two")
    one.append([Append(A, 0, (b"a0",)), Append(B, 0, (b"b0",))], 1)
    hear(two, 2)
    assert (two.give([B], "two", 5), two.give([A], "two", 6)) == ({B: 1}, {A: 1})
    with pytest.raises(OvertakenError):
        one.append([Append(A, 1, (b"lost",))], 7)
    # What stood in the way brought the other one with it.
    with pytest.raises(OvertakenError) as caught:
        one.append([Append(B, 1, (b"lost",))], 8)
    assert caught.value.log == B
    with pytest.raises(OvertakenError):
        one.give([B], "one", 9)
    assert hear(one, 2) == [Claimed(B, 1, "two", 5, 5), Claimed(A, 1, "two", 6, 6)]
    assert one.give([B], "one", 10) == {B: 2}


def test_a_log_that_is_given_away_is_its_new_holders_with_an_epoch_and_the_time(opened: Open) -> None:
    one, two, three = opened("one"), opened("two"), opened("three")
    one.append([Append(A, 0, (b"a",)), Append(B, 0, (b"b",))], 1)
    assert one.holder_of(A) is None
    assert one.give([A, B], "two", 5, {B: 4}) == {A: 1, B: 1}
    assert one.holder_of(A) == (1, "two")
    for store in (two, three):
        assert hear(store, 4)[2:] == [Claimed(A, 1, "two", 5, 5), Claimed(B, 1, "two", 5, 4)]
        assert (store.holder_of(A), store.given_ns(B), store.unwritten_ns(B)) == ((1, "two"), 5, 4)
    # Of two that claim it at once, one has it.
    assert two.give([A], "three", 6) == {A: 2}
    with pytest.raises(OvertakenError):
        three.give([B, A], "three", 6)
    assert three.holder_of(A) == (2, "three")
    assert three.holder_of(B) == (1, "two")
    assert opened("four").holder_of(A) == (2, "three")


def test_signs_of_life_say_where_an_instance_serves_and_each_is_another(opened: Open) -> None:
    one, two = opened("one"), opened("two")
    one.sign(5, "10.0.0.1:8888", 12)
    until(lambda: two.refresh() == [] and len(two.signs()) == 1)
    (first,) = two.signs()
    assert (first.instance, first.time_ns, first.endpoint, first.holds) == ("one", 5, "10.0.0.1:8888", 12)
    # Its clock stands still, and it lives; what the other's says does not hold it up.
    two.sign(9, "h:1", 0)
    one.sign(5, "10.0.0.1:8888", 12)
    until(lambda: one.refresh() == two.refresh() == [] and two.signs()[0].sequence > first.sequence)
    until(lambda: one.refresh() == [] and {each.instance for each in one.signs()} == {"one", "two"})
    late = opened("three")
    assert [(each.instance, each.endpoint) for each in late.signs()] == [("one", "10.0.0.1:8888"), ("two", "h:1")]
    assert late.last_alive_ns() == 9


def test_a_sign_of_life_as_a_house_alone_writes_it_is_one_too(opened: Open) -> None:
    one, two = opened("one"), opened("two")
    one.alive(3)
    until(lambda: two.refresh() == [] and len(two.signs()) == 1)
    assert (two.signs()[0].endpoint, two.signs()[0].holds) == ("", 0)


def test_a_house_alone_that_is_taken_for_dead_does_not_go_on(opened: Open) -> None:
    one, two = opened("one"), opened("two")
    one.alive(3)
    until(lambda: two.refresh() == [] and len(two.signs()) == 1)
    assert two.depose("one")
    with pytest.raises(StoreError, match="has taken one for dead"):
        one.alive(4)


def test_an_instance_of_a_name_that_another_process_has_is_refused(opened: Open) -> None:
    one, again = opened("same"), opened("same")
    one.sign(1, "", 0)
    with pytest.raises(StoreError, match="another process runs this house as its instance same"):
        again.sign(2, "", 0)
    one.sign(3, "", 0)


def test_of_two_processes_under_one_name_the_first_finds_out_that_another_one_signs(opened: Open) -> None:
    one = opened("same")
    one.sign(1, "", 0)
    again = opened("same")
    again.sign(2, "", 0)
    until(lambda: one.refresh() == [] and one.heard() == again.signs()[0].sequence)
    with pytest.raises(StoreError, match="another process runs this house as its instance same"):
        one.sign(3, "", 0)
    again.sign(4, "", 0)


@pytest.mark.parametrize("comes_by_itself", [False, True])
def test_an_instance_that_is_deposed_learns_of_it_before_it_has_signed_again(
    opened: Open, comes_by_itself: bool
) -> None:
    one, two, three = opened("one"), opened("two"), opened("three")
    assert one.sign(5, "h:1", 3)
    until(lambda: two.refresh() == three.refresh() == [] and bool(two.signs()) and bool(three.signs()))
    assert one.sign(6, "h:1", 3)
    # It has signed once more, which this one has not heard yet.
    assert not three.depose("one")
    until(lambda: two.refresh() == [] and two.signs()[0].time_ns == 6)
    assert two.depose("one")
    assert two.depose("one")
    assert (two.signs()[0].is_deposed, two.signs()[0].time_ns) == (True, 6)
    until(lambda: three.refresh() == [] and three.signs()[0].is_deposed)
    if comes_by_itself:
        until(lambda: one.refresh() == [] and one.heard() >= three.signs()[0].sequence)
    assert not one.sign(7, "h:1", 3)
    assert one.sign(8, "h:1", 0)
    # That it was deposed once says nothing of what it has signed since.
    assert not three.depose("one")
    until(lambda: two.refresh() == [] and not two.signs()[0].is_deposed)
    assert two.signs()[0].time_ns == 8
    assert [each.time_ns for each in opened("four").signs()] == [8]


def test_the_allow_list_is_shared_and_of_two_changes_at_once_one_is_told(opened: Open) -> None:
    one, two = opened("one"), opened("two")
    assert one.shared() is None
    assert one.share(b"first\n", 1)
    assert not two.share(b"at the same time\n", 1)
    until(lambda: two.refresh() == [] and two.shared() is not None)
    shared = two.shared()
    assert shared is not None
    assert (shared.text, shared.time_ns) == (b"first\n", 1)
    text = random.Random(1).randbytes(MAX_MESSAGE_BYTES // 2).hex().encode()
    assert two.share(text, 2)
    until(lambda: one.refresh() == [] and one.shared() == two.shared())
    late = opened("three").shared()
    assert late is not None
    assert late.text == text
    with pytest.raises(StoreError, match="instances share"):
        one.share(random.Random(1).randbytes(MAX_MESSAGE_BYTES + 1), 3)
    # Neither of the two is any the worse for what was refused.
    assert one.share(b"", 4)
    assert opened("four").signs() == []


def test_the_mark_of_a_house_knows_what_others_have_written(
    cluster: Cluster, opened: Open, tmp_path_factory: pytest.TempPathFactory
) -> None:
    house = sha256(b"marked").hexdigest()
    directory = tmp_path_factory.mktemp("state")
    one = ClusterStore(cluster.address, house, instance="one", mark=ClusterMark(directory))
    one.refresh()
    two = ClusterStore(cluster.address, house, instance="two")
    two.append([Append(A, 0, (b"a",))], 1)
    hear(one, 1)
    one.maintain()
    for store in (one, two):
        store.close()
    cluster.forget(house)
    # It begins as before, and goes on without what the other one wrote.
    ClusterStore(cluster.address, house, instance="two").close()
    with pytest.raises(StoreError, match="it has been rolled back"):
        ClusterStore(cluster.address, house, instance="one", mark=ClusterMark(directory))
    cluster.forget(house)


def test_much_at_once_comes_whole(opened: Open) -> None:
    one, two = opened("one"), opened("two")
    entries = [b"%d" % index + b"x" * 200 for index in range(2_000)]
    for size in range(0, len(entries), 20):
        one.append([Append(A, size, tuple(entries[size : size + 20]))], size)
        if not size % 200:
            two.append([Append(B, size // 200, (b"own",))], size)
    heard = hear(two, 100)
    assert [data for change in heard if isinstance(change, Grown) for data in change.entries] == entries


def test_of_much_at_once_a_part_is_told_at_a_time_and_nothing_is_written_before_the_rest(opened: Open) -> None:
    one, two = opened("one"), opened("two")
    entries = [b"%d" % index for index in range(2 * TOLD_ENTRIES + 700)]
    for size in range(0, len(entries), 100):
        one.append([Append(A, size, tuple(entries[size : size + 100]))], size)
    heard: list[bytes] = []
    # All of it has come once what is behind it stands in the way.
    one.append([Append(B, 0, (b"last",))], 1)
    with pytest.raises(OvertakenError):
        two.append([Append(B, 0, (b"lost",))], 1)
    for expected in (TOLD_ENTRIES, TOLD_ENTRIES):
        told = [data for change in two.refresh() if isinstance(change, Grown) for data in change.entries]
        assert len(told) == expected
        assert two.is_behind()
        with pytest.raises(OvertakenError):
            two.append([Append(A, len(entries), (b"lost",))], 1)
        heard += told
    heard += [data for change in two.refresh() if isinstance(change, Grown) for data in change.entries]
    assert not two.is_behind()
    assert heard == [*entries, b"last"]
    two.append([Append(A, len(entries), (b"more",))], 1)


def test_an_instance_that_hears_nothing_any_more_signs_no_more(opened: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    one = opened("one")
    assert one.sign(1, "h:1", 0)

    def fail(*_arguments: object) -> bytes:
        raise ZeroDivisionError("unforeseen")

    monkeypatch.setattr(StreamTail, "_config", fail)
    assert one._tails is not None
    one._tails[0]._is_lost = True
    with pytest.raises(StoreBrokenError, match="does not come any more: ZeroDivisionError"):
        until(lambda: one.refresh() != [])
    with pytest.raises(StoreBrokenError):
        one.sign(2, "h:1", 0)


def test_the_time_of_the_servers_is_known_to_whoever_asks_them(opened: Open) -> None:
    """They run on this machine: by its clock the answer was given between the question and its coming."""
    store = opened("east")
    before_ns = time.time_ns()
    servers_ns = store.servers.time_ns()
    assert servers_ns is not None
    assert before_ns - MS <= servers_ns <= time.time_ns() + MS


@pytest.mark.parametrize(
    ("subject", "headers"), [(".log.stranger", {}), (".log.stranger", {HEADER: "nonsense"}), ("-alive.stranger", {})]
)
def test_a_message_that_nobody_of_this_house_has_written_is_refused_and_not_read_again_and_again(
    opened: Open, subject: str, headers: dict[str, str]
) -> None:
    """Not even one that looks like a word of the servers."""
    one = opened("one")
    link, place = one._link, f"{one._streams.logs}{subject}"
    link._await(link.client.publish(place, b"?", headers={"Status": "100", **headers}))
    with pytest.raises(StoreError, match=r"message \d+ of the stream \S+ is none that this house writes"):
        until(lambda: one.refresh() != [])
    with pytest.raises(StoreError):
        one.append([Append(A, 0, (b"a",))], 1)
    with pytest.raises(StoreError, match="is none that this house writes"):
        opened("two")
