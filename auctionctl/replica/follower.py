"""Following a house's logs over one session, without a socket: greeting, heartbeats, subscription, gap repair.

The shell (:mod:`auctionctl.net.dealer`) tells it of connections, messages and the time, and sends what
:meth:`Follower.take_outgoing` returns; :meth:`Follower.receive` returns what a bidder or a board wants to know. All
that has to survive a reconnection is kept here: after each welcome, every followed log is subscribed to and read on
from where its replica ends (DESIGN.md sections 3 and 8). Pure: nonces and times are handed in.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import Final

from auctionctl.auction.terms import SECOND_NS, Terms
from auctionctl.errors import HistoryChangedError, NotAuthorisedError, RemoteProtocolError, VerificationError
from auctionctl.keys.signing import Identity, SecretKey
from auctionctl.replica.announcement import RULE, check_announcement, check_listing
from auctionctl.replica.house_clock import HouseClock
from auctionctl.replica.news import (
    Advanced,
    ClockOff,
    Listed,
    Notice,
    RegistryAdvanced,
    Stamped,
    Welcomed,
)
from auctionctl.replica.pending_reads import PUT_OFF, RETRY_NS, PendingReads
from auctionctl.replica.registry import REGISTRY_ID
from auctionctl.replica.replica import HeadsOf, RegistryReplica, Replica, no_heads
from auctionctl.wire.frames import Message
from auctionctl.wire.measures import Measure
from auctionctl.wire.messages import (
    MAX_AUCTIONS_A_MESSAGE,
    Acknowledged,
    Bye,
    Catalogue,
    ClockHead,
    Entries,
    List,
    Moved,
    Ping,
    Pong,
    Read,
    Refused,
    Remind,
    Status,
    Subscribe,
    Welcome,
    decode_reply,
    encode,
)
from auctionctl.wire.session import ClientGreeting

__all__ = ["Advanced", "ClockOff", "Follower", "Listed", "Notice", "RegistryAdvanced", "Stamped", "Welcomed"]

HEARTBEAT_NS: Final = 5 * SECOND_NS
SILENCE_NS: Final = 15 * SECOND_NS
"""A house that has said nothing for so long, although pinged, counts as gone."""
RELIST_NS: Final = 2 * SECOND_NS
EARLIER_HELLOS: Final = 16
COPY_PATIENCE_NS: Final = 30 * SECOND_NS
"""As :attr:`Follower.patience_ns`, of a copy. That a log has moved is not signed: it puts the check off, no more."""


class Follower:
    """One session's view of one house. Times are this machine's clock, nanoseconds since the Unix epoch."""

    def __init__(self, key: SecretKey, house: Identity, role: str, heads_of: HeadsOf = no_heads) -> None:
        """Raises what ``heads_of`` raises, here and where a log is first followed."""
        self.house = house
        self.replicas: dict[bytes, Replica] = {}
        self.registry = RegistryReplica(house)
        """The registry as far as it has been seen; it grows after :meth:`follow_registry`."""
        self.catalogue: dict[bytes, Terms] = {}
        self.announcements: dict[bytes, bytes] = {}
        """Auction of the catalogue → the proof that the registry announces it."""
        self.is_welcome = False
        self.queue_limit = 0
        self.copies: set[bytes] = set()
        """Logs that another instance writes than the one that answers, as far as that is said: it may lag a while."""
        self.patience_ns = 0
        """How long answers may fall short of what was signed: what one instance signs takes its time to the others."""
        self._short_since_ns: dict[bytes, int] = {}
        self._clock = HouseClock()
        self._greeting = ClientGreeting(key, house, role)
        self._heads_of = heads_of
        self._reminders: list[Remind] = []
        self._is_new_connection = True
        self._wanted: set[bytes] = set()  # of logs: auctions, and perhaps the registry
        self._follow_all = False
        self._outgoing: list[Message] = []
        self._reading = PendingReads()
        self._heard_of_ns: dict[bytes, int] = {}
        self._listing_at_ns: int | None = None
        self._listed: dict[bytes, Terms] = {}
        self._announced_under: dict[bytes, tuple[int, bytes]] = {}
        self._list_start = 0
        self._is_page_put_off = False
        self._nonce = b""
        self._earlier_nonces: deque[bytes] = deque(maxlen=EARLIER_HELLOS)
        self._hello_at_ns: int | None = None
        self._heard_ns = 0
        self._ping_at_ns = 0
        self._ping_sent_ns = 0
        self._pings = 0
        self._recall_heads(self.registry)

    @property
    def house_ahead_ns(self) -> int:
        """House time minus ours, as of the last welcome or pong (half a round trip uncertain), or what came since."""
        return self._clock.ahead_ns

    @property
    def round_trip_ns(self) -> int:
        """How long the last ping took."""
        return self._clock.round_trip_ns

    @property
    def follower(self) -> Follower:
        """Itself: whoever drives a core finds its follower so."""
        return self

    def another_greeting(self) -> ClientGreeting:
        """For a session of the same identity and role at another instance of the house."""
        return self._greeting.another()

    # What to follow

    def replica(self, auction: bytes) -> Replica:
        """The copy of the log of ``auction``; it grows once that is followed."""
        replica = self.replicas.get(auction)
        if replica is None:
            replica = self.replicas[auction] = Replica(self.house, auction)
            self._recall_heads(replica)
        return replica

    def follow(self, auctions: set[bytes], now_ns: int) -> None:
        """Follow these auctions from now on, over every reconnection."""
        new = auctions - self._wanted
        self._wanted |= new
        if self.is_welcome and new:
            self._subscribe(new, now_ns)

    def follow_all(self) -> None:
        """Follow every auction that the catalogue lists, now and later."""
        self._follow_all = True

    def follow_registry(self, now_ns: int) -> None:
        """Follow the registry too. Every announcement that was seen must then be in it."""
        self.follow({REGISTRY_ID}, now_ns)

    def list_auctions(self, now_ns: int) -> None:
        """Ask for the catalogue; a :class:`Listed` will follow."""
        self._listed = {}
        self._list_from(0, now_ns)

    def house_is_at(self, house_ns: int, now_ns: int) -> None:
        """The house has signed that it was ``house_ns`` there, so it is that or later now."""
        self._clock.dated(house_ns, now_ns)

    def ask(self, question: Status | Measure) -> None:
        """Ask how the house is, or works; what it says of itself will follow, or a refusal."""
        self._send(question)

    def ask_for_heads(self, auctions: Iterable[bytes], now_ns: int) -> None:
        """Read what is followed of ``auctions`` on, even if nothing is new: the answer comes under a plain note."""
        for auction in auctions:
            if self.is_welcome and self._replica(auction) is not None:
                self._read(auction, now_ns)

    # The shell's three moves

    def connected(self, nonce: bytes, now_ns: int) -> None:
        """The transport is up (again): greet. ``nonce`` is 16 fresh bytes."""
        if self._is_new_connection:
            # Not at a mere repetition: what was asked over the same connection may yet be answered.
            self.registry.begin_session()
            for replica in self.replicas.values():
                replica.begin_session()
        self._is_new_connection = False
        self.is_welcome = False
        self._earlier_nonces.append(self._nonce)
        self._nonce = nonce
        self._outgoing = [self._greeting.hello(nonce, now_ns)]
        self._reading.forget_all()
        self._listing_at_ns = None
        self._hello_at_ns = now_ns
        self._heard_ns = now_ns

    def disconnected(self) -> None:
        """The transport is down: nothing is heard until :meth:`connected`."""
        self._is_new_connection = True
        self.is_welcome = False
        self._hello_at_ns = None
        self._outgoing.clear()

    def needs_hello(self, now_ns: int) -> bool:
        """Whether the greeting has gone unanswered for too long, or the house for SILENCE_NS: greet again."""
        if self._hello_at_ns is None:
            return False
        if not self.is_welcome:
            return now_ns - self._hello_at_ns >= RETRY_NS
        return now_ns - self._heard_ns >= SILENCE_NS

    def receive(self, message: Message, now_ns: int) -> list[Notice]:
        """What one message of the house means.

        Raises RemoteProtocolError for what is no message, NotAuthorisedError when the house refuses the greeting,
        NoteError or VerificationError when its log does not hold.
        """
        notices = self._receive(message, now_ns)
        if (off_ns := self._clock.take_off_ns()) is not None:
            notices.append(ClockOff(off_ns))
        return notices

    def _receive(self, message: Message, now_ns: int) -> list[Notice]:
        reply = decode_reply(message.body)
        self._heard_ns = now_ns
        if isinstance(reply, Welcome):
            return self._welcomed(reply, message, now_ns)
        if isinstance(reply, Refused):
            return self._refused(reply, now_ns)
        if isinstance(reply, Pong):
            self._measure(reply, now_ns)
            return []
        if isinstance(reply, Catalogue):
            return self._catalogued(reply, now_ns)
        if isinstance(reply, Entries):
            return self._extended(reply, now_ns)
        if isinstance(reply, ClockHead):
            return self._stamped(reply, now_ns)
        if isinstance(reply, Acknowledged):
            return list(reply.logs)
        if isinstance(reply, Moved):
            return []
        return [reply]

    def follows(self, log: bytes) -> bool:
        """Whether ``log`` is to be followed."""
        return log in self._wanted

    def ask_anew(self, logs: Iterable[bytes], now_ns: int) -> list[Message]:
        """What asks for ``logs`` once more, as far as they are followed: where to is the caller's to say."""
        waiting, self._outgoing = self._outgoing, []
        self._subscribe(self._wanted.intersection(logs), now_ns)
        asked, self._outgoing = self._outgoing, waiting
        return asked

    def take_outgoing(self) -> list[Message]:
        """What has to be sent now, in order."""
        outgoing, self._outgoing = self._outgoing, []
        return outgoing

    def take_notices(self) -> list[Notice]:
        """What happened without a message of the house: to a mere follower, nothing does."""
        return []

    def remind(self, error: HistoryChangedError) -> None:
        """The house has signed what its log does not hold: with its goodbye, it gets the note."""
        reminder = Remind(error.log, error.before)
        if reminder not in self._reminders:
            self._reminders.append(reminder)

    def say_bye(self) -> None:
        """Tell the house that this session ends, and what it has forgotten."""
        for reminder in self._reminders:
            self._send(reminder)
        self._send(Bye())

    def get_timer(self) -> int | None:
        """When :meth:`handle_timer` should be called, or None."""
        if self._hello_at_ns is None:
            return None
        if not self.is_welcome:
            return self._hello_at_ns + RETRY_NS
        times = [self._heard_ns + SILENCE_NS, self._ping_at_ns]
        if (again_ns := self._reading.next_ns()) is not None:
            times.append(again_ns)
        if self._listing_at_ns is not None:
            times.append(self._listing_at_ns + RETRY_NS)
        return min(times)

    def handle_timer(self, now_ns: int) -> None:
        """Ping, and repeat what was not answered."""
        if not self.is_welcome:
            return
        if now_ns >= self._ping_at_ns:
            self._ping(now_ns)
            self._ask_after_silent_logs(now_ns)
        for auction in self._reading.due(now_ns):
            self._read(auction, now_ns)
        if self._listing_at_ns is not None and now_ns - self._listing_at_ns >= RELIST_NS:
            if self._is_page_put_off:
                self._list_from(self._list_start, now_ns)
            else:
                self.list_auctions(now_ns)

    # Inside

    def _recall_heads(self, replica: Replica | RegistryReplica) -> None:
        for head in self._heads_of(replica.log_id):
            replica.hold(head)
            replica.expect(head.size)
        replica.begin_session()

    def _send(self, request: List | Subscribe | Read | Ping | Status | Measure | Remind | Bye) -> None:
        self._outgoing.append(Message(encode(request)))

    def _ping(self, now_ns: int) -> None:
        self._pings += 1
        self._ping_sent_ns = now_ns
        self._ping_at_ns = now_ns + HEARTBEAT_NS
        self._send(Ping(self._pings))

    def _measure(self, reply: Pong, now_ns: int) -> None:
        # The answer to an earlier ping, timed by the last one, would make the house look nearer than it is.
        if reply.token == self._pings:
            self._clock.answered(reply.time_ns, self._ping_sent_ns, now_ns)

    def _welcomed(self, reply: Welcome, message: Message, now_ns: int) -> list[Notice]:
        if reply.nonce in self._earlier_nonces:
            # A slow house has answered a hello that we repeated meanwhile: the last one's answer is on its way.
            return []
        self._greeting.check(reply, message.body, message.signature)
        self.is_welcome = True
        self._clock.welcomed(reply.time_ns, now_ns if self._hello_at_ns is None else self._hello_at_ns, now_ns)
        self.queue_limit = reply.queue_limit
        self._ping(now_ns)
        if self._wanted:
            self._subscribe(self._wanted, now_ns)
        if self._follow_all:
            self.list_auctions(now_ns)
        return [Welcomed(reply.time_ns, reply.escrow)]

    def _refused(self, reply: Refused, now_ns: int) -> list[Notice]:
        if reply.code == "no_session":
            # The gateway is another one than we greeted. While a hello is under way, this answers what went before it.
            if self.is_welcome:
                self.is_welcome = False
                self._hello_at_ns = now_ns - RETRY_NS
            return []
        if reply.code == "not_authorised" and not reply.command:
            raise NotAuthorisedError(reply.message)
        if reply.code == "no_such_auction" and self._reading.answered(reply.command):
            # Asking again would not help: whoever wanted it is told, and decides.
            self._wanted.discard(reply.command)
        elif reply.code in PUT_OFF:
            self._put_off(reply, now_ns)
        return [reply]

    def _put_off(self, reply: Refused, now_ns: int) -> None:
        """What the house does not answer now is asked later; without a name it may be any question that is pending."""
        for log in [reply.command] if reply.command else self._reading:
            self._reading.put_off(log, reply.retry_after_ns, now_ns)
        if not reply.command and self._listing_at_ns is not None:
            self._is_page_put_off = self._list_start > 0
            self._listing_at_ns = max(self._listing_at_ns, now_ns + reply.retry_after_ns - RELIST_NS)

    def _list_from(self, start: int, now_ns: int) -> None:
        self._is_page_put_off = False
        self._list_start = start
        self._listing_at_ns = now_ns
        self._send(List(start))

    def _catalogued(self, reply: Catalogue, now_ns: int) -> list[Notice]:
        if reply.start != self._list_start:
            # A late page of a listing that was begun anew: its first pages are forgotten.
            return []
        for listing in reply.listings:
            auction, terms = check_listing(listing, self.house)
            self._listed[auction] = terms
            self._announce(auction, terms, listing.announcement)
        self._compare_announcements()
        seen = reply.start + len(reply.listings)
        if reply.listings and seen < reply.total:
            self._list_from(seen, now_ns)
            return []
        self.catalogue = dict(self._listed)
        # A follower of everything asks again from time to time: handle_timer does.
        self._listing_at_ns = now_ns if self._follow_all else None
        if self._follow_all:
            self.follow(set(self.catalogue), now_ns)
        return [Listed(tuple(self.catalogue))]

    def _announce(self, auction: bytes, terms: Terms, announcement: bytes) -> None:
        if self.announcements.get(auction) == announcement:
            return
        checkpoint = check_announcement(announcement, self.house, auction, terms, self._begun_ns(auction))
        self.announcements[auction] = announcement
        self._announced_under[auction] = (checkpoint.size, checkpoint.root)

    def _begun_ns(self, auction: bytes) -> int | None:
        replica = self.replicas.get(auction)
        state = None if replica is None else replica.replay.auction
        return None if state is None else state.announced_ns

    def _subscribe(self, auctions: set[bytes], now_ns: int) -> None:
        ordered = sorted(auctions)
        for start in range(0, len(ordered), MAX_AUCTIONS_A_MESSAGE):
            self._send(Subscribe(tuple(ordered[start : start + MAX_AUCTIONS_A_MESSAGE])))
        for auction in ordered:
            if auction != REGISTRY_ID:
                self.replica(auction)
            self._heard_of_ns[auction] = now_ns
            self._read(auction, now_ns)

    def _ask_after_silent_logs(self, now_ns: int) -> None:
        # A subscription has no answer, and the last piece of a feed no successor: either may have been lost.
        silent = {auction for auction, heard_ns in self._heard_of_ns.items() if now_ns - heard_ns >= SILENCE_NS}
        ended = {auction for auction, replica in self.replicas.items() if replica.is_final}
        self._subscribe(silent - ended, now_ns)

    def _read(self, auction: bytes, now_ns: int) -> None:
        self._reading.asked(auction, now_ns)
        replica = self._replica(auction)
        assert replica is not None, "what is read is followed"
        self._send(Read(auction, replica.size))

    def _replica(self, log: bytes) -> Replica | RegistryReplica | None:
        return self.registry if log == REGISTRY_ID else self.replicas.get(log)

    def _extended(self, reply: Entries, now_ns: int) -> list[Notice]:
        replica = self._replica(reply.auction)
        if replica is None or reply.auction not in self._heard_of_ns:
            raise RemoteProtocolError("entries of a log that was not asked for")
        self._heard_of_ns[reply.auction] = now_ns
        try:
            return self._extend(replica, reply, now_ns)
        except HistoryChangedError as error:
            self.remind(error)
            raise

    def _extend(self, replica: Replica | RegistryReplica, reply: Entries, now_ns: int) -> list[Notice]:
        size = replica.size
        notice: Notice
        if isinstance(replica, Replica):
            applied = tuple(replica.extend(reply))
            if applied and not size and (announcement := self.announcements.get(reply.auction)) is not None:
                terms, begun_ns = replica.replay.state.terms, self._begun_ns(reply.auction)
                check_announcement(announcement, self.house, reply.auction, terms, begun_ns)
            notice = Advanced(reply.auction, applied, replica.is_verified and not replica.is_behind)
        else:
            entries = tuple(replica.extend(reply))
            notice = RegistryAdvanced(entries, replica.is_verified and not replica.is_behind)
            self._compare_announcements()
        if notice.applied:
            self._clock.dated(notice.applied[-1].entry.time_ns, now_ns)
        if self.is_welcome and not self._is_borne(replica, reply, now_ns):
            replica.check_answer(reply)
        if reply.start == size and (replica.size > size or not replica.is_behind):
            # An answer that holds nothing of what is missing is none: the question is repeated, but not at once.
            self._reading.answered(reply.auction)
        if reply.auction in self._short_since_ns:
            self._reading.asked(reply.auction, now_ns)
        if replica.is_behind and reply.auction not in self._reading:
            self._read(reply.auction, now_ns)
        return [notice]

    def _is_borne(self, replica: Replica | RegistryReplica, reply: Entries, now_ns: int) -> bool:
        """Whether an answer that falls short may yet be that of an instance to which the rest has not come so far."""
        if not self.patience_ns or not replica.is_short:
            self._short_since_ns.pop(reply.auction, None)
            return False
        since_ns = self._short_since_ns.setdefault(reply.auction, now_ns)
        is_copy = reply.auction in self.copies
        return now_ns - since_ns < (max(COPY_PATIENCE_NS, self.patience_ns) if is_copy else self.patience_ns)

    def _stamped(self, reply: ClockHead, now_ns: int) -> list[Notice]:
        replica = self.replicas.get(reply.auction)
        if replica is None or reply.auction not in self._heard_of_ns:
            raise RemoteProtocolError("a clock head of a log that was not asked for")
        self._heard_of_ns[reply.auction] = now_ns
        kept = replica.stamp(reply.note)
        self._clock.stamped(kept.head.time_s, now_ns)
        if replica.is_behind and reply.auction not in self._reading:
            self._read(reply.auction, now_ns)
        return [Stamped(reply.auction, kept)]

    def _compare_announcements(self) -> None:
        """A house that shows one registry to us and proves announcements from another is caught here."""
        for auction, (size, root) in list(self._announced_under.items()):
            if size <= self.registry.size:
                if self.registry.root(size) != root:
                    raise VerificationError("the registry is another one than that of an announcement", rule=RULE)
                del self._announced_under[auction]
            else:
                self.registry.expect(size)
