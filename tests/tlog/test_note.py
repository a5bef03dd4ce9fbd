"""What a signed note promises: its bytes are its signer's, all of them, and nothing but NoteError comes of others."""

from __future__ import annotations

import json
import random
from base64 import b64decode, b64encode
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auctionctl.errors import NoteError
from auctionctl.keys.signing import SecretKey
from auctionctl.tlog.note import MAX_NOTE_BYTES, check_name, decode_base64, encode_base64, key_id, open_note, sign_note

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "tlog.json").read_text(encoding="utf-8"))["notes"]
OURS = [vector for vector in VECTORS if "seed" in vector]
KEY = SecretKey(bytes(range(32)))
PUBLIC = KEY.identity.signing
NAME = "example.com/log"
NOTE = sign_note("hello\n", NAME, KEY)
LINE = NOTE.partition(b"\n\n")[2]

texts = st.text(st.characters(exclude_categories=["Cs", "Cc"], include_characters="\n"), max_size=200).map(
    lambda text: text + "\n"
)


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["name"])
def test_notes_of_other_implementations_open(vector: dict[str, str]) -> None:
    public = bytes.fromhex(vector["public"])
    assert key_id(vector["signer"], public).hex() == vector["key_id"]
    assert open_note(vector["note"].encode(), vector["signer"], public) == vector["text"]


@pytest.mark.parametrize("vector", OURS, ids=lambda vector: vector["name"])
def test_signing_gives_the_same_note_for_ever(vector: dict[str, str]) -> None:
    key = SecretKey(bytes.fromhex(vector["seed"]))
    assert sign_note(vector["text"], vector["signer"], key) == vector["note"].encode()


@given(texts)
def test_what_is_signed_opens_to_the_same_text(text: str) -> None:
    assert open_note(sign_note(text, NAME, KEY), NAME, PUBLIC) == text


@given(st.data())
def test_a_note_with_one_byte_changed_does_not_open(data: st.DataObject) -> None:
    where = data.draw(st.integers(0, len(NOTE) - 1))
    by = data.draw(st.integers(1, 255))
    changed = NOTE[:where] + bytes([NOTE[where] ^ by]) + NOTE[where + 1 :]
    with pytest.raises(NoteError):
        open_note(changed, NAME, PUBLIC)


def resigned(message: bytes) -> bytes:
    """Return a note whose signature holds over a text that no note may have."""
    signature = key_id(NAME, PUBLIC) + KEY.sign(message)
    return message + f"\n— {NAME} ".encode() + b64encode(signature) + b"\n"


@pytest.mark.parametrize(
    ("note", "message"),
    [
        pytest.param(b"", "one signature line", id="nothing"),
        pytest.param(LINE, "one signature line", id="no text"),
        pytest.param(b"hello\n", "one signature line", id="no signature"),
        pytest.param(b"hello\n\n", "one signature line", id="an empty line and no signature"),
        pytest.param(NOTE[:-1], "one signature line", id="no final newline"),
        pytest.param(NOTE + b"\n", "one signature line", id="a newline too many"),
        pytest.param(NOTE + LINE, "one signature line", id="the signature twice"),
        pytest.param(NOTE + "— witness AAAA\n".encode(), "one signature line", id="a signature beside"),
        pytest.param(NOTE.replace(b"\n\n", b"\n"), "one signature line", id="no empty line"),
        pytest.param(NOTE.replace("— ".encode(), b"- "), "name expected", id="a dash of another kind"),
        pytest.param(NOTE.replace(b".com", b".net"), "name expected", id="another name"),
        pytest.param(NOTE.replace(b"=\n", b"A=\n"), "name expected", id="a signature of another length"),
        pytest.param(NOTE.replace(b"=\n", b" \n"), "not base64", id="a space for the padding"),
        pytest.param(resigned(b"tab\there\n"), "control character", id="a tab"),
        pytest.param(resigned(b"return\r\n"), "control character", id="a carriage return"),
        pytest.param(resigned("c1 \x85\n".encode()), "control character", id="a control character past ASCII"),
        pytest.param(resigned(b"\xff\n"), "UTF-8", id="not UTF-8"),
        pytest.param(resigned(b"\xed\xa0\x80\n"), "UTF-8", id="a surrogate"),
        pytest.param(resigned(b"x" * MAX_NOTE_BYTES + b"\n"), "more than 4096", id="too long"),
    ],
)
def test_other_forms_do_not_open_even_when_signed(note: bytes, message: str) -> None:
    with pytest.raises(NoteError, match=message):
        open_note(note, NAME, PUBLIC)


def test_unused_bits_of_the_base64_are_no_room_for_a_second_note() -> None:
    head, last, tail = NOTE[:-3], NOTE[-3:-2], NOTE[-2:]
    twins = [
        head + bytes([letter]) + tail for letter in b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    ]
    line = len(LINE.rpartition(b" ")[2])
    same = [twin for twin in twins if b64decode(twin[-line:]) == b64decode(NOTE[-line:])]
    assert len(same) == 4  # two bits are spare, and Python's decoder ignores them
    for twin in same:
        if twin[-3:-2] != last:
            with pytest.raises(NoteError, match="another form"):
                open_note(twin, NAME, PUBLIC)


def test_a_note_of_another_key_or_name_does_not_open() -> None:
    stranger = SecretKey(bytes(32))
    with pytest.raises(NoteError, match="another key"):
        open_note(NOTE, NAME, stranger.identity.signing)
    with pytest.raises(NoteError, match="name expected"):
        open_note(NOTE, "example.com/lo", PUBLIC)
    with pytest.raises(NoteError, match="name expected"):
        open_note(NOTE, "example.com/logs", PUBLIC)
    forged = NOTE.replace(b"hello", b"hullo")
    with pytest.raises(NoteError, match="does not hold"):
        open_note(forged, NAME, PUBLIC)
    with pytest.raises(NoteError, match="another key"):
        open_note(NOTE, NAME, b"no key")


@pytest.mark.parametrize("text", ["", "no newline", "tab\t\n", "nul\0\n", "c1 \x9f\n", "\ud800\n", "x" * 4096 + "\n"])
def test_a_text_that_no_note_may_have_is_not_signed(text: str) -> None:
    with pytest.raises(NoteError):
        sign_note(text, NAME, KEY)


@pytest.mark.parametrize("name", ["", "two words", "a+b", "a\u00a0b", "a\u2003b", "line\nbreak", "nul\0", "\ud800"])
def test_a_name_that_would_make_a_line_ambiguous_is_refused(name: str) -> None:
    for use in (
        lambda: check_name(name),
        lambda: sign_note("hello\n", name, KEY),
        lambda: open_note(NOTE, name, PUBLIC),
    ):
        with pytest.raises(NoteError):
            use()


@given(st.binary(max_size=100))
def test_base64_comes_back_as_text_and_as_bytes(data: bytes) -> None:
    assert decode_base64(encode_base64(data)) == decode_base64(encode_base64(data).encode()) == data


@pytest.mark.parametrize(
    "text", ["QR==", "QQ", "QQ=", "QQ===", "Q Q=", "QQ==\n", "=", "QQ==QQ==", "é", "Q-_=", b"QR==", b"\xff\xff\xff\xff"]
)
def test_base64_in_any_other_form_is_refused(text: str | bytes) -> None:
    with pytest.raises(NoteError):
        decode_base64(text)


def test_damaged_notes_do_not_open_and_nothing_else_happens() -> None:
    dice = random.Random(20263)
    for _ in range(20_000):
        data = bytearray(NOTE)
        for _ in range(dice.randint(1, 3)):
            where = dice.randrange(len(data) + 1)
            match dice.randrange(3):
                case 0:
                    data[where : where + 1] = dice.randbytes(1)
                case 1:
                    data[where:where] = dice.choice([b"\n", b" ", b"=", "— ".encode(), LINE, dice.randbytes(2)])
                case _:
                    del data[where : where + dice.randint(1, 9)]
        if data != NOTE:
            with pytest.raises(NoteError):
                open_note(bytes(data), NAME, PUBLIC)
