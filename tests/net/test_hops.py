"""What the processes of a house say to one another arrives as it was said."""

from __future__ import annotations

import msgspec
import pytest

from auctionctl.house.limits import Limits
from auctionctl.keys.access import Access
from auctionctl.keys.signing import SecretKey
from auctionctl.net import hops
from auctionctl.net.hops import StartGateway, StartHouse
from auctionctl.store.cluster_access import ClusterAccess
from auctionctl.wire.listing import LotDescription


@pytest.mark.parametrize(
    ("decode", "message"),
    [
        (hops.decode_chunk, hops.Chunk(7, [(1, b"signer", b"body", b"signature", b"")])),
        (hops.decode_checked, hops.Checked(7, [(1, b"", b"body", b"", b"key")], [(2, b"command")])),
        (
            hops.decode_release,
            hops.Release(
                [1, 2],
                [
                    hops.ToSession(1, b"body", b""),
                    hops.ToFollowers(b"auction", b"body"),
                    hops.Following(1, [b"auction"]),
                    hops.Known(1, b"identity", "bidder"),
                    hops.Admit([b"key"]),
                    hops.LastWord(),
                    hops.Mute(b"identity", 60),
                    hops.Misgreeted(1),
                ],
            ),
        ),
        (hops.decode_from_gateway, hops.Serving()),
        (hops.decode_from_gateway, hops.Ending()),
        (hops.decode_to_child, hops.Reload(Limits(1, 2), [LotDescription("a", "b", "EUR", 1)], 3)),
        (hops.decode_to_child, hops.SetLimits(Limits(queue=5))),
        (hops.decode_to_child, hops.Drain()),
        (hops.decode_from_child, hops.Reloaded((hops.Announced(b"id", "vase", "A vase", False, ("title",)),))),
        (hops.decode_from_child, hops.SettingsKept("why", "hint")),
        (hops.decode_from_child, hops.Alive(True, 3)),
        (hops.decode_from_child, hops.Turned(b"id", "vase", "A vase", "closed", "completed", "ann", "5.00EUR")),
        (hops.decode_from_child, hops.Admitted("ann", "bidder")),
        (
            hops.decode_to_child,
            hops.StartHouse(
                "seed", "state", "allow", Limits(1, 2), [LotDescription("a", "b", "EUR", 1)], 3, Access.OPEN, b"text"
            ),
        ),
        (
            hops.decode_to_child,
            hops.StartHouse("seed", "state", "allow", Limits(), [], store_access=ClusterAccess("/login")),
        ),
        (hops.decode_to_child, hops.StartGateway("tcp://", b"secret", b"public", b"house", 1 << 32, Limits(queue=5))),
        (hops.decode_to_child, hops.GatewayPipe()),
        (hops.decode_to_child, hops.HousePipe()),
        (hops.decode_from_child, hops.Opened([("auction/…", "why")])),
        (hops.decode_from_child, hops.Listening([hops.Announced(b"id", "vase", "A vase", True)])),
        (hops.decode_from_child, hops.AllowListTaken(b"text")),
        (hops.decode_from_child, hops.AllowListKept("why")),
        (hops.decode_from_child, hops.AllowListReplaced()),
        (hops.decode_from_child, hops.AllowListReplaced("why")),
        (hops.decode_from_child, hops.AllowListReplaced(kept="where")),
        (hops.decode_from_child, hops.LimitsTaken(Limits(queue=5))),
        (hops.decode_from_child, hops.LimitsDiffer({"queue": 1}, {"queue": 2})),
        (hops.decode_from_child, hops.Archived(b"id", "vase", "/archive/vase")),
        (hops.decode_from_child, hops.ArchiveFailed("why", "hint")),
        (hops.decode_from_child, hops.StoreFull("why", 5)),
        (hops.decode_from_child, hops.AllClosed()),
        (hops.decode_from_child, hops.Failed("StoreError", "message", "hint")),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_message_arrives_as_it_was_said(decode, message):
    assert decode(hops.encode(message)) == message


def test_what_is_no_message_of_that_hop_is_not_taken_for_one():
    with pytest.raises(msgspec.DecodeError):
        hops.decode_from_gateway(hops.encode(hops.Release([], [])))


def test_what_carries_a_secret_to_a_process_shows_none_of_it() -> None:
    key = SecretKey(b"k" * 32)
    house = StartHouse(key.seed_text, "/state", "/allow", Limits(), [])
    gateway = StartGateway("tcp://*:1", key.transport_secret, key.identity.transport, key.identity.signing, 0, Limits())
    for shown in (f"{house!r} {house}", f"{gateway!r} {gateway}"):
        assert key.seed_text[16:40] not in shown
        assert repr(key.transport_secret)[2:20] not in shown
    assert repr(house) == "StartHouse('/state')"
