"""Where a cluster is that keeps a house's logs: ``nats://[USER:PASSWORD@]HOST:PORT,HOST:PORT,…[?monitor=PORT[,PORT…]]``.

Rule: what is written there is taken literally; nothing is guessed but the ports, 4222 for clients and 8222 for
monitoring, which are NATS's own. ``monitor`` is one port for every host, or one for each, in their order. Where there
is a login, nothing of the address is repeated, as whatever is wrong with it may be a part of a password.
"""

from __future__ import annotations

import enum
from collections.abc import Callable
from ipaddress import ip_address
from typing import Final
from urllib.parse import SplitResult, parse_qs, urlsplit

import msgspec

from auctionctl.errors import ConfigurationError
from auctionctl.store.cluster_access import NO_ACCESS, ClusterAccess

CLIENT_PORT: Final = 4222
MONITOR_PORT: Final = 8222
MAX_SERVERS: Final = 16
MAX_CHARACTERS: Final = 2_048
SCHEMES: Final = ("nats", "tls")
_HINT: Final = "write nats://a:4222,b:4222,c:4222"
_LOGIN_HINT: Final = "put the login into a file: --store-credentials FILE, or store_credentials in house.toml"


class Durability(enum.StrEnum):
    """What a cluster has to be known to keep."""

    REQUIRED = "required"
    """Whatever it acknowledged, through a power cut of all its servers."""
    LOSSY = "lossy"
    """Whatever it happens to: for trying things out."""


class ClusterAddress(msgspec.Struct, frozen=True):
    """``servers`` are (host, port) for clients; ``monitors`` likewise, where each says how it is set up."""

    scheme: str
    servers: tuple[tuple[str, int], ...]
    monitors: tuple[tuple[str, int], ...]
    login: str = ""
    """``user:password`` or a token, as it stands in the URL; said to the servers, and to nobody else."""
    access: ClusterAccess = NO_ACCESS
    """Where it stands who we are and whom we trust, besides."""

    @property
    def urls(self) -> list[str]:
        """One URL a server, without the login."""
        return [f"{self.scheme}://{_host(host)}:{port}" for host, port in self.servers]

    @property
    def is_in_sight(self) -> bool:
        """Whether others may be on the wire: it leads to another machine, and not by TLS."""
        return self.scheme != "tls" and not all(is_loopback(host) for host, _ in self.servers)

    @property
    def text(self) -> str:
        """For people: without the login."""
        return f"{self.scheme}://" + ",".join(f"{_host(host)}:{port}" for host, port in self.servers)


def has_login(text: str) -> bool:
    """Whether ``text``, which may be an address, may have a login in it."""
    return "@" in text


def without_login(text: str) -> str:
    """The address ``text`` as it may be shown: with a mark in place of the login."""
    before, mark, after = text.rpartition("@")
    scheme, there, _ = before.partition("://")
    return f"{scheme}://…@{after}" if there else f"…@{after}" if mark else text


def parse_cluster_address(text: str, access: ClusterAccess = NO_ACCESS) -> ClusterAddress:
    """The address that ``text`` is, got into by ``access``.

    Raises ConfigurationError, with what is wrong, and never with the login.
    """
    if len(text) > MAX_CHARACTERS or not text.isprintable() or " " in text:
        raise ConfigurationError("this is no address of a cluster", hint=_HINT)
    shown = _mark if has_login(text) else _quote
    try:
        parts = urlsplit(text)
    except ValueError as error:
        raise ConfigurationError("this is no address of a cluster", hint=_HINT) from error
    if parts.scheme not in SCHEMES:
        raise ConfigurationError(f"an address begins with nats:// or tls://, not {shown(parts.scheme)}", hint=_HINT)
    if has_login(text) and "@" not in parts.netloc:
        raise ConfigurationError("an address has no place for this login, as /, ? and # end it", hint=_LOGIN_HINT)
    if parts.path.strip("/") or parts.fragment:
        raise ConfigurationError("nothing but ?monitor= can follow the servers", hint=_HINT)
    if parts.netloc.count("@") > 1:
        raise ConfigurationError(
            "there is more than one @, and one login is for all servers", hint=f"write it once, or {_LOGIN_HINT}"
        )
    login, _, places = parts.netloc.rpartition("@")
    servers = tuple(_place(place, CLIENT_PORT, shown) for place in places.split(","))
    if len(servers) > MAX_SERVERS:
        raise ConfigurationError(f"{len(servers)} servers are more than {MAX_SERVERS}", hint="name some of them")
    if len(set(servers)) != len(servers):
        raise ConfigurationError("a server is named twice", hint="name each once")
    if login and access.credentials is not None:
        raise ConfigurationError(
            f"there are two logins: one in the address, and one in {access.credentials}", hint="take one of them away"
        )
    _check_files(parts.scheme, access)
    ports = _monitor_ports(parts, len(servers), shown)
    monitors = tuple((host, port) for (host, _), port in zip(servers, ports, strict=True))
    return ClusterAddress(parts.scheme, servers, monitors, login, access)


def _check_files(scheme: str, access: ClusterAccess) -> None:
    """Raises ConfigurationError for files of TLS that would be of no use."""
    for_tls = access.ca or access.cert or access.key
    if scheme != "tls" and for_tls:
        raise ConfigurationError(
            f"{for_tls} is for TLS, and the address does not ask for that", hint="write tls:// in place of nats://"
        )
    if (access.cert is None) != (access.key is None):
        missing, there = ("--store-key", access.cert) if access.key is None else ("--store-cert", access.key)
        raise ConfigurationError(
            f"{there} is half of what is to be shown: a certificate and its key", hint=f"give the other: {missing} FILE"
        )


def _monitor_ports(parts: SplitResult, count: int, shown: Callable[[str], str]) -> list[int]:
    try:
        options = parse_qs(parts.query, strict_parsing=True, keep_blank_values=True) if parts.query else {}
    except ValueError as error:
        raise ConfigurationError("what follows ? cannot be read", hint="write ?monitor=8222") from error
    if odd := sorted(set(options) - {"monitor"}):
        raise ConfigurationError(f"there is no option {shown(odd[0])}", hint="write ?monitor=8222")
    said = ",".join(options.get("monitor", [])).split(",") if options else [str(MONITOR_PORT)]
    ports = [_port(port, shown) for port in said]
    if len(ports) not in (1, count):
        raise ConfigurationError(
            f"monitor has {len(ports)} ports for {count} servers", hint="give one for all, or one for each"
        )
    return ports * count if len(ports) == 1 else ports


def _place(text: str, default_port: int, shown: Callable[[str], str]) -> tuple[str, int]:
    if text.startswith("["):
        host, _, rest = text[1:].partition("]")
        port = rest[1:] if rest.startswith(":") else rest and "?"
    else:
        host, _, port = text.partition(":")
    if not host:
        raise ConfigurationError("a server has no name", hint=_HINT)
    return host, _port(port, shown) if port else default_port


def _port(text: str, shown: Callable[[str], str]) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 5 and 1 <= int(text) <= 65_535):
        raise ConfigurationError(f"{shown(text)} is no port", hint="a port is a number from 1 to 65535")
    return int(text)


def _quote(part: str) -> str:
    return f"{part!r:.40}"


def _mark(_: str) -> str:
    return "'…'"


def is_loopback(host: str) -> bool:
    """Whether ``host`` (a name or a number, without brackets) is this machine, for nobody but itself."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _host(host: str) -> str:
    return f"[{host}]" if ":" in host else host
