"""A registry exported and verified by anybody; an auction's log that the registry does not vouch for is refused."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from auctionctl.auction.terms import SECOND_NS
from auctionctl.errors import VerificationError
from auctionctl.keys.signing import SecretKey
from auctionctl.replica.audit import audit, audit_registry, is_registry
from auctionctl.replica.export import decode_export, encode_export
from auctionctl.replica.registry import REGISTRY, decode_registry_event, encode_registry_event
from auctionctl.tlog.checkpoint import CheckpointSigner, origin_of
from auctionctl.tlog.entry import Kind, decode, encode
from auctionctl.tlog.merkle import Tree, leaf_hash

STRANGER = SecretKey(b"x" * 32)


@pytest.fixture
def told(stage: Any, staging: Any) -> Any:
    """A stage whose registry has every kind of entry: 8 admitted, announced, roles gone, changed and anew."""
    stage.announce(listing="lot-a")
    stage.after(SECOND_NS)
    stage.do(stage.house.set_allowed(staging.allowed_with(ann="bidder+seller", sue="seller"), stage.now_ns))
    stage.after(SECOND_NS)
    stage.do(stage.house.set_allowed(staging.allowed_with(ann="bidder+seller", ben="bidder"), stage.now_ns))
    kinds = {decode(data).kind for data in stage.registry_data()}
    assert kinds == {Kind.ADMITTED, Kind.ANNOUNCED, Kind.ROLE}
    return stage


def note_over(stage: Any, entries: list[bytes], key: SecretKey | None = None, origin: str = "") -> bytes:
    tree = Tree()
    for data in entries:
        tree.append(leaf_hash(data))
    origin = origin or origin_of(stage.key.identity.text, REGISTRY)
    return CheckpointSigner(origin, key or stage.key).sign(tree.size, tree.root())


def caught(stage: Any, entries: list[bytes], rule: str, index: int | None, words: str = "") -> None:
    """A house that signs for these entries itself is caught."""
    with pytest.raises(VerificationError) as raised:
        audit_registry(encode_export(entries, note_over(stage, entries)), stage.key.identity)
    assert (raised.value.rule, raised.value.index) == (rule, index), str(raised.value)
    assert words in str(raised.value)


# The registry


def test_an_honest_registry_tells_who_was_let_in_and_what_was_announced(told: Any) -> None:
    data = told.registry_export()
    assert is_registry(data)
    seen: list[int] = []
    found = audit_registry(data, told.key.identity, seen.append)
    state = told.house.registry.state
    assert (found.house, found.checkpoint.size) == (told.key.identity, len(told.registry_data()))
    assert (found.registry.members, found.registry.auctions) == (state.members, state.auctions)
    assert {member.name: member.role for member in found.registry.members.values() if member.role} == {
        "ann": "bidder+seller",
        "ben": "bidder",
    }
    assert seen == [0]


def test_every_beginning_of_a_registry_under_its_own_head_holds(told: Any) -> None:
    entries = told.registry_data()
    for size in range(1, len(entries)):
        found = audit_registry(encode_export(entries[:size], note_over(told, entries[:size])), told.key.identity)
        assert found.checkpoint.size == size


def test_no_bit_of_a_registry_can_change_unnoticed(told: Any) -> None:
    data = told.registry_export()
    rules: set[str] = set()
    for position in range(len(data)):
        damaged = bytearray(data)
        damaged[position] ^= 1 << (position % 8)
        with pytest.raises(VerificationError) as raised:
            audit_registry(bytes(damaged), told.key.identity)
        rules.add(raised.value.rule)
    assert rules >= {"format", "checkpoint", "entry", "time", "root"}


def test_a_registry_that_its_own_house_changed_is_named_by_entry_and_rule(told: Any) -> None:
    entries = told.registry_data()
    announced = [decode(data).kind for data in entries].index(Kind.ANNOUNCED)
    last = len(entries)
    assert announced == 8
    caught(told, [*entries, entries[0]], "time", last)
    again = encode(replace(decode(entries[0]), time_ns=told.now_ns))
    caught(told, [*entries, again], "admitted", last, "let in already")
    twice = encode(replace(decode(entries[announced]), time_ns=told.now_ns))
    caught(told, [*entries, twice], "announced", last, "this auction was announced before")
    signed = encode(replace(decode(entries[2]), signature=b"s" * 64))
    caught(told, [*entries[:2], signed, *entries[3:]], "signature", 2)
    caught(told, [*entries[:2], b"\xc1", *entries[3:]], "entry", 2)


def test_a_listing_sold_twice_is_caught(told: Any) -> None:
    entries = told.registry_data()
    entry = decode(entries[8])
    event = decode_registry_event(entry.kind, entry.body)
    body = encode_registry_event(replace(event, auction=b"2" * 32))
    again = encode(replace(entry, body=body))
    caught(told, [*entries[:9], again], "announced", 9, "announced 'lot-a' before")


def test_a_seller_dropped_from_the_registry_leaves_an_auction_that_nobody_could_sell(told: Any) -> None:
    entries = told.registry_data()
    sue = next(index for index, data in enumerate(entries) if b"\xa3sue" in data)
    caught(told, [*entries[:sue], *entries[sue + 1 :]], "announced", 7, "knows no such seller")


def test_entries_under_the_checkpoint_of_fewer_or_more_or_others_are_refused(told: Any) -> None:
    entries = told.registry_data()
    for kept, signed, rule in (
        (entries, entries[:-1], "checkpoint"),
        (entries[:-1], entries, "checkpoint"),
        (entries, [*entries[:-1], b"other"], "root"),
    ):
        with pytest.raises(VerificationError) as raised:
            audit_registry(encode_export(kept, note_over(told, signed)), told.key.identity)
        assert (raised.value.rule, raised.value.index) == (rule, None)


def test_the_registry_of_another_house_is_refused(told: Any) -> None:
    entries = told.registry_data()
    for house, note in (
        (STRANGER.identity, note_over(told, entries)),
        (told.key.identity, note_over(told, entries, STRANGER)),
        (told.key.identity, b"nonsense"),
    ):
        with pytest.raises(VerificationError) as raised:
            audit_registry(encode_export(entries, note), house)
        assert raised.value.rule == "checkpoint"


def test_a_registry_is_no_auction_and_an_auction_no_registry(told: Any, book: Any) -> None:
    with pytest.raises(VerificationError, match="no log of an auction") as raised:
        audit(told.registry_export(), told.key.identity)
    assert raised.value.rule == "checkpoint"
    assert not is_registry(book.file())
    with pytest.raises(VerificationError, match="this is no registry") as raised:
        audit_registry(book.file(), book.house.identity)
    assert raised.value.rule == "checkpoint"


def test_a_registry_with_an_announcement_behind_it_has_a_second_file_and_is_refused(told: Any, book: Any) -> None:
    export = decode_export(told.registry_export())
    with pytest.raises(VerificationError, match="this is no registry"):
        audit_registry(encode_export(export.entries, export.checkpoint, book.announcement), told.key.identity)


# What a log of an auction needs of it


def test_a_log_without_its_announcement_is_refused(book: Any) -> None:
    with pytest.raises(VerificationError, match="does not announce this auction") as raised:
        audit(encode_export(book.entries, book.note()), book.house.identity)
    assert (raised.value.rule, raised.value.index) == ("announcement", None)


def test_a_log_with_the_announcement_of_another_auction_is_refused(stage: Any) -> None:
    first, second = stage.announce(), stage.announce()
    audit(stage.export(first), stage.key.identity)
    other = encode_export(stage.data(first), stage.log(first).sign_head(), stage.announcement(second))
    with pytest.raises(VerificationError, match="announces another auction") as raised:
        audit(other, stage.key.identity)
    assert (raised.value.rule, raised.value.index) == ("announcement", None)


def test_a_log_moved_to_another_time_than_its_announcement_is_refused(stage: Any) -> None:
    auction = stage.announce()
    (entry,) = stage.entries(auction)
    moved = [encode(replace(entry, time_ns=entry.time_ns + 1))]
    note = note_over(stage, moved, origin=origin_of(stage.key.identity.text, f"auction/{auction.hex()}"))
    with pytest.raises(VerificationError, match="begins at another time") as raised:
        audit(encode_export(moved, note, stage.announcement(auction)), stage.key.identity)
    assert raised.value.rule == "announcement"


@pytest.mark.usefixtures("true_signatures_checked_once")
def test_no_bit_of_the_announcement_behind_a_log_can_change_unnoticed(book: Any) -> None:
    data = book.file()
    for position in range(len(data) - len(book.announcement), len(data)):
        for bit in range(8):
            damaged = bytearray(data)
            damaged[position] ^= 1 << bit
            with pytest.raises(VerificationError) as raised:
                audit(bytes(damaged), book.house.identity)
            assert raised.value.rule in ("announcement", "checkpoint")
