"""What a checkpoint promises: one text, one note, and one log that it is about."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auctionctl.errors import NoteError
from auctionctl.keys.signing import SecretKey
from auctionctl.tlog.checkpoint import (
    MAX_ORIGIN_BYTES,
    REGISTRY,
    Checkpoint,
    CheckpointSigner,
    open_checkpoint,
    origin_of,
    parse,
    parse_decimal,
    sign_checkpoint,
    split_origin,
)
from auctionctl.tlog.merkle import EMPTY_ROOT
from auctionctl.tlog.note import sign_note

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "tlog.json").read_text(encoding="utf-8"))["checkpoints"]
KEY = SecretKey(bytes(range(32)))
PUBLIC = KEY.identity.signing
HOUSE = KEY.identity.text
AUCTION = "auction/" + "0f" * 32
ORIGIN = origin_of(HOUSE, AUCTION)
CHECKPOINT = Checkpoint(ORIGIN, 5, bytes(range(32)))
ROOT_TEXT = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="

sizes = st.integers(0, 2**63 - 1)
roots = st.binary(min_size=32, max_size=32)


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["name"])
def test_the_note_of_a_checkpoint_never_changes(vector: dict[str, object]) -> None:
    key = SecretKey(bytes.fromhex(str(vector["seed"])))
    checkpoint = Checkpoint(str(vector["origin"]), int(str(vector["size"])), bytes.fromhex(str(vector["root"])))
    assert checkpoint.text == vector["text"]
    note = str(vector["note"]).encode()
    assert sign_checkpoint(checkpoint, key) == note
    assert open_checkpoint(note, checkpoint.origin, bytes.fromhex(str(vector["public"]))) == checkpoint


@given(sizes, roots)
def test_a_checkpoint_comes_back_as_it_was_signed(size: int, root: bytes) -> None:
    checkpoint = Checkpoint(ORIGIN, size, root)
    assert parse(checkpoint.text) == checkpoint
    note = CheckpointSigner(ORIGIN, KEY).sign(size, root)
    assert note == sign_checkpoint(checkpoint, KEY) == sign_note(checkpoint.text, ORIGIN, KEY)
    assert CheckpointSigner(ORIGIN, KEY).text(size, root) == checkpoint.text.encode()
    assert open_checkpoint(note, ORIGIN, PUBLIC) == checkpoint


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="nothing"),
        pytest.param(f"o\n5\n{ROOT_TEXT}", id="no final newline"),
        pytest.param(f"o\n5\n{ROOT_TEXT}\n\n", id="an empty line more"),
        pytest.param(f"o\n5\n{ROOT_TEXT}\nextension\n", id="an extension line"),
        pytest.param(f"\n5\n{ROOT_TEXT}\n", id="no origin"),
        pytest.param(f"two words\n5\n{ROOT_TEXT}\n", id="a space in the origin"),
        pytest.param("x" * (MAX_ORIGIN_BYTES + 1) + f"\n5\n{ROOT_TEXT}\n", id="an endless origin"),
        pytest.param(f"o\n05\n{ROOT_TEXT}\n", id="a leading zero"),
        pytest.param(f"o\n{2**63}\n{ROOT_TEXT}\n", id="a size past 63 bits"),
        pytest.param("o\n5\nAAEC\n", id="a short root"),
        pytest.param(f"o\n5\n{ROOT_TEXT[:-1]}\n", id="a root without padding"),
        pytest.param(f"o\n5\n{ROOT_TEXT[:-2]}9=\n", id="a root with spare bits set"),
        pytest.param(f"o\r\n5\r\n{ROOT_TEXT}\r\n", id="carriage returns"),
    ],
)
def test_text_in_any_other_form_is_no_checkpoint(text: str) -> None:
    with pytest.raises(NoteError):
        parse(text)


@pytest.mark.parametrize(
    "text", ["", "-1", "+1", "00", "01", " 1", "1 ", "1\n", "1_0", "1e3", "٣", "²", "9" * 5000, str(2**63)]
)
def test_a_number_has_one_form(text: str) -> None:
    with pytest.raises(NoteError):
        parse_decimal(text)


@given(sizes)
def test_every_number_in_range_is_read(number: int) -> None:
    assert parse_decimal(str(number)) == number


def test_a_checkpoint_of_another_log_or_key_is_refused() -> None:
    note = sign_checkpoint(CHECKPOINT, KEY)
    registry = origin_of(HOUSE, REGISTRY)
    with pytest.raises(NoteError, match="name expected"):
        open_checkpoint(note, registry, PUBLIC)
    with pytest.raises(NoteError, match="another key"):
        open_checkpoint(note, ORIGIN, SecretKey(bytes(32)).identity.signing)
    # The house itself may not sign the head of one log under the name of another.
    crossed = sign_note(CHECKPOINT.text, registry, KEY)
    with pytest.raises(NoteError, match="another log"):
        open_checkpoint(crossed, registry, PUBLIC)


def test_a_note_that_has_opened_is_no_other_logs_and_no_other_keys_and_a_wrong_one_is_refused_each_time() -> None:
    note = sign_checkpoint(CHECKPOINT, KEY)
    wrong = note.replace(b"\n\n", b"\n \n", 1)
    for _ in range(2):
        assert open_checkpoint(note, ORIGIN, PUBLIC) == CHECKPOINT
        for refused in (
            (wrong, ORIGIN, PUBLIC),
            (note, origin_of(HOUSE, REGISTRY), PUBLIC),
            (note, ORIGIN, SecretKey(bytes(32)).identity.signing),
        ):
            with pytest.raises(NoteError):
                open_checkpoint(*refused)


@pytest.mark.parametrize(("size", "root"), [(-1, EMPTY_ROOT), (2**63, EMPTY_ROOT), (0, b""), (0, bytes(33))])
def test_a_head_that_no_log_has_is_not_signed(size: int, root: bytes) -> None:
    with pytest.raises(NoteError):
        CheckpointSigner(ORIGIN, KEY).sign(size, root)
    with pytest.raises(NoteError):
        CheckpointSigner(ORIGIN, KEY).text(size, root)


def test_the_longest_origin_has_a_note_that_opens() -> None:
    for origin in ("x" * MAX_ORIGIN_BYTES, "𝄞" * (MAX_ORIGIN_BYTES // 4)):
        checkpoint = Checkpoint(origin, 2**63 - 1, bytes(32))
        assert open_checkpoint(sign_checkpoint(checkpoint, KEY), origin, PUBLIC) == checkpoint


@pytest.mark.parametrize(
    "origin",
    ["", "two words", "a+b", "\ud800", "x" * (MAX_ORIGIN_BYTES + 1), "\U0001d11e" * (MAX_ORIGIN_BYTES // 4 + 1)],
)
def test_an_origin_that_cannot_name_a_note_is_refused(origin: str) -> None:
    with pytest.raises(NoteError):
        CheckpointSigner(origin, KEY)


@pytest.mark.parametrize("log", [REGISTRY, AUCTION])
def test_an_origin_names_a_house_and_one_of_its_logs(log: str) -> None:
    assert split_origin(origin_of(HOUSE, log)) == (HOUSE, log)


@pytest.mark.parametrize(
    "origin",
    [
        "",
        "/",
        HOUSE,
        f"{HOUSE}/",
        "/registry",
        f"{HOUSE}/Registry",
        f"{HOUSE}/registry/",
        f"{HOUSE}/registry\n",
        f"{HOUSE}//registry",
        f"{HOUSE}/auction",
        f"{HOUSE}/auction/" + "0f" * 31,
        f"{HOUSE}/auction/" + "0F" * 32,
        f"{HOUSE}/auction/" + "0f" * 32 + "0",
        f"{HOUSE} /registry",
        f"{HOUSE}+/registry",
        "hôuse/registry",
        "x" * 257 + "/registry",
    ],
)
def test_anything_else_is_no_origin(origin: str) -> None:
    with pytest.raises(NoteError):
        split_origin(origin)
    house_text, _, log = origin.partition("/")
    with pytest.raises(NoteError):
        origin_of(house_text, log)


def test_damaged_checkpoint_texts_are_refused_or_are_other_checkpoints_in_their_own_form() -> None:
    dice = random.Random(20264)
    refused = 0
    for _ in range(20_000):
        text = CHECKPOINT.text
        where = dice.randrange(len(text) + 1)
        text = (
            text[:where]
            + dice.choice(["", "0", "\n", "=", " ", "\ud800", "é", "/", "9"])
            + text[where + dice.randint(0, 2) :]
        )
        try:
            checkpoint = parse(text)
        except NoteError:
            refused += 1
        else:
            assert checkpoint.text == text
    assert 2_000 < refused < 20_000
