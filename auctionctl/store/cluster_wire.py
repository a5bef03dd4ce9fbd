"""One connection of the library ``nats`` to a cluster, and what has to be so before it says anything.

Rule: to an address that begins with ``tls://`` nothing is said, the login least of all, before the wire is under TLS.
The library leaves that to the first line of the server, which anybody on the wire can write; and it would believe that
line about where other servers are, as well: a client keeps to those that the address names. A line that makes no sense
is an error of that server's, after which another one is tried, and nothing that ends the client.
Source: NATS client protocol, https://docs.nats.io/reference/reference-protocols/nats-protocol (INFO, CONNECT).
"""

from __future__ import annotations

import logging
from typing import Any, Final

import nats.aio.client
import nats.errors

from auctionctl.store.cluster_login import PLAIN_WIRE
from auctionctl.store.quick_client import quicken

_REMARK: Final = "returning true from eof_received"
"""What asyncio remarks on stderr at each end of a connection that the library has put under TLS."""
logging.getLogger("asyncio").addFilter(lambda record: not record.getMessage().startswith(_REMARK))


class PlainWireError(nats.errors.Error):  # type: ignore[misc]
    """The server offers no TLS, or somebody on the wire has it look so."""

    def __str__(self) -> str:
        return PLAIN_WIRE


class OddLineError(nats.errors.ProtocolError):  # type: ignore[misc]
    """What a server says of itself makes no sense."""

    def __str__(self) -> str:
        return "what it says is not understood"


class OpenClient(quicken(nats.aio.client.Client)):  # type: ignore[misc]
    """One that says who it is by the key ``public_key``, if any, over whatever wire there is, to the servers named."""

    def __init__(self, public_key: str = "") -> None:
        super().__init__()
        # With a key and no JWT a server has to be told whose signature it is; the library takes that of a seed alone.
        self._public_nkey = public_key or None
        self.attempt = (0, "")
        """The number of the attempt that was begun last, and the place of the server."""

    async def _connect_to_server(self, server: Any) -> None:
        self.attempt = (self.attempt[0] + 1, str(server.uri.netloc))
        await super()._connect_to_server(server)

    async def _process_connect_init(self) -> None:
        try:
            await super()._process_connect_init()
        except (OSError, TimeoutError, nats.errors.Error):
            self._transport.close()  # Where it has been in before, the library leaves it open, and opens another.
            raise
        except (ValueError, TypeError, AttributeError, LookupError) as error:
            # The library takes what a server says first for what it should be: text, objects, numbers, short lines.
            self._transport.close()
            raise OddLineError from error

    async def _process_info(self, info: dict[str, Any], initial_connection: bool = False) -> None:
        if not isinstance(info, dict) or type(info.get("max_payload", 0)) is not int:
            raise OddLineError
        kept = {name: value for name, value in info.items() if name != "connect_urls"}
        await super()._process_info(kept, initial_connection)


class SealedClient(OpenClient):
    """One that says nothing but under TLS."""

    has_looked = False
    """Whether it has looked at the wire: False once it is connected would mean that the library has changed."""

    def _connect_command(self) -> bytes:
        writer = getattr(self._transport, "_io_writer", None)
        if writer is None or writer.get_extra_info("ssl_object") is None:
            raise PlainWireError
        self.has_looked = True
        said: bytes = super()._connect_command()
        return said

    async def _close(self, status: int, do_cbs: bool = True) -> None:
        if not self.is_connected:
            # The library would write what is left to the wire that it has begun to try, which may not be under TLS.
            self._pending: list[bytes] = []
            self._pending_data_size = 0
        await super()._close(status, do_cbs)
