"""Following a house as an observer: one session, replicas of its logs, and copies of their entries.

Rule: what is handed on has passed the rules and stands under a checkpoint of the house. Source: DESIGN.md section 3.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Final

from auctionctl.auction.terms import Terms
from auctionctl.cli.allow import read_allow_list
from auctionctl.cli.completion.catalogue_cache import KnownAuction, catalogue_path, remember
from auctionctl.cli.members import RegistryNames
from auctionctl.cli.options import AtHouse
from auctionctl.cli.output import write_note
from auctionctl.cli.seen_logs import FollowedLogs, Memory, SeenLogs
from auctionctl.client.choosing import choose_auctions
from auctionctl.client.paths import Paths, find_paths
from auctionctl.errors import AllowListError, ConfigurationError, NotFoundError, UnreachableError
from auctionctl.keys.signing import SecretKey
from auctionctl.net.clock import Clock
from auctionctl.net.dealer import Dealer
from auctionctl.replica.export import encode_export
from auctionctl.replica.follower import Advanced, ClockOff, Follower, Listed, Notice, RegistryAdvanced, Welcomed
from auctionctl.replica.registry import REGISTRY_ID, Registry
from auctionctl.replica.replay import Applied
from auctionctl.replica.replica import Replica
from auctionctl.tlog.note import is_signed_alone
from auctionctl.views.auction_row import AuctionRow, Names, row_of
from auctionctl.wire.address import HouseAddress
from auctionctl.wire.messages import Refused

SILENCE_S: Final = 20.0
"""How long a command that only reads waits for the next piece of an answer."""

PLAIN_HEADS_S: Final = 2.0

Select = Callable[[Mapping[bytes, Terms]], set[bytes]]
"""Catalogue → the auctions to follow. May raise NotFoundError."""


Keep = Callable[[HouseAddress, list[KnownAuction]], None]
"""Gets what a house holds, when its catalogue has come in, and again at the end of the session."""


def keep_for_completion(address: HouseAddress, auctions: list[KnownAuction]) -> None:
    """The :data:`Keep` of commands: completion on this machine knows these auctions from now on."""
    remember(catalogue_path(find_paths().state, address.identity.text), auctions)


def keep_nothing(address: HouseAddress, auctions: list[KnownAuction]) -> None:
    """The :data:`Keep` of a house that will soon be gone."""


def everything(catalogue: Mapping[bytes, Terms]) -> set[bytes]:
    """The :data:`Select` of all auctions."""
    return set(catalogue)


class Observer:
    """One session as an observer. ``select`` is asked once the catalogue is there."""

    def __init__(
        self,
        address: HouseAddress,
        key: SecretKey,
        select: Select,
        keep: Keep = keep_for_completion,
        memory: Memory | None = None,
    ) -> None:
        """``memory`` is that of this machine, by default. Raises ConfigurationError if that is damaged."""
        paths = find_paths()
        memory = memory or SeenLogs(paths, address.identity)
        self.follower = Follower(key, address.identity, "observer", memory.heads_of)
        self._logs = FollowedLogs(memory, paths, self.follower)
        self.chosen: set[bytes] = set()
        """The auctions that are followed."""
        self.is_listed = False
        self.clock_off_ns = 0
        """By how much the house's clock is ahead of ours, or behind (< 0), once that is known to be too much."""
        self.has_lost_sight = False
        """Whether the house has archived an auction before its end was seen here."""
        self._address = address
        self._select = select
        self._keep = keep
        self._clock = Clock()
        self._unverified: dict[bytes, list[Applied]] = {}
        self._dealer = Dealer(self.follower, address, key)
        self._on_entries: Callable[[Replica, list[Applied]], None] | None = None
        self._missed: NotFoundError | None = None
        self._heard_s = 0.0
        self.follower.follow_registry(self._clock.now_ns())
        if select is everything:
            self.follower.follow_all()

    @property
    def entries(self) -> Mapping[bytes, Sequence[bytes]]:
        """Auction, or empty for the registry → the canonical bytes of every entry of its replica."""
        return self._logs.entries

    @property
    def registry(self) -> Registry:
        """What the house says of itself: whom it lets in, and what it holds; it grows."""
        return self.follower.registry.replay.state

    @property
    def house_now_ns(self) -> int:
        """The house's time, as well as we know it."""
        return self._clock.now_ns() + self.follower.house_ahead_ns

    def replicas(self) -> list[Replica]:
        """The replicas of the chosen auctions that have begun, in the order of the catalogue."""
        order = [auction for auction in self.follower.catalogue if auction in self.chosen]
        found = [self.follower.replicas[auction] for auction in order if auction in self.follower.replicas]
        return [replica for replica in found if replica.size]

    def rows(self, names: Names, replicas: Sequence[Replica] | None = None) -> list[AuctionRow]:
        """A row for each of ``replicas``, or of all :meth:`replicas`, now."""
        now_ns = self.house_now_ns
        return [
            row_of(replica.replay.state, now_ns, names, is_current=replica.is_verified and not replica.is_behind)
            for replica in (self.replicas() if replicas is None else replicas)
        ]

    def is_current(self) -> bool:
        """Whether the catalogue, the registry and every chosen log are there, verified."""
        registry = self.follower.registry
        if not self.is_listed or not registry.is_verified or registry.is_behind:
            return False
        return all(
            (replica := self.follower.replicas.get(auction)) is not None
            and replica.is_verified
            and not replica.is_behind
            for auction in self.chosen
        )

    def has_ended(self) -> bool:
        """Whether every chosen auction has ended, by its verified log, or was archived; of none it never is."""
        return (
            (bool(self.chosen) or self.has_lost_sight)
            and self.is_current()
            and all(replica.replay.state.outcome is not None for replica in self.replicas())
        )

    def run(
        self,
        is_done: Callable[[], bool],
        on_entries: Callable[[Replica, list[Applied]], None] | None = None,
        on_tick: Callable[[], None] | None = None,
        *,
        tick_s: float = 0.25,
    ) -> None:
        """Follow until ``is_done()``; ``on_entries`` gets the verified entries of each log in order, each once.

        ``on_tick`` is called at least every ``tick_s`` seconds.

        Raises what a Dealer raises, VerificationError for a log that is not what it was when it was last seen here, and
        NotFoundError from ``select``.
        """
        self._on_entries = on_entries

        def tick() -> None:
            self._logs.tick()
            if on_tick is not None:
                on_tick()

        with self._logs.kept():
            self._dealer.run(self._notice, is_done, on_tick=tick, tick_s=tick_s)

    def read(
        self,
        on_entries: Callable[[Replica, list[Applied]], None] | None = None,
        on_progress: Callable[[int, int], None] | None = None,
    ) -> None:
        """Follow until everything chosen is there. UnreachableError if the house falls silent before that.

        ``on_progress`` is told how many entries have come of those that the house has signed for.
        """
        self._heard_s = time.monotonic()

        def tick() -> None:
            self._check_silence()
            if on_progress is not None:
                replicas = self.replicas()
                on_progress(sum(each.size for each in replicas), sum(each.signed_size for each in replicas))

        self.run(self.is_current, on_entries, tick)

    def settle(self) -> None:
        """Have the heads of the chosen logs and of the registry as plain notes, as files carry them, if there is time.

        In a log that grows meanwhile, the newest head may be one that was signed together with others: as good a proof,
        in a form that fewer programs read.
        """
        self.follower.ask_for_heads({*self.chosen, REGISTRY_ID}, self._clock.now_ns())
        deadline_s = time.monotonic() + PLAIN_HEADS_S
        registry = self.follower.registry

        def is_done() -> bool:
            notes = [registry.head_note, *(replica.head_note for replica in self.replicas())]
            return all(map(is_signed_alone, notes)) or time.monotonic() > deadline_s

        self.run(is_done)

    def close(self) -> None:
        """End the session."""
        self._dealer.close()
        if self.is_listed:
            self._keep(self._address, self._known_auctions())

    def _known_auctions(self) -> list[KnownAuction]:
        phases = {replica.replay.auction_id: replica.replay.state.phase.value for replica in self.replicas()}
        return [
            KnownAuction(terms.listing, auction.hex(), terms.lot.title, phases.get(auction, ""))
            for auction, terms in self.follower.catalogue.items()
        ]

    def begin_with(self, log: bytes, entries: Sequence[bytes]) -> None:
        """These entries of ``log`` were had from elsewhere, and its replica has applied them: the session reads on."""
        self._logs.entries[log] = list(entries)

    def export(self, auction: bytes) -> bytes:
        """The file of the log of ``auction``, as far as it has been verified."""
        replica = self.follower.replicas[auction]
        assert replica.head is not None
        entries = self.entries[auction][: replica.head.size]
        return encode_export(entries, replica.head_note, self.follower.announcements[auction])

    def export_registry(self) -> bytes:
        """The file of the house's registry, as far as it has been verified."""
        registry = self.follower.registry
        assert registry.head is not None
        return encode_export(self.entries[REGISTRY_ID][: registry.head.size], registry.head_note)

    def _check_silence(self) -> None:
        if time.monotonic() - self._heard_s > SILENCE_S:
            raise UnreachableError(f"the house at {self._address.where} has said nothing for {SILENCE_S:.0f} s")

    def _notice(self, notice: Notice) -> None:
        if not isinstance(notice, Advanced) or notice.applied or notice.is_current:
            self._heard_s = time.monotonic()  # A copy that lags behind may say for ever that it knows nothing new.
        self._logs.take(notice)
        match notice:
            case Welcomed() if not self.is_listed and self._select is not everything:
                self.follower.list_auctions(self._clock.now_ns())
            case Listed():
                if not self.is_listed:
                    self._keep(self._address, self._known_auctions())
                self.is_listed = True
                self._choose()
            case Advanced(auction=auction, applied=applied):
                self._hand_on(auction, applied)
            case RegistryAdvanced(is_current=True) if self._missed is not None:
                raise self._missed
            case ClockOff(ahead_ns=ahead_ns):
                self.clock_off_ns = ahead_ns
            case Refused(code="no_such_auction", command=log) if log in self.chosen:
                self._lose_sight(log)
            case _:
                pass

    def _choose(self) -> None:
        try:
            self.chosen = self._select(self.follower.catalogue)
        except NotFoundError as error:
            registry = self.follower.registry
            if registry.is_verified and not registry.is_behind:
                raise
            # A house that has lost an auction has lost it from its registry too: that is the graver word.
            self._missed = error
        self.follower.follow(self.chosen, self._clock.now_ns())

    def _lose_sight(self, auction: bytes) -> None:
        """The house serves this log no more: what was asked for by name is missed, and of all it is no longer one."""
        replica = self.follower.replicas.get(auction)
        if replica is not None and replica.has_ended and replica.is_verified:
            return
        if self._select is not everything:
            listing = self.follower.catalogue[auction].listing
            raise NotFoundError(
                f"the house has archived the auction {listing} ({auction.hex()[:12]}…)",
                hint="ask its operator for the file of that auction, and check it with: auctionctl verify FILE",
            )
        self.chosen.discard(auction)
        self.has_lost_sight = True

    def _hand_on(self, auction: bytes, applied: tuple[Applied, ...]) -> None:
        waiting = self._unverified.setdefault(auction, [])
        waiting += applied
        replica = self.follower.replicas[auction]
        head_size = 0 if replica.head is None else replica.head.size
        verified = [each for each in waiting if each.entry_index < head_size]
        self._unverified[auction] = waiting[len(verified) :]
        if verified and self._on_entries is not None:
            self._on_entries(replica, verified)


def read_auction(
    at: AtHouse, wanted: str, on_progress: Callable[[int, int], None] | None = None
) -> tuple[Observer, Replica]:
    """The one auction that ``wanted`` names, whole, verified, under a plain note, once the session has ended.

    Raises what :meth:`Observer.read` raises, and NotFoundError for an auction that is not there.
    """
    observer = Observer(at.address(), at.secret(), lambda catalogue: choose_auctions(catalogue, [wanted]))
    try:
        observer.read(on_progress=on_progress)
        observer.settle()
    finally:
        observer.close()
    (replica,) = observer.replicas()
    return observer, replica


class ConnectionNotes:
    """Tells people, on stderr, when the house is lost and when it is back."""

    def __init__(self, follower: Follower) -> None:
        self._follower = follower
        self._was_welcome = False
        self._is_lost = False

    def tick(self) -> None:
        """Look whether anything has changed."""
        is_welcome = self._follower.is_welcome
        if is_welcome and self._is_lost:
            write_note("the house is back")
        if self._was_welcome and not is_welcome:
            write_note("the house does not answer; trying again until it does")
        self._is_lost = not is_welcome and (self._was_welcome or self._is_lost)
        self._was_welcome = is_welcome


def names_of(paths: Paths, key: SecretKey, registry: Registry) -> Names:
    """What the holders of keys are called: on this machine, or else by the house, whose ``registry`` may still grow."""
    return RegistryNames(registry, local_names(paths, key))


def local_names(paths: Paths, key: SecretKey) -> dict[bytes, str]:
    """What the holders of keys are called on this machine: by its allow list, if there is one; our own is ``you``."""
    names: dict[bytes, str] = {}
    # Names are a convenience here: a list that cannot be read is its house's business.
    with suppress(AllowListError, ConfigurationError):
        names = {entry.identity.signing: entry.name for entry in read_allow_list(paths.allow_list)[1]}
    return names | {key.identity.signing: "you"}
