"""What the store of a house holds, as logs again: each rebuilt by its rules, and held against the registry.

Rule: a log that does not hold is quarantined, and the others run; without a registry that holds nothing runs, for
nobody could tell which of the other logs are this house's (DESIGN.md section 10).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from auctionctl.auction.terms import decode_terms
from auctionctl.errors import (
    ArchiveError,
    ConfigurationError,
    MalformedEntryError,
    StoreError,
    TermsError,
    VerificationError,
)
from auctionctl.house.auction_log import AuctionLog, log_name
from auctionctl.house.recovery import rebuild, resume
from auctionctl.house.registry import RegistryLog
from auctionctl.keys.signing import SecretKey
from auctionctl.net.replaying import Outcome, count_replayers, replay_all
from auctionctl.replica.house_logs import check_announced
from auctionctl.replica.registry import REGISTRY
from auctionctl.store.archive import Archive
from auctionctl.store.log_store import LogStore
from auctionctl.tlog.entry import decode

ENTRIES_A_WORD: Final = 8_192
"""Replayed in a tenth of a second."""


def archive_name(listing: str, auction: bytes) -> str:
    """What the file of an auction's log is called in the archive: its listing, for people, and its whole id."""
    return f"{listing}-{auction.hex()}"


class _Count:
    """Counts the entries of several logs on their way, and tells of each :data:`ENTRIES_A_WORD`."""

    def __init__(self, total: int, on_progress: Callable[[int, int], None] | None) -> None:
        self.total = total
        self._done = 0
        self._on_progress = on_progress

    def through(self, entries: Iterator[bytes]) -> Iterator[bytes]:
        """``entries``, counted."""
        if self._on_progress is None:
            yield from entries
            return
        for data in entries:
            yield data
            self._done += 1
            # What two processes are at counts twice.
            if not self._done % ENTRIES_A_WORD and self._done <= self.total:
                self._on_progress(self._done, self.total)


class StoredLogs:
    """The logs in ``store``, and those that have gone from there to ``archive``, of the house under ``key``."""

    def __init__(self, key: SecretKey, store: LogStore, archive: Archive) -> None:
        self._key = key
        self._store = store
        self._archive = archive

    def registry(self) -> RegistryLog:
        """The registry. Raises StoreError if it does not hold, ConfigurationError if all this is another house's."""
        try:
            return RegistryLog(self._key, self._store.read(REGISTRY))
        except VerificationError as error:
            for name, _ in self._store.logs():
                if name != REGISTRY:
                    self._check_owner(name)
            raise StoreError(
                f"the registry does not verify: {error}", hint="restore the state directory from a copy"
            ) from error

    def auctions(
        self, registry: RegistryLog, on_progress: Callable[[int, int], None] | None = None
    ) -> tuple[list[AuctionLog], list[tuple[str, str]]]:
        """The logs that hold, and (name, reason) of each that does not or that is gone. ConfigurationError as above.

        ``on_progress`` is told now and then how many entries have been replayed, of how many.
        """
        sizes = [(name, size) for name, size in self._store.logs() if name != REGISTRY]
        count = _Count(sum(size for _, size in sizes), on_progress)
        outcomes = replay_all(
            self._key.identity.signing,
            sizes,
            lambda name: count.through(self._store.read(name)),
            count_replayers(count.total, len(sizes)),
        )
        logs: list[AuctionLog] = []
        quarantined: list[tuple[str, str]] = []
        for name, _ in sizes:
            log = self._resume(outcomes.pop(name), registry)
            if isinstance(log, AuctionLog):
                logs.append(log)
            else:
                self._check_owner(name)
                quarantined.append((name, log))
        return logs, quarantined + self._gone(registry)

    def _resume(self, outcome: Outcome, registry: RegistryLog) -> AuctionLog | str:
        if isinstance(outcome, str):
            return outcome
        try:
            log = resume(self._key, outcome)
            check_announced(log.auction, registry.state)
        except (VerificationError, TermsError) as error:
            return str(error)
        return log

    def rebuild(self, log: AuctionLog) -> AuctionLog | None:
        """``log`` as it is stored; None if it is not. Errors as for :func:`auctionctl.house.recovery.rebuild`."""
        if not self._store.size(log.name):
            return None
        return rebuild(self._key, log.name, self._store.read(log.name))

    def _gone(self, registry: RegistryLog) -> list[tuple[str, str]]:
        gone: list[tuple[str, str]] = []
        for auction, announced in registry.state.auctions.items():
            name = log_name(auction)
            if self._store.size(name):
                continue
            try:
                if not self._archive.holds(archive_name(announced.listing, auction)):
                    gone.append((name, "the registry announces it, and it is neither in the store nor in the archive"))
            except ArchiveError as error:
                gone.append((name, f"the registry announces it, it is not in the store, and {error}"))
        return gone

    def _check_owner(self, name: str) -> None:
        try:
            first = next(self._store.read(name), b"")  # none, where the store itself is damaged
            terms = decode_terms(decode(first).body)
        except (TermsError, MalformedEntryError):
            return
        if terms.house != self._key.identity.signing:
            raise ConfigurationError(
                "the state is that of another house, under another key",
                hint="serve it with its own key, or give this house another name in [house]",
            )
