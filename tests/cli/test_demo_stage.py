from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from auctionctl.cli import demo_stage
from auctionctl.cli.demo_stage import Stage, command_line, run_once
from auctionctl.errors import AuctionctlError, UnreachableError

NONE: frozenset[int] = frozenset()


def test_a_process_that_fails_is_named_with_the_end_of_what_it_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with Stage(tmp_path) as stage:
        stage.start("one", ["key", "show", "nobody"], NONE)
        with pytest.raises(AuctionctlError, match="the demo's process one ended with status 3"):
            stage.wait_for(["one"], 30)
    assert "one: auctionctl: there is no key file" in capsys.readouterr().err


def test_an_expected_end_is_no_failure(tmp_path: Path) -> None:
    with Stage(tmp_path) as stage:
        stage.start("one", ["--version"], frozenset({0}))
        stage.wait_for(["one"], 30)
    assert (tmp_path / "output/one.out").read_text().startswith("auctionctl ")


def test_what_does_not_happen_in_time_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    waiting = [command_line([])[0], "-c", "import signal; signal.pause()"]
    monkeypatch.setattr(demo_stage, "command_line", lambda arguments: waiting)
    with Stage(tmp_path) as stage:
        stage.start("one", [], frozenset({0}))
        with pytest.raises(UnreachableError, match="did not serve within"):
            stage.wait_for_file(tmp_path / "never", 0.05)
        with pytest.raises(UnreachableError, match="did not end within"):
            stage.wait_for(["one"], -1)
        (tmp_path / "now").touch()
        stage.wait_for_file(tmp_path / "now", 0)


@pytest.mark.parametrize("stubborn", [False, True])
def test_no_process_outlives_the_stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stubborn: bool) -> None:
    script = "import signal, sys, time; " + ("signal.signal(signal.SIGTERM, signal.SIG_IGN); " if stubborn else "")
    script += "open(sys.argv[1], 'w').write('x'); time.sleep(60)"
    ready = tmp_path / "ready"
    python = command_line([])[0]
    monkeypatch.setattr(demo_stage, "command_line", lambda arguments: [python, "-c", script, *arguments])
    monkeypatch.setattr(demo_stage, "STOP_PATIENCE_S", 0.5)
    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    with Stage(tmp_path) as stage:
        stage.start("one", [str(ready)], NONE)
        stage.wait_for_file(ready, 30)
        process = stage._processes["one"]
    assert process.returncode == -(signal.SIGKILL if stubborn else signal.SIGTERM)
    with pytest.raises(ProcessLookupError):
        os.kill(process.pid, 0)
    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == before


def test_a_command_run_once_lives_under_the_home_it_is_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUCTIONCTL_KEY", "somebody")
    done = run_once(tmp_path, ["key", "show"], 30)
    assert done.returncode == 3
    assert str(tmp_path / "config/keys") in done.stderr.decode()


def test_how_the_caller_has_logs_written_does_not_change_what_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AUCTIONCTL_LOG_FORMAT", "json")
    done = run_once(tmp_path, ["serve", str(tmp_path / "none.toml")], 60)
    assert done.stderr.startswith(b"auctionctl: ")
