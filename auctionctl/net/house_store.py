"""Opens the store of a house: a file in its state directory, or a cluster; never one while the other has its logs.

Rule: a house that has begun in one place does not begin anew in another: that would be a second history under its key.
The state directory is held by one process either way, for what a house keeps beside its logs is there.
"""

from __future__ import annotations

import os
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Final

from auctionctl.errors import AuctionctlError, ConfigurationError
from auctionctl.house.instances import NOBODY
from auctionctl.house.limits import Limits
from auctionctl.keys.signing import Identity
from auctionctl.net.clock import check_not_ahead
from auctionctl.net.house_words import StartHouse
from auctionctl.store.cluster_address import parse_cluster_address
from auctionctl.store.cluster_mark import ClusterMark, check_not_in_cluster
from auctionctl.store.cluster_store import ClusterStore
from auctionctl.store.jetstream import MAX_BATCH_MESSAGES
from auctionctl.store.sqlite import DATABASE_NAME, SqliteStore
from auctionctl.store.state_directory import locked, make_private_directory

ALONE: Final = "main"
"""The instance of a house that has one."""
MAX_AUCTIONS: Final = MAX_BATCH_MESSAGES * 9 // 10
"""What one turn brings about is one batch, with a message for each log that it concerns, and some for long ones."""


def open_store(start: StartHouse, house: Identity) -> SqliteStore | ClusterStore:
    """The store that ``start`` says, of ``house``. Errors as for opening either, and ConfigurationError as above."""
    directory = Path(start.state)
    if start.store is None:
        check_not_in_cluster(directory, "serve it as before, with --store nats://…")
        return SqliteStore(directory, holder_pid=os.getppid())
    address = parse_cluster_address(start.store, start.store_access)
    if (directory / DATABASE_NAME).exists():
        raise ConfigurationError(
            f"the logs of this house are in {directory / DATABASE_NAME}, and would begin anew in a cluster",
            hint="serve it without --store, or give a house in a cluster a key and a name of its own",
        )
    check_auctions(start.limits)
    with ExitStack() as held:
        make_private_directory(directory)
        held.enter_context(locked(directory, os.getppid()))
        store = ClusterStore(
            address,
            house.signing.hex(),
            instance=start.instance or ALONE,
            durability=start.durability,
            mark=ClusterMark(directory),
        )
        store.hold(held.pop_all())
    if start.instance is not None:
        _check_in_step(store)
    if start.instance is None and (others := _others(store)):
        store.close()
        raise ConfigurationError(
            f"this house is served by instances: {', '.join(others)}",
            hint=f"serve it as one of them: --instance {others[0]}",
        )
    return store


def check_auctions(limits: Limits) -> None:
    """Raises ConfigurationError if there may be more auctions than a cluster takes."""
    if limits.max_concurrent_auctions > MAX_AUCTIONS:
        raise ConfigurationError(
            f"max_concurrent_auctions is {limits.max_concurrent_auctions}, and a cluster takes what concerns"
            f" {MAX_AUCTIONS} at once",
            hint=f"set it to {MAX_AUCTIONS} or less, or keep the logs in a file",
        )


def _check_in_step(store: ClusterStore) -> None:
    """That this machine's clock is not far ahead of the cluster's; ConfigurationError, once the store is closed."""
    now_ns = time.time_ns()
    try:
        if (servers_ns := store.servers.time_ns()) is not None:
            check_not_ahead(now_ns, servers_ns)
    except AuctionctlError:
        store.close()
        raise


def _others(store: ClusterStore) -> list[str]:
    """The instances that hold a log by their claim, but for one that is alone."""
    holders = {holder[1] for name, _ in store.logs() if (holder := store.holder_of(name)) is not None}
    return sorted(holders - {ALONE, NOBODY})


def lossy_words(store: SqliteStore | ClusterStore) -> str:
    """What may lose what the store acknowledged, and was allowed to, in words; empty where nothing may."""
    return "; ".join(fault.reason for fault in store.accepted) if isinstance(store, ClusterStore) else ""


def shared_text(store: SqliteStore | ClusterStore) -> bytes | None:
    """The allow list that all instances of the house share; None where there is none."""
    shared = store.shared() if isinstance(store, ClusterStore) else None
    return None if shared is None else shared.text
