"""An address stands for all that its holder has."""

from __future__ import annotations

import pytest

from auctionctl.net.addresses import site_of


@pytest.mark.parametrize(
    ("host", "site"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("[2001:db8:1:2::9]", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("::1", "::/64"),
        ("", ""),
        ("no address", "no address"),
    ],
)
def test_one_holder_is_one_site(host: str, site: str) -> None:
    assert site_of(host) == site


def test_two_holders_are_two() -> None:
    assert site_of("2001:db8:1:2::1") != site_of("2001:db8:1:3::1")
    assert site_of("192.0.2.1") != site_of("192.0.2.2")
