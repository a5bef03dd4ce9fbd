"""The house's side of a greeting: who says hello, and what is answered (DESIGN.md section 5).

Its rule: a session is somebody's only after a hello that the allow list bears out; any other changes nothing.
"""

from __future__ import annotations

from auctionctl.errors import NotAuthorisedError, RemoteProtocolError
from auctionctl.house.effects import Effect, Greeted, Send
from auctionctl.house.intake import Request, refused
from auctionctl.keys.allowlist import AllowList
from auctionctl.keys.signing import SecretKey
from auctionctl.wire.messages import Hello, decode_request
from auctionctl.wire.session import Peer, admit, welcome


def greet(
    request: Request, key: SecretKey, allowed: AllowList, now_ns: int, queue: int
) -> tuple[Peer | None, list[Effect]]:
    """Who ``request`` says hello as, or None; and the answer either way. ``queue`` is how many requests may wait."""
    try:
        hello = decode_request(request.body)
        if not isinstance(hello, Hello) or request.signer != hello.identity:
            raise RemoteProtocolError("this hello is not signed by its identity")
        peer = admit(hello, key.identity, request.transport, allowed)
    except (RemoteProtocolError, NotAuthorisedError) as error:
        return None, [Send(request.session, refused("not_authorised", str(error)))]
    greeted = Greeted(request.session, peer.identity, peer.name, peer.role)
    return peer, [greeted, Send(request.session, welcome(key, hello, now_ns, queue))]
