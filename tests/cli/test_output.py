from __future__ import annotations

import json
import os
import sys

import pytest

from auctionctl.cli.exit_status import ExitStatus
from auctionctl.cli.output import (
    Form,
    choose_form,
    write_error,
    write_facts,
    write_fields,
    write_json,
    write_list,
    write_note,
    write_table,
)

HOSTILE = "\x1b[2J\u202ea\x7f\x9bb"


def test_a_pipe_gets_plain_lines_and_json_when_asked(capsys: pytest.CaptureFixture[str]) -> None:
    assert choose_form(None) is Form.PLAIN
    assert [choose_form(form) for form in Form] == list(Form)
    assert [form.is_json for form in Form] == [False, False, True, True]


def test_a_list_is_one_document_or_a_line_a_record_each_with_its_schema(capsys: pytest.CaptureFixture[str]) -> None:
    def written(form: Form) -> str:
        write_list(form, "x/1", "things", [{"a": 1}, {"a": 2}], columns=("a",), rows=[("1",), ("2",)])
        return capsys.readouterr().out

    assert json.loads(written(Form.JSON)) == {"schema": "x/1", "things": [{"a": 1}, {"a": 2}]}
    lines = [json.loads(line) for line in written(Form.JSONL).splitlines()]
    assert lines == [{"schema": "x/1", "a": 1}, {"schema": "x/1", "a": 2}]
    assert written(Form.PLAIN) == "a\n1\n2\n"


def test_fields_are_separated_by_tabs_and_hold_none(capsys: pytest.CaptureFixture[str]) -> None:
    write_fields(["a\tb", "", HOSTILE])
    assert capsys.readouterr().out == "a b\t-\t[2Jab\n"


def test_json_is_ascii_on_one_line_and_reads_back_as_it_was(capsys: pytest.CaptureFixture[str]) -> None:
    write_json({"item": HOSTILE + "ü\n"})
    out = capsys.readouterr().out
    assert out.isascii()
    assert out.count("\n") == 1
    assert all(character.isprintable() for character in out[:-1])
    assert json.loads(out) == {"item": HOSTILE + "ü\n"}


def test_json_holds_no_secret_key_and_stays_json(capsys: pytest.CaptureFixture[str]) -> None:
    write_json({"key": "AUC-SECRET-KEY-1" + "QPZRY9X8" * 7 + "\n", "n": 1})
    out = capsys.readouterr().out
    assert out.isascii()
    assert json.loads(out) == {"key": "AUC-SECRET-KEY-1…\n", "n": 1}


def test_a_piped_table_is_never_cut(capsys: pytest.CaptureFixture[str]) -> None:
    write_table(Form.PLAIN, ("key", "name"), [("k" * 300, "n")])
    assert capsys.readouterr().out == f"key\tname\n{'k' * 300}\tn\n"


def test_a_table_for_people_is_drawn(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    write_table(Form.TABLE, ("key",), [("[red]x",)])
    out = capsys.readouterr().out
    assert "[red]x" in out
    assert "━" in out


def test_facts_stand_in_a_column(capsys: pytest.CaptureFixture[str]) -> None:
    write_facts([("a", "1"), ("bcd", HOSTILE)])
    assert capsys.readouterr().out == "a    1\nbcd  [2Jab\n"


def test_a_note_goes_to_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    write_note(HOSTILE)
    assert capsys.readouterr() == ("", "[2Jab\n")


def test_an_error_is_a_line_and_a_hint(capsys: pytest.CaptureFixture[str]) -> None:
    write_error(Form.PLAIN, ExitStatus.NOT_FOUND, "no\nsuch " + HOSTILE, "look elsewhere")
    assert capsys.readouterr() == ("", "auctionctl: no such [2Jab\nhint: look elsewhere\n")
    write_error(Form.PLAIN, ExitStatus.NOT_FOUND, "x", "")
    assert capsys.readouterr().err == "auctionctl: x\n"


def test_an_error_in_json_is_one_object_with_a_stable_code(capsys: pytest.CaptureFixture[str]) -> None:
    write_error(Form.JSON, ExitStatus.NOT_FOUND, "x", "y")
    captured = capsys.readouterr()
    assert json.loads(captured.err) == {"error": {"code": "not_found", "message": "x", "hint": "y"}}


def test_an_error_about_a_closed_terminal_is_no_second_error(monkeypatch: pytest.MonkeyPatch) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with open(writing, "w", buffering=1) as stream:
        monkeypatch.setattr(sys, "stderr", stream)
        write_error(Form.PLAIN, ExitStatus.NOT_FOUND, "x", "")
        monkeypatch.undo()
        # What could not be written must not be tried again when the stream is closed.
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
