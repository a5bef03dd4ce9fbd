"""What a clock head promises: one note, its house's word for when it was the head, and what that proves of entries."""

from __future__ import annotations

import json
import random
from base64 import b64decode, b64encode
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auctionctl.errors import NoteError
from auctionctl.keys.signing import SecretKey
from auctionctl.tlog.checkpoint import Checkpoint, CheckpointSigner, open_checkpoint, origin_of, sign_checkpoint
from auctionctl.tlog.cosignature import (
    Cosigner,
    TimedCheckpoint,
    cosignature_key_id,
    cosigned_message,
    open_cosignature,
    open_timed,
)
from auctionctl.tlog.heads import sign_heads
from auctionctl.tlog.note import MAX_NOTE_BYTES, open_note, sign_note
from auctionctl.wire.frames import domain

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "tlog.json").read_text(encoding="utf-8"))["cosignatures"]
OURS = [vector for vector in VECTORS if "seed" in vector]
KEY = SecretKey(bytes(range(32)))
PUBLIC = KEY.identity.signing
HOUSE = KEY.identity.text
ORIGIN = origin_of(HOUSE, "auction/" + "0f" * 32)
CHECKPOINT = Checkpoint(ORIGIN, 5, bytes(range(32)))
PLAIN = sign_checkpoint(CHECKPOINT, KEY)
TIME_S = 1_760_000_000
SECOND_NS = 1_000_000_000
NOTE = Cosigner(HOUSE, KEY).stamp(PLAIN, TIME_S)
LINE = NOTE.removeprefix(PLAIN)

times = st.integers(0, 2**63 - 1)


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["name"])
def test_cosignatures_of_others_and_of_ours_open_to_their_times(vector: dict[str, Any]) -> None:
    public, name = bytes.fromhex(vector["public"]), vector["cosigner"]
    assert cosignature_key_id(name, public).hex() == vector["key_id"]
    assert open_cosignature(vector["line"].encode(), vector["text"].encode(), name, public) == vector["time_s"]


@pytest.mark.parametrize("vector", OURS, ids=lambda vector: vector["name"])
def test_the_note_of_a_clock_head_never_changes(vector: dict[str, Any]) -> None:
    key = SecretKey(bytes.fromhex(vector["seed"]))
    checkpoint = Checkpoint(vector["origin"], vector["size"], bytes.fromhex(vector["root"]))
    assert cosigned_message(vector["text"].encode(), vector["time_s"]).decode() == vector["message"]
    note = Cosigner(vector["cosigner"], key).stamp(sign_checkpoint(checkpoint, key), vector["time_s"])
    assert note.decode() == vector["note"]
    opened = open_timed(note, vector["origin"], vector["cosigner"], bytes.fromhex(vector["public"]))
    assert opened == TimedCheckpoint(checkpoint, vector["time_s"])


@given(st.integers(0, 2**63 - 1), st.binary(min_size=32, max_size=32), times)
def test_what_is_stamped_opens_to_the_same_head_and_time(size: int, root: bytes, time_s: int) -> None:
    note = Cosigner(HOUSE, KEY).stamp(CheckpointSigner(ORIGIN, KEY).sign(size, root), time_s)
    assert open_timed(note, ORIGIN, HOUSE, PUBLIC) == TimedCheckpoint(Checkpoint(ORIGIN, size, root), time_s)


def test_a_tool_that_knows_c2sp_finds_the_checkpoint_and_the_cosignature_in_it() -> None:
    text, _, lines = NOTE.decode().partition("\n\n")
    by_log, by_cosigner = lines.splitlines()
    assert open_checkpoint(f"{text}\n\n{by_log}\n".encode(), ORIGIN, PUBLIC) == CHECKPOINT
    mark, name, blob = by_cosigner.split(" ")
    assert (mark, name) == ("—", HOUSE)
    data = b64decode(blob)
    assert (len(data), int.from_bytes(data[4:12], "big")) == (76, TIME_S)


def test_the_longest_clock_head_is_within_the_bound_of_a_note() -> None:
    longest = CheckpointSigner("x" * 512, KEY).sign(2**63 - 1, bytes(32))
    assert len(Cosigner(HOUSE, KEY).stamp(longest, 2**63 - 1)) < MAX_NOTE_BYTES


@given(st.data())
def test_a_clock_head_with_one_byte_changed_does_not_open(data: st.DataObject) -> None:
    where = data.draw(st.integers(0, len(NOTE) - 1))
    by = data.draw(st.integers(1, 255))
    changed = NOTE[:where] + bytes([NOTE[where] ^ by]) + NOTE[where + 1 :]
    with pytest.raises(NoteError):
        open_timed(changed, ORIGIN, HOUSE, PUBLIC)


def stamped(time_s: int, *, told_s: int | None = None, key_id: bytes = b"", more: bytes = b"") -> bytes:
    """A line whose signature is over ``time_s``, while it says ``told_s``."""
    told_s = time_s if told_s is None else told_s
    signature = KEY.sign(cosigned_message(CHECKPOINT.text.encode(), time_s))
    blob = (key_id or cosignature_key_id(HOUSE, PUBLIC)) + told_s.to_bytes(8, "big") + signature + more
    return f"— {HOUSE} ".encode() + b64encode(blob) + b"\n"


TOGETHER = sign_heads([(CheckpointSigner(ORIGIN, KEY), 5, bytes(range(32)))] * 2, KEY)[0]


@pytest.mark.parametrize(
    ("note", "message"),
    [
        pytest.param(b"", "one signature line", id="nothing"),
        pytest.param(LINE, "one signature line", id="the cosignature alone"),
        pytest.param(PLAIN, "one signature line", id="a checkpoint alone"),
        pytest.param(NOTE + LINE, "one signature line", id="a cosignature twice"),
        pytest.param(PLAIN.replace(b"\n\n", b"\n\n" + LINE), "name expected", id="the other order"),
        pytest.param(NOTE[:-1], "no cosignature", id="no final newline"),
        pytest.param(NOTE + b"\n", "one signature line", id="a newline too many"),
        pytest.param(NOTE + "— witness AAAA\n".encode(), "one signature line", id="another one beside"),
        pytest.param(PLAIN + LINE.replace(b"auc1", b"auc2"), "no cosignature", id="another name"),
        pytest.param(PLAIN + LINE.replace("— ".encode(), b"- "), "no cosignature", id="a dash of another kind"),
        pytest.param(TOGETHER + LINE, "signed alone", id="a checkpoint signed together with others"),
        pytest.param(PLAIN + stamped(TIME_S, told_s=TIME_S + 1), "does not hold", id="another time than signed"),
        pytest.param(PLAIN + stamped(2**63), "no cosignature at", id="a time beyond its bound"),
        pytest.param(PLAIN + stamped(TIME_S, key_id=PLAIN[:4]), "another key", id="another key ID"),
        pytest.param(PLAIN + stamped(TIME_S, more=b"\0"), "another key", id="a byte too many"),
        pytest.param(PLAIN + LINE.rpartition(b" ")[0] + b" =\n", "not base64", id="no base64"),
        pytest.param(PLAIN.replace(b"\n5\n", b"\n6\n") + LINE, "does not hold", id="another size"),
        pytest.param(b"x" * MAX_NOTE_BYTES + b"\n", "more than 4096", id="too long"),
    ],
)
def test_other_forms_do_not_open_even_when_signed(note: bytes, message: str) -> None:
    with pytest.raises(NoteError, match=message):
        open_timed(note, ORIGIN, HOUSE, PUBLIC)


def test_a_clock_head_of_another_log_cosigner_or_key_does_not_open() -> None:
    other = origin_of(HOUSE, "auction/" + "1f" * 32)
    for origin, cosigner, public in (
        (other, HOUSE, PUBLIC),
        (ORIGIN, ORIGIN, PUBLIC),
        (ORIGIN, HOUSE, SecretKey(bytes(32)).identity.signing),
    ):
        with pytest.raises(NoteError):
            open_timed(NOTE, origin, cosigner, public)


@pytest.mark.parametrize("time_s", [-1, 2**63])
def test_a_time_that_has_no_63_bits_is_not_stamped(time_s: int) -> None:
    with pytest.raises(NoteError, match="no cosignature at"):
        Cosigner(HOUSE, KEY).stamp(PLAIN, time_s)


def test_what_a_cosigner_signs_is_nothing_else_that_the_key_signs() -> None:
    message = cosigned_message(CHECKPOINT.text.encode(), TIME_S)
    signature = b64decode(LINE.rpartition(b" ")[2])[12:]
    # As a note it would open under the name; as a checkpoint of any log it does not.
    for name in (ORIGIN, HOUSE, "cosignature/v1"):
        with pytest.raises(NoteError):
            open_note(message + f"\n— {name} ".encode() + b64encode(signature) + b"\n", name, PUBLIC)
        with pytest.raises(NoteError):
            open_checkpoint(sign_note(message.decode(), name, KEY), name, PUBLIC)
    assert b"\0" not in message
    assert domain("bid").endswith(b"\0")
    # And a checkpoint's own signature is no cosignature, whatever its text.
    plain = b64decode(PLAIN.rpartition(b" ")[2])[4:]
    blob = cosignature_key_id(HOUSE, PUBLIC) + TIME_S.to_bytes(8, "big") + plain
    with pytest.raises(NoteError, match="does not hold"):
        open_timed(PLAIN + f"— {HOUSE} ".encode() + b64encode(blob) + b"\n", ORIGIN, HOUSE, PUBLIC)


@pytest.mark.parametrize(
    ("index", "time_ns", "is_back_dated", "is_ahead"),
    [
        (5, TIME_S * SECOND_NS, False, False),
        (5, TIME_S * SECOND_NS - 1, True, False),
        (6, TIME_S * SECOND_NS - 1, True, False),
        (6, 2**62, False, False),
        (4, 0, False, False),
        (4, TIME_S * SECOND_NS - 1, False, False),
        (4, (TIME_S + 1) * SECOND_NS - 1, False, False),
        (4, (TIME_S + 1) * SECOND_NS, False, True),
        (0, (TIME_S + 1) * SECOND_NS, False, True),
    ],
)
def test_an_entry_is_proved_wrong_to_the_nanosecond_and_to_the_index(
    index: int, time_ns: int, is_back_dated: bool, is_ahead: bool
) -> None:
    head = TimedCheckpoint(CHECKPOINT, TIME_S)
    assert head.proves_back_dated(index, time_ns) is is_back_dated
    assert head.proves_ahead(index, time_ns) is is_ahead


@given(st.integers(0, 2**60), st.lists(st.integers(0, 3 * SECOND_NS), max_size=20), st.integers(0, 3 * SECOND_NS))
def test_an_honest_clock_is_never_proved_wrong(start_ns: int, steps: list[int], pause_ns: int) -> None:
    """Whenever the head is stamped with the second that the clock shows, between any two of the entries."""
    dates, now_ns = [], start_ns
    for step in steps:
        now_ns += step
        dates.append(now_ns)
    for size in range(len(dates) + 1):
        low_ns = dates[size - 1] if size else start_ns
        high_ns = dates[size] if size < len(dates) else low_ns + pause_ns
        for stamp_ns in (low_ns, (low_ns + high_ns) // 2, high_ns):
            head = TimedCheckpoint(Checkpoint(ORIGIN, size, bytes(32)), stamp_ns // SECOND_NS)
            for index, time_ns in enumerate(dates):
                assert not head.proves_back_dated(index, time_ns)
                assert not head.proves_ahead(index, time_ns)


def test_damaged_clock_heads_do_not_open_and_nothing_else_happens() -> None:
    dice = random.Random(20264)
    for _ in range(5_000):
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
                open_timed(bytes(data), ORIGIN, HOUSE, PUBLIC)
