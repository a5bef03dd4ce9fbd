"""A server is there if it greets: one that stands still takes connections all the same.

With real servers: ``tests/conformance/test_cluster_faults.py``.
"""

from __future__ import annotations

import socket
import threading

from auctionctl.store import cluster_presence
from auctionctl.store.cluster_presence import find_silent


def test_those_that_do_not_greet_are_named_in_their_order(monkeypatch) -> None:
    monkeypatch.setattr(cluster_presence, "PATIENCE_S", 0.3)
    with (
        socket.create_server(("127.0.0.1", 0)) as greeting,
        socket.create_server(("127.0.0.1", 0)) as standing_still,
        socket.create_server(("127.0.0.1", 0)) as gone,
    ):
        there, still, away = (each.getsockname() for each in (greeting, standing_still, gone))
        gone.close()

        def greet() -> None:
            with greeting.accept()[0] as connection:
                connection.sendall(b'INFO {"server_id":"N"}\r\n')

        answering = threading.Thread(target=greet)
        answering.start()
        silent = find_silent([away, there, still, ("no-such-host.invalid", 4222)])
        answering.join()
    assert silent == [f"127.0.0.1:{away[1]}", f"127.0.0.1:{still[1]}", "no-such-host.invalid:4222"]
