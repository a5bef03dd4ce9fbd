"""The auctions that a house holds, in the order of their announcement, and what is to be done about them.

Rule: whoever changes an auction says so by :meth:`Holdings.touch`; deadlines, counts and the batch to come follow.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from auctionctl.errors import NotFoundError
from auctionctl.house.auction_log import AuctionLog
from auctionctl.house.timers import Timers


class Holdings:
    """Auctions by their ids, 32 bytes; the next deadline of each; which of them the batch has changed."""

    def __init__(self) -> None:
        self._logs: dict[bytes, AuctionLog] = {}
        self.get = self._logs.get
        """The auction of an id, if it is held."""
        self._order: list[AuctionLog] = []
        self._dirty: dict[bytes, AuctionLog] = {}
        self._turned: dict[bytes, AuctionLog] = {}
        self._closed: dict[bytes, AuctionLog] = {}
        self._ended: dict[bytes, AuctionLog] = {}
        self._live: set[bytes] = set()
        self._unfinished: set[bytes] = set()
        self._timers = Timers()

    def __iter__(self) -> Iterator[AuctionLog]:
        return iter(self._order)

    def __getitem__(self, auction: bytes) -> AuctionLog:
        """The auction of this id; NotFoundError."""
        try:
            return self._logs[auction]
        except KeyError:
            raise NotFoundError(f"this house holds no auction {auction.hex()[:12]}…") from None

    @property
    def in_order(self) -> Sequence[AuctionLog]:
        """All of them, in the order of announcement."""
        return self._order

    @property
    def running(self) -> Iterator[AuctionLog]:
        """Those that entries may be added to: all but the halted ones."""
        return (log for log in self._order if not log.is_halted)

    @property
    def by_id(self) -> Mapping[bytes, AuctionLog]:
        """All of them by their ids."""
        return self._logs

    @property
    def dirty(self) -> Sequence[AuctionLog]:
        """Those that the batch has changed, or that somebody is to be answered about."""
        return list(self._dirty.values())

    @property
    def live_count(self) -> int:
        """In how many bidding has not ended."""
        return len(self._live)

    @property
    def unfinished_count(self) -> int:
        """How many have an end to come, be it of the bidding or of the settlement of a sale."""
        return len(self._unfinished)

    def next_ns(self) -> int | None:
        """When the first deadline is, or None."""
        return self._timers.next_ns()

    def take_due(self, now_ns: int) -> list[AuctionLog]:
        """Those whose deadline has come, by its time; each has to be touched."""
        return [self._logs[auction] for auction in self._timers.take_due(now_ns)]

    # Changes

    def register(self, log: AuctionLog) -> None:
        """``log`` is held from now on."""
        self._logs[log.id] = log
        self._order.append(log)
        self._look_ahead(log)
        if log.auction.is_final:
            self._ended[log.id] = log

    def forget(self, log: AuctionLog) -> None:
        """``log``, to which nothing can be added any more, is kept elsewhere from now on."""
        assert log.auction.is_final
        self._drop(log, self._order.index(log))
        self._dirty.pop(log.id, None)

    def part_with(self, log: AuctionLog) -> None:
        """``log`` is held no more: another instance goes on with it."""
        self._drop(log, self._order.index(log))
        self._dirty.pop(log.id, None)

    def touch(self, log: AuctionLog) -> None:
        """Something has been entered in ``log``: it belongs to the batch, and its deadlines may be others."""
        self._dirty[log.id] = log
        self._look_ahead(log)

    def answer(self, log: AuctionLog) -> None:
        """Somebody is to be answered about ``log`` with this batch."""
        self._dirty[log.id] = log

    def extended(self, log: AuctionLog) -> None:
        """A bid has moved the end of ``log``, and nothing else about its deadlines."""
        self._timers.set(log.id, log.auction.end_ns)

    def halted(self, auction: bytes) -> None:
        """Nothing is added to this one any more: if it is held, it has no deadline, and nobody waits for its end."""
        if (log := self._logs.get(auction)) is not None:
            self._look_ahead(log)

    def turn(self, log: AuctionLog) -> None:
        """``log`` is in another phase, or its sale in another stage; to be called before it is touched."""
        self._turned[log.id] = log
        if log.id in self._live and log.auction.outcome is not None:
            self._closed[log.id] = log
        if log.auction.is_final:
            self._ended[log.id] = log

    def take_ended(self) -> list[AuctionLog]:
        """Those to which nothing can be added any more, since the last call."""
        ended, self._ended = list(self._ended.values()), {}
        return ended

    def take_turned(self) -> list[AuctionLog]:
        """Those that have turned since the last call."""
        turned, self._turned = list(self._turned.values()), {}
        return turned

    def take_closed(self) -> list[AuctionLog]:
        """Those whose bidding has ended here since the last call; what becomes of their sales later is no such end."""
        closed, self._closed = list(self._closed.values()), {}
        return closed

    def recall_ended(self) -> None:
        """What was said of those in :meth:`take_ended` was not written, of any of them perhaps."""
        self._ended = {log.id: log for log in self._order if log.auction.is_final}

    def take_dirty(self) -> list[AuctionLog]:
        """As :attr:`dirty`; the next batch begins without them."""
        dirty, self._dirty = list(self._dirty.values()), {}
        return dirty

    def replace(self, log: AuctionLog, stored: AuctionLog | None) -> None:
        """What was added to ``log`` was not written: ``stored`` takes its place, or nothing where nothing is stored."""
        position = self._order.index(log)
        self._turned.pop(log.id, None)
        if stored is None or stored.auction.outcome is None:
            self._closed.pop(log.id, None)
        elif log.id in self._closed:
            # It had ended durably before, in a batch that nobody has asked about yet.
            self._closed[log.id] = stored
        # An end that was not written has not come: who stood by its bids is not known yet.
        self._ended.pop(log.id, None)
        if stored is None:
            self._drop(log, position)
            return
        stored.followers, stored.is_halted, stored.invalid = log.followers, log.is_halted, log.invalid
        self._logs[log.id] = self._order[position] = stored
        self._look_ahead(stored)
        if stored.auction.is_final:
            self._ended[log.id] = stored

    def _drop(self, log: AuctionLog, position: int) -> None:
        del self._logs[log.id], self._order[position]
        self._timers.set(log.id, None)
        self._live.discard(log.id)
        self._unfinished.discard(log.id)

    def _look_ahead(self, log: AuctionLog) -> None:
        auction, may_go_on = log.auction, not log.is_halted
        self._timers.set(log.id, auction.get_timer() if may_go_on else None)
        _keep(self._live, log.id, may_go_on and auction.outcome is None)
        _keep(self._unfinished, log.id, may_go_on and not auction.is_final)


def _keep(ids: set[bytes], each: bytes, is_in: bool) -> None:
    (ids.add if is_in else ids.discard)(each)
