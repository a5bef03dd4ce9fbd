"""Which addresses count as one: an IPv4 address, or the /64 that one holder of IPv6 addresses has at least.

Rule: what is no address counts as itself. Source: RFC 6177 for the size of what one holder has; RFC 4291, 2.5.5.2, for
IPv4 addresses in IPv6 form, which a socket that listens for both shows.
"""

from __future__ import annotations

import ipaddress
from functools import lru_cache
from typing import Final

SITE_BITS: Final = 64


@lru_cache(maxsize=4_096)
def site_of(host: str) -> str:
    """What stands for all addresses of the holder of ``host``."""
    try:
        address = ipaddress.ip_address(host.strip("[]").partition("%")[0])
    except ValueError:
        return host
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return str(address.ipv4_mapped)
        return str(ipaddress.ip_network((address, SITE_BITS), strict=False))
    return str(address)
