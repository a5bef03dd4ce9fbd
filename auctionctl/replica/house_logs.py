"""All logs of one house at once: the registry, and every auction that it announces, each entry through the rules.

Rule: what is found good here, signatures included, anybody else finds good too; that nothing is missing at the end of a
log takes a head that the house signed. For backups, which hold no heads (DESIGN.md sections 7 and 10).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

import msgspec

from auctionctl.auction.auction import Auction
from auctionctl.errors import VerificationError
from auctionctl.replica.registry import REGISTRY, Registry, RegistryReplay
from auctionctl.replica.replay import Replay
from auctionctl.tlog.merkle import Tree, leaf_hash

Read = Callable[[str], Iterable[bytes]]
"""The entries of the log of this name, in order."""

_NAME = re.compile(r"auction/([0-9a-f]{64})")


class HouseLogs(msgspec.Struct):
    """The logs that hold, by name, and (name, reason) of those that do not."""

    registry: RegistryReplay
    auctions: dict[str, Replay] = msgspec.field(default_factory=dict)
    failed: list[tuple[str, str]] = msgspec.field(default_factory=list)

    @property
    def entry_count(self) -> int:
        """How many entries hold, in all."""
        return self.registry.size + sum(replay.size for replay in self.auctions.values())

    @property
    def last_time_ns(self) -> int:
        """The time of the latest entry."""
        return max((self.registry.state.last_time_ns, *(each.state.last_time_ns for each in self.auctions.values())))

    @property
    def missing(self) -> list[bytes]:
        """The auctions that the registry announces and that are not among the logs, in any condition."""
        here = {*self.auctions, *(name for name, _ in self.failed)}
        return [auction for auction in self.registry.state.auctions if f"auction/{auction.hex()}" not in here]

    def tree(self, name: str) -> Tree | None:
        """The tree of the log of this name; None if it is not among those that hold."""
        if name == REGISTRY:
            return self.registry.tree
        replay = self.auctions.get(name)
        return None if replay is None else replay.tree


def check_house_logs(
    house: bytes, names: Iterable[str], read: Read, on_entry: Callable[[], None] | None = None
) -> HouseLogs:
    """Every entry of the logs ``names`` of the house with this signing key; ``on_entry`` is called for each.

    Raises VerificationError if the registry does not hold: nobody could tell then which other logs are this house's.
    """
    registry = RegistryReplay(house)
    for data in read(REGISTRY):
        registry.apply(data)
        if on_entry is not None:
            on_entry()
    logs = HouseLogs(registry)
    for name in names:
        if name == REGISTRY:
            continue
        try:
            logs.auctions[name] = _replay(house, name, read, on_entry)
            check_announced(logs.auctions[name].state, registry.state)
        except VerificationError as error:
            logs.auctions.pop(name, None)
            logs.failed.append((name, str(error)))
    return logs


def auction_of(name: str) -> bytes:
    """The auction whose log has this name; VerificationError for a name that no auction's log has."""
    match = _NAME.fullmatch(name)
    if match is None:
        raise VerificationError(f"{name!a} is not the log of an auction", rule="terms")
    return bytes.fromhex(match[1])


def _replay(house: bytes, name: str, read: Read, on_entry: Callable[[], None] | None) -> Replay:
    replay = Replay(house, auction_of(name))
    for data in read(name):
        replay.apply(data)
        if on_entry is not None:
            on_entry()
    if not replay.size:
        raise VerificationError("a log without entries", rule="terms")
    return replay


def check_announced(auction: Auction, registry: Registry) -> None:
    """VerificationError unless ``registry`` has announced ``auction``, under its terms and at its beginning."""
    found = registry.auctions.get(auction.id)
    if found is None or (found.seller, found.listing) != (auction.terms.seller, auction.terms.listing):
        raise VerificationError("the registry does not announce this auction", rule="announcement")
    if found.time_ns != auction.announced_ns:
        raise VerificationError("the registry announces this auction at another time", rule="announcement")


def tree_of(entries: Iterable[bytes]) -> Tree:
    """The tree over ``entries``, whatever they say."""
    tree = Tree()
    for data in entries:
        tree.append(leaf_hash(data))
    return tree
