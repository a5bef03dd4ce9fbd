"""What a running bidder has tied up where: on disk for whoever asks, while it runs and when it does not.

Rule: the file is replaced as a whole, and what was decided leaves the journal of undecided bids only after it stands
here, so that the two together never show less than may have to be paid. It is for people and programs to read; a bidder
itself trusts the logs and its journal alone.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from auctionctl.auction.phase import Stage
from auctionctl.bidding.notices import Outcome
from auctionctl.bidding.wallet import Commitment, Wallet
from auctionctl.client.bid_journal import parse_journal
from auctionctl.client.files import PRIVATE_MODE, Existing, read_bounded, write_whole
from auctionctl.client.paths import ACCOUNT_SUFFIX, Paths
from auctionctl.errors import ConfigurationError, KeyTextError, NotFoundError, RemoteProtocolError
from auctionctl.keys.signing import Identity

WRITING_S: Final = 0.25
MAX_FILE_BYTES: Final = 1 << 24
_PAID: Final = frozenset({Stage.PAID, Stage.SETTLED})


class Holding(msgspec.Struct, frozen=True):
    """One auction, amounts in minor units. ``won_minor`` is what a win costs, ``is_paid`` whether that was said."""

    auction: str
    listing: str
    leading_minor: int
    unanswered_minor: int
    won_minor: int
    is_paid: bool
    result: str | None
    cap_minor: int | None

    @property
    def committed_minor(self) -> int:
        """What may have to be paid, or was, at worst."""
        return max(self.leading_minor, self.unanswered_minor, self.won_minor)


class Account(msgspec.Struct, frozen=True):
    """One bidder's money at one house (texts of identities), as of ``written_ns`` on this machine's clock."""

    bidder: str
    house: str
    currency: str
    budget_minor: int
    written_ns: int
    holdings: tuple[Holding, ...]

    @property
    def committed_minor(self) -> int:
        """The sum of what every auction ties up."""
        return sum(holding.committed_minor for holding in self.holdings)


@dataclass(frozen=True, slots=True)
class AccountFile:
    """Where the account of ``bidder`` at ``house`` is."""

    paths: Paths
    bidder: Identity
    house: Identity

    @property
    def path(self) -> Path:
        """The file."""
        return self.paths.account(self.bidder.text, self.house.text)


class AccountKeeper:
    """Writes the account of one run, ``outcomes`` being the agent's; ``listing_of`` names an auction, or is empty."""

    def __init__(
        self, file: AccountFile, wallet: Wallet, outcomes: Mapping[bytes, Outcome], listing_of: Callable[[bytes], str]
    ) -> None:
        self._file = file
        self._wallet = wallet
        self._outcomes = outcomes
        self._listing_of = listing_of
        self._written: tuple[Holding, ...] | None = None
        self._written_s = 0.0

    def keep_some(self) -> bool:
        """Write what has changed, if it is time; whether all is on disk. Raises ConfigurationError."""
        return time.monotonic() - self._written_s >= WRITING_S and self.keep()

    def keep(self) -> bool:
        """Write what has changed; True. Raises ConfigurationError."""
        self._written_s = time.monotonic()
        holdings = self._holdings()
        if holdings != self._written:
            budget = self._wallet.budget
            bidder, house = self._file.bidder.text, self._file.house.text
            account = Account(bidder, house, budget.currency, budget.minor, time.time_ns(), holdings)
            write_whole(self._file.path, msgspec.json.encode(account) + b"\n", PRIVATE_MODE, Existing.REPLACE)
            self._written = holdings
        return True

    def _holdings(self) -> tuple[Holding, ...]:
        commitments = {each.auction: each for each in self._wallet.commitments()}
        auctions = dict.fromkeys([*commitments, *self._outcomes])
        return tuple(self._holding(auction, commitments.get(auction)) for auction in auctions)

    def _holding(self, auction: bytes, known: Commitment | None) -> Holding:
        outcome = self._outcomes.get(auction)
        return Holding(
            auction=auction.hex(),
            listing=self._listing_of(auction),
            leading_minor=0 if known is None else known.leading_minor,
            unanswered_minor=0 if known is None else known.undecided_minor,
            won_minor=0 if known is None else known.won_minor,
            is_paid=outcome is not None and outcome.stage in _PAID,
            result=None if outcome is None else outcome.result.value,
            cap_minor=self._wallet.cap_minor(auction),
        )


def read_accounts(paths: Paths, bidder: Identity) -> list[Account]:
    """Every account of ``bidder``, with the bids that its journals hold; none if it never ran. ConfigurationError."""
    found = sorted(paths.bidder_state(bidder.text).glob(f"*{ACCOUNT_SUFFIX}"))
    return [_with_journal(paths, bidder, _read(path)) for path in found]


def runner_of(paths: Paths, bidder: Identity) -> int | None:
    """The process that bids under this key now, or None."""
    with suppress(NotFoundError, ConfigurationError, ValueError):
        pid = int(read_bounded(paths.bidder_state(bidder.text) / "lock", 64))
        with suppress(PermissionError):
            try:
                os.kill(pid, 0)
            except ProcessLookupError:
                return None
        return pid
    return None


def _read(path: Path) -> Account:
    try:
        return msgspec.json.decode(read_bounded(path, MAX_FILE_BYTES), type=Account)
    except msgspec.MsgspecError as error:
        raise ConfigurationError(
            f"{path} is damaged: {error}", hint="remove it: the next run of the bidder writes it anew"
        ) from error


def _with_journal(paths: Paths, bidder: Identity, account: Account) -> Account:
    """``account`` with what was sent and is not known to be decided: the journal is ahead of the account."""
    path = paths.undecided_bids(bidder.text, account.house)
    try:
        found = parse_journal(read_bounded(path, MAX_FILE_BYTES), bidder, Identity.from_text(account.house))
    except NotFoundError:
        return account
    except (ValueError, RemoteProtocolError, KeyTextError) as error:
        raise ConfigurationError(
            f"{path} is damaged: which bids were sent cannot be told", hint="restore it from a copy"
        ) from error
    holdings = {holding.auction: holding for holding in account.holdings}
    for _, _, bid in found:
        if bid.currency != account.currency:
            continue
        empty = Holding(bid.auction.hex(), "", 0, 0, 0, False, None, None)
        known = holdings.get(bid.auction.hex(), empty)
        unanswered_minor = max(known.unanswered_minor, bid.amount_minor)
        holdings[known.auction] = msgspec.structs.replace(known, unanswered_minor=unanswered_minor)
    return msgspec.structs.replace(account, holdings=tuple(holdings.values()))
