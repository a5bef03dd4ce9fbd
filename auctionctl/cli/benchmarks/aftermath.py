"""What a benchmark has to show for its figures: every receipt holds, and the log holds what the receipts say.

After the runs, once the house has ended: the receipts are verified one by one, each log of the store is replayed with
every signature and every rule, as whoever holds a copy of it would do, and what stands where a receipt says so is what
was bid. Raises LogError for whatever does not hold; then no figure is shown.
"""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from auctionctl.cli.benchmarks.bench_house import HOUSE, paths_of
from auctionctl.cli.progress import Progress
from auctionctl.errors import VerificationError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from auctionctl.store.log_store import LogStore
    from auctionctl.tlog.merkle import Tree

STEP: Final = 1_000


class Checked(NamedTuple):
    """So many receipts were verified, and so many entries replayed."""

    receipts: int
    entries: int

    def plus(self, other: Checked) -> Checked:
        """Both together."""
        return Checked(self.receipts + other.receipts, self.entries + other.entries)


NOTHING: Final = Checked(0, 0)


def check_logs(home: Path, proven: Mapping[tuple[bytes, int], bytes], progress: Progress) -> Checked:
    """Replay everything in the store of the house in ``home``, which has ended, and hold it against ``proven``.

    That is (auction, index) → leaf, from receipts that hold. ``progress`` is told so many entries of how many.
    """
    from auctionctl.keys.keyfile import key_path, read_key  # noqa: PLC0415 - imports libsodium
    from auctionctl.store.sqlite import SqliteStore  # noqa: PLC0415

    paths = paths_of(home)
    house = read_key(key_path(paths.keys, HOUSE)).identity.signing
    with closing(SqliteStore(paths.house_state(HOUSE))) as store:
        return check_store(store, house, proven, progress)


def check_store(
    store: LogStore, house: bytes, proven: Mapping[tuple[bytes, int], bytes], progress: Progress
) -> Checked:
    """As :func:`check_logs`, of what is in ``store``; ``house`` is the signing key."""
    trees = _replay_all(store, house, progress)
    for (auction, index), leaf in proven.items():
        tree = trees.get(auction)
        if tree is None or index >= tree.size or tree.leaf(index) != leaf:
            raise VerificationError("a bid that has a receipt is not in the log", rule="inclusion", index=index)
    return Checked(len(proven), sum(tree.size for tree in trees.values()))


def _replay_all(store: LogStore, house: bytes, progress: Progress) -> dict[bytes, Tree]:
    from auctionctl.replica.registry import REGISTRY, REGISTRY_ID, RegistryReplay  # noqa: PLC0415
    from auctionctl.replica.replay import Replay  # noqa: PLC0415

    trees: dict[bytes, Tree] = {}
    logs = store.logs()
    done, total = 0, sum(size for _, size in logs)
    for name, _ in logs:
        log_id = REGISTRY_ID if name == REGISTRY else bytes.fromhex(name.partition("/")[2])
        replay = RegistryReplay(house) if name == REGISTRY else Replay(house, log_id)
        for data in store.read(name):
            replay.apply(data)
            done += 1
            if not done % STEP:
                progress(done, total)
        trees[log_id] = replay.tree
    return trees
