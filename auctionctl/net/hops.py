"""What the processes of one house say to one another (DESIGN.md section 3).

Over pipes: gateway → verifier :class:`Chunk`, verifier → house :class:`Checked`, house → gateway :class:`Release`,
gateway → house :class:`Serving` and :class:`Ending`. Over control sockets, with descriptors: :class:`ToChild` and
:class:`FromChild`. All of it is between processes that this house started; none of it comes from a peer.
"""

from __future__ import annotations

from typing import Annotated, Final, Generic, TypeVar

import msgspec

from auctionctl.house.intake import Request
from auctionctl.house.limits import Limits
from auctionctl.house.metrics import BUCKETS
from auctionctl.house.security import SecurityEvent
from auctionctl.keys.access import Access
from auctionctl.net.admission_news import (
    AllowListKept,
    AllowListReplaced,
    AllowListTaken,
    KeysListed,
    LimitsDiffer,
    LimitsTaken,
)
from auctionctl.net.door import DoorLimits
from auctionctl.net.mutes import KeptOut
from auctionctl.net.process_state import ProcessState
from auctionctl.store.cluster_access import NO_ACCESS, ClusterAccess
from auctionctl.store.cluster_address import Durability
from auctionctl.wire.listing import LotDescription
from auctionctl.wire.measures import Measures

MAX_EVENTS_TOLD: Final = 16
SESSIONS_A_GATEWAY: Final = 1 << 32
"""Session numbers of one gateway never meet those of another, or of its successor."""
GATEWAY: Final = "gateway"
"""What the only gateway of a house is called."""
RequestTuple = tuple[int, bytes, bytes, bytes, bytes]
"""session, signer (empty where nothing is signed), body, signature, transport key (for a hello).

An empty body says that the session is over: it takes the way of the session's hello, and so never overtakes it.
"""


class Chunk(msgspec.Struct, array_like=True, gc=False):
    """Requests whose signatures are to be checked. ``number`` comes back when they have been answered.

    One without requests is a beat: it says that its gateway, which numbers from there on, serves by this way.
    """

    number: int
    requests: list[RequestTuple]
    received_ns: int = 0
    """When the gateway began the turn in which they came, by the machine's monotonic clock, as every time here."""


AsRequest = TypeVar("AsRequest", bound=RequestTuple)


class Checked(msgspec.Struct, Generic[AsRequest], array_like=True, gc=False):
    """The requests of a chunk that are well signed, and (session, command) of those that are not."""

    number: int
    requests: list[AsRequest]
    forged: list[tuple[int, bytes]]
    received_ns: int = 0
    checked_ns: int = 0
    state: ProcessState | None = None
    """How the verifier is; with an answer to a beat."""


class ToSession(msgspec.Struct, array_like=True, tag=0, gc=False):
    """Send this message to one session."""

    session: int
    body: bytes
    signature: bytes


class ToFollowers(msgspec.Struct, array_like=True, tag=1, gc=False):
    """Send this message to all who follow an auction."""

    auction: bytes
    body: bytes


class Following(msgspec.Struct, array_like=True, tag=2, gc=False):
    """A session follows these auctions from now on."""

    session: int
    auctions: list[bytes]


class Known(msgspec.Struct, array_like=True, tag=3, gc=False):
    """A session has proved to be the identity with this signing key, in this role."""

    session: int
    identity: bytes
    role: str


class Admit(msgspec.Struct, array_like=True, tag=4, gc=False):
    """The transport keys on the list from now on; others are strangers, and cut off where those are not let in.

    ``shut_out`` are not let in as strangers either.
    """

    transports: list[bytes]
    shut_out: list[bytes] = []
    own_limits: dict[bytes, dict[str, int]] = {}
    """Signing key → limits that the allow list says for it, by their names."""


class LastWord(msgspec.Struct, array_like=True, tag=5, gc=False):
    """Everything that this gateway brought has been answered: once that is sent, it may end."""


class Mute(msgspec.Struct, array_like=True, tag=6, gc=False):
    """The house takes nothing of this identity (a signing key) for so long, for its signatures were bad."""

    identity: bytes
    for_ns: int


class Misgreeted(msgspec.Struct, array_like=True, tag=7, gc=False):
    """A session that is nobody's yet has said hello, and not signed it."""

    session: int


Operation = ToSession | ToFollowers | Following | Known | Admit | LastWord | Mute | Misgreeted


class Release(msgspec.Struct, array_like=True, gc=False):
    """Everything of one batch: chunks that have been answered, and what the gateway has to do, in order.

    ``durable_ns`` is when it was made durable, by the machine's monotonic clock, or 0 where nothing had to be.
    """

    answered: list[int]
    operations: list[Operation]
    durable_ns: int = 0


class Serving(msgspec.Struct, array_like=True, tag=0):
    """The gateway listens."""


class Ending(msgspec.Struct, array_like=True, tag=1):
    """The gateway takes nothing any more, and all that it took has been taken by the house."""


_Count = Annotated[int, msgspec.Meta(ge=0, le=1 << 62)]
_Bucket = Annotated[int, msgspec.Meta(ge=0, lt=BUCKETS)]
_Buckets = Annotated[list[tuple[_Bucket, _Count]], msgspec.Meta(max_length=BUCKETS)]
_Code = Annotated[str, msgspec.Meta(pattern="^[a-z_]{1,32}$")]
MAX_SESSIONS_TOLD: Final = 128
MAX_CODES_TOLD: Final = 32


class SessionCounted(msgspec.Struct, array_like=True, gc=False):
    """One session of a gateway; times by the clock of the gateway, but ``round_trip_ns``, which is a duration."""

    session: _Count
    host: Annotated[str, msgspec.Meta(max_length=128)]
    since_ns: _Count
    heard_ns: _Count
    round_trip_ns: _Count
    messages: _Count
    lost: _Count
    waiting: _Count


class Counted(msgspec.Struct, array_like=True, tag=2):
    """Once a second: how a gateway is, and what its requests took from receipt to answer since it last said so.

    ``totals`` are (bucket, count) of :mod:`auctionctl.house.metrics`, ``total_ns`` is the sum; ``answers`` and
    ``answers_ns`` the same from when a batch was durable. ``refused`` is (code, count) of what it did not pass on,
    since it began. Bidders may have got the better of a gateway: everything is bounded; what is not so is no message.
    """

    state: ProcessState
    connections: _Count
    under_way: _Count
    totals: _Buckets
    total_ns: _Count
    sessions: Annotated[list[SessionCounted], msgspec.Meta(max_length=MAX_SESSIONS_TOLD)]
    answers: _Buckets = []
    answers_ns: _Count = 0
    refused: Annotated[list[tuple[_Code, _Count]], msgspec.Meta(max_length=MAX_CODES_TOLD)] = []


# Control


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


class StartGateway(msgspec.Struct, array_like=True, tag="start_gateway"):
    """Serve on the listening descriptor that comes with this. Session numbers begin at ``first_session``."""

    endpoint: str
    transport_secret: bytes
    transport_public: bytes
    house_signing: bytes
    first_session: int
    limits: Limits
    door: DoorLimits = DoorLimits()

    def __repr__(self) -> str:
        return f"StartGateway({self.endpoint!r})"


class SetLimits(msgspec.Struct, array_like=True, tag="set_limits"):
    """For the gateway: the house takes so much from now on."""

    limits: Limits


class SetBans(msgspec.Struct, array_like=True, tag="set_bans"):
    """For the gateway: these transport keys are kept out from now on, and these let in late, and alone."""

    banned: list[bytes]
    suspects: list[bytes]
    muted: list[KeptOut] = []
    """Mutes that another gateway has begun, of keys and of addresses: to a new one all, to others each once."""


class Drain(msgspec.Struct, array_like=True, tag="drain"):
    """For the gateway: take nothing any more, see what was taken answered and sent, and end."""


class VerifierPipe(msgspec.Struct, array_like=True, tag="verifier_pipe"):
    """The descriptor that comes with this leads to verifier ``slot``, in place of an earlier one."""

    slot: int


class GatewayPipe(msgspec.Struct, array_like=True, tag="gateway_pipe"):
    """The descriptor that comes with this leads to the gateway ``name``, in place of an earlier one of that name.

    Its sessions are numbered from ``first_session`` on.
    """

    first_session: int = 0
    name: str = GATEWAY


class HousePipe(msgspec.Struct, array_like=True, tag="house_pipe"):
    """The descriptor that comes with this leads to the house."""


class Warn(msgspec.Struct, array_like=True, tag="warn"):
    """For the house: this is wrong, for whoever asks how it is; without words, it is not any more."""

    code: str
    words: str


class Stop(msgspec.Struct, array_like=True, tag="stop"):
    """Finish what is under way, and end."""


Start = StartHouse | StartGateway
ToChild = Start | Reload | SetLimits | SetBans | Drain | VerifierPipe | GatewayPipe | HousePipe | Warn | Stop


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


class Noticed(msgspec.Struct, array_like=True, tag="noticed"):
    """Security events that a process of the house has seen, counted; few at a time, so that a message stays short."""

    events: Annotated[list[SecurityEvent], msgspec.Meta(max_length=MAX_EVENTS_TOLD)]


class Failed(msgspec.Struct, array_like=True, tag="failed"):
    """The child cannot go on: the name of an error of :mod:`auctionctl.errors`, its message and hint."""

    error: str
    message: str
    hint: str


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

encode = msgspec.msgpack.Encoder().encode
decode_chunk = msgspec.msgpack.Decoder(Chunk).decode
decode_checked = msgspec.msgpack.Decoder(Checked[Request]).decode
decode_release = msgspec.msgpack.Decoder(Release).decode
_to_child: msgspec.msgpack.Decoder[ToChild] = msgspec.msgpack.Decoder(ToChild)
_from_child: msgspec.msgpack.Decoder[FromChild] = msgspec.msgpack.Decoder(FromChild)
FromGatewayPipe = Serving | Ending | Counted
_from_gateway: msgspec.msgpack.Decoder[FromGatewayPipe] = msgspec.msgpack.Decoder(FromGatewayPipe)
decode_from_gateway = _from_gateway.decode
decode_to_child = _to_child.decode
decode_from_child = _from_child.decode
