"""Servers that speak as much of NATS as it takes to let a client in, and else say what a test has them say."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterable, Sequence
from contextlib import suppress
from types import TracebackType

INFO = b'INFO {"server_id":"x","version":"2.12.1","max_payload":1048576,"headers":true}\r\n'
REFUSAL = b"-ERR 'Authorization Violation'\r\n"
PONG = b"PONG\r\n"
PATIENCE_S = 20.0


class FakeServer:
    """Answers connection after connection by one of ``scripts``, the last of which is for all that follow.

    A script is the line that the server begins with, and what it says to a ping; it hangs up after anything but PONG.
    ``heard`` is what clients have said, by connection.
    """

    def __init__(self, *scripts: tuple[bytes, bytes]) -> None:
        self._scripts = list(scripts)
        self.heard: list[bytes] = []
        self._ended = 0
        self._news = threading.Condition()
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.place = f"127.0.0.1:{self._listening.getsockname()[1]}"
        self._open: socket.socket | None = None
        self._thread = threading.Thread(target=self._serve)

    def __enter__(self) -> FakeServer:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._listening.shutdown(socket.SHUT_RDWR)
        self.hang_up()
        self._thread.join(PATIENCE_S)
        self._listening.close()

    def hang_up(self) -> None:
        """End the connection that there is."""
        if (connection := self._open) is not None:
            with suppress(OSError):  # The client may have ended it.
                connection.shutdown(socket.SHUT_RDWR)

    def await_words(self, connection: int, words: bytes, count: int = 1) -> None:
        """Return when ``words`` have been heard so often in the connection with this number, from 0 on."""

        def are_heard() -> bool:
            return len(self.heard) > connection and self.heard[connection].count(words) >= count

        with self._news:
            assert self._news.wait_for(are_heard, PATIENCE_S), self.heard

    def await_end(self) -> None:
        """Return when the first connection has ended, and all of it been heard."""
        with self._news:
            assert self._news.wait_for(lambda: self._ended, PATIENCE_S)

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return
            first, answer = self._scripts.pop(0) if len(self._scripts) > 1 else self._scripts[0]
            self.heard.append(b"")
            self._open = connection
            with connection, suppress(OSError):
                self._speak(connection, first, answer)
            self._open = None
            with self._news:
                self._ended += 1
                self._news.notify_all()

    def _speak(self, connection: socket.socket, first: bytes, answer: bytes) -> None:
        connection.sendall(first)
        answered = 0
        while data := connection.recv(65_536):
            with self._news:
                self.heard[-1] += data
                self._news.notify_all()
            for _ in range(self.heard[-1].count(b"PING\r\n") - answered):
                answered += 1
                connection.sendall(answer)
                if answer != PONG:
                    return


def url_of(servers: Iterable[FakeServer], away: Sequence[str] = ()) -> str:
    """The address of these servers, and of some places besides."""
    return "nats://" + ",".join([*(each.place for each in servers), *away])


def empty_place() -> str:
    """Where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return f"127.0.0.1:{listening.getsockname()[1]}"
