"""What a receipt promises: with the entry and the house's key alone, it shows that the log holds the entry."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from auctionctl.errors import LogError, MalformedEntryError, NoteError, VerificationError
from auctionctl.keys.signing import SecretKey
from auctionctl.tlog.checkpoint import CheckpointSigner, origin_of
from auctionctl.tlog.entry import Entry, Kind, encode
from auctionctl.tlog.merkle import Tree, leaf_hash
from auctionctl.tlog.proof import (
    MAX_EXTRA_BYTES,
    MAX_PROOF_CHARACTERS,
    Receipt,
    TlogProof,
    decode_receipt,
    encode_proof,
    encode_receipt,
    verify_proof,
    verify_receipt,
)

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "tlog.json").read_text(encoding="utf-8"))["receipts"]
KEY = SecretKey(bytes(range(32)))
PUBLIC = KEY.identity.signing
ORIGIN = origin_of(KEY.identity.text, "auction/" + "0f" * 32)
SIGNER = CheckpointSigner(ORIGIN, KEY)
ENTRIES = [encode(Entry(Kind.BID, 1000 + index, b"bid %d" % index, bytes(64))) for index in range(13)]


def receipts() -> list[Receipt]:
    tree = Tree()
    for data in ENTRIES:
        tree.append(leaf_hash(data))
    note = SIGNER.sign(tree.size, tree.root())
    return [Receipt(index, 1000 + index, proof, note) for index, proof in enumerate(tree.inclusions(range(13)))]


RECEIPTS = receipts()


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["name"])
def test_the_text_of_a_receipt_never_changes_and_holds(vector: dict[str, object]) -> None:
    text = str(vector["text"])
    found = decode_receipt(text)
    assert found.index == vector["index"]
    assert found.proof.hex() == vector["proof"]
    assert found.extra.hex() == vector["extra"]
    assert encode_proof(found) == text
    entry, public = bytes.fromhex(str(vector["entry"])), bytes.fromhex(str(vector["public"]))
    assert verify_proof(found, entry, str(vector["origin"]), public).size == 5


def test_every_receipt_holds_for_its_own_entry_and_for_no_other() -> None:
    for receipt in RECEIPTS:
        for index, entry in enumerate(ENTRIES):
            if index == receipt.index:
                assert verify_receipt(receipt, entry, ORIGIN, PUBLIC).size == 13
            else:
                with pytest.raises(VerificationError):
                    verify_receipt(replace(receipt, time_ns=1000 + index), entry, ORIGIN, PUBLIC)


def test_a_receipt_that_does_not_hold_says_which_entry_and_why() -> None:
    receipt, entry = RECEIPTS[3], ENTRIES[3]
    with pytest.raises(VerificationError, match=r"entry 4: inclusion: .* 13 entries") as inclusion:
        verify_receipt(replace(receipt, index=4), entry, ORIGIN, PUBLIC)
    assert (inclusion.value.rule, inclusion.value.index) == ("inclusion", 4)
    with pytest.raises(VerificationError, match="says 1002, the entry 1003") as time:
        verify_receipt(replace(receipt, time_ns=1002), entry, ORIGIN, PUBLIC)
    assert (time.value.rule, time.value.index) == ("receipt_time", 3)
    with pytest.raises(MalformedEntryError):
        verify_receipt(receipt, entry + b"\0", ORIGIN, PUBLIC)
    with pytest.raises(NoteError):
        verify_receipt(receipt, entry, ORIGIN[:-1] + "0", PUBLIC)
    with pytest.raises(NoteError):
        verify_receipt(receipt, entry, ORIGIN, SecretKey(bytes(32)).identity.signing)


@given(st.data())
def test_a_receipt_with_anything_changed_does_not_hold(data: st.DataObject) -> None:
    receipt = data.draw(st.sampled_from(RECEIPTS))
    entry = ENTRIES[receipt.index]
    match data.draw(st.sampled_from(["index", "time", "proof", "checkpoint", "entry"])):
        case "index":
            other = data.draw(st.integers(-3, 2**64).filter(lambda number: number != receipt.index))
            receipt = replace(receipt, index=other)
        case "time":
            other = data.draw(st.integers(-3, 2**64).filter(lambda number: number != receipt.time_ns))
            receipt = replace(receipt, time_ns=other)
        case "proof":
            receipt = replace(receipt, proof=changed(data, receipt.proof))
        case "checkpoint":
            receipt = replace(receipt, checkpoint=changed(data, receipt.checkpoint))
        case _:
            entry = changed(data, entry)
    with pytest.raises(LogError):
        verify_receipt(receipt, entry, ORIGIN, PUBLIC)


def changed(data: st.DataObject, original: bytes) -> bytes:
    """Return ``original`` with one byte changed."""
    where = data.draw(st.integers(0, len(original) - 1))
    by = data.draw(st.integers(1, 255))
    return original[:where] + bytes([original[where] ^ by]) + original[where + 1 :]


@given(st.sampled_from(RECEIPTS), st.binary(max_size=50))
def test_a_receipt_comes_back_from_its_text(receipt: Receipt, extra: bytes) -> None:
    text = encode_receipt(receipt, extra)
    found = decode_receipt(text)
    assert found == TlogProof(receipt.index, receipt.proof, receipt.checkpoint, extra)
    assert verify_proof(found, ENTRIES[receipt.index], ORIGIN, PUBLIC).origin == ORIGIN


def test_the_longest_proof_that_is_written_can_be_read() -> None:
    longest = TlogProof(2**63 - 1, bytes(32 * 64), b"x" * 4096, bytes(MAX_EXTRA_BYTES))
    text = encode_proof(longest)
    assert len(text) <= MAX_PROOF_CHARACTERS
    assert decode_receipt(text) == longest


@pytest.mark.parametrize(
    "proof",
    [
        TlogProof(-1, b"", b"note\n"),
        TlogProof(2**63, b"", b"note\n"),
        TlogProof(0, bytes(31), b"note\n"),
        TlogProof(0, bytes(32 * 65), b"note\n"),
        TlogProof(0, b"", b""),
        TlogProof(0, b"", bytes(4097)),
        TlogProof(0, b"", b"\xff\n"),
        TlogProof(0, b"", b"note\n", bytes(MAX_EXTRA_BYTES + 1)),
    ],
    ids=lambda proof: f"{proof.index}, {len(proof.proof)}, {len(proof.checkpoint_note)}, {len(proof.extra)}",
)
def test_a_proof_that_could_not_be_read_is_not_written(proof: TlogProof) -> None:
    with pytest.raises(NoteError):
        encode_proof(proof)


HASH = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
LEAD = "c2sp.org/tlog-proof@v1\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("", "starts with its version", id="nothing"),
        pytest.param("c2sp.org/tlog-proof@v2\nindex 0\n\nnote\n", "its version", id="another version"),
        pytest.param(f"{LEAD}index 0\nnote\n", "ends with a checkpoint", id="no empty line"),
        pytest.param(f"{LEAD}index 0\n\n", "checkpoint of 0", id="no checkpoint"),
        pytest.param(f"{LEAD}\nnote\n", "names the index", id="no index"),
        pytest.param(f"{LEAD}extra QQ==\n\nnote\n", "names the index", id="extra data and no index"),
        pytest.param(f"{LEAD}index 0\nextra QQ==\n\nnote\n", "base64", id="extra data after the index"),
        pytest.param(f"{LEAD}extra QQ==\nextra QQ==\nindex 0\n\nnote\n", "names the index", id="extra data twice"),
        pytest.param(f"{LEAD}extra \nindex 0\n\nnote\n", "its own", id="extra data that is empty"),
        pytest.param(f"{LEAD}extra QR==\nindex 0\n\nnote\n", "its own", id="extra data with spare bits set"),
        pytest.param(f"{LEAD}index 00\n\nnote\n", "decimal", id="an index with a leading zero"),
        pytest.param(f"{LEAD}index -1\n\nnote\n", "decimal", id="a negative index"),
        pytest.param(f"{LEAD}index  1\n\nnote\n", "decimal", id="two spaces"),
        pytest.param(f"{LEAD}index {2**63}\n\nnote\n", "decimal", id="an index past 63 bits"),
        pytest.param(f"{LEAD}index 0\n{HASH[:40]}\n\nnote\n", "no proof of 30 bytes", id="a short hash"),
        pytest.param(f"{LEAD}index 0\n{HASH[:32]}\n{HASH[32:]}\n\nnote\n", "its own", id="a hash on two lines"),
        pytest.param(f"{LEAD}index 0\n{HASH} \n\nnote\n", "base64", id="a space after a hash"),
        pytest.param(f"{LEAD}index 0\r\n\nnote\n", "decimal", id="a carriage return"),
        pytest.param(f"{LEAD}index 0\n\n\ud800\n", "UTF-8", id="a surrogate"),
        pytest.param(LEAD + "index 0\n" + f"{HASH}\n" * 65 + "\nnote\n", "no proof", id="more hashes than levels"),
        pytest.param("x" * (MAX_PROOF_CHARACTERS + 1), "more than 65536", id="too long to look at"),
    ],
)
def test_text_in_any_other_form_is_no_proof(text: str, message: str) -> None:
    with pytest.raises(NoteError, match=message):
        decode_receipt(text)


def test_damaged_proof_texts_never_hold_and_nothing_else_happens() -> None:
    dice = random.Random(20265)
    original = encode_receipt(RECEIPTS[5], b"a hint")
    entry = ENTRIES[5]
    outcomes = {"refused": 0, "false": 0, "hint": 0}
    for _ in range(20_000):
        where = dice.randrange(len(original) + 1)
        insert = dice.choice(["", "\n", "=", " ", "A", "0", "9", "\ud800", "é", "— ", "extra "])
        text = original[:where] + insert + original[where + dice.randint(0, 3) :]
        try:
            found = decode_receipt(text)
        except NoteError:
            outcomes["refused"] += 1
            continue
        assert encode_proof(found) == text
        try:
            verify_proof(found, entry, ORIGIN, PUBLIC)
        except (NoteError, VerificationError):
            outcomes["false"] += 1
        else:
            # Nobody signs the extra data; everything else is as it was.
            assert replace(found, extra=b"a hint") == decode_receipt(original)
            outcomes["hint"] += 1
    assert min(outcomes.values()) > 50
