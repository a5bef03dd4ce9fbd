"""What the house's process is told, and what it says, arrives as it was said."""

from __future__ import annotations

import pytest

from auctionctl.house.limits import Limits
from auctionctl.keys.access import Access
from auctionctl.keys.signing import SecretKey
from auctionctl.net import house_words as words
from auctionctl.net.admission_news import AllowListKept, AllowListReplaced, AllowListTaken, LimitsDiffer, LimitsTaken
from auctionctl.net.child_words import Failed, GatewayPipe, Stop, VerifierPipe, encode
from auctionctl.store.cluster_access import ClusterAccess
from auctionctl.wire.listing import LotDescription


@pytest.mark.parametrize(
    "message",
    [
        words.Reload(Limits(1, 2), [LotDescription("a", "b", "EUR", 1)], 3),
        words.StartHouse(
            "seed", "state", "allow", Limits(1, 2), [LotDescription("a", "b", "EUR", 1)], 3, Access.OPEN, b"text"
        ),
        words.StartHouse("seed", "state", "allow", Limits(), [], store_access=ClusterAccess("/login")),
        words.Warn("banned", "why"),
        GatewayPipe(),
        VerifierPipe(3),
        Stop(),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_it_is_told_arrives_as_it_was_said(message: words.ToHouse) -> None:
    assert words.decode_to_house(encode(message)) == message


@pytest.mark.parametrize(
    "message",
    [
        words.Reloaded((words.Announced(b"id", "vase", "A vase", False, ("title",)),)),
        words.SettingsKept("why", "hint"),
        words.Alive(True, 3),
        words.Turned(b"id", "vase", "A vase", "closed", "completed", "ann", "5.00EUR"),
        words.Admitted("ann", "bidder"),
        words.Opened([("auction/…", "why")]),
        words.Listening([words.Announced(b"id", "vase", "A vase", True)]),
        AllowListTaken(b"text"),
        AllowListKept("why"),
        AllowListReplaced(),
        AllowListReplaced("why"),
        AllowListReplaced(kept="where"),
        LimitsTaken(Limits(queue=5)),
        LimitsDiffer({"queue": 1}, {"queue": 2}),
        words.Archived(b"id", "vase", "/archive/vase"),
        words.ArchiveFailed("why", "hint"),
        words.StoreFull("why", 5),
        words.AllClosed(),
        Failed("StoreError", "message", "hint"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_it_says_arrives_as_it_was_said(message: words.FromChild) -> None:
    assert words.decode_from_child(encode(message)) == message


def test_what_carries_the_houses_secret_shows_none_of_it() -> None:
    key = SecretKey(b"k" * 32)
    start = words.StartHouse(key.seed_text, "/state", "/allow", Limits(), [])
    assert repr(start) == str(start) == "StartHouse('/state')"
