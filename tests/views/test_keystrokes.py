from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auctionctl.views.keystrokes import MAX_REST, Key, Pressed, decode_keys, flush_keys

KEYS: dict[bytes, list[Pressed]] = {
    b"\x1b[A": [Key.UP],
    b"\x1bOA": [Key.UP],
    b"\x1b[1;5A": [Key.UP],
    b"\x1b[B": [Key.DOWN],
    b"\x1b[5~": [Key.PAGE_UP],
    b"\x1b[6~": [Key.PAGE_DOWN],
    b"\x1b[6;2~": [Key.PAGE_DOWN],
    b"\x1b[H": [Key.HOME],
    b"\x1b[1~": [Key.HOME],
    b"\x1bOF": [Key.END],
    b"\x1b[8~": [Key.END],
    b"\r": [Key.ENTER],
    b"\n": [Key.ENTER],
    b"\x7f": [Key.BACKSPACE],
    b"\x08": [Key.BACKSPACE],
    b"q": ["q"],
    "ß漢🙂".encode(): ["ß", "漢", "🙂"],
}
NOTHING = [
    b"\x00",
    b"\x03",
    b"\x1b[C",
    b"\x1b[200~",
    b"\x1b[<0;3;4M",
    b"\x1bOP",
    b"\xff",
    b"\xc3(",
    "\u202e\u200b".encode(),
]


@pytest.mark.parametrize(("data", "pressed"), KEYS.items())
def test_what_terminals_send_is_the_key_that_was_pressed(data: bytes, pressed: list[Pressed]) -> None:
    assert decode_keys(data) == (pressed, b"")


@pytest.mark.parametrize("data", NOTHING)
def test_what_is_not_understood_is_dropped_and_no_part_of_it_is_a_key(data: bytes) -> None:
    rest = ["("] if data.endswith(b"(") else []
    assert decode_keys(data) == (rest, b"")


@pytest.mark.parametrize("data", [b"\x1b", b"\x1b[", b"\x1b[1;", b"\x1bO", b"\xe6\xbc", b"\xf0\x9f"])
def test_what_has_only_begun_is_waited_for(data: bytes) -> None:
    assert decode_keys(data) == ([], data)


def test_a_lone_escape_is_a_key_once_nothing_follows_and_half_a_sequence_is_none() -> None:
    assert flush_keys(b"\x1b") == [Key.ESCAPE]
    assert flush_keys(b"\x1b[1") == flush_keys(b"\xe6") == flush_keys(b"") == []
    assert decode_keys(b"\x1bq") == ([Key.ESCAPE, "q"], b"")
    assert decode_keys(b"\x1b\x1b[A") == ([Key.ESCAPE, Key.UP], b"")


def test_a_sequence_cut_off_by_another_does_not_swallow_it() -> None:
    assert decode_keys(b"\x1b[1\x1b[B") == ([Key.DOWN], b"")


@given(st.lists(st.sampled_from(list(KEYS)), max_size=20), st.data())
def test_however_the_bytes_are_cut_the_keys_are_the_same(parts: list[bytes], data: st.DataObject) -> None:
    whole = b"".join(parts)
    pressed: list[Pressed] = []
    rest = b""
    at = 0
    while at < len(whole):
        length = data.draw(st.integers(1, 8))
        found, rest = decode_keys(rest + whole[at : at + length])
        pressed += found
        at += length
    assert rest == b""
    assert pressed == [key for part in parts for key in KEYS[part]]


@given(
    st.binary(max_size=200) | st.lists(st.sampled_from([b"\x1b", b"[", b"O", b"1", b";", b"~", b"\xe6"])).map(b"".join)
)
def test_no_bytes_make_it_fail_or_remember_much_or_give_what_cannot_be_shown(data: bytes) -> None:
    pressed, rest = decode_keys(data)
    assert len(rest) < MAX_REST
    assert data.endswith(rest)
    assert len(pressed) <= len(data)
    assert all(isinstance(key, Key) or (len(key) == 1 and key.isprintable()) for key in pressed)
    assert decode_keys(rest) == ([], rest)
