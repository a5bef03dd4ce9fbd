"""Settings of a house that concern a cluster: whether one has its logs, and what it has to be known to keep.

Rule: what may be lost is said by the operator, and by nobody else.
"""

from __future__ import annotations

from typing import Final

from auctionctl.cli.settings.setting import Kind, Setting
from auctionctl.store.cluster_address import Durability

CLUSTER_SETTINGS: Final[tuple[Setting, ...]] = (
    Setting(
        "store",
        Kind.STORE,
        None,
        "The NATS servers that keep the logs, with ?monitor=PORT where their monitoring port is not 8222.",
        default_words="a file in the state directory",
        needs_restart=True,
    ),
    Setting(
        "durability",
        Kind.WORD,
        "required",
        "What those servers have to be known to keep: all that they acknowledged, on three disks; or nothing in"
        " particular, for trying things out.",
        needs_restart=True,
        words=Durability,
    ),
)
