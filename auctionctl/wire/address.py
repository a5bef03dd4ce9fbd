"""The address of a house: who it is and where it listens, ``auction://auc1…@host:port`` (DESIGN.md section 5)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from auctionctl.errors import ConfigurationError, KeyTextError
from auctionctl.keys.encoding import PUBLIC_PREFIX, SECRET_PREFIX
from auctionctl.keys.signing import Identity

DEFAULT_PORT: Final = 8888
MAX_ENDPOINT_CHARACTERS: Final = 255

_HOST: Final = r"(\[[0-9A-Fa-f:.]{2,45}\]|[A-Za-z0-9.-]{1,253})"
_PORT: Final = r"(?:6553[0-5]|655[0-2][0-9]|65[0-4][0-9]{2}|6[0-4][0-9]{3}|[1-5][0-9]{4}|[1-9][0-9]{0,3})"
ENDPOINT_OR_NOTHING: Final = rf"\A(?:{_HOST}:{_PORT})?\Z"
"""What a house may name as a place to go to: ``host:port``, the port without zeros before it; or nothing."""

_ADDRESS = re.compile(rf"auction://([a-z0-9]+)@{_HOST}(?::([0-9]{{1,5}}))?")


@dataclass(frozen=True, slots=True)
class HouseAddress:
    """``identity`` is what the connection must prove; ``host`` a name, an IPv4 or a bracketed IPv6 address."""

    identity: Identity
    host: str
    port: int = DEFAULT_PORT

    @property
    def text(self) -> str:
        """What :func:`parse_address` reads back as the same address."""
        return f"auction://{self.identity.text}@{self.host}:{self.port}"

    @property
    def endpoint(self) -> str:
        """Where a socket connects to."""
        return f"tcp://{self.host}:{self.port}"


def parse_address(text: str) -> HouseAddress:
    """Read ``auction://auc1…@host[:port]``; ConfigurationError says what is wrong with it."""
    match = _ADDRESS.fullmatch(text.strip())
    hint = "an address looks like auction://auc1…@host:8888; `auctionctl serve` prints it"
    if match is None:
        if text.strip().startswith(f"{PUBLIC_PREFIX}1"):
            hint = f"that is a key alone: an address is auction://{PUBLIC_PREFIX}1…@host:{DEFAULT_PORT}"
        if SECRET_PREFIX in text.upper():
            raise ConfigurationError("a secret key stands where the address of a house belongs", hint=hint)
        raise ConfigurationError(f"not the address of a house: {text.strip()[:60]!r}", hint=hint)
    try:
        identity = Identity.from_text(match[1])
    except KeyTextError as error:
        raise ConfigurationError(f"the identity in the address is damaged: {error}", hint=hint) from error
    port = int(match[3] or DEFAULT_PORT)
    if not 0 < port < 65_536:
        raise ConfigurationError(f"there is no port {port}", hint=hint)
    return HouseAddress(identity, match[2], port)
