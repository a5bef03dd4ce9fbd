"""What a house takes is what its gateways heed: those that are there, and those that are started later."""

from __future__ import annotations

import socket
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

from house_process import HOUSE_KEY

from auctionctl.house.limits import Limits
from auctionctl.net.admission_news import LimitsTaken
from auctionctl.net.child_words import encode
from auctionctl.net.children import Child
from auctionctl.net.control import hear_supervisor, send_control
from auctionctl.net.gateway_orders import SetLimits, decode_to_gateway
from auctionctl.net.house_settings import Finish, HouseSettings
from auctionctl.net.listening import ListeningPort
from auctionctl.net.supervisor import Supervisor


def test_limits_that_a_house_takes_are_heeded_by_each_gateway(tmp_path: Path, stack, monkeypatch) -> None:
    settings = HouseSettings("h", "127.0.0.1", 0, 1, Limits(), tmp_path / "state", tmp_path / "allow")
    port = stack.enter_context(ListeningPort("127.0.0.1", 0, tmp_path))
    supervisor = Supervisor(settings, HOUSE_KEY, [], print, finish=Finish.NEVER, port=port)
    stack.callback(supervisor.stop)

    def child(name: str) -> tuple[Child, socket.socket]:
        ours, theirs = socket.socketpair()
        stack.enter_context(theirs)
        process = subprocess.Popen([sys.executable, "-c", "import signal; signal.pause()"])
        stack.callback(process.kill)
        return Child(name, process, ours, 0.0), theirs

    (house, of_house), (gateway, of_gateway) = child("house"), child("gateway")
    supervisor._house = house
    before = replace(Limits(), bids_per_s=7)
    send_control(of_house, encode(LimitsTaken(before)))
    supervisor._hear(house)  # No gateway is there yet.
    started: list[Limits] = []
    monkeypatch.setattr(supervisor._fleet, "start", lambda name, limits, *others: started.append(limits))
    supervisor._start_gateway("gateway")
    assert started == [before]
    supervisor._fleet._children["gateway"] = gateway
    after = replace(Limits(), bids_per_s=8)
    send_control(of_house, encode(LimitsTaken(after)))
    supervisor._hear(house)
    assert hear_supervisor(of_gateway, decode_to_gateway) == (SetLimits(after), [])
    supervisor._start_gateway("gateway")
    assert started == [before, after]
