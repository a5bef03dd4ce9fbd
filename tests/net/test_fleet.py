"""What the gateways of a house are called, and what each of them has of what the house allows."""

from __future__ import annotations

import pytest

from auctionctl.net.door import DoorLimits
from auctionctl.net.fleet import gateway_names
from auctionctl.net.strangers import StrangerLimits


def test_one_gateway_alone_has_no_number():
    assert gateway_names(1) == ("gateway",)
    assert gateway_names(3) == ("gateway 0", "gateway 1", "gateway 2")


@pytest.mark.parametrize("gateways", range(1, 17))
def test_all_shares_together_are_what_the_house_allows_and_fewer_more_than_there_are_gateways(gateways):
    door = DoorLimits(4, 256, StrangerLimits(2, 8, 128, 20))
    share = door.share(gateways)
    assert share.strangers is not None
    wholes_and_parts = [
        (door.connections_a_key, share.connections_a_key),
        (door.connections, share.connections),
        (2, share.strangers.connections_a_key),
        (8, share.strangers.connections_an_address),
        (128, share.strangers.connections),
        (20, share.strangers.arrivals_a_minute),
    ]
    for whole, part in wholes_and_parts:
        assert whole <= gateways * part < whole + gateways
    assert DoorLimits().share(gateways).strangers is None
