"""Verifying an exported log offline, with nothing but the file and the house's public key (DESIGN.md section 7).

Checked, in this order: the file's form, the checkpoint's signature and origin, each entry (form, time, signature,
rule), the root, and the proof that the house's registry announced the auction.

What passes is the whole truth that the house signed; whether it is the only one that it signed takes somebody else's
checkpoint to compare.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from auctionctl.auction.auction import Auction
from auctionctl.auction.events import Closed
from auctionctl.auction.terms import SECOND_NS
from auctionctl.errors import KeyTextError, NoteError, VerificationError
from auctionctl.keys.allowlist import Role
from auctionctl.keys.signing import Identity
from auctionctl.replica.announcement import RULE, check_announcement
from auctionctl.replica.clock_heads import FORK, Contradiction, KeptHead, KeptHeads, contradiction, entry_rule
from auctionctl.replica.conduct import deeds_of, without_invalid
from auctionctl.replica.export import checkpoint_in, decode_export
from auctionctl.replica.registry import FINISHING, REGISTRY, Registry, RegistryReplay
from auctionctl.replica.replay import Operation, Replay, Statement, signer_of
from auctionctl.replica.replica import LogReplay
from auctionctl.tlog.checkpoint import Checkpoint, open_checkpoint, split_origin
from auctionctl.tlog.cosignature import TimedCheckpoint
from auctionctl.tlog.entry import Kind, decode
from auctionctl.tlog.merkle import Tree
from auctionctl.wire.frames import is_signed_by

AUCTION_LOG: Final = "auction/"
REGISTRY_GRACE_NS: Final = 5 * SECOND_NS
"""How far a log that was taken over and the registry may be apart: another instance writes it, by another clock."""
CLOCK_HINT: Final = "the house has signed both: keep the files, which prove it to anybody who knows its key"
OTHER_HOUSE_HINT = "give the key of the house that held this auction, or ask for the log of the house that you mean"


Grace = Callable[[int], int]
"""Index of an entry → nanoseconds by which it and what the registry says at its time may be apart."""


@dataclass(frozen=True, slots=True)
class Audit:
    """What a verified log says. ``contested`` are indices of bids that claim to have seen another history."""

    house: Identity
    checkpoint: Checkpoint
    auction: Auction
    contested: tuple[int, ...]
    announced_under: Checkpoint
    """The head of the registry in the announcement, which is the registry's last entry there."""
    entries: tuple[bytes, ...]
    tree: Tree
    operations: tuple[Operation, ...]
    """What was done by operators of the house: its word, until it is held against the registry."""
    statements: tuple[Statement, ...]
    """The reputations that bidders stated, and the house let pass: the same holds of them."""

    @property
    def is_finished(self) -> bool:
        """Whether the log has come to its end: bidding, and the settlement of a sale that is followed up.

        A valid beginning of a log is *unfinished*, not wrong.
        """
        return self.auction.is_final

    @property
    def sale(self) -> Closed | None:
        """Winner and price as bidding ended, where there was a sale; ``auction.sale`` is who buys it in the end."""
        outcome = self.auction.outcome
        return outcome if isinstance(outcome, Closed) and outcome.winner is not None else None


@dataclass(frozen=True, slots=True)
class RegistryAudit:
    """What a verified registry says."""

    house: Identity
    checkpoint: Checkpoint
    registry: Registry
    tree: Tree


def is_registry(data: bytes) -> bool:
    """Whether an exported log claims to be a registry; VerificationError for a file of another form.

    No entry is looked at here, nor in :func:`claimed_house`: each takes as long to read as to hash.
    """
    return checkpoint_in(data).partition(b"\n")[0].endswith(b"/" + REGISTRY.encode())


def claimed_house(data: bytes) -> Identity:
    """The house that an exported log says it comes from: a claim, to be compared with the identity that one knows.

    Raises VerificationError for a file of another form, and for a checkpoint that names no house.
    """
    note = checkpoint_in(data)
    try:
        origin = note.decode().partition("\n")[0]
        return Identity.from_text(split_origin(origin)[0])
    except (UnicodeDecodeError, NoteError, KeyTextError) as error:
        raise VerificationError(f"the checkpoint names no house: {error}", rule="checkpoint") from error


class Ahead(Protocol):
    """Whoever has checked signatures before they are asked for; it says no more than :func:`is_signed_by` would."""

    def take(self, entries: Sequence[bytes]) -> None:
        """These come next in the log."""
        ...

    def entries(self) -> Iterator[bytes]:
        """Each entry that was taken, in order."""
        ...

    def is_signed(self, public: bytes, body: bytes, signature: bytes) -> bool:
        """Whether the key ``public`` signed ``body``, which is that of the entry that came last."""
        ...


def audit(
    data: bytes, house: Identity, progress: Callable[[int], None] | None = None, ahead: Ahead | None = None
) -> Audit:
    """Verify an exported log of ``house``. Raises VerificationError naming entry and rule for whatever does not hold.

    ``progress`` is told how many entries have been checked; signatures are asked of ``ahead``, if it is there.
    """
    export = decode_export(data) if ahead is None else decode_export(data, ahead.take)
    checkpoint, log = _open(export.checkpoint, house)
    if not log.startswith(AUCTION_LOG):
        raise VerificationError("this is no log of an auction", rule="checkpoint")
    is_signed = is_signed_by if ahead is None else ahead.is_signed
    replay = Replay(house.signing, bytes.fromhex(log.removeprefix(AUCTION_LOG)), is_signed)
    _replay(export.entries if ahead is None else ahead.entries(), checkpoint, replay, progress)
    auction = replay.state
    begun_ns = decode(export.entries[0]).time_ns
    under = check_announcement(export.announcement, house, auction.id, auction.terms, begun_ns)
    contested, operations = tuple(replay.contested), tuple(replay.operations)
    return Audit(
        house,
        checkpoint,
        auction,
        contested,
        under,
        export.entries,
        replay.tree,
        operations,
        tuple(replay.statements),
    )


def audit_registry(data: bytes, house: Identity, progress: Callable[[int], None] | None = None) -> RegistryAudit:
    """Verify the exported registry of ``house``, as :func:`audit` does the log of an auction."""
    export = decode_export(data)
    checkpoint, log = _open(export.checkpoint, house)
    if log != REGISTRY or export.announcement:
        raise VerificationError("this is no registry", rule="checkpoint")
    replay = RegistryReplay(house.signing)
    _replay(export.entries, checkpoint, replay, progress)
    return RegistryAudit(house, checkpoint, replay.state, replay.tree)


def compare_with_registry(log: Audit, registry: RegistryAudit) -> None:
    """Whether the announcement of ``log`` is in this very registry: the same entry, place, time and head.

    And whether whoever acted as an operator was one at that time, nobody whose key is revoked did anything later,
    nobody whose key was replaced did more under it than finish what it had begun, the reputations that were stated are
    those of that time, and the registry says of the bidders what the log does, all by this registry; "that time" is
    give or take :data:`REGISTRY_GRACE_NS` in a log that was taken over before. Raises
    VerificationError, rule ``announcement``, ``operator``, ``revoked``, ``rotated``, ``reputation`` or ``conduct``,
    where it is not so, and where the registry ends too early to tell.
    """
    under = log.announced_under
    if registry.house != log.house:
        raise VerificationError(
            f"this is the registry of another house, {registry.house.text[:16]}…", rule=RULE, hint=OTHER_HOUSE_HINT
        )
    if under.size > registry.tree.size:
        raise VerificationError(
            f"the registry has {registry.tree.size} entries, and the log was announced in entry {under.size - 1}",
            rule=RULE,
            hint="take a newer copy of the registry: auctionctl export --registry",
        )
    if registry.tree.root(under.size) != under.root:
        raise VerificationError(
            f"the log was announced in another registry than this: the first {under.size} entries differ",
            rule=RULE,
            hint="the house has signed two registries: keep both files, which prove it",
        )
    found = registry.registry.auctions.get(log.auction.id)
    # Under the same root there is the same entry; a copy that says otherwise was put together wrongly here.
    assert found is not None, "the root holds the announcement"
    assert (found.entry_index, found.time_ns) == (under.size - 1, log.auction.announced_ns)
    grace = _grace_of(log)
    for operation in log.operations:
        _check_operator(operation, registry.registry, grace)
    if registry.registry.revoked:
        _check_revocations(log, registry.registry, grace)
    if registry.registry.rotated:
        _check_rotations(log, registry.registry, grace)
    for statement in log.statements:
        _check_statement(statement, registry.registry, grace)
    if log.is_finished:
        _check_conduct(log, registry.registry, grace)


def _grace_of(log: Audit) -> Grace:
    """Behind its first takeover the log may be written by an instance that hears a moment later what is registered.

    Before it, it was written by the registry's own holder, and nothing is allowed for.
    """
    if log.auction.takeover is None:
        return lambda _: 0
    taken = next(index for index, data in enumerate(log.entries) if decode(data).kind is Kind.TAKEOVER)
    return lambda index: REGISTRY_GRACE_NS if index > taken else 0


def _check_operator(operation: Operation, registry: Registry, grace: Grace) -> None:
    index, time_ns, operator = operation
    if Role.OPERATOR not in registry.roles_at(operator, time_ns, grace(index)):
        raise VerificationError(
            f"whoever did this as an operator, {operator.hex()[:12]}…, was none, by this registry",
            rule="operator",
            index=index,
            hint="is this copy of the registry older than the log? auctionctl export --registry makes a new one",
        )


def _check_revocations(log: Audit, registry: Registry, grace: Grace) -> None:
    for index, data in enumerate(log.entries):
        entry = decode(data)
        if not entry.signature:
            continue
        actor = signer_of(entry)
        if entry.time_ns > registry.revoked.get(actor, entry.time_ns) + grace(index):
            raise VerificationError(
                f"whoever signed this, {actor.hex()[:12]}…, had its key revoked before, by this registry",
                rule="revoked",
                index=index,
                hint="the house has taken what it must not: keep both files",
            )


def _check_rotations(log: Audit, registry: Registry, grace: Grace) -> None:
    """A key that was replaced finishes a sale and does nothing else; one holder takes part under one key alone."""
    here = {log.auction.terms.seller}
    for index, data in enumerate(log.entries):
        entry = decode(data)
        if not entry.signature:
            continue
        actor, words = signer_of(entry), ""
        since_ns = registry.rotated.get(actor, entry.time_ns) + grace(index)
        if entry.kind not in FINISHING and entry.time_ns > since_ns:
            words = "had its key replaced before, by this registry"
        if entry.kind is Kind.JOINED:
            if any(key in here for key in registry.successions.keys_of(actor) if key != actor):
                words = "has part in this auction under another of its keys, by this registry"
            here.add(actor)
        if words:
            raise VerificationError(
                f"whoever signed this, {actor.hex()[:12]}…, {words}",
                rule="rotated",
                index=index,
                hint="the house has taken what it must not: keep both files",
            )


def _check_statement(statement: Statement, registry: Registry, grace: Grace) -> None:
    index, time_ns, bidder, stated_ppm = statement
    had_ppm = registry.reputations.ppm_then(bidder, time_ns, grace(index))
    if stated_ppm not in had_ppm:
        raise VerificationError(
            f"{bidder.hex()[:12]}… joined with a reputation of {stated_ppm} ppm, and by this registry it had"
            f" {' or '.join(map(str, sorted(had_ppm)))}",
            rule="reputation",
            index=index,
            hint="is this copy of the registry older than the log? auctionctl export --registry makes a new one",
        )


def _check_conduct(log: Audit, registry: Registry, grace: Grace) -> None:
    """A registry that was copied before the auction was over says nothing of it yet; one that goes on has to."""
    due, said = deeds_of(log.auction), registry.reputations.auctions.get(log.auction.id)
    by_ns = log.auction.last_time_ns + grace(len(log.entries) - 1)
    if said is None and (not due or registry.last_time_ns <= by_ns):
        return
    if said is None or without_invalid(said) != due:
        raise VerificationError(
            "the registry says nothing of this auction's bidders, and goes on after it"
            if said is None
            else "the registry says something else of this auction's bidders than its log does",
            rule="conduct",
        )


def compare_with_clock_head(log: Audit, note: bytes) -> TimedCheckpoint:
    """The clock head in ``note``, with which ``log`` is found to agree as far as it goes.

    Raises VerificationError: rule ``checkpoint`` where it is none of this log by this house, and with the entry that it
    contradicts ``back_dated`` or ``ahead_of_clock``, or ``root`` if the two are not of one history.
    """
    heads = KeptHeads(log.checkpoint.origin, log.house)
    kept = _open_clock_head(heads, note)
    found = contradiction(kept, log.tree, log.tree.size, lambda index: decode(log.entries[index]).time_ns)
    if found is not None:
        raise _disproved(found)
    return kept.head


def hold_against_clock_head(house: Identity, origin: str, index: int, time_ns: int, note: bytes) -> TimedCheckpoint:
    """The clock head in ``note``, by which entry ``index`` of the log ``origin`` may be dated ``time_ns``.

    Raises VerificationError as :func:`compare_with_clock_head`; that the two are of one history is not looked at.
    """
    kept = _open_clock_head(KeptHeads(origin, house), note)
    rule = entry_rule(kept.head, index, time_ns)
    if rule is not None:
        raise _disproved(Contradiction(rule, index, time_ns, kept))
    return kept.head


def _open_clock_head(heads: KeptHeads, note: bytes) -> KeptHead:
    try:
        return heads.open(note)
    except NoteError as error:
        raise VerificationError(
            f"this is no clock head of this log: {error}",
            rule="checkpoint",
            hint="`auctionctl bid` keeps them beside its receipts, a directory an auction: clock-head.note",
        ) from error


def _disproved(found: Contradiction) -> VerificationError:
    index = None if found.rule == FORK else found.entry_index
    return VerificationError(found.words, rule=found.rule, index=index, hint=CLOCK_HINT)


def _replay(
    entries: Iterable[bytes],
    checkpoint: Checkpoint,
    rules: LogReplay[object],
    progress: Callable[[int], None] | None,
) -> None:
    """Every entry through the rules, and then size and root against the checkpoint."""
    for index, entry in enumerate(entries):
        rules.apply(entry)
        if progress is not None and index % 1_000 == 0:
            progress(index)
    if checkpoint.size != rules.tree.size:
        raise VerificationError(
            f"the checkpoint is over {checkpoint.size} entries, and the file holds {rules.tree.size}", rule="checkpoint"
        )
    if rules.tree.root() != checkpoint.root:
        raise VerificationError("the entries have another root than the one that the house signed", rule="root")


def _open(note: bytes, house: Identity) -> tuple[Checkpoint, str]:
    """The checkpoint, and the name of the log that it is of."""
    try:
        origin = note.decode().partition("\n")[0]
        house_text, log = split_origin(origin)
        if house_text != house.text:
            raise VerificationError(
                f"this is a log of another house, {house_text[:16]}…", rule="checkpoint", hint=OTHER_HOUSE_HINT
            )
        return open_checkpoint(note, origin, house.signing), log
    except (UnicodeDecodeError, NoteError) as error:
        raise VerificationError(f"the checkpoint does not hold: {error}", rule="checkpoint") from error
