"""What was pressed, from the bytes that a terminal sends: a pure function, for bytes that come in any pieces.

Rule: whatever comes, it takes bounded memory and never fails; what is not understood is dropped whole, so that no part
of an unknown sequence is taken for a key. Source: ECMA-48 (CSI), the xterm control sequences, terminfo of xterm.
"""

from __future__ import annotations

import enum
import re
from typing import Final, NamedTuple


class Key(enum.Enum):
    """A key that is no character."""

    UP = "up"
    DOWN = "down"
    PAGE_UP = "page up"
    PAGE_DOWN = "page down"
    HOME = "home"
    END = "end"
    ENTER = "enter"
    ESCAPE = "escape"
    BACKSPACE = "backspace"


Pressed = Key | str
"""A key, or one printable character."""


class Decoded(NamedTuple):
    """What was pressed, and the bytes at the end that may be the beginning of something: at most :data:`MAX_REST`."""

    pressed: list[Pressed]
    rest: bytes


MAX_REST: Final = 32
"""A sequence that is longer is nobody's."""

_ESC: Final = 0x1B
_CSI: Final = re.compile(rb"\x1b\[[0-?]*[ -/]*([@-~])")
_CSI_BEGUN: Final = re.compile(rb"\x1b(?:\[[0-?]*[ -/]*)?")
_FINALS: Final = {b"A": Key.UP, b"B": Key.DOWN, b"H": Key.HOME, b"F": Key.END}
_NUMBERS: Final = {b"1": Key.HOME, b"4": Key.END, b"5": Key.PAGE_UP, b"6": Key.PAGE_DOWN, b"7": Key.HOME, b"8": Key.END}
_CONTROLS: Final = {0x0A: Key.ENTER, 0x0D: Key.ENTER, 0x08: Key.BACKSPACE, 0x7F: Key.BACKSPACE}


def decode_keys(data: bytes) -> Decoded:
    """The keys in ``data``; what comes next is to be decoded behind :attr:`Decoded.rest`."""
    pressed: list[Pressed] = []
    at = 0
    while at < len(data):
        found, length = _next(data[at : at + MAX_REST])
        if not length:
            return Decoded(pressed, data[at:])
        at += length
        if found is not None:
            pressed.append(found)
    return Decoded(pressed, b"")


def flush_keys(rest: bytes) -> list[Pressed]:
    """What ``rest`` was, now that nothing followed: a lone ESC is the key, and half a sequence is nothing."""
    return [Key.ESCAPE] if rest == b"\x1b" else []


def _next(data: bytes) -> tuple[Pressed | None, int]:
    """What stands at the beginning of ``data``, and how many bytes it takes; 0 if more has to come."""
    first = data[0]
    if first == _ESC:
        return _sequence(data)
    if first in _CONTROLS:
        return _CONTROLS[first], 1
    if first < 0x20:
        return None, 1
    return _character(data)


def _sequence(data: bytes) -> tuple[Pressed | None, int]:
    if whole := _CSI.match(data):
        return _meaning(whole[0], whole[1]), len(whole[0])
    if data.startswith(b"\x1bO"):
        return (_FINALS.get(data[2:3]), 3) if len(data) > 2 else (None, 0)
    if _CSI_BEGUN.fullmatch(data):
        return None, 0 if len(data) < MAX_REST else len(data)
    if data.startswith(b"\x1b["):
        # Cut off by what cannot be part of it: that is looked at anew.
        begun = _CSI_BEGUN.match(data)
        assert begun is not None
        return None, len(begun[0])
    return Key.ESCAPE, 1


def _meaning(sequence: bytes, final: bytes) -> Pressed | None:
    if final == b"~":
        return _NUMBERS.get(sequence[2:-1].partition(b";")[0])
    return _FINALS.get(final)


def _character(data: bytes) -> tuple[Pressed | None, int]:
    length = 1 + (data[0] >= 0xC2) + (data[0] >= 0xE0) + (data[0] >= 0xF0)
    piece = data[:length]
    try:
        character = piece.decode()
    except UnicodeDecodeError:
        is_begun = len(piece) < length and all(0x80 <= byte < 0xC0 for byte in piece[1:])
        return None, 0 if is_begun and data[0] <= 0xF4 else 1
    return (character if character.isprintable() else None), length
