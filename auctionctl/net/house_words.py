"""What the supervisor tells the house's process, and what that says to it (DESIGN.md section 3)."""

from __future__ import annotations

import msgspec

from auctionctl.house.intake import Request
from auctionctl.house.limits import Limits
from auctionctl.keys.access import Access
from auctionctl.net.admission_news import (
    AllowListKept,
    AllowListReplaced,
    AllowListTaken,
    KeysListed,
    LimitsDiffer,
    LimitsTaken,
)
from auctionctl.net.child_words import Failed, GatewayPipe, Stop, VerifierPipe
from auctionctl.net.chunks import Checked
from auctionctl.net.hops import Noticed
from auctionctl.store.cluster_access import NO_ACCESS, ClusterAccess
from auctionctl.store.cluster_address import Durability
from auctionctl.wire.listing import LotDescription
from auctionctl.wire.measures import Measures


class StartHouse(msgspec.Struct, array_like=True, tag="start_house"):
    """Open the store and recover. ``seed_text`` is the house's secret key; it never leaves the house's process."""

    seed_text: str
    state: str
    allow_list: str
    limits: Limits
    lots: list[LotDescription]
    retention_ns: int = 0
    """How long an auction that has ended stays in the store; 0: for ever."""
    access: Access = Access.LISTED
    allowed_before: bytes | None = None
    """The text of the allow list last in force, where this house has served before; None at the first start.

    Where it has, what is wrong with the allow list or the archive is reported, as while it ran, and does not end it.
    """
    tells_measures: bool = False
    """Whether it says once a second how it works."""
    store: str | None = None
    """The address of the cluster that has its logs; None: a file in ``state``."""
    durability: Durability = Durability.REQUIRED
    instance: str | None = None
    """The name of this instance of the house; None: it is the only one."""
    advertised: str = ""
    """Where clients reach it, as host:port."""
    store_access: ClusterAccess = NO_ACCESS

    def __repr__(self) -> str:
        return f"StartHouse({self.state!r})"


class Reload(msgspec.Struct, array_like=True, tag="reload"):
    """Settings that hold from now on, and lots of which those that are new are to be announced; or none of it."""

    limits: Limits
    lots: list[LotDescription]
    retention_ns: int = 0


class Warn(msgspec.Struct, array_like=True, tag="warn"):
    """For the house: this is wrong, for whoever asks how it is; without words, it is not any more."""

    code: str
    words: str


class Recovering(msgspec.Struct, array_like=True, frozen=True, tag="recovering"):
    """So many of the store's entries have been replayed; now and then, while a house starts on a large store."""

    done: int
    total: int


class Opened(msgspec.Struct, array_like=True, tag="opened"):
    """The store is open and recovered; ``quarantined`` are (log, reason) of those that do not verify."""

    quarantined: list[tuple[str, str]]


class Announced(msgspec.Struct, array_like=True, frozen=True, tag="announced"):
    """One auction that this house holds."""

    auction: bytes
    listing: str
    title: str
    is_resumed: bool
    differs: tuple[str, ...] = ()
    """What the house was asked to announce under this listing, and had announced otherwise before."""


class Listening(msgspec.Struct, array_like=True, tag="listening"):
    """Bidders can connect; these auctions are on."""

    auctions: list[Announced]


class Reloaded(msgspec.Struct, array_like=True, frozen=True, tag="reloaded"):
    """The new settings are in force; ``auctions`` are those that are new, or described otherwise than announced."""

    auctions: tuple[Announced, ...]


class SettingsKept(msgspec.Struct, array_like=True, frozen=True, tag="settings_kept"):
    """The new settings are wrong: those before stay in force, and no lot was announced."""

    reason: str
    hint: str


class Alive(msgspec.Struct, array_like=True, frozen=True, tag="alive"):
    """The house's process goes round; whether a gateway serves it, and how many auctions have not ended.

    ``hung`` are the verifiers by whose way nothing has come for too long, though another process may be to blame;
    ``stuck`` the gateways of which nothing comes while others serve.
    """

    is_reachable: bool
    live_count: int
    hung: tuple[int, ...] = ()
    stuck: tuple[str, ...] = ()


class Turned(msgspec.Struct, array_like=True, frozen=True, tag="turned"):
    """An auction is in another phase, or its sale in another stage, durably. Empty: there is nothing to say."""

    auction: bytes
    listing: str
    title: str
    phase: str
    end_reason: str
    winner: str
    price: str
    stage: str = ""


class Admitted(msgspec.Struct, array_like=True, frozen=True, tag="admitted"):
    """Somebody has come in, for the first time since this house was started."""

    name: str
    role: str


class Reopened(msgspec.Struct, array_like=True, frozen=True, tag="reopened"):
    """After :class:`AllClosed`: there is an auction again that has not ended."""


class LotsWait(msgspec.Struct, array_like=True, frozen=True, tag="lots_wait"):
    """Listings of the house's own lots for which there is no room yet: too many auctions run, or the disk is full."""

    listings: list[str]


class Archived(msgspec.Struct, array_like=True, frozen=True, tag="archived"):
    """An auction that closed long ago has left the store; its log is this file."""

    auction: bytes
    listing: str
    path: str


class ArchiveFailed(msgspec.Struct, array_like=True, frozen=True, tag="archive_failed"):
    """An auction could not be archived: it stays in the store, and is tried again now and then."""

    reason: str
    hint: str


class StoreFull(msgspec.Struct, array_like=True, frozen=True, tag="store_full"):
    """There is no room: nothing is accepted until there is. Nothing that was acknowledged is lost.

    ``released_bytes`` of ballast have been given back to the disk: room for what is due, and a last warning.
    """

    reason: str
    released_bytes: int = 0


class Halted(msgspec.Struct, array_like=True, frozen=True, tag="halted"):
    """Nothing is written to this log any more: the house has signed for what its store does not have."""

    log: str
    reason: str


class AllClosed(msgspec.Struct, array_like=True, frozen=True, tag="all_closed"):
    """Every auction has ended."""


class Measured(msgspec.Struct, array_like=True, tag="measured"):
    """Once a second, where that was asked for: how the house works, without single peers and auctions."""

    measures: Measures


FromChild = (
    Recovering
    | Opened
    | Listening
    | Reloaded
    | SettingsKept
    | Alive
    | Turned
    | Admitted
    | AllowListTaken
    | AllowListKept
    | AllowListReplaced
    | LimitsTaken
    | LimitsDiffer
    | KeysListed
    | Archived
    | Reopened
    | LotsWait
    | ArchiveFailed
    | StoreFull
    | Halted
    | AllClosed
    | Noticed
    | Measured
    | Failed
)


ToHouse = StartHouse | Reload | Warn | GatewayPipe | VerifierPipe | Stop
_to_house: msgspec.msgpack.Decoder[ToHouse] = msgspec.msgpack.Decoder(ToHouse)
decode_to_house = _to_house.decode
_from_child: msgspec.msgpack.Decoder[FromChild] = msgspec.msgpack.Decoder(FromChild)
decode_from_child = _from_child.decode
decode_checked = msgspec.msgpack.Decoder(Checked[Request]).decode
