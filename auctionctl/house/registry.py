"""The registry as its house writes it: announcements, admissions, roles, revocations (DESIGN.md section 7)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from auctionctl.house.log import HouseLog
from auctionctl.keys.allowlist import AllowList, Role
from auctionctl.keys.allowlist import Entry as Allowed
from auctionctl.keys.signing import SecretKey
from auctionctl.replica.announcement import prove_announcement
from auctionctl.replica.registry import (
    REGISTRY,
    REGISTRY_ID,
    Admitted,
    Announced,
    Member,
    Registry,
    RegistryEvent,
    RegistryReplay,
    RoleChanged,
    encode_registry_event,
    kind_of,
)
from auctionctl.tlog.entry import Entry, encode
from auctionctl.wire.messages import Entries
from auctionctl.wire.session import Peer


class RegistryLog(HouseLog):
    """The registry's state and log. ``entries`` are those that the store has; VerificationError if they do not hold."""

    __slots__ = ("_announcements", "_key", "_replay", "_texts", "state")

    def __init__(self, key: SecretKey, entries: Iterable[bytes] = ()) -> None:
        self._replay = replay = RegistryReplay(key.identity.signing)
        super().__init__(key, REGISTRY, REGISTRY_ID, replay.tree)
        self.state: Registry = replay.state
        self._key = key
        self._announcements: dict[bytes, bytes] = {}
        self._texts: dict[bytes, bytes] = {}
        for data in entries:
            event = replay.apply(data).fact
            self._remember(event, data)
        if replay.size:
            self.sign_head()

    def add(self, event: RegistryEvent, now_ns: int, signature: bytes = b"") -> None:
        """The house says ``event``, or has it from whoever signed it; an assertion if the rules would not allow it."""
        reason = self.state.check(event, now_ns)
        assert reason is None, reason
        self.state.apply(event, now_ns)
        data = encode(Entry(kind_of(event), now_ns, encode_registry_event(event), signature))
        self._add(data)
        self._remember(event, data)

    def absorb(self, entries: Sequence[bytes]) -> list[Entries]:
        """Take on what another instance wrote behind what is here; what its followers hear of that.

        VerificationError at the first that does not hold: what was before it has been taken on.
        """
        taken: list[bytes] = []
        try:
            for data in entries:
                self._remember(self._replay.apply(data).fact, data)
                taken.append(data)
        finally:
            self._has_grown()
            self.sign_head()
        return self._slices(taken)

    def _remember(self, event: RegistryEvent, data: bytes) -> None:
        if isinstance(event, Announced):
            self._announcements[event.auction] = data

    def admit(self, allowed: AllowList, now_ns: int) -> bool:
        """Say what ``allowed`` has otherwise than the registry; whether there was anything to say."""
        changes = list(_changes(self.state, allowed))
        for event in changes:
            self.add(event, now_ns)
        return bool(changes)

    def meet(self, peer: Peer, now_ns: int) -> None:
        """``peer`` takes part in an auction: a stranger too has a name here from now on, and can be revoked."""
        if peer.is_listed or not self.is_writable:
            return
        admitted = Admitted(peer.identity.signing, peer.identity.transport, peer.name, Role.BIDDER.value)
        if self.state.check(admitted, now_ns) is None:  # otherwise it is known already
            self.add(admitted, now_ns)

    def announcement(self, auction: bytes) -> bytes:
        """The proof that ``auction`` was announced; only while that is durable."""
        text = self._texts.get(auction)
        if text is None:
            index = self.state.auctions[auction].entry_index
            assert index < self.durable_size
            text = prove_announcement(self.tree, index, self._announcements[auction], self._key)
            self._texts[auction] = text
        return text


def _changes(registry: Registry, allowed: AllowList) -> Iterator[RegistryEvent]:
    """First who is let in no more, under these keys; then who is new or is called or may do something else.

    Strangers are entered when they take part (:meth:`RegistryLog.meet`), and stay for as long as strangers are let in.
    """
    here = {entry.identity.signing: entry for entry in allowed if entry.identity.signing != registry.house}
    gone: set[bytes] = set()
    for signing, member in registry.members.items():
        entry = here.get(signing)
        if entry is None and _is_stranger(member, allowed.entry_of(member.identity)):
            continue
        if member.role and (entry is None or entry.identity != member.identity):
            gone.add(signing)
            yield RoleChanged(signing, member.name, "")
    for signing, entry in here.items():
        known: Member | None = registry.members.get(signing)
        if known is None or not known.role or signing in gone:
            yield Admitted(signing, entry.identity.transport, entry.name, entry.role)
        elif (known.name, known.role) != (entry.name, entry.role):
            yield RoleChanged(signing, entry.name, entry.role)


def _is_stranger(member: Member, entry: Allowed | None) -> bool:
    """Whether ``member`` was met as a stranger, and still may come in as that."""
    return entry is not None and (member.name, member.role) == (entry.name, entry.role)
