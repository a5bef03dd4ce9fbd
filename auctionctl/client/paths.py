"""Where files live: configuration, keys, state, and what belongs to a running house.

Rule: ``AUCTIONCTL_HOME=DIR`` puts everything under one directory, so that a test, a demo or a second house touches
nothing else; otherwise the places of the XDG Base Directory Specification, or of macOS, hold. Nothing here is created.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from auctionctl.errors import ConfigurationError

HOME_VARIABLE: Final = "AUCTIONCTL_HOME"
NAME: Final = "auctionctl"
ADDRESS_SUFFIX: Final = ".address"
ACCOUNT_SUFFIX: Final = ".account"
IDENTITY_CHARACTERS: Final = 20
MAX_HOME_BYTES: Final = 3_500
MAX_NAME_BYTES: Final = 255
"""What every file system of Linux and macOS takes, with room for the names below."""
HOME_HINT: Final = f"set {HOME_VARIABLE} to a directory, or leave it unset"


@dataclass(frozen=True, slots=True)
class Paths:
    """The three directories, and the names in them."""

    config: Path
    state: Path
    run: Path

    @property
    def keys(self) -> Path:
        """The directory of ``NAME.key`` files."""
        return self.config / "keys"

    @property
    def settings(self) -> Path:
        """The person's settings."""
        return self.config / "config.toml"

    @property
    def allow_list(self) -> Path:
        """Whom a house on this machine lets in."""
        return self.config / "allow"

    @property
    def receipts(self) -> Path:
        """A directory an auction, a file a receipt: see :mod:`auctionctl.client.receipts`."""
        return self.state / "receipts"

    @property
    def evidence(self) -> Path:
        """A directory a case: what proves that a house broke its word."""
        return self.state / "evidence"

    def offer_file(self, seller: str, house: str, listing: str) -> Path:
        """The terms that ``seller`` has signed for ``house`` (texts of identities) under ``listing``."""
        return (
            self.state / "offers" / f"{seller[:IDENTITY_CHARACTERS]}-{house[:IDENTITY_CHARACTERS]}" / f"{listing}.json"
        )

    def seen_logs(self, house: str) -> Path:
        """What was seen of the logs of ``house`` (text of its identity)."""
        return self.state / "houses" / f"{house[:IDENTITY_CHARACTERS]}.heads"

    def house_state(self, house: str) -> Path:
        """The store of the house called ``house``."""
        return self.state / f"house-{house}"

    def bidder_state(self, identity: str) -> Path:
        """What the one bidder of ``identity`` (its text) holds while it runs, and keeps for the next."""
        return self.state / "bidders" / identity[:IDENTITY_CHARACTERS]

    def undecided_bids(self, bidder: str, house: str) -> Path:
        """The bids of ``bidder`` at ``house`` (texts of identities) of which it is not known what became of them."""
        return self.bidder_state(bidder) / f"{house[:IDENTITY_CHARACTERS]}.bids"

    def account(self, bidder: str, house: str) -> Path:
        """What ``bidder`` has tied up at ``house`` (texts of identities): see :mod:`auctionctl.client.account_file`."""
        return self.bidder_state(bidder) / f"{house[:IDENTITY_CHARACTERS]}{ACCOUNT_SUFFIX}"

    def address_file(self, house: str) -> Path:
        """Where the running house called ``house`` says how to reach it."""
        return self.run / f"{house}{ADDRESS_SUFFIX}"


def _root(home: str) -> Path:
    if len(os.fsencode(home)) > MAX_HOME_BYTES or any(
        len(os.fsencode(name)) > MAX_NAME_BYTES for name in home.split("/")
    ):
        raise ConfigurationError(f"{HOME_VARIABLE} is too long for the name of a directory", hint=HOME_HINT)
    try:
        return Path(home).expanduser().absolute()
    except (RuntimeError, OSError) as error:
        raise ConfigurationError(f"{HOME_VARIABLE}: {str(error).rstrip('.').lower()}", hint=HOME_HINT) from error


def find_paths(environment: Mapping[str, str] = os.environ) -> Paths:
    """The paths that hold for this process. Raises ConfigurationError for an AUCTIONCTL_HOME that can be no path."""
    home = environment.get(HOME_VARIABLE)
    if home:
        root = _root(home)
        return Paths(root / "config", root / "state", root / "run")
    import platformdirs  # noqa: PLC0415 - not needed where AUCTIONCTL_HOME is set

    state = platformdirs.user_state_path(NAME)
    runtime = environment.get("XDG_RUNTIME_DIR", "")
    # Where it is unset, platformdirs warns and falls back to a directory that may be another user's.
    run = Path(runtime) / NAME if runtime and Path(runtime).is_dir() else state / "run"
    return Paths(platformdirs.user_config_path(NAME), state, run)
