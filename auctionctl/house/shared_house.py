"""A house whose logs several instances share: each writes some of them, and follows the others in one store.

Rule: an instance judges, times and writes only what it holds; of everything else it answers what is durable, and says
where it is taken. Who holds what is decided elsewhere, by claims in the store; here it is only told. What the registry
has to say is said by whoever holds that: announcements, admissions, keys, and the conduct in all auctions that ended.

Source: DESIGN.md sections 7, 9 and 10.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Final

from auctionctl.auction.command_id import command_id
from auctionctl.auction.events import GapCause, Takeover
from auctionctl.errors import TermsError, VerificationError
from auctionctl.house.auction_log import AuctionLog, log_name
from auctionctl.house.effects import Effect, Publish, Send
from auctionctl.house.foreign import Foreign, not_yet_here
from auctionctl.house.gaps import RECONNECT_GRACE_NS, Outage
from auctionctl.house.house import House
from auctionctl.house.intake import Request
from auctionctl.house.key_commands import KEY_COMMANDS
from auctionctl.house.limits import Limits
from auctionctl.house.log import HouseLog
from auctionctl.house.recovery import Rebuild
from auctionctl.house.registry import RegistryLog
from auctionctl.house.room import STALL_NS
from auctionctl.house.takeovers import Taken, Takeovers, enter_takeover
from auctionctl.keys.allowlist import AllowList
from auctionctl.keys.signing import SecretKey
from auctionctl.replica.house_logs import auction_of
from auctionctl.replica.registry import REGISTRY, REGISTRY_ID
from auctionctl.wire.frames import Message
from auctionctl.wire.messages import Read, Remind, Subscribe, decode_request, encode

_OF_ONE_LOG: Final = frozenset({"terms", "subscribe", "read", *KEY_COMMANDS})
"""What is taken where a log is held, besides commands in an auction: those are found out about on their way."""


class SharedHouse(House):
    """One instance of a house. Without foreign logs it is a house like any other."""

    def __init__(
        self, key: SecretKey, limits: Limits, allowed: AllowList, now_ns: int, registry: RegistryLog | None = None
    ) -> None:
        super().__init__(key, limits, allowed, now_ns, registry)
        self._foreign = Foreign(key, self.warnings)
        self._takeovers = Takeovers()
        self._clock_ns: int | None = None
        """The time by the clock here, while a batch is dated ahead of it."""

    # What there is

    def holds(self, log_id: bytes) -> bool:
        """Whether this instance writes the log of this id, or is about to, or would if that could still grow."""
        if log_id == REGISTRY_ID:
            return not self.registry.is_foreign
        return self._held.get(log_id) is not None or self._takeovers.owes(log_id)

    @property
    def held_ids(self) -> list[bytes]:
        """The auctions that this instance writes, and that could be given to another; without the registry."""
        return [log.id for log in self._held.running if not log.auction.is_final]

    @property
    def foreign_ids(self) -> list[bytes]:
        """The auctions that other instances write, and that could be taken over; without the registry."""
        return [log.id for log in self._foreign.logs.values() if not log.is_halted]

    def is_quarantined(self, name: str) -> bool:
        """Whether the log of this name does not hold as it is here: it cannot be written here."""
        return self._foreign.is_quarantined(name)

    def can_read(self, log_id: bytes) -> bool:
        """Whether the log of this id is here, and holds. What is given is here before it is: so else it does not."""
        return not self.is_quarantined(REGISTRY) if log_id == REGISTRY_ID else self._find(log_id) is not None

    def announced_ns(self, log_id: bytes) -> int:
        """When the log of this id, which another instance writes, began."""
        log = self._foreign.logs.get(log_id)
        return 0 if log is None else log.times_ns[0]

    def is_gone_on_with(self, log_id: bytes, epoch: int) -> bool:
        """Whether the log of this id says that the holder by the claim of this epoch, or a later one, went on."""
        log = self._foreign.logs.get(log_id)
        takeover = None if log is None else log.auction.takeover
        return takeover is not None and takeover.epoch >= epoch

    @property
    def live_count(self) -> int:
        """How many auctions of the whole house have not ended."""
        going_on = (log.auction.outcome is None and not log.is_halted for log in self._foreign.logs.values())
        return super().live_count + sum(going_on)

    @property
    def unfinished_of_all(self) -> int:
        """How many auctions of the whole house have an end to come."""
        foreign = self._foreign.logs.values()
        return self.unfinished_count + sum(not log.auction.is_final and not log.is_halted for log in foreign)

    def find_listing(self, seller: bytes, listing: str) -> AuctionLog | None:
        """As in any house, whoever holds it."""
        auction = self.registry.state.find_listing(seller, listing)
        return None if auction is None else self._held.get(auction) or self._foreign.logs.get(auction)

    def _catalogue(self) -> Sequence[AuctionLog]:
        foreign, announced = self._foreign.logs, self.registry.state.auctions
        if not foreign:
            return self._held.in_order
        return sorted((*self._held, *foreign.values()), key=lambda log: announced[log.id].entry_index)

    def _find(self, log_id: bytes) -> HouseLog | None:
        return super()._find(log_id) or self._foreign.logs.get(log_id)

    # Starting

    def adopt(
        self,
        registry: RegistryLog,
        logs: Sequence[AuctionLog],
        last_alive_ns: int | None,
        now_ns: int,
        reminders: Iterable[Remind] = (),
        *,
        foreign: Collection[bytes] = (),
    ) -> list[Effect]:
        """As in any house; the logs whose ids are ``foreign``, the registry's perhaps, are another instance's."""
        self.registry = registry
        registry.is_foreign = REGISTRY_ID in foreign
        elsewhere = {log.id for log in logs if log.id in foreign and not log.auction.is_final}
        for log in logs:
            if log.id in elsewhere:
                self._foreign.add(log)
        reminders = list(reminders)
        # Of these too everything is here that was in the store: they are judged as if they were held, this once.
        halted = [halt for each in reminders if each.log in foreign for halt in super(SharedHouse, self)._remind(each)]
        held = [log for log in logs if log.id not in elsewhere]
        others = [each for each in reminders if each.log not in foreign]
        return halted + super().adopt(registry, held, last_alive_ns, now_ns, others)

    def announce(self, terms_body: bytes, signature: bytes, now_ns: int) -> list[Effect]:
        """As in any house, if this instance holds the registry. Raises TermsError; then nothing has changed."""
        if self.registry.is_foreign:
            raise TermsError("another instance of this house announces what it sells")
        return super().announce(terms_body, signature, now_ns)

    # What others write

    def absorb(self, name: str, start: int, entries: Sequence[bytes], now_ns: int) -> list[Effect]:
        """Another instance wrote ``entries``, from index ``start`` on, to the log called ``name``.

        What is here already is passed over. A log of this instance's own that another has written to is given up.
        """
        assert not self._in_flight, "a commit is in flight"
        if name == REGISTRY:
            return self._absorb_registry(start, entries, now_ns)
        try:
            auction = auction_of(name)
        except VerificationError as error:
            self._foreign.quarantine(name, str(error))
            return []
        effects: list[Effect] = []
        if (log := self._held.get(auction)) is not None:
            if start + len(entries) <= log.durable_size:
                return []
            effects = self.give_up({log.id: ""}, now_ns)
        if (foreign := self._foreign.logs.get(auction)) is not None and start + len(entries) > foreign.durable_size:
            self._takeovers.drop(auction)  # Somebody has taken it since: what came before a claim is here before it.
        return effects + self._ended_elsewhere([self._foreign.absorb(name, start, entries, self.registry.state)])

    def _absorb_registry(self, start: int, entries: Sequence[bytes], now_ns: int) -> list[Effect]:
        registry = self.registry
        if start + len(entries) <= registry.durable_size or self._foreign.is_quarantined(REGISTRY):
            return []
        registry.is_foreign = True
        try:
            said = registry.absorb(not_yet_here(registry.durable_size, start, entries))
        except VerificationError as error:
            self._foreign.quarantine(REGISTRY, str(error))
            return []
        if self._admission.is_behind(registry.state):
            self._let_in(now_ns)
        feed: list[Effect] = [Publish(registry.id, Message(encode(piece))) for piece in said]
        return feed + self._ended_elsewhere(self._foreign.announced(registry.state))

    def _ended_elsewhere(self, logs: Iterable[AuctionLog | None]) -> list[Effect]:
        """Those of ``logs`` are final now: they are everybody's, and their conduct is said by who has the registry."""
        ended = [log for log in logs if log is not None]
        for log in ended:
            self._held.register(log)
        return self._commit() if ended and self.registry.is_writable else []

    # Whose they are

    def set_holders(self, endpoints: Mapping[bytes, str]) -> None:
        """Where each log that is not held here is taken, by its id; one that is not among them is taken nowhere."""
        self._foreign.set_endpoints(endpoints)

    def take_over(self, log_id: bytes, instance: str, epoch: int, since_ns: int | None, now_ns: int) -> list[Effect]:
        """As :meth:`take_over_all`, of one log."""
        return self.take_over_all({log_id: (epoch, since_ns)}, instance, now_ns)

    def take_over_all(
        self,
        taken: Mapping[bytes, tuple[int, int | None]],
        instance: str,
        now_ns: int,
        clock_ns: int | None = None,
    ) -> list[Effect]:
        """These logs are this instance's from now on: it has claimed them, and has absorbed what came before that.

        ``taken`` is their ids → (epoch of the claim, since when nobody wrote it, if that is known). ``now_ns`` is not
        before anything that their holders have said in time; ``clock_ns`` is what the clock here says, if not that.
        """
        for log_id, (epoch, since_ns) in taken.items():
            if log_id == REGISTRY_ID:
                self._take_registry()
            elif (log := self._foreign.logs.get(log_id)) is not None:
                self._takeovers.owe(log_id, Taken(Takeover(instance, epoch), since_ns))
                now_ns = max(now_ns, log.auction.last_time_ns)
        self._clock_ns = clock_ns
        effects = self.handle((), max(now_ns, 0 if self.registry.is_foreign else self.registry.state.last_time_ns))
        self._clock_ns = None
        return effects

    def _note_stall(self, now_ns: int) -> None:
        """As in any house. What lies between the clock here and a takeover's date is no time in which it stood still.

        Only a deadline that is passed over would come early by that: it moves, as if nobody could bid meanwhile.
        Whoever is absent has the grace anew, which would be over early too.
        """
        if self._clock_ns is None:
            super()._note_stall(now_ns)
            return
        last_ns, self._now_ns = self._now_ns, now_ns
        clock_ns = max(last_ns, self._clock_ns)
        if self._gateway_lost_ns is not None:
            return
        if clock_ns - last_ns > STALL_NS:
            self._append_gaps(Outage(last_ns, clock_ns, GapCause.STALLED), now_ns)
        if now_ns - clock_ns > STALL_NS:
            passed = [log.id for log in self._held.running if (log.auction.get_timer() or now_ns + 1) <= now_ns]
            if passed:
                self._append_gaps(Outage(clock_ns, now_ns, GapCause.STALLED, tuple(sorted(passed))), now_ns)
            for log in self._held.running:
                self.presence.expect(log.auction.watched, now_ns)

    def _take_registry(self) -> None:
        if self._foreign.is_quarantined(REGISTRY):
            return
        self.registry.is_foreign = False
        self._is_registry_behind = True
        self._held.recall_ended()

    def latest_ns(self, now_ns: int) -> int:
        """The time here: nothing that this house has said is dated later, and nothing that it says now is earlier."""
        return max(self._now_ns, now_ns)

    def reached_ns(self, now_ns: int) -> int:
        """As :meth:`alive_ns`, for what becomes durable alone: no later than a gap begins that no log says durably yet.

        Whoever takes over begins its own gap there, and would know nothing of an earlier one.
        """
        at_ns = self._gaps.before_said(self.alive_ns(now_ns))
        return min(at_ns, self._now_ns) if now_ns - self._now_ns > STALL_NS else at_ns

    @property
    def owes_gaps(self) -> bool:
        """Whether there was a time in which nobody could bid that the logs do not say yet, for it was not written."""
        return self._gaps.is_owed

    def enter_outages(self, now_ns: int) -> list[Effect]:
        """The logs say until when nobody could bid, though it is not over: to be called before any is given away.

        Whoever goes on with one knows since when it was given, and of nothing before that.
        """
        now_ns = self._at(now_ns)
        self._append_owed_gaps(now_ns)
        self._note_stall(now_ns)
        if self._gateway_lost_ns is not None:
            lost_ns, self._gateway_lost_ns = self._gateway_lost_ns, now_ns
            self._append_gaps(Outage(lost_ns, now_ns + RECONNECT_GRACE_NS, GapCause.GATEWAY_LOST), now_ns)
        return self._commit()

    def give_up(self, endpoints: Mapping[bytes, str], now_ns: int) -> list[Effect]:
        """These logs, by their ids, are written elsewhere from now on, and taken at these endpoints, if not empty.

        Whoever follows them is told. To be called before another instance can write to them.
        """
        self._at(now_ns)
        effects: list[Effect] = []
        for log_id, endpoint in endpoints.items():
            self._takeovers.drop(log_id)
            if log_id == REGISTRY_ID:
                self.registry.is_foreign = True
            elif (log := self._held.get(log_id)) is not None and not log.auction.is_final:
                self._held.part_with(log)
                self._foreign.add(log)
                message = self._foreign.moved(log_id, endpoint=endpoint)
                effects += [Send(session, message) for session in sorted(self._questions.subscriptions.drop(log))]
        return effects

    def _run_due(self, now_ns: int) -> None:
        for log_id, taken in self._takeovers.take_owed().items():
            log = self._foreign.logs.get(log_id)
            if log is None or log.is_halted or log.auction.check(taken.takeover, now_ns) is not None:
                continue  # Its end has come, it stands still for good, or somebody else has taken it since.
            self._foreign.take(log_id)
            self._held.register(log)
            enter_takeover(log, taken, now_ns)
            self._held.touch(log)
            self._takeovers.said(log_id, taken)
            self.presence.expect(log.auction.watched, now_ns)
        super()._run_due(now_ns)

    # Requests

    def _dispatch(self, type_name: str, request: Request, now_ns: int, effects: list[Effect]) -> None:
        if type_name in _OF_ONE_LOG:
            if type_name == "subscribe":
                request = self._follow_elsewhere(request, effects)
            elif (message := self._elsewhere(type_name, request)) is not None:
                effects.append(Send(request.session, message))
                return
        super()._dispatch(type_name, request, now_ns, effects)

    def _elsewhere(self, type_name: str, request: Request) -> Message | None:
        """Where terms or a change of keys are taken, if not here, and what is not here yet can be read.

        The same terms again are known by the auction.
        """
        if type_name == "read":
            message = decode_request(request.body)
            assert isinstance(message, Read)
            return None if self._find(message.auction) is not None else self._moved(message.auction, b"")
        command = command_id(request.body)
        if type_name == "terms" and self._held.get(command) is not None:
            return None
        if type_name == "terms" and command in self._foreign.logs:
            return self._foreign.moved(command, command)
        return self._foreign.moved(REGISTRY_ID, command) if self.registry.is_foreign else None

    def _follow_elsewhere(self, request: Request, effects: list[Effect]) -> Request:
        """What is left of a subscription when everything is taken out that has to be followed elsewhere."""
        message = decode_request(request.body)
        assert isinstance(message, Subscribe)
        gone = {
            auction: moved
            for auction in message.auctions
            if auction != REGISTRY_ID and not self._held.get(auction) and (moved := self._moved(auction, b""))
        }
        if not gone:
            return request
        effects += [Send(request.session, moved) for moved in gone.values()]
        here = tuple(auction for auction in message.auctions if auction not in gone)
        return request._replace(body=encode(Subscribe(here)))

    def _not_here(self, auction: bytes, command: bytes) -> Message:
        return self._moved(auction, command) or super()._not_here(auction, command)

    def _moved(self, auction: bytes, command: bytes) -> Message | None:
        """Where to go with what is asked of an auction that is not held here; None where there is none."""
        if auction in self._foreign.logs:
            return self._foreign.moved(auction, command)
        if self.registry.is_foreign and not self._foreign.is_quarantined(log_name(auction)):
            # What is not here yet may be there: whoever has the registry knows for certain.
            endpoint = self._foreign.endpoint_of(auction) or self._foreign.endpoint_of(REGISTRY_ID)
            return self._foreign.moved(auction, command, endpoint)
        return None

    def _remind(self, reminder: Remind) -> list[Effect]:
        """Only who writes a log knows all of it at once: what is not held here may have come further than here."""
        may_lag = reminder.log in self._foreign.logs or (
            self.registry.is_foreign and self._held.get(reminder.log) is None
        )
        return [] if may_lag else super()._remind(reminder)

    # The commit point

    def _release(self) -> list[Effect]:
        self._takeovers.committed()
        return super()._release()

    def _drop(self, rebuild: Rebuild, rebuild_registry: Callable[[], RegistryLog]) -> None:
        super()._drop(rebuild, rebuild_registry)
        for log_id in self._takeovers.take_back():
            log = self._held[log_id]
            self._held.part_with(log)
            self._foreign.add(log)

    def overtaken(
        self,
        name: str,
        rebuild: Rebuild,
        rebuild_registry: Callable[[], RegistryLog],
        now_ns: int,
        endpoint: str = "",
    ) -> list[Effect]:
        """The last commit was refused, for another instance writes the log called ``name``: nothing was written.

        The batch is dropped as in :meth:`rolled_back`, that log is another's, and whoever sent a command that was in
        the batch is told to send it again. ``endpoint`` is where the log is taken, if that is known.
        """
        self._room.dropped()
        self._drop(rebuild, rebuild_registry)
        log_id = REGISTRY_ID if name == REGISTRY else auction_of(name)
        effects = self._outbox.move_all(
            self._held.by_id, lambda log, command: self._foreign.moved(log, command, endpoint if log == log_id else "")
        )
        return effects + self.give_up({log_id: endpoint}, now_ns)
