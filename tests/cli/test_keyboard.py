from __future__ import annotations

import os
import pty
import termios
import tty
from collections.abc import Iterator

import pytest

from auctionctl.cli.keyboard import LFLAG, Keyboard, is_in_foreground, open_keyboard
from auctionctl.views.keystrokes import Key


@pytest.fixture
def terminal() -> Iterator[tuple[int, int]]:
    """Our end of a terminal, and the program's."""
    ours, theirs = pty.openpty()
    yield ours, theirs
    os.close(ours)
    os.close(theirs)


def is_echoing(descriptor: int) -> bool:
    lflag = termios.tcgetattr(descriptor)[LFLAG]
    return bool(lflag & termios.ECHO) and bool(lflag & termios.ICANON)


def test_keys_come_one_by_one_without_echo_and_the_terminal_is_given_back(terminal: tuple[int, int]) -> None:
    ours, theirs = terminal
    before = termios.tcgetattr(theirs)
    with Keyboard(theirs) as keyboard:
        assert not is_echoing(theirs)
        assert termios.tcgetattr(theirs)[LFLAG] & termios.ISIG, "Ctrl-C stays what it is"
        assert keyboard.pressed() == []
        os.write(ours, b"j\x1b[A")
        assert keyboard.pressed() == ["j", Key.UP]
    assert termios.tcgetattr(theirs) == before


def test_an_escape_is_a_key_once_nothing_has_followed(terminal: tuple[int, int]) -> None:
    ours, theirs = terminal
    with Keyboard(theirs) as keyboard:
        os.write(ours, b"\x1b")
        assert keyboard.pressed() == []
        assert keyboard.pressed() == [Key.ESCAPE]
        assert keyboard.pressed() == []
        os.write(ours, b"\x1b[")
        assert keyboard.pressed() == []
        os.write(ours, b"B")
        assert keyboard.pressed() == [Key.DOWN]


def test_whatever_happens_the_terminal_is_given_back_once(terminal: tuple[int, int]) -> None:
    _, theirs = terminal

    def fail() -> None:
        with Keyboard(theirs):
            raise SystemExit(143)

    with pytest.raises(SystemExit):
        fail()
    assert is_echoing(theirs)
    keyboard = Keyboard(theirs)
    keyboard.take()
    keyboard.give_back()
    tty.setcbreak(theirs)
    keyboard.give_back()
    assert not is_echoing(theirs), "it is not ours any more"


def test_without_a_terminal_on_stdin_there_are_no_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", None)
    assert open_keyboard() is None
    with open(os.devnull) as null:
        monkeypatch.setattr("sys.stdin", null)
        assert open_keyboard() is None
        assert is_in_foreground(null.fileno()), "what is no terminal is nobody's background"
