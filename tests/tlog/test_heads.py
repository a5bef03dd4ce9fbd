"""What heads signed together promise: each note stands alone, and says of its log what the house signed, or nothing."""

from __future__ import annotations

import importlib
import json
import pkgutil
import random
from base64 import b64decode, b64encode
from hashlib import sha256
from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

import auctionctl.auction
import auctionctl.wire
from auctionctl.errors import NoteError
from auctionctl.keys.signing import SecretKey, verify
from auctionctl.tlog.checkpoint import (
    MAX_ORIGIN_BYTES,
    Checkpoint,
    CheckpointSigner,
    open_checkpoint,
    sign_checkpoint,
)
from auctionctl.tlog.heads import sign_heads
from auctionctl.tlog.merkle import leaf_hash, verify_inclusion
from auctionctl.tlog.note import (
    MAX_HEADS,
    MAX_NOTE_BYTES,
    _is_signed,
    heads_key_id,
    heads_message,
    is_signed_alone,
    key_id,
    open_note,
    sign_note,
)
from auctionctl.wire.frames import domain, is_signed_by, message_type

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "tlog.json").read_text(encoding="utf-8"))["heads"]
KEY = SecretKey(bytes(range(32)))
PUBLIC = KEY.identity.signing
STRANGER = SecretKey(bytes(32))


def heads_of(count: int, salt: str = "") -> list[tuple[CheckpointSigner, int, bytes]]:
    roots = [sha256(f"{salt}{place}".encode()).digest() for place in range(count)]
    return [(CheckpointSigner(f"log/{place}", KEY), place * 7, root) for place, root in enumerate(roots)]


def blob_of(note: bytes) -> bytes:
    return b64decode(note.rpartition(b" ")[2])


def with_blob(note: bytes, blob: bytes) -> bytes:
    return note.rpartition(b" ")[0] + b" " + b64encode(blob) + b"\n"


def text_of(note: bytes) -> bytes:
    return note.rpartition(b"\n\n")[0] + b"\n"


def root_by_definition(leaves: list[bytes]) -> bytes:
    """RFC 6962 section 2.1, read aloud."""
    if len(leaves) == 1:
        return sha256(b"\0" + leaves[0]).digest()
    split = 1 << (len(leaves) - 1).bit_length() - 1
    return sha256(b"\1" + root_by_definition(leaves[:split]) + root_by_definition(leaves[split:])).digest()


BATCH = sign_heads(heads_of(5), KEY)
NOTE = BATCH[1]
BLOB = blob_of(NOTE)


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["name"])
def test_the_notes_of_a_batch_never_change(vector: dict[str, Any]) -> None:
    key, public = SecretKey(bytes.fromhex(vector["seed"])), bytes.fromhex(vector["public"])
    heads = vector["heads"]
    message = heads_message(len(heads), bytes.fromhex(vector["tree_root"]))
    assert message.hex() == vector["message"]
    assert key.sign(message).hex() == vector["signature"]
    notes = [head["note"].encode() for head in heads]
    signers = [(CheckpointSigner(head["origin"], key), head["size"], bytes.fromhex(head["root"])) for head in heads]
    assert sign_heads(signers, key) == notes
    for index, (head, note) in enumerate(zip(heads, notes, strict=True)):
        assert heads_key_id(head["origin"], public).hex() == head["key_id"]
        assert leaf_hash(head["text"].encode()).hex() == head["leaf_hash"]
        numbers = index.to_bytes(4, "big").hex() + len(heads).to_bytes(4, "big").hex()
        assert blob_of(note).hex() == head["key_id"] + numbers + "".join(head["proof"]) + vector["signature"]
        checkpoint = Checkpoint(head["origin"], head["size"], bytes.fromhex(head["root"]))
        assert checkpoint.text == head["text"]
        assert open_checkpoint(note, head["origin"], public) == checkpoint


@given(st.integers(2, 70))
def test_every_head_of_a_batch_opens_by_itself_under_one_signature(count: int) -> None:
    heads = heads_of(count)
    notes = sign_heads(heads, KEY)
    assert len(notes) == count
    root = root_by_definition([text_of(note) for note in notes])
    assert {blob_of(note)[-64:] for note in notes} == {KEY.sign(heads_message(count, root))}
    for place, (note, (_, size, log_root)) in enumerate(zip(notes, heads, strict=True)):
        assert open_checkpoint(note, f"log/{place}", PUBLIC) == Checkpoint(f"log/{place}", size, log_root)
        assert verify_inclusion(leaf_hash(text_of(note)), place, count, blob_of(note)[12:-64], root)


def test_no_head_has_no_note_and_a_single_one_its_plain_note() -> None:
    assert sign_heads([], KEY) == []
    checkpoint = Checkpoint("log/0", 7, bytes(32))
    assert sign_heads([(CheckpointSigner("log/0", KEY), 7, bytes(32))], KEY) == [sign_checkpoint(checkpoint, KEY)]


def test_the_same_head_twice_has_two_places() -> None:
    head = heads_of(1)[0]
    first, second = sign_heads([head, head], KEY)
    assert first != second
    assert open_note(first, "log/0", PUBLIC) == open_note(second, "log/0", PUBLIC)


def test_the_longest_note_of_the_largest_batch_opens_and_the_head_beyond_is_signed_alone() -> None:
    short, longest = CheckpointSigner("o", KEY), "ö" * (MAX_ORIGIN_BYTES // 2)
    heads = [(short, 1, bytes(32))] * (MAX_HEADS - 1) + [(CheckpointSigner(longest, KEY), 2**63 - 1, bytes(32))]
    notes = sign_heads([*heads, (short, 2, bytes(32))], KEY)
    assert len(notes) == MAX_HEADS + 1
    assert len(blob_of(notes[MAX_HEADS - 1])) == 4 + 4 + 4 + 16 * 32 + 64
    assert len(notes[MAX_HEADS - 1]) <= MAX_NOTE_BYTES
    assert open_checkpoint(notes[MAX_HEADS - 1], longest, PUBLIC).size == 2**63 - 1
    assert open_checkpoint(notes[0], "o", PUBLIC).size == 1
    assert notes[MAX_HEADS] == short.sign(2, bytes(32))


def test_a_log_of_another_key_is_not_signed_among_ours() -> None:
    foreign = (CheckpointSigner("log/2", STRANGER), 0, bytes(32))
    for heads in ([foreign], [*heads_of(2), foreign]):
        with pytest.raises(AssertionError, match="another key"):
            sign_heads(heads, KEY)
    twin = SecretKey(bytes(range(32)))
    assert sign_heads(heads_of(2), twin) == sign_heads(heads_of(2), KEY)


@pytest.mark.parametrize(("size", "root"), [(-1, bytes(32)), (2**63, bytes(32)), (0, b""), (0, bytes(33))])
def test_a_head_that_no_log_has_is_not_signed_among_others(size: int, root: bytes) -> None:
    with pytest.raises(NoteError, match="no checkpoint of"):
        sign_heads([*heads_of(2), (CheckpointSigner("log/2", KEY), size, root)], KEY)


# Nothing else opens


@pytest.mark.parametrize("place", [1, 4], ids=["three hashes", "one hash"])
def test_no_bit_of_a_note_can_be_changed(place: int) -> None:
    note = BATCH[place]
    open_note(note, f"log/{place}", PUBLIC)
    for where in range(len(note)):
        for bit in range(8):
            changed = note[:where] + bytes([note[where] ^ 1 << bit]) + note[where + 1 :]
            with pytest.raises(NoteError):
                open_note(changed, f"log/{place}", PUBLIC)


def test_no_bit_of_what_the_base64_holds_can_be_changed() -> None:
    for where in range(len(BLOB)):
        for bit in range(8):
            changed = BLOB[:where] + bytes([BLOB[where] ^ 1 << bit]) + BLOB[where + 1 :]
            with pytest.raises(NoteError):
                open_note(with_blob(NOTE, changed), "log/1", PUBLIC)


def test_unused_bits_of_the_base64_are_no_room_for_a_second_note() -> None:
    note = next(note for note in BATCH if note.endswith(b"=\n"))
    name = text_of(note).split(b"\n")[0].decode()
    letters = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    padding = note.count(b"=", -3)
    at = len(note) - 2 - padding
    twins = [note[:at] + bytes([letter]) + note[at + 1 :] for letter in letters]
    same = [twin for twin in twins if blob_of(twin) == blob_of(note) and twin != note]
    assert len(same) == 4**padding - 1
    for twin in same:
        with pytest.raises(NoteError, match="another form"):
            open_note(twin, name, PUBLIC)


def test_the_place_of_one_head_is_no_place_for_another() -> None:
    for first, note in enumerate(BATCH):
        for second, other in enumerate(BATCH):
            crossed = text_of(note) + f"\n— log/{first} ".encode()
            blob = heads_key_id(f"log/{first}", PUBLIC) + blob_of(other)[4:]
            crossed += b64encode(blob) + b"\n"
            if first == second:
                assert crossed == note
                continue
            with pytest.raises(NoteError, match="does not hold"):
                open_note(crossed, f"log/{first}", PUBLIC)


def test_one_batch_proves_nothing_about_the_heads_of_another() -> None:
    later = sign_heads(heads_of(5, "later"), KEY)
    for place, (note, other) in enumerate(zip(BATCH, later, strict=True)):
        blob, foreign = blob_of(note), blob_of(other)
        for mixed in (foreign, blob[:12] + foreign[12:], blob[:-64] + foreign[-64:], foreign[:-64] + blob[-64:]):
            with pytest.raises(NoteError, match="does not hold"):
                open_note(with_blob(note, mixed), f"log/{place}", PUBLIC)


def test_only_the_place_and_the_number_that_were_signed_hold() -> None:
    for index in range(9):
        for count in range(12):
            note = with_blob(NOTE, BLOB[:4] + index.to_bytes(4, "big") + count.to_bytes(4, "big") + BLOB[12:])
            if (index, count) == (1, 5):
                assert open_note(note, "log/1", PUBLIC) == text_of(NOTE).decode()
                continue
            with pytest.raises(NoteError):
                open_note(note, "log/1", PUBLIC)


def signed(index: int, count: int, proof: bytes, root: bytes, *, kind: bytes | None = None) -> bytes:
    """Return a note of ``x`` whose signature the house made, whatever else is wrong with it."""
    signature = KEY.sign(heads_message(count, root))
    numbers = index.to_bytes(4, "big") + count.to_bytes(4, "big")
    blob = (kind or heads_key_id("x", PUBLIC)) + numbers + proof + signature
    return b"x\n\n" + "— x ".encode() + b64encode(blob) + b"\n"


LEAF = leaf_hash(b"x\n")
PAIR = sha256(b"\1" + LEAF + bytes(32)).digest()


def climbed(levels: int) -> bytes:
    node = LEAF
    for _ in range(levels):
        node = sha256(b"\1" + node + bytes(32)).digest()
    return node


@pytest.mark.parametrize(
    ("note", "message"),
    [
        pytest.param(signed(0, 1, b"", LEAF), "name expected", id="a tree of one"),
        pytest.param(signed(0, 1, bytes(32), PAIR), "no place 0 among 1", id="a tree of one with a proof"),
        pytest.param(signed(0, 0, bytes(32), PAIR), "no place 0 among 0", id="a tree of none"),
        pytest.param(signed(2, 2, bytes(32), PAIR), "no place 2 among 2", id="a place beyond the last"),
        pytest.param(
            signed(0, MAX_HEADS + 1, bytes(17 * 32), climbed(17)), "name expected", id="more heads than are signed"
        ),
        pytest.param(signed(0, MAX_HEADS + 1, bytes(512), climbed(16)), "no place", id="more heads, fewer hashes"),
        pytest.param(signed(0, 2**32 - 1, bytes(32), PAIR), "no place", id="as many heads as can be written"),
        pytest.param(signed(0, 2, bytes(64), climbed(2)), "a proof of 64 bytes, not 32", id="a hash too many"),
        pytest.param(signed(0, 4, bytes(32), PAIR), "a proof of 32 bytes, not 64", id="a hash too few"),
        pytest.param(signed(2, 3, bytes(64), PAIR), "a proof of 64 bytes, not 32", id="a hash too many for the edge"),
        pytest.param(signed(0, 2, bytes(31), PAIR), "a proof of 31 bytes", id="a byte too few"),
        pytest.param(signed(0, 2, bytes(30), PAIR), "a proof of 30 bytes", id="two bytes too few"),
        pytest.param(signed(0, 2, bytes(33), PAIR), "name expected", id="a byte too many"),
        pytest.param(signed(0, 2, bytes(32), LEAF), "does not hold", id="another root"),
        pytest.param(signed(1, 2, bytes(32), PAIR), "does not hold", id="right for left"),
        pytest.param(signed(0, 2, bytes(32), PAIR, kind=key_id("x", PUBLIC)), "another key", id="the plain key ID"),
        pytest.param(
            signed(0, 2, bytes(32), PAIR, kind=heads_key_id("x", STRANGER.identity.signing)),
            "another key",
            id="the key ID of a stranger",
        ),
    ],
)
def test_other_forms_do_not_open_even_when_signed(note: bytes, message: str) -> None:
    assert open_note(signed(0, 2, bytes(32), PAIR), "x", PUBLIC) == "x\n"
    assert open_note(signed(0, MAX_HEADS, bytes(512), climbed(16)), "x", PUBLIC) == "x\n"
    with pytest.raises(NoteError, match=message):
        open_note(note, "x", PUBLIC)


@pytest.mark.parametrize("length", range(60, 108))
def test_a_short_blob_under_the_key_id_of_heads_is_refused(length: int) -> None:
    blob = (heads_key_id("x", PUBLIC) + (0).to_bytes(4, "big") + (2).to_bytes(4, "big")).ljust(length, b"\0")
    with pytest.raises(NoteError):
        open_note(b"x\n\n" + "— x ".encode() + b64encode(blob) + b"\n", "x", PUBLIC)


def test_a_text_that_no_note_may_have_does_not_open_among_others_either() -> None:
    for text, message in ((b"tab\t\n", "control character"), (b"nul\0\n", "control character"), (b"\xff\n", "UTF-8")):
        leaf = leaf_hash(text)
        signature = KEY.sign(heads_message(2, sha256(b"\1" + leaf + bytes(32)).digest()))
        blob = heads_key_id("x", PUBLIC) + bytes(4) + (2).to_bytes(4, "big") + bytes(32) + signature
        with pytest.raises(NoteError, match=message):
            open_note(text + "\n— x ".encode() + b64encode(blob) + b"\n", "x", PUBLIC)


def test_a_batch_of_another_key_or_name_does_not_open() -> None:
    with pytest.raises(NoteError, match="another key"):
        open_note(NOTE, "log/1", STRANGER.identity.signing)
    with pytest.raises(NoteError, match="name expected"):
        open_note(NOTE, "log/2", PUBLIC)
    forged = with_blob(NOTE, BLOB[:-64] + STRANGER.sign(heads_message(5, bytes(32))))
    with pytest.raises(NoteError, match="does not hold"):
        open_note(forged, "log/1", PUBLIC)


def test_damaged_notes_do_not_open_and_nothing_else_happens() -> None:
    dice = random.Random(20265)
    line = NOTE.partition(b"\n\n")[2]
    for _ in range(10_000):
        data = bytearray(NOTE)
        for _ in range(dice.randint(1, 3)):
            where = dice.randrange(len(data) + 1)
            match dice.randrange(3):
                case 0:
                    data[where : where + 1] = dice.randbytes(1)
                case 1:
                    data[where:where] = dice.choice([b"\n", b" ", b"=", "— ".encode(), line, dice.randbytes(2)])
                case _:
                    del data[where : where + dice.randint(1, 9)]
        if data != NOTE:
            with pytest.raises(NoteError):
                open_note(bytes(data), "log/1", PUBLIC)


# One key signs notes, heads and messages: none is good for another


def test_a_batch_signature_never_opens_as_a_plain_note() -> None:
    for place, note in enumerate(BATCH):
        name = f"log/{place}"
        for kind in (key_id(name, PUBLIC), heads_key_id(name, PUBLIC)):
            with pytest.raises(NoteError):
                open_note(with_blob(note, kind + blob_of(note)[-64:]), name, PUBLIC)
    # Even a root that happened to end as a text does would leave the NUL before it.
    text = heads_message(2, b"x" * 31 + b"\n")
    with pytest.raises(NoteError, match="control character"):
        open_note(text + "\n— x ".encode() + b64encode(key_id("x", PUBLIC) + KEY.sign(text)) + b"\n", "x", PUBLIC)
    with pytest.raises(NoteError, match="control character"):
        sign_note(text.decode(), "x", KEY)


def test_a_plain_signature_never_opens_as_one_of_a_batch() -> None:
    plain = CheckpointSigner("log/1", KEY).sign(7, bytes(32))
    numbers = bytes(4) + (2).to_bytes(4, "big")
    for kind in (key_id("log/1", PUBLIC), heads_key_id("log/1", PUBLIC)):
        with pytest.raises(NoteError):
            open_note(with_blob(plain, kind + numbers + bytes(32) + blob_of(plain)[-64:]), "log/1", PUBLIC)


def test_the_two_forms_have_different_key_ids() -> None:
    assert key_id("log/1", PUBLIC) != heads_key_id("log/1", PUBLIC)
    assert heads_key_id("log/1", PUBLIC) != heads_key_id("log/2", PUBLIC)
    with pytest.raises(NoteError):
        heads_key_id("\ud800", PUBLIC)


@given(st.integers(2, MAX_HEADS), st.binary(min_size=32, max_size=32))
def test_what_is_signed_for_a_batch_reads_as_no_message(count: int, root: bytes) -> None:
    message = heads_message(count, root)
    assert len(message) == 56
    assert message.startswith(domain("heads"))
    # No body begins with NUL, as the count does: not even a type of that name could be meant.
    assert message_type(message[len(domain("heads")) :]) == ""
    for cut in range(len(message)):
        body = message[cut:]
        assert not message_type(body) or domain(message_type(body)) + body != message


def test_a_batch_signature_never_verifies_as_a_message() -> None:
    signature = BLOB[-64:]
    root = root_by_definition([text_of(note) for note in BATCH])
    message = heads_message(5, root)
    assert verify(PUBLIC, message, signature)
    bodies = [message[cut:] for cut in range(len(message))] + [b"\x91\xa5heads", b"\x91\xa5heads" + message, NOTE]
    for body in bodies:
        assert not is_signed_by(PUBLIC, body, signature)


def test_no_message_has_the_type_of_heads() -> None:
    types = set()
    for package in (auctionctl.auction, auctionctl.wire):
        for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
            for value in vars(importlib.import_module(module.name)).values():
                if isinstance(value, type) and issubclass(value, msgspec.Struct):
                    types.add(value.__struct_config__.tag)
    assert {"bid", "join", "terms", "hello", "welcome", "rejections_head"} <= types
    assert "heads" not in types


# What is remembered


def test_the_notes_of_a_batch_cost_one_check_and_a_changed_one_another() -> None:
    _is_signed.cache_clear()
    for place, note in enumerate(BATCH):
        open_note(note, f"log/{place}", PUBLIC)
    assert _is_signed.cache_info().misses == 1
    for _ in range(2):
        with pytest.raises(NoteError, match="does not hold"):
            open_note(NOTE.replace(b"\n7\n", b"\n8\n"), "log/1", PUBLIC)
    assert _is_signed.cache_info().misses == 2


def test_what_is_remembered_is_bounded_and_forgetting_changes_no_answer() -> None:
    signer = CheckpointSigner("log/0", KEY)
    notes = [signer.sign(size, bytes(32)) for size in range(200)]
    for note in notes + notes:
        assert open_note(note, "log/0", PUBLIC) == text_of(note).decode()
    assert _is_signed.cache_info().currsize <= 64
    for note, other in pairwise(notes):
        with pytest.raises(NoteError, match="does not hold"):
            open_note(with_blob(note, blob_of(other)), "log/0", PUBLIC)


def test_a_note_says_whether_it_was_signed_alone() -> None:
    key = SecretKey(b"h" * 32)
    signers = [CheckpointSigner(f"house/auction/{number:064x}", key) for number in range(3)]
    assert is_signed_alone(signers[0].sign(5, bytes(32)))
    assert not any(map(is_signed_alone, sign_heads([(signer, 5, bytes(32)) for signer in signers], key)))
