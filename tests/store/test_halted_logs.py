"""What halts a log is on the disk before anybody is told, and a file of it that is damaged is never passed over."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from auctionctl.errors import ConfigurationError, NoteError, StoreError
from auctionctl.store import halted_logs
from auctionctl.store.halted_logs import FILE_NAME, HaltedLogs

A, B = "registry", "auction/" + "b" * 64


def check(log: str, note: bytes) -> None:
    if note == b"bad":
        raise NoteError("for the test")


def opened(directory: Path) -> HaltedLogs:
    return HaltedLogs(directory, check)


def test_notes_are_there_again_in_the_order_in_which_they_came(tmp_path: Path) -> None:
    logs = opened(tmp_path)
    assert logs.notes() == []
    assert os.listdir(tmp_path) == []
    logs.keep(B, b"a\nnote\n\n\xe2\x80\x94 x\n")
    logs.keep(A, b"")
    logs.keep(B, b"another")
    logs.keep(A, b"")
    expected = [(B, b"a\nnote\n\n\xe2\x80\x94 x\n"), (A, b""), (B, b"another")]
    assert logs.notes() == opened(tmp_path).notes() == expected
    assert os.listdir(tmp_path) == [FILE_NAME]
    assert (tmp_path / FILE_NAME).stat().st_mode & 0o777 == 0o600


def test_the_file_says_what_it_is_and_a_line_can_be_removed(tmp_path: Path) -> None:
    logs = opened(tmp_path)
    logs.keep(A, b"one")
    logs.keep(B, b"two")
    path = tmp_path / FILE_NAME
    text = path.read_text()
    assert text.startswith("# Logs to which this house writes no more")
    path.write_text("".join(line for line in text.splitlines(keepends=True) if not line.startswith(A)) + "\n \n")
    assert opened(tmp_path).notes() == [(B, b"two")]


@pytest.mark.parametrize("text", ["registry !", "two words x", "registry bm90ZQ", "registry YmFk", "\u00fc", "a" * 200])
def test_a_damaged_file_is_an_error_that_says_where(tmp_path: Path, text: str) -> None:
    (tmp_path / FILE_NAME).write_text(f"# comment\n{text}\n")
    with pytest.raises(ConfigurationError, match="halted is damaged"):
        opened(tmp_path)


def test_a_file_that_cannot_be_read_is_an_error(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).mkdir()
    with pytest.raises(ConfigurationError, match="halted is damaged"):
        opened(tmp_path)


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_a_disk_that_fails_keeps_what_was_there(tmp_path: Path, monkeypatch, step: str) -> None:
    logs = opened(tmp_path)
    logs.keep(A, b"one")

    def failing(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        if step == "fsync":
            patch.setattr(halted_logs.os, "fsync", failing)
        else:
            patch.setattr(Path, "replace", failing)
        with pytest.raises(StoreError, match="no space left"):
            logs.keep(B, b"two")
    assert logs.notes() == opened(tmp_path).notes() == [(A, b"one")]
    assert os.listdir(tmp_path) == [FILE_NAME]
    logs.keep(B, b"two")
    assert opened(tmp_path).notes() == [(A, b"one"), (B, b"two")]


def test_a_note_that_is_none_of_its_log_is_named_with_file_line_and_reason(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_text("# comment\nregistry b25l\nregistry YmFk\n")
    with pytest.raises(ConfigurationError) as caught:
        opened(tmp_path)
    assert str(caught.value) == f"{tmp_path / FILE_NAME} is damaged: line 3: for the test"
    assert "mend the line" in caught.value.hint
