"""An announcement is one text, which proves one auction of one house and nothing else."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from auctionctl.auction.terms import decode_terms
from auctionctl.errors import VerificationError
from auctionctl.keys.signing import SecretKey
from auctionctl.replica.announcement import RULE, check_announcement, prove_announcement
from auctionctl.replica.registry import (
    REGISTRY,
    Admitted,
    Announced,
    RegistryEvent,
    encode_registry_event,
    kind_of,
)
from auctionctl.tlog.checkpoint import CheckpointSigner, origin_of
from auctionctl.tlog.entry import Entry, Kind, encode
from auctionctl.tlog.heads import sign_heads
from auctionctl.tlog.merkle import Tree, leaf_hash
from auctionctl.tlog.proof import TlogProof, decode_receipt, encode_proof

STRANGER = SecretKey(b"x" * 32)


class Shown:
    """A registry of one's own making, and the auction of ``book``, which it may announce."""

    def __init__(self, book: Any) -> None:
        self.house: SecretKey = book.house
        self.auction: bytes = book.auction
        self.terms = decode_terms(book.entry(0).body)
        self.time_ns: int = book.entry(0).time_ns
        self.event = Announced(self.auction, self.terms.seller, self.terms.listing)
        self.origin = origin_of(self.house.identity.text, REGISTRY)

    def entry(self, event: RegistryEvent | None = None, **fields: Any) -> bytes:
        said = event or self.event
        values = {"kind": kind_of(said), "time_ns": self.time_ns, "body": encode_registry_event(said)} | fields
        return encode(Entry(**values))

    def tree(self, *entries: bytes) -> Tree:
        tree = Tree()
        for data in entries:
            tree.append(leaf_hash(data))
        return tree

    def text(self, entry: bytes, note: bytes | None = None, after: int = 0) -> bytes:
        """The proof of ``entry`` as the second of a registry, which ends ``after`` entries behind it."""
        tree = self.tree(b"first", entry, *[b"later"] * after)
        note = note or CheckpointSigner(self.origin, self.house).sign(tree.size, tree.root())
        return encode_proof(TlogProof(1, tree.inclusion(1, tree.size), note, entry)).encode()

    def refused(self, text: bytes, words: str = "", **changes: Any) -> None:
        given = {"house": self.house.identity, "auction": self.auction, "terms": self.terms, "time_ns": self.time_ns}
        with pytest.raises(VerificationError) as raised:
            check_announcement(text, **(given | changes))
        assert (raised.value.rule, raised.value.index) == (RULE, None)
        assert words in str(raised.value)


@pytest.fixture
def shown(book: Any) -> Shown:
    return Shown(book)


def test_what_the_house_proves_is_believed_with_or_without_a_time(shown: Shown, book: Any) -> None:
    entry = shown.entry()
    tree = shown.tree(b"first", entry, b"later")
    text = prove_announcement(tree, 1, entry, shown.house)
    assert text == shown.text(entry)
    for time_ns in (None, shown.time_ns):
        checkpoint = check_announcement(text, shown.house.identity, shown.auction, shown.terms, time_ns)
        assert (checkpoint.origin, checkpoint.size, checkpoint.root) == (shown.origin, 2, tree.root(2))
    check_announcement(book.announcement, shown.house.identity, shown.auction, shown.terms, shown.time_ns)


def test_no_bit_of_an_announcement_can_change_unnoticed(shown: Shown, book: Any) -> None:
    for position in range(len(book.announcement)):
        for bit in range(8):
            damaged = bytearray(book.announcement)
            damaged[position] ^= 1 << bit
            shown.refused(bytes(damaged))


def test_nothing_can_be_cut_off_or_put_behind(shown: Shown, book: Any) -> None:
    for size in range(len(book.announcement)):
        shown.refused(book.announcement[:size])
    for tail in (b"\n", b" ", b"\0", book.announcement):
        shown.refused(book.announcement + tail)


def test_it_announces_one_auction_of_one_seller_under_one_listing(shown: Shown, book: Any) -> None:
    shown.refused(book.announcement, "announces another auction", auction=b"\1" * 32)
    shown.refused(book.announcement, "announces another auction", terms=replace(shown.terms, seller=b"s" * 32))
    shown.refused(book.announcement, "announces another auction", terms=replace(shown.terms, listing="other"))
    for fields in ({"auction": b"\1" * 32}, {"seller": b"s" * 32}, {"listing": "other"}):
        shown.refused(shown.text(shown.entry(replace(shown.event, **fields))), "announces another auction")


def test_it_is_dated_like_the_beginning_of_the_log(shown: Shown, book: Any) -> None:
    for time_ns in (shown.time_ns - 1, shown.time_ns + 1, 0):
        shown.refused(book.announcement, "begins at another time", time_ns=time_ns)
        shown.refused(shown.text(shown.entry(time_ns=time_ns)), "begins at another time")


def test_another_house_announces_nothing_of_this_one(shown: Shown, book: Any) -> None:
    shown.refused(book.announcement, "does not announce this auction", house=STRANGER.identity)
    tree = shown.tree(b"first", shown.entry())
    foreign = CheckpointSigner(shown.origin, STRANGER).sign(2, tree.root())
    shown.refused(shown.text(shown.entry(), foreign), "does not announce this auction")


def test_a_checkpoint_of_another_log_is_none_of_the_registry(shown: Shown) -> None:
    origin = origin_of(shown.house.identity.text, f"auction/{shown.auction.hex()}")
    tree = shown.tree(b"first", shown.entry())
    note = CheckpointSigner(origin, shown.house).sign(2, tree.root())
    shown.refused(shown.text(shown.entry(), note), "does not announce this auction")


def test_only_the_checkpoint_that_ends_with_it_will_do(shown: Shown) -> None:
    assert shown.text(shown.entry()) != shown.text(shown.entry(), after=1)
    for after in (1, 2, 7):
        shown.refused(shown.text(shown.entry(), after=after), "not under the checkpoint that ends with it")


def test_a_checkpoint_signed_in_company_makes_no_second_text(shown: Shown) -> None:
    tree = shown.tree(b"first", shown.entry())
    beside = CheckpointSigner(origin_of(shown.house.identity.text, f"auction/{shown.auction.hex()}"), shown.house)
    signer = CheckpointSigner(shown.origin, shown.house)
    note, _ = sign_heads([(signer, 2, tree.root()), (beside, 1, bytes(32))], shown.house)
    text = shown.text(shown.entry(), note)
    assert decode_receipt(text.decode()).checkpoint_note == note, "the proof itself is in order"
    shown.refused(text, "not under a plain checkpoint")


def test_a_proof_that_leads_elsewhere_is_none(shown: Shown) -> None:
    proof = decode_receipt(shown.text(shown.entry()).decode())
    for changes in ({"proof": bytes(32)}, {"proof": b""}, {"index": 0}, {"extra": b""}, {"extra": b"first"}):
        values = {"index": proof.index, "proof": proof.proof, "checkpoint_note": proof.checkpoint_note}
        forged = TlogProof(**(values | {"extra": proof.extra} | changes))
        shown.refused(encode_proof(forged).encode(), "does not announce this auction")


def test_another_entry_of_the_registry_announces_nothing(shown: Shown) -> None:
    admitted = Admitted(shown.terms.seller, b"t" * 32, "sue", "seller")
    shown.refused(shown.text(shown.entry(admitted)), "this entry of the registry announces nothing")
    shown.refused(shown.text(shown.entry(signature=b"s" * 64)), "this entry of the registry announces nothing")
    shown.refused(shown.text(shown.entry(kind=Kind.ADMITTED)), "does not announce this auction")
    shown.refused(shown.text(shown.entry(body=b"\xc0")), "does not announce this auction")
    shown.refused(shown.text(b"no entry"), "does not announce this auction")


@pytest.mark.parametrize("text", [b"", b"\xff", b"c2sp.org/tlog-proof@v1", b"\n\n", b"x" * 100_000])
def test_what_is_no_proof_is_refused(shown: Shown, text: bytes) -> None:
    shown.refused(text, "does not announce this auction")
