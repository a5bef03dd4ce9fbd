"""What the house's process tells of its auctions, for whoever looks at the output of ``serve``.

Rule: news are told when there is room for them, and are dropped otherwise: a reader that has fallen asleep must not
hold up an auction.
"""

from __future__ import annotations

import select
import socket

from auctionctl.auction.price import format_minor
from auctionctl.house.auction_log import AuctionLog
from auctionctl.keys.allowlist import AllowList
from auctionctl.keys.signing import Identity
from auctionctl.net.child_words import encode
from auctionctl.net.control import send_control
from auctionctl.net.hops import Noticed
from auctionctl.net.house_words import Admitted, Alive, Archived, Measured, Recovering, Turned


def tell(control: socket.socket, news: Admitted | Alive | Archived | Measured | Noticed | Recovering | Turned) -> bool:
    """Whether ``news`` could be sent without waiting. Raises PipeClosedError if nobody is there any more."""
    # poll, not select: descriptors may have any number. A socket that can be written to takes a short message whole.
    ready = select.poll()
    ready.register(control, select.POLLOUT)
    if not ready.poll(0):
        return False
    send_control(control, encode(news))
    return True


def tell_progress(control: socket.socket, done: int, total: int) -> None:
    """How far the replay of a store is, in entries. Errors: as for :func:`tell`."""
    tell(control, Recovering(done, total))


def describe_turn(log: AuctionLog, allowed: AllowList) -> Turned:
    """In which phase an auction is now, and where it has ended, how."""
    auction = log.auction
    terms, sale = auction.terms, auction.sale
    winner = price = ""
    if sale is not None:
        known = allowed.by_signing(sale.leader)
        winner = Identity(sale.leader, bytes(32)).short if known is None else known.name
        price = format_minor(sale.price_minor, terms.rules.currency)
    end_reason = "" if auction.end_reason is None else auction.end_reason.value
    stage = "" if auction.settlement is None else auction.settlement.stage.value
    return Turned(log.id, terms.listing, terms.lot.title, auction.phase.value, end_reason, winner, price, stage)
