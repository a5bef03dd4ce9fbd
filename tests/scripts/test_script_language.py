from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from script_language import Failure, difference, is_like, parse, read_command, substitute
from script_runner import run_script

HERE = Path(__file__).parent


def failure_of(text: str, work: Path) -> Failure:
    with pytest.raises(Failure) as caught:
        run_script(parse(text), work)
    return caught.value


def test_a_script_that_holds_passes(tmp_path: Path) -> None:
    run_script(parse("$ echo hello\n  hello\n$ sh -c 'echo no >&2; exit 3'\n! no\nexit 3\n"), tmp_path)


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("$ echo hello\n", 1, "+hello"),
        ("\n$ echo hello\n  hullo\n", 2, "-hullo"),
        ("$ true\n  something\n", 1, "-something"),
        ("$ sh -c 'echo x >&2'\n", 1, "stderr is not as expected"),
        ("$ true\n! x\n", 1, "stderr is not as expected"),
        ("$ false\n", 1, "it ended with 1, not with 0"),
        ("$ true\nexit 2\n", 1, "it ended with 0, not with 2"),
        ("$ touch left\n", 1, "files that nobody listed: ['left']"),
        ("$ touch tmp/left\n", 1, "files that nobody listed: ['tmp/left']"),
        ("$ true\nfiles\n| missing\n", 2, "files that are missing: ['missing']"),
        ("$ touch x\n$ chmod 600 x\nfiles\n| x 644\n", 3, "files that are missing: ['x 644']"),
        ("& it cat /dev/zero\n", 1, "still running at the end: it"),
        ("& it echo hello\nawait it hullo\n", 2, "it ended without a line like 'hullo'"),
        ("& it echo hello\nwait it\n", 2, "+hello"),
        ("stop it\n", 1, "nothing called 'it' runs"),
        ("$ echo $NOTHING\n", 1, "$NOTHING is not set"),
        ("$ no-such-program\n", 1, "no-such-program"),
        ("$ echo 'x\n", 1, "No closing quotation"),
    ],
)
def test_a_script_that_does_not_hold_fails_at_its_line(text: str, line: int, message: str, tmp_path: Path) -> None:
    failure = failure_of(text, tmp_path)
    assert failure.line == line
    assert message in str(failure)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("", 1),
        ("# only a comment\n", 1),
        ("hello\n", 1),
        ("$ true\nhello\n", 2),
        ("$ true\n| x\n", 2),
        ("file x\n  x", 2),
    ],
)
def test_a_line_that_is_not_understood_is_an_error(text: str, line: int) -> None:
    with pytest.raises(Failure) as caught:
        parse(text)
    assert caught.value.line == line


def test_background_commands_are_awaited_signalled_and_waited_for(tmp_path: Path) -> None:
    script = (
        "$ mkfifo fifo\n& one sh -c 'echo up; read x < fifo'\nawait one up\nkill one\nexit -9\n"
        "& two $PYTHON -c 'import signal; print(1, flush=True); signal.pause()'\nawait two <n>\nstop two\nexit -15\n"
        "& three sh -c 'echo a; echo b; echo c'\nawait three a\nwait three\n  b\n  c\nfiles\n| fifo\n"
    )
    run_script(parse(script), tmp_path)


def test_files_are_inputs_and_streams(tmp_path: Path) -> None:
    script = (
        "file a/b 640\n| one\n|\n| two\n$ cat - < a/b > c\n$ stat -c %a a/b\n  640\n$ cat c\n  one\n  <empty>\n  two\n"
    )
    run_script(parse(script), tmp_path)


def test_what_a_command_wrote_can_be_used_again(tmp_path: Path) -> None:
    run_script(
        parse("$ echo 'a b'\n  a b\nlet X\n$ echo $X\n  $X\n$ X=$X sh -c 'echo \"$0$1\"' $X ! \n  a b!\n"), tmp_path
    )


def test_a_script_sees_no_settings_but_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUCTIONCTL_HOUSE", "elsewhere")
    run_script(parse("$ sh -c 'env | grep ^AUCTIONCTL'\n  AUCTIONCTL_HOME=$WORK/home\n"), tmp_path)


@pytest.mark.parametrize(
    ("expected", "actual", "fits"),
    [
        ([], "", True),
        ([], "x\n", False),
        (["x"], "x\n", True),
        (["x"], "x", True),
        (["x"], "x\nx\n", False),
        (["a…b"], "a and b\n", True),
        (["a.c"], "abc\n", False),
        (["..."], "", True),
        (["...", "z"], "x\ny\nz\n", True),
        (["...", "z"], "z\ny\n", False),
        (["<hex> <n>"], "0af 12\n", True),
        (["<hex> <n>"], "xyz 12\n", False),
        (["auc1…"], "auc1" + "q" * 109 + "\n", True),
        (["auc1…"], "auc1" + "q" * 108 + "\n", False),
        (["<time>"], "2026-01-31T12:00:00.000Z\n", True),
    ],
)
def test_expected_lines_are_patterns(expected: list[str], actual: str, fits: bool) -> None:
    assert is_like(expected, actual) is fits


def test_a_difference_shows_only_what_differs() -> None:
    text = difference("stdout", ["id <hex>", "good"], "id 12\nbad\n")
    assert text.splitlines()[-3:] == [" id 12", "-good", "+bad"]


def test_words_are_as_in_a_shell_and_a_blank_in_a_variable_parts_nothing() -> None:
    command = read_command("A=1 B='x y' run '$X' \"a b\" < in > out", {"X": "c d"}, 1)
    assert command.words == ("run", "c d", "a b")
    assert command.environment == {"A": "1", "B": "x y"}
    assert (command.stdin, command.stdout) == ("in", "out")
    assert substitute("${X}", {"X": "1"}, 1) == "${X}"


def test_the_collector_reports_a_script_that_fails_with_its_line_and_a_diff(tmp_path: Path) -> None:
    for name in ("conftest.py", "script_language.py", "script_runner.py"):
        shutil.copy(HERE / name, tmp_path)
    (tmp_path / "good.txt").write_text("$ echo hello\n  hello\n")
    (tmp_path / "bad.txt").write_text("# A comment.\n$ echo hello\n  hullo\n")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--import-mode=importlib", str(tmp_path)],
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONDONTWRITEBYTECODE": "1"},
        check=False,
    )
    assert done.returncode == 1
    assert "1 failed, 1 passed" in done.stdout
    assert "bad.txt:2: $ echo hello" in done.stdout
    assert "-hullo\n+hello" in done.stdout
