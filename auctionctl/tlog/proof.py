"""Receipts: the proof that one's entry is in the log, and its text form for files.

Its rule: a receipt needs nothing but itself, the entry, the log's origin and the house's public key. Text that is
accepted re-encodes to itself. The ``extra`` bytes of a file are signed by nobody: hints, never evidence.

Source: https://c2sp.org/tlog-proof; DESIGN.md section 7.
"""

from __future__ import annotations

import msgspec

from auctionctl.errors import NoteError, VerificationError
from auctionctl.tlog import entry as entries
from auctionctl.tlog.checkpoint import Checkpoint, open_checkpoint, parse_decimal
from auctionctl.tlog.merkle import HASH_BYTES, MAX_PROOF_HASHES, SIZE_LIMIT, leaf_hash, verify_inclusion
from auctionctl.tlog.note import MAX_NOTE_BYTES, decode_base64, encode_base64

HEADER = "c2sp.org/tlog-proof@v1"
MAX_EXTRA_BYTES = 32768
MAX_PROOF_CHARACTERS = 65536


class Receipt(msgspec.Struct, frozen=True):
    """What the house answers for an accepted entry.

    ``index`` and ``time_ns`` are the entry's, ``proof`` its inclusion path (32 bytes a hash), ``checkpoint`` the signed
    note of the head that the path leads to.
    """

    index: int
    time_ns: int
    proof: bytes
    checkpoint: bytes


class TlogProof(msgspec.Struct, frozen=True):
    """What a tlog-proof text holds; nothing in it is checked but its form."""

    index: int
    proof: bytes
    checkpoint_note: bytes
    extra: bytes = b""


def encode_receipt(receipt: Receipt, extra: bytes = b"") -> str:
    """Return the tlog-proof text of ``receipt``; its time is not in it, for the entry holds it.

    Raises NoteError for a receipt or ``extra`` that has no such text.
    """
    return encode_proof(TlogProof(receipt.index, receipt.proof, receipt.checkpoint, extra))


def encode_proof(proof: TlogProof) -> str:
    """Return the one text of ``proof``; NoteError if it has none."""
    path, note = proof.proof, proof.checkpoint_note
    if not 0 <= proof.index < SIZE_LIMIT or len(path) % HASH_BYTES or len(path) > MAX_PROOF_HASHES * HASH_BYTES:
        raise NoteError(f"no proof of {len(path)} bytes for index {proof.index}")
    if not 0 < len(note) <= MAX_NOTE_BYTES or len(proof.extra) > MAX_EXTRA_BYTES:
        raise NoteError(f"no proof with a checkpoint of {len(note)} and extra data of {len(proof.extra)} bytes")
    lines = [HEADER]
    if proof.extra:
        lines.append(f"extra {encode_base64(proof.extra)}")
    lines.append(f"index {proof.index}")
    lines += [encode_base64(path[start : start + HASH_BYTES]) for start in range(0, len(path), HASH_BYTES)]
    try:
        return "\n".join(lines) + "\n\n" + note.decode()
    except UnicodeDecodeError as error:
        raise NoteError("a checkpoint is UTF-8") from error


def decode_receipt(text: str) -> TlogProof:
    """Return what the tlog-proof ``text`` holds; NoteError if it is none, or in another form than its only one."""
    if len(text) > MAX_PROOF_CHARACTERS:
        raise NoteError(f"a proof of {len(text)} characters, more than {MAX_PROOF_CHARACTERS}")
    head, blank, note = text.partition("\n\n")
    lines = head.split("\n")
    if not blank or lines.pop(0) != HEADER:
        raise NoteError("a proof starts with its version and ends with a checkpoint")
    extra = decode_base64(lines.pop(0)[6:]) if lines and lines[0].startswith("extra ") else b""
    if not lines or not lines[0].startswith("index "):
        raise NoteError("a proof names the index of its entry")
    index = parse_decimal(lines.pop(0)[6:])
    try:
        checkpoint_note = note.encode()
    except UnicodeEncodeError as error:  # a lone surrogate
        raise NoteError("a checkpoint is UTF-8") from error
    proof = TlogProof(index, b"".join([decode_base64(line) for line in lines]), checkpoint_note, extra)
    # Hashes cut into other lines, and an extra line that is empty, come to light here.
    if encode_proof(proof) != text:
        raise NoteError("a proof in another form than its own")
    return proof


def verify_receipt(receipt: Receipt, entry: bytes, origin: str, house_public: bytes) -> Checkpoint:
    """Return the checkpoint under which ``receipt`` proves that the log ``origin`` holds ``entry`` (canonical bytes).

    ``house_public`` is the house's 32-byte Ed25519 key. Raises NoteError for a checkpoint that is not the house's,
    MalformedEntryError for bytes that are no entry, VerificationError with rule ``inclusion`` or ``receipt_time`` for a
    receipt that does not hold.
    """
    time_ns = entries.decode(entry).time_ns
    if receipt.time_ns != time_ns:
        raise VerificationError(
            f"the receipt says {receipt.time_ns}, the entry {time_ns}", rule="receipt_time", index=receipt.index
        )
    return verify_proof(TlogProof(receipt.index, receipt.proof, receipt.checkpoint), entry, origin, house_public)


def verify_proof(proof: TlogProof, entry: bytes, origin: str, house_public: bytes) -> Checkpoint:
    """Return the checkpoint under which ``proof`` shows that the log ``origin`` holds ``entry``.

    Raises NoteError for a checkpoint that is not the house's, VerificationError with rule ``inclusion`` otherwise.
    """
    checkpoint = open_checkpoint(proof.checkpoint_note, origin, house_public)
    if not verify_inclusion(leaf_hash(entry), proof.index, checkpoint.size, proof.proof, checkpoint.root):
        raise VerificationError(
            f"the proof does not lead to the root of {checkpoint.size} entries", rule="inclusion", index=proof.index
        )
    return checkpoint
