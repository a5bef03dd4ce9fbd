"""What the supervisor tells children of every kind, and what each of them may say (DESIGN.md section 3).

Rule: a child is told of the others by the end of a pipe, a descriptor that comes with the word, and never by a name.
"""

from __future__ import annotations

from typing import Final

import msgspec

GATEWAY: Final = "gateway"
"""What the only gateway of a house is called."""


class VerifierPipe(msgspec.Struct, array_like=True, tag="verifier_pipe"):
    """The descriptor that comes with this leads to verifier ``slot``, in place of an earlier one."""

    slot: int


class GatewayPipe(msgspec.Struct, array_like=True, tag="gateway_pipe"):
    """The descriptor that comes with this leads to the gateway ``name``, in place of an earlier one of that name.

    Its sessions are numbered from ``first_session`` on.
    """

    first_session: int = 0
    name: str = GATEWAY


class HousePipe(msgspec.Struct, array_like=True, tag="house_pipe"):
    """The descriptor that comes with this leads to the house."""


class Stop(msgspec.Struct, array_like=True, tag="stop"):
    """Finish what is under way, and end."""


class Failed(msgspec.Struct, array_like=True, tag="failed"):
    """The child cannot go on: the name of an error of :mod:`auctionctl.errors`, its message and hint."""

    error: str
    message: str
    hint: str


ToVerifier = GatewayPipe | HousePipe | Stop
_to_verifier: msgspec.msgpack.Decoder[ToVerifier] = msgspec.msgpack.Decoder(ToVerifier)
decode_to_verifier = _to_verifier.decode
encode = msgspec.msgpack.Encoder().encode
