"""Where a backup gets the logs of a house from: its state directory while it is stopped, or the house itself.

Rule: every entry has passed the rules, and what the backup held before is a beginning of what the house has now; where
it is not, the backup and the house contradict one another, and neither is touched. Source: DESIGN.md section 10.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from auctionctl.cli.observer import Observer, everything
from auctionctl.cli.progress import Progress
from auctionctl.errors import NotFoundError, VerificationError
from auctionctl.house.auction_log import log_name
from auctionctl.keys.signing import Identity, SecretKey
from auctionctl.replica.house_logs import HouseLogs, auction_of, check_house_logs, tree_of
from auctionctl.replica.registry import REGISTRY, REGISTRY_ID, Registry
from auctionctl.store.cluster_mark import check_not_in_cluster
from auctionctl.store.sqlite import SqliteStore
from auctionctl.store.state_directory import locked
from auctionctl.wire.address import HouseAddress

RULE: Final = "backup"
CONTRADICTION_HINT: Final = (
    "keep the file: it may hold what the house has lost; if its state was restored from an older copy, stop it and run:"
    " auctionctl restore FILE"
)


class Held(Protocol):
    """What a backup holds already; :class:`auctionctl.store.backup_file.Backup`, or nothing."""

    def logs(self) -> Mapping[str, int]:
        """Name and size of every log."""
        ...

    def read(self, log: str) -> Iterator[bytes]:
        """The entries of a log."""
        ...


class Nothing:
    """A backup that is not there yet."""

    def logs(self) -> Mapping[str, int]:
        """None."""
        return {}

    def read(self, log: str) -> Iterator[bytes]:
        """None."""
        assert log not in self.logs()
        return iter(())


@dataclass(frozen=True, slots=True)
class Source:
    """The logs that are to be backed up: how many entries each has, and how to read them; registry first."""

    house: Identity
    sizes: dict[str, int]
    read: Callable[[str], Iterator[bytes]]
    last_alive_ns: int
    failed: list[tuple[str, str]]
    """(log, reason) of those that do not hold, and are left out."""
    missing: list[bytes]
    """Auctions that are announced, and whose logs the house has archived, or has lost."""

    @property
    def entry_count(self) -> int:
        """In all."""
        return sum(self.sizes.values())


def _contradiction(log: str, what: str) -> VerificationError:
    return VerificationError(f"the backup contradicts the house: {log} {what}", rule=RULE, hint=CONTRADICTION_HINT)


@contextmanager
def stopped_house(directory: Path, house: Identity, held: Held, progress: Progress) -> Iterator[Source]:
    """The logs in the state ``directory`` of ``house``, which is locked meanwhile.

    Raises StoreLockedError if the house runs, StoreError if its store cannot be read, VerificationError if its registry
    does not hold or ``held`` contradicts it, NotFoundError if there is no store,
    ConfigurationError if a cluster has its logs.
    """
    if not directory.is_dir():
        raise NotFoundError(
            f"there is no state {directory}", hint="name the house with --name, or reach it: --house ADDR"
        )
    with locked(directory):  # Of a house that runs it does not matter where its logs are.
        check_not_in_cluster(
            directory,
            "start it, and back it up while it runs; or its stream: nats stream backup, see auctionctl-cluster(7)",
        )
    store = SqliteStore(directory, ballast_target_bytes=0)
    try:
        sizes = dict(store.logs())
        if not sizes.get(REGISTRY):
            raise NotFoundError(f"the house in {directory} has let nobody in and announced nothing: there are no logs")
        done, total = 0, sum(sizes.values())

        def count() -> None:
            nonlocal done
            done += 1
            if not done % 1_000:
                progress(done, total)

        checked = check_house_logs(house.signing, sizes, store.read, count)
        _check_beginnings(held, checked)
        yield _with_held(_source_of(house, checked, store), held, checked)
    finally:
        store.close()


def _source_of(house: Identity, checked: HouseLogs, store: SqliteStore) -> Source:
    sizes = {REGISTRY: checked.registry.size} | {name: each.size for name, each in checked.auctions.items()}
    last_ns = max(store.last_alive_ns() or 0, checked.last_time_ns)
    return Source(house, sizes, store.read, last_ns, checked.failed, checked.missing)


def _check_beginnings(held: Held, checked: HouseLogs) -> None:
    for name, size in held.logs().items():
        tree = checked.tree(name)
        if tree is None:
            # A log that the house has archived, or that is damaged there, is kept in the backup as it is.
            continue
        if tree.size < size:
            raise _contradiction(name, f"has {tree.size} entries there, and {size} in the backup")
        if tree.root(size) != tree_of(held.read(name)).root():
            raise _contradiction(name, f"has others among its first {size} entries")
    for name in held.logs():
        _require_announced(name, checked.registry.state)


def _require_announced(name: str, registry: Registry) -> None:
    if name != REGISTRY and auction_of(name) not in registry.auctions:
        raise _contradiction(name, "is in the backup, and the house has never announced it")


def _with_held(source: Source, held: Held, checked: HouseLogs) -> Source:
    """Besides what the house has, what the backup alone still has."""
    only_held = {name: size for name, size in held.logs().items() if checked.tree(name) is None}
    if not only_held:
        return source
    missing = [auction for auction in source.missing if log_name(auction) not in only_held]

    def read(log: str) -> Iterator[bytes]:
        return held.read(log) if log in only_held else source.read(log)

    return Source(source.house, source.sizes | only_held, read, source.last_alive_ns, source.failed, missing)


def running_house(address: HouseAddress, key: SecretKey, held: Held, progress: Progress) -> Source:
    """The logs of the house at ``address``, read on from what is held, each verified under a checkpoint of the house.

    Raises what :meth:`auctionctl.cli.observer.Observer.read` raises, and VerificationError if ``held`` is no beginning.
    """
    observer = Observer(address, key, everything)
    try:
        _begin_with(observer, held)
        observer.read(on_progress=progress)
        return _read_source(observer, address.identity, held)
    except VerificationError as error:
        if held.logs() and error.rule in ("root", "checkpoint", "history"):
            # Its checkpoints are over less than was held, or over something else.
            raise _contradiction("a log of the house", f"is not what it was ({error})") from error
        raise
    finally:
        observer.close()


def _begin_with(observer: Observer, held: Held) -> None:
    """What is held is applied first, so that the session reads on from there, and the next head covers it as well."""
    for name in held.logs():
        entries = list(held.read(name))
        try:
            _apply(observer, name, entries)
        except VerificationError as error:
            raise VerificationError(
                f"the backup does not hold by itself: {name}: {error}", rule=RULE, hint="begin a new one"
            ) from error


def _apply(observer: Observer, name: str, entries: list[bytes]) -> None:
    follower = observer.follower
    if name == REGISTRY:
        for data in entries:
            follower.registry.replay.apply(data)
        observer.begin_with(REGISTRY_ID, entries)
        return
    auction = auction_of(name)
    replica = follower.replica(auction)
    for data in entries:
        replica.replay.apply(data)
    observer.begin_with(auction, entries)


def _read_source(observer: Observer, house: Identity, held: Held) -> Source:
    registry = observer.follower.registry
    if registry.head is None or not registry.head.size:
        raise NotFoundError("this house has let nobody in and announced nothing: there are no logs")
    entries = {REGISTRY: observer.entries[REGISTRY_ID][: registry.head.size]}
    last_ns = max(observer.house_now_ns, observer.registry.last_time_ns)
    for replica in observer.replicas():
        assert replica.head is not None, "what was read is verified"
        state = replica.replay.state
        entries[log_name(state.id)] = observer.entries[state.id][: replica.head.size]
        last_ns = max(last_ns, state.last_time_ns)
    for name in held.logs():
        if name not in entries:
            _require_announced(name, observer.registry)
            entries[name] = list(held.read(name))
    missing = [auction for auction in observer.registry.auctions if log_name(auction) not in entries]
    sizes = {name: len(log) for name, log in entries.items()}
    return Source(house, sizes, lambda name: iter(entries[name]), last_ns, [], missing)
