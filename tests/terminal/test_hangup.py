"""A terminal that is closed ends the house that runs in it, in order; SIGHUP alone has its settings read again."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import pexpect
import pytest

from auctionctl.cli.demo import free_port
from auctionctl.keys.keyfile import key_path, write_key
from auctionctl.keys.signing import SecretKey


@pytest.fixture
def serving(tmp_path: Path) -> pexpect.spawn:
    write_key(key_path(tmp_path / "config/keys", "house"), SecretKey(b"h" * 32), created="2026-01-31T12:00:00Z")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AUCTIONCTL_")}
    child = pexpect.spawn(
        sys.executable,
        ["-P", "-m", "auctionctl", "serve", "--port", str(free_port()), "--verifiers", "1"],
        env=environment | {"AUCTIONCTL_HOME": str(tmp_path)},
        timeout=30,
    )
    child.expect("serving at")
    return child


def test_the_house_ends_in_order_with_its_terminal(serving: pexpect.spawn, tmp_path: Path) -> None:
    os.close(serving.child_fd)
    _, status = os.waitpid(serving.pid, 0)
    serving.closed = True
    assert os.waitstatus_to_exitcode(status) == 0
    assert list((tmp_path / "run").iterdir()) == []


def test_a_hangup_without_the_loss_of_the_terminal_reads_the_settings_again(serving: pexpect.spawn) -> None:
    serving.kill(signal.SIGHUP)
    serving.expect("the settings have been read again")
    serving.sendintr()
    serving.expect(pexpect.EOF)
    serving.close()
    assert serving.exitstatus == 130
