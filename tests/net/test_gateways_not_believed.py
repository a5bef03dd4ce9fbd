"""What a supervisor makes of a gateway that somebody has got the better of: it is ended, replaced, not believed."""

from __future__ import annotations

import selectors
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from house_process import HOUSE_KEY

from auctionctl.house.limits import Limits
from auctionctl.net.child_words import Failed, encode
from auctionctl.net.children import Child
from auctionctl.net.control import send_control
from auctionctl.net.house_settings import Finish, HouseSettings
from auctionctl.net.house_words import AllClosed
from auctionctl.net.listening import ListeningPort
from auctionctl.net.pipes import PipeClosedError
from auctionctl.net.supervisor import Supervisor


def settings_in(directory: Path) -> HouseSettings:
    return HouseSettings("h", "127.0.0.1", 0, 1, Limits(), directory / "state", directory / "allow")


def test_a_gateway_that_reports_is_replaced_and_not_believed(tmp_path, stack):
    """Bidders may have got the better of it: that it says the house has failed changes nothing."""
    port = stack.enter_context(ListeningPort("127.0.0.1", 0, tmp_path))
    reports = []
    house = Supervisor(settings_in(tmp_path), HOUSE_KEY, [], reports.append, finish=Finish.WHEN_CLOSED, port=port)
    stack.callback(house.stop)
    for message in (Failed("ConfigurationError", "a lie", ""), AllClosed()):
        ours, theirs = socket.socketpair()
        stack.enter_context(ours)
        stack.enter_context(theirs)
        process = subprocess.Popen([sys.executable, "-c", "import signal; signal.pause()"])
        stack.callback(process.wait)
        stack.callback(process.kill)
        send_control(theirs, encode(message))
        with pytest.raises(PipeClosedError, match="spoke out of turn"):
            house._hear(Child("gateway", process, ours, 0.0))
        assert process.wait(30) == -signal.SIGKILL
    assert (reports, house._finish_at_s) == ([], None)


def test_a_gateway_that_says_no_word_and_lives_on_is_ended_and_replaced(tmp_path, stack):
    """Whoever got the better of it would stop whatever waits for its end: nothing else would be started again."""
    port = stack.enter_context(ListeningPort("127.0.0.1", 0, tmp_path))
    house = Supervisor(settings_in(tmp_path), HOUSE_KEY, [], print, finish=Finish.NEVER, port=port)
    stack.callback(house.stop)
    ours, theirs = socket.socketpair()
    stack.enter_context(theirs)
    process = subprocess.Popen([sys.executable, "-c", "import signal; signal.pause()"])
    stack.callback(process.kill)
    gateway = Child("gateway", process, ours, 0.0)
    house._fleet._children["gateway"] = gateway
    house._selector.register(ours, selectors.EVENT_READ, gateway)
    house._gatekeeper.started(0.0)
    theirs.send(b"\xff" * 8)
    with pytest.raises(PipeClosedError, match="a word of"):
        house._hear(gateway)
    house._bury(gateway)
    assert process.returncode == -signal.SIGKILL
    assert [name for _, name, _ in house._due] == ["gateway"]
