"""The address of a house: who it is and where it listens, ``auction://auc1…@host:port`` (DESIGN.md section 5).

A house of several instances listens in several places: ``auction://auc1…@host1:port1,host2:port2``. Any of them will do
to begin with; no place is named twice.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple

from auctionctl.errors import ConfigurationError, KeyTextError
from auctionctl.keys.encoding import PUBLIC_PREFIX, SECRET_PREFIX
from auctionctl.keys.signing import Identity

DEFAULT_PORT: Final = 8888
MAX_ENDPOINT_CHARACTERS: Final = 255
MAX_PLACES: Final = 16
"""More places are not looked for a house in."""

_HOST: Final = r"(\[[0-9A-Fa-f:.]{2,45}\]|[A-Za-z0-9.-]{1,253})"
_PORT: Final = r"(?:6553[0-5]|655[0-2][0-9]|65[0-4][0-9]{2}|6[0-4][0-9]{3}|[1-5][0-9]{4}|[1-9][0-9]{0,3})"
ENDPOINT_OR_NOTHING: Final = rf"\A(?:{_HOST}:{_PORT})?\Z"
"""What a house may name as a place to go to: ``host:port``, the port without zeros before it; or nothing."""

_PLACE: Final = rf"{_HOST}(?::([0-9]{{1,5}}))?"
_ADDRESS = re.compile(rf"auction://([a-z0-9]+)@({_PLACE}(?:,{_PLACE})*)")


class Place(NamedTuple):
    """Where one instance of a house listens; ``host`` is a name, an IPv4 or a bracketed IPv6 address."""

    host: str
    port: int = DEFAULT_PORT

    @property
    def text(self) -> str:
        """``host:port``."""
        return f"{self.host}:{self.port}"

    @property
    def endpoint(self) -> str:
        """Where a socket connects to."""
        return f"tcp://{self.host}:{self.port}"


def place_of(text: str) -> Place:
    """The place that a ``moved`` names, whose form was checked by whoever decoded it."""
    host, _, port = text.rpartition(":")
    return Place(host, int(port))


@dataclass(frozen=True, slots=True)
class HouseAddress:
    """``identity`` is what the connection must prove; ``others`` are more places than the first, if there are any."""

    identity: Identity
    host: str
    port: int = DEFAULT_PORT
    others: tuple[Place, ...] = ()

    @property
    def places(self) -> tuple[Place, ...]:
        """Everywhere that the house listens, in the order of the address."""
        return Place(self.host, self.port), *self.others

    @property
    def where(self) -> str:
        """The places for people: ``host:port``, or several of those."""
        return ", ".join(place.text for place in self.places)

    @property
    def text(self) -> str:
        """What :func:`parse_address` reads back as the same address."""
        return f"auction://{self.identity.text}@{','.join(place.text for place in self.places)}"

    @property
    def endpoint(self) -> str:
        """Where a socket connects to that knows one place only."""
        return self.places[0].endpoint

    def each(self) -> Iterator[HouseAddress]:
        """The same house at each of its places alone."""
        return (HouseAddress(self.identity, *place) for place in self.places)


def parse_address(text: str) -> HouseAddress:
    """Read ``auction://auc1…@host[:port][,host[:port]…]``; ConfigurationError says what is wrong with it."""
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
    first, *others = _parse_places(match[2], hint)
    return HouseAddress(identity, *first, tuple(others))


def _parse_places(text: str, hint: str) -> list[Place]:
    places: list[Place] = []
    for each in text.split(","):
        match = re.fullmatch(_PLACE, each)
        assert match is not None, "the whole is made of these"
        place = Place(match[1], int(match[2] or DEFAULT_PORT))
        if not 0 < place.port < 65_536:
            raise ConfigurationError(f"there is no port {place.port}", hint=hint)
        if place.text.lower() in (other.text.lower() for other in places):
            raise ConfigurationError(f"the address names {place.text[:60]} twice", hint="name each place once")
        places.append(place)
    if len(places) > MAX_PLACES:
        raise ConfigurationError(
            f"the address names {len(places)} places", hint=f"{MAX_PLACES} at most: any of them answers for all"
        )
    return places
