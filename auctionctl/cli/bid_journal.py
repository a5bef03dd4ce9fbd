"""The bids of which it is not known what became of them: on disk before they are sent, and until that is known.

Rule: a bid is durable here before the house can have it, so that whoever comes after a crash knows what may have to be
paid; what cannot be read stops a bidder, as its budget could be exceeded. To forget a bid too late does no harm: it is
handed in again, and the log says at once what became of it. Source: DESIGN.md section 8, client rule.

A file a bid, ``<12 digits of the auction>-<seq>-<12 digits of the bid>``, in a directory of its bidder and house: three
lines, the version, the body and its signature in base64. The signature says whether a file is whole; there is none
under its name before it is. The name ends in ``.bid``; in ``.refused`` once the house has rejected the bid, which it
might nevertheless accept until the bid's own time is over.
"""

from __future__ import annotations

from binascii import a2b_base64, b2a_base64
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final, NamedTuple

from auctionctl.auction.bid import Bid, command_id, decode_bid
from auctionctl.bidding.notices import BidPlaced, BidRejected
from auctionctl.bidding.wallet import Wallet
from auctionctl.cli.files import (
    PRIVATE_MODE,
    Existing,
    make_private_directories,
    read_bounded,
    sync_directory,
    write_whole,
)
from auctionctl.cli.paths import Paths
from auctionctl.cli.settings.choices import short_id
from auctionctl.errors import ConfigurationError, NotFoundError, RemoteProtocolError
from auctionctl.keys.signing import Identity
from auctionctl.wire.frames import Message, is_signed_by

VERSION: Final = b"auctionctl-bid/1"
SUFFIX: Final = ".bid"
REFUSED_SUFFIX: Final = ".refused"
MAX_FILE_BYTES: Final = 4_096
MAX_BIDS: Final = 4_096
"""Far more than a bidder has unanswered at once: where a rule refuses its bids, some fifty an auction."""
DAMAGE_HINT: Final = (
    "restore it from a copy; or, if you know what became of that bid (`auctionctl show`), remove the file: until then"
    " a budget could be exceeded"
)

Choice = Callable[[Bid], bool]
"""Whether a bid concerns a run."""


class Undecided(NamedTuple):
    """What earlier runs bid, and may yet have to pay: what they had no answer to, and what the house had rejected."""

    unanswered: list[Message]
    refused: list[Message]


class BidJournal:
    """The undecided bids of ``bidder`` at ``house``. Only for whoever holds the place of that key's one bidder."""

    def __init__(self, paths: Paths, bidder: Identity, house: Identity) -> None:
        """Raises ConfigurationError for anything in it that cannot be read as such a bid."""
        self._directory = paths.undecided_bids(bidder.text, house.text)
        self._bidder = bidder
        self._house = house
        self._make_directory()
        self._held: dict[Path, tuple[Bid, Message]] = {path: self._read(path) for path in self._files()}
        self._watched: set[Path] = set()

    def __len__(self) -> int:
        return len(self._held)

    def hand_in(self, concerns: Choice) -> Undecided:
        """The bids of earlier runs that concern this one, which from now on follows what becomes of them."""
        chosen = {path: message for path, (bid, message) in self._held.items() if concerns(bid)}
        self._watched |= set(chosen)
        unanswered = [message for path, message in chosen.items() if path.suffix == SUFFIX]
        return Undecided(unanswered, [message for path, message in chosen.items() if path.suffix == REFUSED_SUFFIX])

    def keep(self, placed: BidPlaced) -> None:
        """Make a bid durable that is about to be sent. If this raises ConfigurationError, it must not be.

        A crash before this line: the bid was never made. After it: it may have been sent, and the next run takes it up.
        """
        if len(self._held) >= MAX_BIDS:
            raise ConfigurationError(
                f"{self._directory} holds {MAX_BIDS} bids of which it is not known what became of them",
                hint="bid in those auctions again, until their logs have said so",
            )
        bid = decode_bid(placed.message.body)
        path = self._path_of(bid, placed.message)
        body, signature = (b2a_base64(data, newline=False) for data in placed.message)
        write_whole(path, b"%b\n%b\n%b\n" % (VERSION, body, signature), PRIVATE_MODE, Existing.REFUSE)
        self._held[path] = bid, placed.message
        self._watched.add(path)

    def refused(self, rejected: BidRejected) -> None:
        """The house has rejected this bid: it is not to be pressed by another run."""
        for path, (_, message) in list(self._held.items()):
            if command_id(message.body) == rejected.command and path.suffix == SUFFIX:
                # If this cannot be, it is taken for one that was not answered, and the house says it again.
                with suppress(OSError):
                    renamed = path.rename(path.with_suffix(REFUSED_SUFFIX))
                    self._held[renamed] = self._held.pop(path)
                    self._watched.discard(path)
                    self._watched.add(renamed)
                    sync_directory(self._directory)

    def forget_decided(self, wallet: Wallet) -> None:
        """Drop what this run made or was handed, and is not undecided any more for its ``wallet``."""
        for path in list(self._watched):
            bid, message = self._held[path]
            if not wallet.is_undecided(bid.auction, command_id(message.body)):
                # What cannot be removed is handed in once more.
                with suppress(OSError):
                    path.unlink(missing_ok=True)
                self._watched.remove(path)
                del self._held[path]

    def _path_of(self, bid: Bid, message: Message) -> Path:
        return self._directory / f"{short_id(bid.auction)}-{bid.seq}-{short_id(command_id(message.body))}{SUFFIX}"

    def _make_directory(self) -> None:
        missing = [step for step in (self._directory, *self._directory.parents) if not step.exists()]
        make_private_directories(self._directory)
        try:
            # A crash must not take away the name under which bids lie.
            for step in missing:
                sync_directory(step.parent)
        except OSError as error:
            raise ConfigurationError(f"cannot keep {self._directory}: {(error.strerror or '').lower()}") from error

    def _files(self) -> list[Path]:
        try:
            found = sorted(self._directory.iterdir())
        except OSError as error:
            raise ConfigurationError(
                f"cannot read {self._directory}: {(error.strerror or '').lower()}", hint="it has to be yours"
            ) from error
        for path in found:
            if path.name.startswith("."):
                # Begun and not finished: its bid was never sent.
                with suppress(OSError):
                    path.unlink()
        files = [path for path in found if not path.name.startswith(".")]
        if len(files) > MAX_BIDS:
            raise ConfigurationError(f"{self._directory} holds more than {MAX_BIDS} files", hint=DAMAGE_HINT)
        return files

    def _read(self, path: Path) -> tuple[Bid, Message]:
        try:
            version, body_text, signature_text, rest = read_bounded(path, MAX_FILE_BYTES).split(b"\n")
            message = Message(a2b_base64(body_text), a2b_base64(signature_text))
            bid = decode_bid(message.body)
            is_whole = version == VERSION and not rest and is_signed_by(self._bidder.signing, *message)
            name = self._path_of(bid, message).with_suffix(path.suffix).name
            is_named = path.suffix in (SUFFIX, REFUSED_SUFFIX) and path.name == name
            if not is_whole or bid.house != self._house.signing or not is_named:
                raise ValueError("it is not what its name says")
        except ConfigurationError as error:
            error.hint = DAMAGE_HINT
            raise
        except (ValueError, RemoteProtocolError, NotFoundError) as error:
            raise ConfigurationError(
                f"{path} is damaged: which bid was sent, and may have to be paid, cannot be told", hint=DAMAGE_HINT
            ) from error
        return bid, message


def earlier_words(count: int) -> str:
    """What people are told of so many bids of earlier runs."""
    if count == 1:
        return "1 bid of an earlier run may yet be accepted: it binds the budget until it is known what became of it"
    return (
        f"{count} bids of earlier runs may yet be accepted: they bind the budget until it is known what became of them"
    )
