"""Who we are to a cluster, and how we know it: files of credentials and of certificates, read when a connection begins.

Rule: what is secret stands in a file that nobody else may read, or in an address that came from such a file; nothing of
it is repeated, whatever is wrong with it. What a process of the house is told is where the files are, and no content.
Source: https://docs.nats.io/using-nats/developer/connecting/creds (files of credentials, as ``nsc`` writes them).
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from auctionctl.errors import ConfigurationError, KeyTextError
from auctionctl.keys.keyfile import read_private_file
from auctionctl.keys.nkey import UserKey

CREDENTIALS_HINT: Final = (
    'it is a .creds file as nsc writes it, the seed of a user (SU…), or lines: user = "…" and password = "…",'
    ' or token = "…"'
)
_BLOCK: Final = re.compile(r"-+BEGIN ([A-Z ]+)-+\s+(\S+)\s+-+END \1-+")
_JWT: Final = "NATS USER JWT"
_SEED: Final = "USER NKEY SEED"
_JWT_FORM: Final = re.compile(r"[\w-]+\.[\w-]+\.[\w-]+", re.ASCII)


class ClusterAccess(msgspec.Struct, frozen=True):
    """Paths of files, each None where it is not said: ``credentials`` to log in with, the rest for TLS.

    ``ca`` has the authorities that may vouch for servers, in place of those of the system; ``cert`` and ``key`` are
    shown to servers that ask for a certificate.
    """

    credentials: str | None = None
    ca: str | None = None
    cert: str | None = None
    key: str | None = None


NO_ACCESS: Final = ClusterAccess()


@dataclass(frozen=True, slots=True, repr=False)
class PasswordLogin:
    """A user, as a server's settings name it."""

    user: str
    password: str


@dataclass(frozen=True, slots=True, repr=False)
class TokenLogin:
    """Whoever knows the token."""

    token: str


@dataclass(frozen=True, slots=True, repr=False)
class KeyLogin:
    """Whoever has the ``key``: a user of a server's settings, or the one for whom an account has signed the ``jwt``."""

    key: UserKey
    jwt: str = ""


Login = PasswordLogin | TokenLogin | KeyLogin


def login_of(text: str) -> Login | None:
    """The login that stands in an address before the ``@``: a user and a password, or a token; None for nothing."""
    user, colon, password = text.partition(":")
    if colon:
        return PasswordLogin(user, password)
    return TokenLogin(user) if user else None


def read_credentials(path: Path) -> Login:
    """The login in the file at ``path``.

    Raises NotFoundError, KeyFileError where others have access to the file, ConfigurationError for anything else in it.
    """
    data = read_private_file(path, "credentials", CREDENTIALS_HINT)
    try:
        return _parse(data.decode("ascii"))
    except UnicodeDecodeError:
        reason = "it is not plain text"
    except KeyTextError as error:
        reason = str(error)
    raise ConfigurationError(f"{path} has no credentials: {reason}", hint=CREDENTIALS_HINT)


def _parse(text: str) -> Login:
    blocks = dict(_BLOCK.findall(text))
    if blocks:
        if _SEED not in blocks:
            raise KeyTextError("the seed of the user is missing")
        if not _JWT_FORM.fullmatch(blocks.get(_JWT, "")):
            raise KeyTextError("the user's JWT is missing, or cut")
        return KeyLogin(UserKey.from_text(blocks[_SEED]), blocks[_JWT])
    if "-BEGIN" in text:
        raise KeyTextError("it is cut: what begins in it does not end")
    lines = [line.strip() for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    if len(lines) == 1 and "=" not in lines[0]:
        return KeyLogin(UserKey.from_text(lines[0]))
    return _parse_words(text)


def _parse_words(text: str) -> Login:
    try:
        words = tomllib.loads(text)
    except (ValueError, RecursionError):  # For a number of 5,000 digits, or as many brackets, it is no error of TOML.
        raise KeyTextError("it is none of what is known") from None
    said = {name: value for name, value in words.items() if isinstance(value, str) and value}
    if said.keys() == words.keys() == {"user", "password"}:
        return PasswordLogin(said["user"], said["password"])
    if said.keys() == words.keys() == {"token"}:
        return TokenLogin(said["token"])
    raise KeyTextError("it says neither user and password nor token, in quotes, and nothing else")
