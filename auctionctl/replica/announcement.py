"""The proof that an auction is one of the house's: its announcement in the registry (DESIGN.md section 7).

It is a C2SP tlog-proof whose extra data is the entry, under the checkpoint that the house signs over the registry up to
and including that entry. There is exactly one such text for an auction, so that whatever holds it stays canonical.
Rule: a log that the registry did not announce, however well signed, is not believed: a house could otherwise hold
auctions that nobody but its friends is told of, or sell a listing twice.
"""

from __future__ import annotations

from auctionctl.auction.terms import Terms, auction_id, decode_terms
from auctionctl.errors import LogError, RemoteProtocolError, TermsError, VerificationError
from auctionctl.keys.signing import Identity, SecretKey
from auctionctl.replica.registry import REGISTRY, Announced, decode_registry_event
from auctionctl.tlog.checkpoint import Checkpoint, CheckpointSigner, origin_of
from auctionctl.tlog.entry import Kind, decode
from auctionctl.tlog.merkle import Tree
from auctionctl.tlog.note import is_signed_alone
from auctionctl.tlog.proof import TlogProof, decode_receipt, encode_proof, verify_proof
from auctionctl.wire.frames import is_signed_by
from auctionctl.wire.messages import Listing

RULE = "announcement"


def check_listing(listing: Listing, house: Identity) -> tuple[bytes, Terms]:
    """The auction that a catalogue of ``house`` lists, and its terms. RemoteProtocolError where they are not signed."""
    try:
        terms = decode_terms(listing.terms)
    except TermsError as error:
        raise RemoteProtocolError(f"the catalogue holds terms that are none: {error}") from error
    if terms.house != house.signing or not is_signed_by(terms.seller, listing.terms, listing.signature):
        raise RemoteProtocolError("the catalogue holds terms that their seller did not sign for this house")
    return auction_id(listing.terms), terms


def prove_announcement(tree: Tree, index: int, entry: bytes, key: SecretKey) -> bytes:
    """The announcement whose canonical bytes are ``entry``, at ``index`` of the registry's ``tree``; one signature.

    Only for what is durable: the checkpoint in it is a promise.
    """
    size = index + 1
    signer = CheckpointSigner(origin_of(key.identity.text, REGISTRY), key)
    note = signer.sign(size, tree.root(size))
    return encode_proof(TlogProof(index, tree.inclusion(index, size), note, entry)).encode()


def check_announcement(
    announcement: bytes, house: Identity, auction: bytes, terms: Terms, time_ns: int | None = None
) -> Checkpoint:
    """The registry's checkpoint in ``announcement``, which proves that ``house`` announced ``auction`` under ``terms``.

    ``time_ns`` is that of the log's first entry, where it is known. Raises VerificationError, rule ``announcement``.
    """
    try:
        proof = decode_receipt(announcement.decode())
        checkpoint = verify_proof(proof, proof.extra, origin_of(house.text, REGISTRY), house.signing)
        entry = decode(proof.extra)
        event = decode_registry_event(entry.kind, entry.body)
    except (UnicodeDecodeError, LogError) as error:
        raise VerificationError(f"the registry does not announce this auction: {error}", rule=RULE) from error
    if not is_signed_alone(proof.checkpoint_note):
        # In the company of other logs' heads there would be as many texts as companies.
        raise VerificationError("the announcement is not under a plain checkpoint", rule=RULE)
    if checkpoint.size != proof.index + 1:
        raise VerificationError("the announcement is not under the checkpoint that ends with it", rule=RULE)
    if entry.kind is not Kind.ANNOUNCED or not isinstance(event, Announced) or entry.signature:
        raise VerificationError("this entry of the registry announces nothing", rule=RULE)
    if event != Announced(auction, terms.seller, terms.listing):
        raise VerificationError("the registry announces another auction", rule=RULE)
    if time_ns is not None and entry.time_ns != time_ns:
        raise VerificationError("the log begins at another time than its announcement says", rule=RULE)
    return checkpoint
