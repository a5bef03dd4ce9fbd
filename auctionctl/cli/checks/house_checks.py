"""Whether the chosen house answers, knows the key, and has the same time.

Rule: every step has its own limit of seconds, so that the whole ends soon even when nothing answers.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from auctionctl.cli.address_file import running_houses
from auctionctl.cli.arguments import ArgumentError
from auctionctl.cli.checks.findings import Finding, State, wrong
from auctionctl.cli.settings.choices import choose_house, choose_key
from auctionctl.cli.settings.person_file import find_setting
from auctionctl.client.paths import Paths
from auctionctl.errors import AuctionctlError, ConfigurationError, NotFoundError, UnreachableError

if TYPE_CHECKING:
    from auctionctl.keys.signing import SecretKey
    from auctionctl.wire.address import HouseAddress

RESOLVE_S: Final = 2.0
CONNECT_S: Final = 2.0
ANSWER_S: Final = 3.0
MAX_OFF_S: Final = 5
SECOND_NS: Final = 1_000_000_000
MAX_PLACES: Final = 3
"""Of a name with more addresses, the first ones are tried."""
NAME_HINT: Final = "is it spelt right, and is DNS up?"

Places = list[tuple[Any, Any, Any, str, Any]]
"""What getaddrinfo returns."""


def check_chosen_house(
    paths: Paths, house: str | None, key: str | None, context: str | None, passphrase_file: Path | None = None
) -> list[Finding]:
    """What can be said of the house and the key that options and settings choose, by talking to it."""
    try:
        said = find_setting(paths, "house", house, context)
        if said is None and not running_houses(paths):
            remedy = "choose one: auctionctl context add NAME ADDR --use"
            return [Finding(State.WARNING, "house", "none is chosen, and none runs on this machine", remedy)]
        address = choose_house(paths, house, context)
    except ConfigurationError as error:
        return [wrong("house", error)]
    except NotFoundError as error:  # a context
        return [wrong("house", error)]
    try:
        secret = choose_key(paths, key, context, passphrase_file=passphrase_file)
    except (AuctionctlError, ArgumentError) as error:
        return [Finding(State.WRONG, "key", str(error), error.hint)]
    return [finding for each in address.each() for finding in _check_place(each, secret)]


def _check_place(address: HouseAddress, secret: SecretKey) -> list[Finding]:
    """What can be said of a house at its one place, and of the clock there."""
    try:
        _reach(address)
        ahead_ns, round_trip_ns = _ask_time(address, secret)
    except AuctionctlError as error:
        return [wrong("house", error)]
    reached = f"{address.identity.short} at {address.where} knows the key and answers in {round_trip_ns / 1e6:.1f} ms"
    return [Finding(State.OK, "house", reached), _judge_clock(ahead_ns, round_trip_ns)]


def _judge_clock(ahead_ns: int, round_trip_ns: int) -> Finding:
    off = f"{abs(ahead_ns) / 1e9:.3f} s {'behind' if ahead_ns > 0 else 'ahead of'} the house's"
    message = f"this machine's clock is {off} (give or take {round_trip_ns / 2e6:.1f} ms)"
    if abs(ahead_ns) <= MAX_OFF_S * SECOND_NS:
        return Finding(State.OK, "clock", message)
    return Finding(State.WRONG, "clock", message, "set it by NTP: bids carry times, and would be refused")


def _reach(address: HouseAddress) -> None:
    """Resolve the name and open a connection. Raises UnreachableError, which says at which step it ended."""
    place = address.where
    failure: UnreachableError | None = None
    for host in resolve(address.host.strip("[]"), address.port)[:MAX_PLACES]:
        try:
            socket.create_connection((host, address.port), CONNECT_S).close()
            return
        except TimeoutError:
            failure = UnreachableError(
                f"{place} does not answer at all within {CONNECT_S:g} s",
                hint="is the machine up, or is a firewall between?",
            )
        except OSError as error:
            failure = UnreachableError(
                f"{place}: {(error.strerror or str(error)).lower()}",
                hint="does the house run there, on this port? `auctionctl serve` prints its address",
            )
    assert failure is not None  # there is a place at least
    raise failure


def resolve(host: str, port: int, look_up: Callable[..., Places] = socket.getaddrinfo) -> list[str]:
    """The numeric addresses of ``host``. Raises UnreachableError if ``look_up`` finds none, or takes too long.

    The system would otherwise look it up for as long as it likes.
    """
    found: list[str] = []
    reasons: list[str] = []

    def ask() -> None:
        try:
            places = look_up(host, port, type=socket.SOCK_STREAM)
        except OSError as error:
            reasons.append((error.strerror or str(error)).lower())
        else:
            found.extend(dict.fromkeys(str(place[0]) for *_, place in places))

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(RESOLVE_S)
    if not found:
        reason = reasons[0] if reasons else f"no answer within {RESOLVE_S:g} s"
        raise UnreachableError(f"the name {host} does not resolve: {reason}", hint=NAME_HINT)
    return list(found)


def _ask_time(address: HouseAddress, key: SecretKey) -> tuple[int, int]:
    """How far the house's clock is ahead of ours, and how long a round trip takes, in nanoseconds.

    Raises UnreachableError, NotAuthorisedError, and what a house that breaks the protocol causes.
    """
    from auctionctl.net.dealer import Dealer  # noqa: PLC0415 - imports zmq
    from auctionctl.replica.follower import Follower  # noqa: PLC0415

    follower = Follower(key, address.identity, "observer")
    deadline_s = time.monotonic() + 2 * ANSWER_S
    dealer = Dealer(follower, address, key)

    def check_patience() -> None:
        if time.monotonic() > deadline_s:
            raise UnreachableError("the house greets, and then says nothing")

    try:
        dealer.run(lambda _: None, lambda: follower.round_trip_ns > 0, patience_s=ANSWER_S, on_tick=check_patience)
    except UnreachableError as error:
        # Something does listen there: a house of another identity does not answer either.
        raise UnreachableError(
            str(error), hint="something listens there: is it the house of this address? `auctionctl serve` prints it"
        ) from error
    finally:
        dealer.close()
    return follower.house_ahead_ns, follower.round_trip_ns
