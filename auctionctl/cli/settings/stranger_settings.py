"""Settings of a house that concern strangers: whether they are let in, and how much of it they have.

Rule: a stranger has less of everything than whoever is listed, unless the operator says otherwise.
"""

from __future__ import annotations

from typing import Final

from auctionctl.cli.settings.setting import Kind, Setting
from auctionctl.keys.access import Access

STRANGER_SETTINGS: Final[tuple[Setting, ...]] = (
    Setting(
        "access",
        Kind.WORD,
        "listed",
        "Whom the house lets in: who is on the allow list; or strangers too, as bidders and to look on, within the"
        " limits that follow.",
        needs_restart=True,
        words=Access,
    ),
    Setting("stranger_bids_per_s", Kind.INTEGER, 2, "How many commands a second are taken of one stranger.", 1, 10**6),
    Setting("stranger_bids_burst", Kind.INTEGER, 5, "How many of them may come at once.", 1, 10**6),
    Setting("all_stranger_bids_per_s", Kind.INTEGER, 200, "How many a second are taken of all strangers.", 1, 10**6),
    Setting(
        "stranger_questions_per_s",
        Kind.INTEGER,
        16,
        "How many questions a second of one stranger are answered, over a minute or so.",
        1,
        10**6,
    ),
    Setting(
        "max_stranger_connections",
        Kind.INTEGER,
        128,
        "How many connections strangers may have in all; never more than half of `max_connections`.",
        1,
        65_536,
        needs_restart=True,
    ),
    Setting(
        "max_connections_a_stranger",
        Kind.INTEGER,
        2,
        "How many of them one stranger may have.",
        1,
        65_536,
        needs_restart=True,
    ),
    Setting(
        "max_connections_an_address",
        Kind.INTEGER,
        8,
        "How many of them may come from one address: an IPv4 address, or a /64 of IPv6.",
        1,
        65_536,
        needs_restart=True,
    ),
    Setting(
        "max_arrivals_a_minute",
        Kind.INTEGER,
        20,
        "How often within a minute strangers from one address may come in, and say hello.",
        1,
        1_000_000,
        needs_restart=True,
    ),
)
