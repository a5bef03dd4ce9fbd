"""The gateways of one house, as its supervisor has them: started, joined to the others, told what holds, and mourned.

Rule: a gateway is as disposable among several as alone. Each has numbers of its own for its sessions, so that whatever
comes of one that is dead is nobody's; its connections end with it, and whoever had them comes in by another one, for
none but those that listen are given any (:mod:`auctionctl.net.listening`). What is said to one of bans and mutes is
said to all.

Of what a house allows in connections each gateway has its share, rounded up, so that of a limit of L there are fewer
than L more than there are gateways in all: of a key, in all, of strangers, and from one address. Whoever is refused at
one comes again by itself, most likely at another one. Commands, questions, reading and the queue are counted by the
house, over all gateways. Each gateway counts for itself what somebody did until it is muted, and hellos.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from auctionctl.house.limits import Limits
from auctionctl.net.child_words import GATEWAY, GatewayPipe, HousePipe, VerifierPipe
from auctionctl.net.children import Child, join
from auctionctl.net.chunks import SESSIONS_A_GATEWAY
from auctionctl.net.gatekeeper import Gatekeeper
from auctionctl.net.gateway_orders import StartGateway, ToGateway
from auctionctl.net.listening import ListeningPort

if TYPE_CHECKING:
    from auctionctl.keys.signing import SecretKey
    from auctionctl.net.house_settings import HouseSettings


def gateway_names(count: int) -> tuple[str, ...]:
    """What so many gateways are called; one alone has no number."""
    return (GATEWAY,) if count == 1 else tuple(f"{GATEWAY} {number}" for number in range(count))


class Fleet:
    """``keeper`` hears what they say; ``spawn`` starts a process of this name."""

    def __init__(
        self,
        settings: HouseSettings,
        key: SecretKey,
        port: ListeningPort,
        keeper: Gatekeeper,
        spawn: Callable[[str], Child],
    ) -> None:
        self.names = gateway_names(settings.gateways)
        self._endpoint = f"tcp://{settings.host}:{port.number}"
        self._door = settings.door.share(settings.gateways)
        self._key = key
        self._port = port
        self._keeper = keeper
        self._spawn = spawn
        self._children: dict[str, Child] = {}
        self._pipes: dict[str, GatewayPipe] = {}
        self._started = 0

    def __contains__(self, child: Child) -> bool:
        return self._children.get(child.name) is child

    @property
    def is_empty(self) -> bool:
        """Whether none was started for the house that there is."""
        return not self._children

    @property
    def living(self) -> list[Child]:
        """Those whose end has not been noticed."""
        return [child for child in self._children.values() if not child.is_buried]

    @property
    def pids(self) -> tuple[int, ...]:
        """The processes, in the order of their names."""
        return tuple(self._children[name].process.pid for name in self.names if name in self._children)

    def named(self, names: tuple[str, ...]) -> list[Child]:
        """Those of these names that live."""
        return [child for child in self.living if child.name in names]

    def start(self, name: str, limits: Limits, house: Child, verifiers: Mapping[int, Child]) -> Child:
        """Start the gateway ``name``, for the first time or in place of one that is dead."""
        child = self._children[name] = self._spawn(name)
        pipe = self._pipes[name] = GatewayPipe(self._started * SESSIONS_A_GATEWAY, name)
        self._started += 1
        identity = self._key.identity
        keys = (self._key.transport_secret, identity.transport, identity.signing)
        with self._port.lent() as listening_fd:
            start = StartGateway(self._endpoint, *keys, pipe.first_session, limits, self._door)
            child.tell(start, listening_fd)
        child.tell(self._keeper.started(time.monotonic(), name))
        for slot, verifier in verifiers.items():
            join(child, VerifierPipe(slot), verifier, pipe)
        join(child, HousePipe(), house, pipe)
        return child

    def join_verifier(self, slot: int, verifier: Child) -> None:
        """Another verifier takes the place of the one in this slot."""
        for child in self.living:
            join(verifier, self._pipes[child.name], child, VerifierPipe(slot))

    def tell(self, message: ToGateway) -> None:
        """To all of them."""
        for child in self.living:
            child.tell(message)

    def tell_bans(self, now_s: float) -> None:
        """What has changed since each of them was last told whom to keep out."""
        for child in self.living:
            if (news := self._keeper.news(now_s, child.name)) is not None:
                child.tell(news)

    def forget(self) -> list[Child]:
        """Their house has died: returns those that live, of which nothing more is wanted."""
        living, self._children = self.living, {}
        return living
