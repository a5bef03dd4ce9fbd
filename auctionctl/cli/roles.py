"""Who may do what at a house, as a table: for ``allow roles`` and for the manual.

Rule: the roles come from the table by which the house itself lets messages in; only the commands of this program that
send them are written down here. Source: DESIGN.md section 2.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

from auctionctl.house.intake import ROLES
from auctionctl.keys.allowlist import Role

COMMANDS_THAT_SEND: Final = MappingProxyType(
    {
        "bid": ("bid",),
        "join": ("bid",),
        "terms": ("open",),
        "pause": ("pause",),
        "resume": ("resume",),
        "cancel": ("cancel",),
        "pay": ("pay",),
        "settle": ("settle",),
        "reject_payment": ("reject-payment",),
        "offer": ("offer",),
        "accept": ("accept",),
        "decline": ("decline",),
        "list": ("ls",),
        "subscribe": ("watch", "bid"),
        "read": ("show", "events", "result", "export", "backup"),
        "remind": (),
        "status": ("status",),
        "measure": ("top", "peers"),
        "revoke": ("key revoke",),
        "rotate": ("key rotate",),
        "finish": ("pay", "settle", "reject-payment", "offer", "accept", "decline"),
        "bye": (),
    }
)
"""Type of message → the commands that send it for their user; none: the program does so by itself."""


def rows() -> tuple[tuple[str, tuple[str, ...], tuple[str, ...]], ...]:
    """(type of message, the roles that may send it in their usual order, commands), in the order of the house's."""
    return tuple(
        (name, tuple(role.value for role in Role if role.value in ROLES[name]), commands)
        for name, commands in COMMANDS_THAT_SEND.items()
    )
