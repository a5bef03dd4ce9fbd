"""Answers that are made of a whole batch or of many auctions: signed rejections, and pages of the catalogue."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from auctionctl.house.auction_log import AuctionLog
from auctionctl.house.effects import Effect, Send
from auctionctl.house.intake import refused
from auctionctl.house.registry import RegistryLog
from auctionctl.keys.signing import SecretKey
from auctionctl.replica.registry import Registry
from auctionctl.tlog.merkle import Tree, leaf_hash
from auctionctl.wire.frames import MAX_REPLY_BYTES, Message, domain
from auctionctl.wire.messages import Catalogue, Listing, Rejected, Rejections, RejectionsHead, encode, parts_of

LISTINGS_A_PAGE: Final = 16
MAX_LISTINGS_BYTES: Final = MAX_REPLY_BYTES // 2
"""How many bytes of terms and announcements one page holds, at most (one listing is always sent)."""


def sign_rejections(key: SecretKey, batch: Sequence[tuple[int, bytes]]) -> list[Effect]:
    """One signature for all of a batch of (session, rejection): over the root of a tree of them (DESIGN.md 7)."""
    tree = Tree()
    for _, body in batch:
        tree.append(leaf_hash(body))
    head = encode(RejectionsHead(tree.size, tree.root()))
    signature = key.sign(domain("rejections_head") + head)
    proofs = tree.inclusions(range(tree.size))
    by_session: dict[int, list[Rejected]] = {}
    for index, (session, body) in enumerate(batch):
        by_session.setdefault(session, []).append(Rejected(body, index, proofs[index]))
    return [
        Send(session, Message(encode(Rejections(tree.size, tree.root(), signature, part))))
        for session, rejected in by_session.items()
        for part in parts_of(rejected)
    ]


def no_such_auction(registry: Registry, auction: bytes, about: bytes) -> Message:
    """The answer to whoever asks for an auction that is not held here (any more); ``about`` names the question."""
    where = "has archived the" if auction in registry.auctions else "holds no"
    return refused("no_such_auction", f"this house {where} auction {auction.hex()[:12]}…", about)


def catalogue_page(logs: Sequence[AuctionLog], registry: RegistryLog, start: int) -> Catalogue:
    """The auctions from ``start`` on, as many as one message may hold; only while everything is durable."""
    listings: list[Listing] = []
    size_bytes = 0
    for log in logs[start : start + LISTINGS_A_PAGE]:
        announcement = registry.announcement(log.id)
        size_bytes += len(log.terms_body) + len(announcement)
        if listings and size_bytes > MAX_LISTINGS_BYTES:
            break
        listings.append(Listing(log.terms_body, log.terms_signature, log.durable_size, announcement))
    return Catalogue(start, len(logs), tuple(listings))
