"""Rotations in a registry, and the logs beside it: both programs say the same of who may still do what."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest
from msgspec.structs import replace

from auctionctl.errors import VerificationError
from auctionctl.replica.announcement import prove_announcement
from auctionctl.replica.export import encode_export
from auctionctl.replica.registry import (
    REGISTRY,
    Admitted,
    RegistryReplay,
    Revoke,
    RoleChanged,
    encode_registry_event,
    kind_of,
    rotation,
)
from auctionctl.tlog.checkpoint import CheckpointSigner, origin_of
from auctionctl.tlog.entry import Entry, Kind, decode, encode
from auctionctl.tlog.merkle import Tree, leaf_hash
from auctionctl.wire.frames import sign_body


@pytest.fixture
def rotated(stage: Any, staging: Any) -> Callable[..., bytes]:
    """An entry by which the key of one takes the place of that of another; ``changes`` come before the old one signs.

    With ``by`` somebody else signs in place of the old key.
    """

    def entry(old: str, new: str, time_ns: int | None = None, by: str = "", **changes: Any) -> bytes:
        house = stage.key.identity.signing
        event = replace(rotation(staging.key_of(old).identity.signing, staging.key_of(new), house), **changes)
        message = sign_body(staging.key_of(by or old), encode_registry_event(event))
        return encode(Entry(kind_of(event), stage.now_ns if time_ns is None else time_ns, *message))

    return entry


def file_of(stage: Any, entries: list[bytes]) -> bytes:
    tree = Tree()
    for data in entries:
        tree.append(leaf_hash(data))
    signer = CheckpointSigner(origin_of(stage.key.identity.text, REGISTRY), stage.key)
    return encode_export(entries, signer.sign(tree.size, tree.root()))


def word_of(check: Callable[..., Any], *arguments: Any) -> tuple[str, int | None] | None:
    try:
        check(*arguments)
    except VerificationError as error:
        return error.rule, error.index
    return None


def test_both_say_whose_key_takes_the_place_of_which(
    stage: Any, staging: Any, rotated: Any, audit_registry_twice: Any
) -> None:
    before, now_ns, house = stage.registry_data(), stage.now_ns, stage.key.identity.signing
    ann, ann2, ben = (staging.key_of(name).identity for name in ("ann", "ann2", "ben"))

    def said(event: Any) -> bytes:
        return encode(Entry(kind_of(event), now_ns, encode_registry_event(event)))

    def revoked(by: str, whom: str) -> bytes:
        event = Revoke(house, staging.key_of(by).identity.signing, staging.key_of(whom).identity.signing)
        return encode(Entry(Kind.KEY_REVOKED, now_ns, *sign_body(staging.key_of(by), encode_registry_event(event))))

    done = rotated("ann", "ann2")
    signature, itself = "signature", "key_rotated"
    for entries, word in (
        ([done], None),
        ([done, rotated("ann2", "ann3"), rotated("ben", "ben2")], None),
        ([done, said(RoleChanged(ann2.signing, "ann", "bidder+seller"))], None),
        ([done, revoked("ann2", "ann2")], None),
        ([done, revoked("otto", "ann")], None),
        ([rotated("ann", "ann2", by="ann2")], signature),
        ([rotated("ann", "ann2", consent=bytes(64))], signature),
        ([rotated("ann", "ann2", transport=b"t" * 32)], signature),
        ([rotated("ann", "ann2", signing=ben.signing)], signature),
        ([encode(replace(decode(done), signature=b""))], signature),
        ([rotated("ann", "ann2", now_ns - 1)], "time"),
        ([encode(replace(decode(done), kind=Kind.KEY_REVOKED))], "entry"),
        ([rotated("nobody", "ann2")], itself),
        ([rotated("house", "ann2")], itself),
        ([rotated("ann", "house")], itself),
        ([rotated("ann", "ben")], itself),
        ([rotated("ann", "ann")], itself),
        ([done, done], itself),
        ([done, rotated("ann", "ann3")], itself),
        ([done, rotated("ann2", "ann")], itself),
        ([done, rotated("ben", "ann2")], itself),
        ([revoked("ann", "ann"), done], itself),
        ([done, revoked("ann2", "ann2"), rotated("ann2", "ann3")], itself),
        ([done, revoked("ann", "ann")], "key_revoked"),
        ([done, said(Admitted(ann.signing, ann.transport, "ann", "bidder"))], "admitted"),
        ([done, said(Admitted(ann2.signing, ann2.transport, "ann", "bidder"))], "admitted"),
        ([done, said(RoleChanged(ann.signing, "ann", "bidder"))], "role"),
        ([done, said(RoleChanged(ann2.signing, "ann", "bidder"))], "role"),
    ):
        index = len(before) + len(entries) - 1
        data = file_of(stage, [*before, *entries])
        expected = None if word is None else (word, index)
        assert word_of(audit_registry_twice, data, stage.key.identity) == expected, (word, entries)


def test_a_transport_key_that_was_ever_known_is_none_for_a_new_key(
    stage: Any, staging: Any, audit_registry_twice: Any
) -> None:
    house, ann, ben = stage.key.identity.signing, staging.key_of("ann"), staging.key_of("ben")
    new = staging.key_of("ann2")

    class Borrowed:
        """A new key that claims the transport key of ben."""

        identity = replace_transport(new.identity, ben.identity.transport)
        sign = staticmethod(new.sign)

    event = rotation(ann.identity.signing, Borrowed, house)  # type: ignore[arg-type]
    entry = encode(Entry(kind_of(event), stage.now_ns, *sign_body(ann, encode_registry_event(event))))
    before = stage.registry_data()
    found = word_of(audit_registry_twice, file_of(stage, [*before, entry]), stage.key.identity)
    assert found == ("key_rotated", len(before))


def replace_transport(identity: Any, transport: bytes) -> Any:
    return type(identity)(identity.signing, transport)


# A log beside it


FINISHING = {"payment", "payment_rejected", "settled", "offered", "accepted", "declined"}


@pytest.mark.parametrize("who", ["ann", "ben", "cleo", "sue"])
@pytest.mark.parametrize("play", ["rejected, and paid again", "offered, and bought"])
def test_a_key_that_was_replaced_finishes_what_it_began_and_nothing_else(
    stage: Any, staging: Any, plays: Any, book_of: Any, *, compare_twice: Any, rotated: Any, who: str, play: str
) -> None:
    """Its key is replaced at the time of each entry that it signed, and a nanosecond before."""
    book = book_of(stage, plays.perform(stage, staging, plays.SALES[play]))
    key, entries = staging.key_of(who).identity.signing, [decode(data) for data in book.entries]
    signed = [at for at, each in enumerate(entries) if each.signature and key in each.body]
    others = [at for at in signed if entries[at].kind.value not in FINISHING]
    verdicts = set()
    for at_ns in {entries[at].time_ns - before_ns for at in signed for before_ns in (0, 1)}:
        until = [data for data in stage.registry_data() if decode(data).time_ns <= at_ns]
        if Kind.ANNOUNCED not in {decode(data).kind for data in until}:
            continue
        data = file_of(stage, [*until, rotated(who, "new", at_ns)])
        late = [at for at in others if entries[at].time_ns > at_ns]
        expected = ("rotated", late[0]) if late else None
        assert word_of(compare_twice, book.file(), data, stage.key.identity) == expected
        verdicts.add(expected)
    assert None in verdicts or not signed


def test_an_operator_acts_under_its_new_key_alone(
    stage: Any, staging: Any, plays: Any, book_of: Any, *, compare_twice: Any, rotated: Any
) -> None:
    book = book_of(stage, plays.perform(stage, staging, plays.SALES["settled by an operator"]))
    index = book.index_of("settled")
    for before_ns, expected in ((0, None), (1, ("operator", index))):
        at_ns = book.entry(index).time_ns - before_ns
        until = [data for data in stage.registry_data() if decode(data).time_ns <= at_ns]
        data = file_of(
            stage, [*(each for each in until if decode(each).kind is not Kind.CONDUCT), rotated("otto", "new", at_ns)]
        )
        assert word_of(compare_twice, book.file(), data, stage.key.identity) == expected


@pytest.mark.parametrize(
    ("old", "new", "joined_by"),
    [("cleo", "dora", ""), ("ben", "new", ""), ("ann", "ben", "ben"), ("sue", "ann", "ann")],
)
def test_one_holder_takes_part_under_one_key(
    stage: Any, staging: Any, binding: type, compare_twice: Any, rotated: Any, *, old: str, new: str, joined_by: str
) -> None:
    """A house that let both join, although by its registry the one key took the place of the other."""
    auction, taken = stage.opened(), staging.key_of(new).identity.signing
    entries = [data for data in stage.registry_data() if not (decode(data).kind is Kind.ADMITTED and taken in data)]
    at, tree = len(entries) - 1, Tree()
    for data in entries:
        tree.append(leaf_hash(data))
    announcement = prove_announcement(tree, at, entries[at], stage.key)
    book = binding(stage.key, auction, tuple(stage.data(auction)), announcement)
    joined = [decode(data).kind is Kind.JOINED and taken in data for data in book.entries]
    expected = ("rotated", joined.index(True)) if joined_by else None
    registry = file_of(stage, [*entries, rotated(old, new)])
    assert word_of(compare_twice, book.file(), registry, stage.key.identity) == expected


def test_both_make_the_same_of_the_deeds_of_all_keys_of_a_holder(
    stage: Any, staging: Any, plays: Any, verifier: ModuleType, rotated: Any
) -> None:
    plays.perform(stage, staging, plays.SALES["settled by the seller"])
    entries = stage.registry_data()
    ben = staging.key_of("ben").identity.signing
    had_ppm = stage.house.registry.state.reputations.ppm(ben, stage.now_ns)
    assert had_ppm > 500_000
    registry = RegistryReplay(stage.key.identity.signing)
    for data in (*entries, rotated("ben", "new"), rotated("new", "newer")):
        registry.apply(data)
    assert registry.state.reputations.ppm(staging.key_of("newer").identity.signing, stage.now_ns) == had_ppm
    naive = verifier.Registry(stage.key.identity.signing)
    for data in (*entries, rotated("ben", "new"), rotated("new", "newer")):
        naive.add(data)
    for name in ("ben", "new", "newer", "cleo"):
        key = staging.key_of(name).identity.signing
        expected = registry.state.reputations.ppm(key, stage.now_ns + 1)
        assert naive.reputation(key, stage.now_ns + 1, stage.now_ns + 1) == expected
