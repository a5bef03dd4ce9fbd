"""What the supervisor tells a gateway (DESIGN.md section 3); what a gateway says stands in :mod:`gateway_words`."""

from __future__ import annotations

import msgspec

from auctionctl.house.limits import Limits
from auctionctl.net.child_words import HousePipe, Stop, VerifierPipe
from auctionctl.net.door import DoorLimits
from auctionctl.net.mutes import KeptOut


class StartGateway(msgspec.Struct, array_like=True, tag="start_gateway"):
    """Serve on the listening descriptor that comes with this. Session numbers begin at ``first_session``."""

    endpoint: str
    transport_secret: bytes
    transport_public: bytes
    house_signing: bytes
    first_session: int
    limits: Limits
    door: DoorLimits = DoorLimits()

    def __repr__(self) -> str:
        return f"StartGateway({self.endpoint!r})"


class SetLimits(msgspec.Struct, array_like=True, tag="set_limits"):
    """For the gateway: the house takes so much from now on."""

    limits: Limits


class SetBans(msgspec.Struct, array_like=True, tag="set_bans"):
    """For the gateway: these transport keys are kept out from now on, and these let in late, and alone."""

    banned: list[bytes]
    suspects: list[bytes]
    muted: list[KeptOut] = []
    """Mutes that another gateway has begun, of keys and of addresses: to a new one all, to others each once."""


class Drain(msgspec.Struct, array_like=True, tag="drain"):
    """For the gateway: take nothing any more, see what was taken answered and sent, and end."""


ToGateway = StartGateway | SetLimits | SetBans | Drain | VerifierPipe | HousePipe | Stop
_to_gateway: msgspec.msgpack.Decoder[ToGateway] = msgspec.msgpack.Decoder(ToGateway)
decode_to_gateway = _to_gateway.decode
