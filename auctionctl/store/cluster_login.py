"""Logs in to a cluster, for :mod:`auctionctl.store.jetstream`: says who we are, and why servers do not let us in.

Rule: a secret is read anew whenever a process connects, and is in no message. Whether a server let us in is known at
once: where every one of them has refused us, nobody waits for them to change their mind.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, assert_never

from auctionctl.errors import AccessFileError, ConfigurationError, KeyFileError, NotFoundError, ShutOutError
from auctionctl.store.cluster_access import KeyLogin, Login, PasswordLogin, TokenLogin, login_of, read_credentials
from auctionctl.store.cluster_address import ClusterAddress
from auctionctl.store.cluster_tls import tls_refusal

CANCEL_AGAIN_S: Final = 0.05
LOGIN_HINT: Final = "give a login: --store-credentials FILE"
PLAIN_WIRE: Final = "offers no tls"
TOO_SLOW: Final = "authentication timeout'"
"""What a server says to somebody of whom it has not heard in time, however right the login is."""
KNOWN_HINT: Final = "see that its servers know this login, and that it has not run out"


def login_options(address: ClusterAddress) -> Mapping[str, Any]:
    """What the library is told of who we are. Raises what :func:`read_credentials` does."""
    login = _find_login(address)
    match login:
        case None:
            return {}
        case PasswordLogin(user, password):
            return {"user": user, "password": password}
        case TokenLogin(token):
            return {"token": token}
        case KeyLogin(key, jwt):
            options: dict[str, Any] = {"signature_cb": lambda nonce: key.answer(nonce.encode())}
            return options | ({"user_jwt_cb": jwt.encode} if jwt else {})
        case _:
            assert_never(login)


def public_key_of(address: ClusterAddress) -> str:
    """The key by which servers know us, where that is how they do; else nothing."""
    login = _find_login(address)
    return login.key.public if isinstance(login, KeyLogin) and not login.jwt else ""


def _find_login(address: ClusterAddress) -> Login | None:
    file = address.access.credentials
    return login_of(address.login) if file is None else read_credentials(Path(file))


@contextmanager
def reading_our_files() -> Iterator[None]:
    """Whatever is wrong with a file that is read meanwhile is said in the same words, as an AccessFileError.

    So that whoever has been let in by these files before can tell that from all else which may be wrong.
    """
    try:
        yield
    except (ConfigurationError, KeyFileError, NotFoundError) as error:
        raise AccessFileError(str(error), hint=error.hint) from error


class Refusals:
    """What each server of ``address`` has last answered to ``client`` while it made a connection."""

    def __init__(self, address: ClusterAddress, client: Any) -> None:
        self._address = address
        self._client = client
        self._every = asyncio.Event()
        self._noted = 0
        self._by_server: dict[str, ShutOutError | None] = {}

    @property
    def of_all(self) -> ShutOutError | None:
        """Why the last of them refused us, where every one has."""
        found = [refusal for refusal in self._by_server.values() if refusal is not None]
        return found[-1] if len(found) >= len(self._address.servers) else None

    @property
    def why_away(self) -> tuple[str] | tuple[str, str]:
        """Why there is no connection, and maybe a hint, where not every server has refused us."""
        for refusal in self._by_server.values():
            if refusal is not None:
                return f"not every server answers, and of those that do, {refusal}", refusal.hint
        return ("no server answers",)

    def note(self, error: Exception) -> None:
        """Take down what came of the attempt that ``client`` made last; of several errors the first one counts."""
        number, server = self._client.attempt
        if number == self._noted:
            return
        self._noted = number
        self._by_server[server] = self._refusal_of(error)
        if self.of_all is not None:
            self._every.set()

    async def wait(self, connecting: asyncio.Future[Any], patience_s: float) -> None:
        """Return when ``connecting`` is done, every server has refused, or ``patience_s`` is over."""
        refused = asyncio.ensure_future(self._every.wait())
        await asyncio.wait({connecting, refused}, timeout=patience_s, return_when=asyncio.FIRST_COMPLETED)
        # Once is not always enough: until Python 3.12 a wait that ends in the same moment forgets that it was cancelled
        # (asyncio.wait_for), and the library then goes on to the next attempt.
        while unfinished := {task for task in (refused, connecting) if not task.done()}:
            for task in unfinished:
                task.cancel()
            await asyncio.wait(unfinished, timeout=CANCEL_AGAIN_S)

    def _refusal_of(self, error: Exception) -> ShutOutError | None:
        if isinstance(error, OSError) and (refusal := tls_refusal(self._address, error)) is not None:
            return refusal
        words = str(error).lower()
        if words == PLAIN_WIRE:
            return ShutOutError(
                f"a server of {self._address.text} {words}, or somebody on the way to it has it look so",
                hint="let it have a certificate: tls { cert_file: …, key_file: … } in its settings",
            )
        if words.endswith(TOO_SLOW):
            return None
        if "authorization" in words or "authentication" in words:
            has_login = bool(self._address.login or self._address.access.credentials)
            return ShutOutError(
                f"the cluster {self._address.text} does not let us in", hint=KNOWN_HINT if has_login else LOGIN_HINT
            )
        return None
