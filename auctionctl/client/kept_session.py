"""A bidder's session of which every bid is kept on disk before it is sent, and every head that was verified.

Rule: a bid is in the journal before it is sent, and told of after that: whoever reads of a bid may count on it that a
crash does not make it unmade (:mod:`auctionctl.client.bid_journal`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from auctionctl.client.files import make_private_directories
from auctionctl.client.paths import Paths
from auctionctl.errors import StoreLockedError

if TYPE_CHECKING:
    from auctionctl.bidding.notices import AgentNotice
    from auctionctl.client.bid_journal import BidJournal
    from auctionctl.client.seen_logs import FollowedLogs
    from auctionctl.keys.signing import SecretKey


@contextmanager
def alone(paths: Paths, key: SecretKey) -> Iterator[None]:
    """Hold the place of this key's one bidder: two would spend one budget twice. Raises StoreLockedError."""
    from auctionctl.store.state_directory import locked  # noqa: PLC0415

    directory = paths.bidder_state(key.identity.text)
    make_private_directories(directory)
    with ExitStack() as held:
        try:
            held.enter_context(locked(directory))
        except StoreLockedError as error:
            raise StoreLockedError(
                f"a bidder is running under this key: {error}",
                hint="one bidder can take part in several auctions: name them all, or use --all",
            ) from error
        yield


class KeptSession:
    """Stands between an agent's notices and ``on_notice``, which is told of them; ``logs`` are what the agent follows.

    A shell hands notices to :meth:`take`, and calls :meth:`before_send` before anything leaves.
    """

    def __init__(self, journal: BidJournal, logs: FollowedLogs, on_notice: Callable[[AgentNotice], None]) -> None:
        self.logs = logs
        self._journal = journal
        self._on_notice = on_notice
        self._held: list[AgentNotice] = []

    def take(self, notice: AgentNotice) -> None:
        """Keep what ``notice`` brings, before anything is done about it. Raises ConfigurationError."""
        from auctionctl.bidding.notices import BidPlaced, BidRejected  # noqa: PLC0415

        self.logs.take(notice)
        if isinstance(notice, BidPlaced):
            self._journal.keep(notice)
            self._held.append(notice)
            return
        if isinstance(notice, BidRejected):
            self._journal.refused(notice)
        self._on_notice(notice)

    def before_send(self) -> None:
        """Make durable what is about to be sent, all of it at once, and tell of it.

        Raises ConfigurationError: then nothing may be sent.
        """
        self._journal.sync()
        placed, self._held = self._held, []
        for notice in placed:
            self._on_notice(notice)
