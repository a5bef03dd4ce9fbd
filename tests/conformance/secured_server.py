"""One NATS server that does not let everybody in, with whatever settings a test gives it."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import time
from base64 import b32encode, urlsafe_b64encode
from contextlib import suppress
from pathlib import Path
from typing import Any

from nacl.signing import SigningKey
from nats_cluster import free_ports, server_binary

from auctionctl.keys.nkey import UserKey, _checksum

START_S = 30.0
OPERATOR, ACCOUNT, USER = 14 << 3, 0, 20 << 3
"""Kinds of keys."""


class SecuredServer:
    """A server by itself, with JetStream unless ``settings`` say how accounts are known."""

    def __init__(self, directory: Path, settings: str, jetstream: bool = True) -> None:
        directory.mkdir()
        self.port, self.monitor = free_ports(2)
        self.log = directory / "log"
        file = directory / "nats.conf"
        keeps = f'jetstream {{ store_dir: "{directory}/js", sync_interval: always }}\n' if jetstream else ""
        listens = f'server_name: s\nlisten: "127.0.0.1:{self.port}"\nhttp: "127.0.0.1:{self.monitor}"\n'
        file.write_text(listens + keeps + settings)
        self._file = file
        self.start()

    def start(self) -> None:
        """Start it, for the first time or again; returns when it is ready."""
        self.log.unlink(missing_ok=True)
        self._process = subprocess.Popen(
            [str(server_binary()), "-c", str(self._file), "-l", str(self.log)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        deadline_s = time.monotonic() + START_S
        while not self._listens():
            assert self._process.poll() is None, self.log.read_text()
            assert time.monotonic() < deadline_s
            time.sleep(0.02)

    def _listens(self) -> bool:
        with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1.0):
            return "Server is ready" in self.log.read_text()
        return False

    def url(self, scheme: str = "nats", login: str = "", host: str = "127.0.0.1") -> str:
        return f"{scheme}://{login}{host}:{self.port}?monitor={self.monitor}"

    def change(self, old: str, new: str) -> None:
        """Have it go on with ``new`` in its settings in place of ``old``."""
        self._file.write_text(self._file.read_text().replace(old, new))
        self._process.send_signal(signal.SIGHUP)

    def stop(self) -> None:
        self._process.kill()
        self._process.wait()


def key_text(kind: int, public: bytes) -> str:
    """A public key as NATS writes it."""
    content = bytes([kind]) + public
    return b32encode(content + _checksum(content)).decode().rstrip("=")


def seed_text(kind: int, seed: bytes) -> str:
    """A seed as NATS writes it."""
    content = bytes([18 << 3 | kind >> 5, kind << 3 & 0xFF]) + seed
    return b32encode(content + _checksum(content)).decode().rstrip("=")


def public_of(kind: int, seed: bytes) -> str:
    return key_text(kind, bytes(SigningKey(seed).verify_key))


def jwt(kind: str, subject: str, issuer: tuple[int, bytes], **claims: Any) -> str:
    """What ``issuer`` (its kind and seed) says of ``subject``, signed."""
    content = {
        "jti": "x",
        "iat": 1_700_000_000,
        "iss": public_of(*issuer),
        "sub": subject,
        "name": kind,
        "nats": {"type": kind, "version": 2, **claims},
    }
    parts = [{"typ": "JWT", "alg": "ed25519-nkey"}, content]
    text = ".".join(urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts)
    signature = SigningKey(issuer[1]).sign(text.encode()).signature
    return f"{text}.{urlsafe_b64encode(signature).decode().rstrip('=')}"


def operated(operator: bytes, account: bytes) -> str:
    """Settings of a server that knows its users by what the account has signed, and the account by its operator."""
    public = public_of(ACCOUNT, account)
    every = dict.fromkeys(("subs", "data", "payload", "imports", "exports", "conn", "leaf"), -1) | {"wildcards": True}
    of_account = jwt("account", public, (OPERATOR, operator), limits=every)
    of_operator = jwt("operator", public_of(OPERATOR, operator), (OPERATOR, operator))
    return f"operator: {of_operator}\nresolver: MEMORY\nresolver_preload: {{ {public}: {of_account} }}\n"


def credentials(account: bytes, user: bytes) -> str:
    """A file as nsc writes it, of a user of the account."""
    key = UserKey(user)
    of_user = jwt("user", key.public, (ACCOUNT, account), subs=-1, data=-1, payload=-1)
    return (
        f"-----BEGIN NATS USER JWT-----\n{of_user}\n------END NATS USER JWT------\n\n"
        f"-----BEGIN USER NKEY SEED-----\n{seed_text(USER, user)}\n------END USER NKEY SEED------\n"
    )
