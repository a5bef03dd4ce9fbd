"""The sequencer: gather a batch, run due timers, decide, commit, sign, release (DESIGN.md section 3).

Single-threaded and pure. Every method that takes ``now_ns`` returns effects; when they hold a :class:`Commit`, nothing
may be called but :meth:`House.committed`, after it is durable, or :meth:`House.rolled_back`. Time never goes back here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial

from auctionctl.auction.command_id import command_id
from auctionctl.auction.events import GapCause, Left
from auctionctl.auction.terms import decode_terms
from auctionctl.errors import RemoteProtocolError, TermsError
from auctionctl.house.admission import Admission
from auctionctl.house.answers import no_such_auction
from auctionctl.house.auction_log import AuctionLog
from auctionctl.house.clock_heads import ClockHeads
from auctionctl.house.condition import HALTED, Company, Warnings, condition_of
from auctionctl.house.effects import Commit, Effect, Send
from auctionctl.house.finishing import FINISH, take_out
from auctionctl.house.gaps import RECONNECT_GRACE_NS, Gaps, Outage
from auctionctl.house.greeting import greet
from auctionctl.house.holdings import Holdings
from auctionctl.house.intake import DECODERS, Request, refused
from auctionctl.house.judge import Judge
from auctionctl.house.key_commands import KEY_COMMANDS, KeyCommands
from auctionctl.house.limits import Limits, check_announced, check_share
from auctionctl.house.log import HouseLog
from auctionctl.house.metrics import Tally
from auctionctl.house.outbox import Outbox, no_room
from auctionctl.house.presence import Presence
from auctionctl.house.questions import Questions
from auctionctl.house.quotas import Quotas
from auctionctl.house.recovery import Rebuild
from auctionctl.house.registry import RegistryLog
from auctionctl.house.reminders import REMIND, Reminders, heed
from auctionctl.house.reputation import say_conduct
from auctionctl.house.room import STALL_NS, Room
from auctionctl.keys.allowlist import AllowList
from auctionctl.keys.signing import SecretKey
from auctionctl.replica.registry import REGISTRY_ID, Announced
from auctionctl.wire.frames import Message, is_signed_by, message_type
from auctionctl.wire.measures import Measure
from auctionctl.wire.messages import Bye, List, Read, Remind, Status, Subscribe, decode_request, encode


class House:
    """All auctions of one house. ``key`` signs; ``allowed`` who may come in, but for whom ``registry`` has ended."""

    def __init__(
        self, key: SecretKey, limits: Limits, allowed: AllowList, now_ns: int, registry: RegistryLog | None = None
    ) -> None:
        self.identity = key.identity
        self.limits = limits
        self.presence = Presence()
        self.warnings = Warnings()
        """What keeps this house from its work: told to whoever asks."""
        self.company = Company()
        self.registry = registry or RegistryLog(key)
        self._admission = Admission(allowed, self.warnings)
        self.allowed = self._admission.in_force(self.registry.state)
        self.quotas = Quotas(limits, allowed, self.presence.peers)
        self.started_ns = now_ns
        self.tally = Tally()
        self._key = key
        self._held = Holdings()
        self._outbox = Outbox(key, self.tally)
        self._clock_heads = ClockHeads(key)
        self._questions = Questions(self._outbox, self._clock_heads, self._find)
        self._now_ns = now_ns
        """When the house last looked after everything: no entry is later, and the next one not earlier."""
        self._reminders = Reminders(key.identity)
        self._gaps = Gaps()
        self._room = Room()
        at_hand = (self._held, self._outbox, self._room, self._reminders, self.presence, self.quotas)
        self._judge = Judge(*at_hand, settle=self._settle_phase, not_here=self._not_here)
        self._key_commands = KeyCommands(self._outbox, self._room, self.presence.peers)
        self._gateway_lost_ns: int | None = None
        self._in_flight = False
        self._is_registry_behind = True
        """Whether the registry may say something else than the allow list that is in force."""

    # What there is

    @property
    def logs(self) -> Sequence[AuctionLog]:
        """Every auction, in the order of announcement."""
        return self._held.in_order

    @property
    def live_count(self) -> int:
        """How many auctions have not ended."""
        return self._held.live_count

    @property
    def held_live_count(self) -> int:
        """As :attr:`live_count`, of those alone that are held here: what a whole house of several instances adds up."""
        return self._held.live_count

    @property
    def unfinished_count(self) -> int:
        """How many auctions have an end to come, be it of the bidding or of the settlement of a sale."""
        return self._held.unfinished_count

    @property
    def unfinished_of_all(self) -> int:
        """As :attr:`unfinished_count`, of the whole house, of which this may be one instance of several."""
        return self.unfinished_count

    @property
    def has_room(self) -> bool:
        """Whether another auction can be announced now."""
        return self.live_count < self.limits.max_concurrent_auctions and self.registry.is_writable

    def take_turned(self) -> list[AuctionLog]:
        """The auctions whose phase has changed since the last call; while no commit is in flight, durably."""
        return self._held.take_turned()

    def take_closed(self) -> list[AuctionLog]:
        """As :meth:`take_turned`, of those alone whose bidding this house has ended, each of them once."""
        return self._held.take_closed()

    def find_listing(self, seller: bytes, listing: str) -> AuctionLog | None:
        """The auction that ``seller`` (signing key) announced under this name, ended or not, if it is still held."""
        auction = self.registry.state.find_listing(seller, listing)
        return None if auction is None else self._held.get(auction)

    def log(self, auction: bytes) -> AuctionLog:
        """The auction of this id; NotFoundError."""
        return self._held[auction]

    # Starting

    def adopt(
        self,
        registry: RegistryLog,
        logs: Sequence[AuctionLog],
        last_alive_ns: int | None,
        now_ns: int,
        reminders: Iterable[Remind] = (),
    ) -> list[Effect]:
        """Take on recovered logs. Nobody could bid since ``last_alive_ns``: every auction that runs gets a gap.

        ``reminders`` are what halted logs before: those that the logs still contradict, halt them again.
        """
        # While there was no gateway the house was not alive, and its logs went on: they may have come further.
        logs = list(logs)
        dated_ns = (registry.state.last_time_ns, *(log.auction.last_time_ns for log in logs))
        now_ns = self._now_ns = self._at(max(now_ns, last_alive_ns or 0, *dated_ns))
        self.registry = registry
        self.allowed = self._admission.in_force(registry.state)
        for log in logs:
            self._held.register(log)
        halted = [halt for each in reminders for halt in self._remind(each)]
        self._keep_registry(now_ns)
        since_ns = now_ns if last_alive_ns is None else last_alive_ns
        self._append_gaps(Outage(since_ns, now_ns + RECONNECT_GRACE_NS, GapCause.RESTART), now_ns)
        for log in self._held.running:
            self.presence.expect(log.auction.watched, now_ns)
        return halted + self._commit()

    def announce(self, terms_body: bytes, signature: bytes, now_ns: int) -> list[Effect]:
        """Begin an auction under terms signed by their seller. Raises TermsError; then nothing has changed."""
        now_ns = self._at(now_ns)
        if not is_signed_by(decode_terms(terms_body).seller, terms_body, signature):
            raise TermsError("these terms are not signed by their seller")
        self._append_owed_gaps(now_ns)
        # Even if nothing comes of it: what the registry has to say is true, and the next batch says it.
        self._keep_registry(now_ns)
        self._open_log(terms_body, signature, now_ns)
        self._note_stall(now_ns)
        return self._commit()

    def _open_log(self, terms_body: bytes, signature: bytes, now_ns: int) -> AuctionLog:
        """The log of a new auction, and its announcement, in the current batch. TermsError changes nothing."""
        log = AuctionLog.announce(self._key, terms_body, signature, now_ns)
        if (reason := self._reminders.why(log.id, REGISTRY_ID)) is not None:
            raise TermsError(f"nothing can be announced: {reason}")
        terms = log.auction.terms
        announced = Announced(log.id, terms.seller, terms.listing)
        check_announced(announced, self.registry.state, self.live_count, self.limits, now_ns)
        self.registry.add(announced, now_ns)
        self._held.register(log)
        self._held.touch(log)
        return log

    def _keep_registry(self, now_ns: int) -> None:
        """The registry says whom the allow list in force lets in."""
        if self._is_registry_behind and self.registry.is_writable:
            self.registry.admit(self.allowed, now_ns)
            self._is_registry_behind = False

    def forget(self, log: AuctionLog) -> None:
        """``log``, which has ended, is kept elsewhere from now on; it stays announced, and is not sold again."""
        assert not self._in_flight
        self._held.forget(log)

    # Time

    def get_timer(self) -> int | None:
        """When :meth:`handle_timer` has to be called, or None. Deadlines stand still while there is no gateway."""
        if self._gateway_lost_ns is not None:
            return None
        times = (self._held.next_ns(), self.presence.next_ns(), self._clock_heads.get_timer())
        return min((self._room.not_before(at_ns) for at_ns in times if at_ns is not None), default=None)

    def handle_timer(self, now_ns: int) -> list[Effect]:
        """Do what is due. To be called at least every STALL_NS / 2 while anything runs: a longer silence is a gap."""
        return self.handle((), now_ns)

    def _at(self, now_ns: int) -> int:
        """The time here. It does not count as having looked after anything: a stall would go unnoticed."""
        assert not self._in_flight, "a commit is in flight"
        return max(self._now_ns, now_ns)

    def _note_stall(self, now_ns: int) -> None:
        last_ns, self._now_ns = self._now_ns, now_ns
        if now_ns - last_ns > STALL_NS and self._gateway_lost_ns is None:
            self._append_gaps(Outage(last_ns, now_ns, GapCause.STALLED), now_ns)

    def _run_due(self, now_ns: int) -> None:
        if self._gateway_lost_ns is not None:
            return
        for log in self._held.take_due(now_ns):
            self._settle_phase(log, now_ns)
        for identity in self.presence.take_gone(now_ns):
            for log in self._held.running:
                if log.auction.watches(identity):
                    log.add_event(Left(identity), now_ns)
                    self._settle_phase(log, now_ns)
        self._clock_heads.fall_due(now_ns, self._held.by_id)

    def _settle_phase(self, log: AuctionLog, now_ns: int) -> None:
        while (event := log.auction.due(now_ns, log.reserve)) is not None:
            log.add_event(event, now_ns)
            self._held.turn(log)
        if log.auction.outcome is not None:
            self._clock_heads.ended(log.id)
        self._held.touch(log)

    def _append_gaps(self, outage: Outage, now_ns: int) -> None:
        for log in self._gaps.say(outage, self._held.running, now_ns):
            self._held.touch(log)

    def _append_owed_gaps(self, now_ns: int) -> None:
        for outage in self._gaps.take_owed(self._room.say(now_ns, self._gateway_lost_ns)):
            self._append_gaps(outage, now_ns)

    # The gateway

    def gateway_lost(self, now_ns: int) -> None:
        """Nobody can reach the house from now on; deadlines stand still, and no bidder is to blame."""
        last_ns, now_ns = self._now_ns, self._at(now_ns)
        if self._gateway_lost_ns is None:
            self._gateway_lost_ns = last_ns if now_ns - last_ns > STALL_NS else now_ns
        self._now_ns = now_ns
        self.presence.end_all(now_ns)
        self._questions.subscriptions.end_all()

    def gateway_silent(self, since_ns: int) -> None:
        """Nothing comes from the gateway any more. It may yet live: deadlines stand still, and its sessions stay."""
        if self._gateway_lost_ns is None:
            self._gateway_lost_ns = since_ns

    def gateway_back(self, now_ns: int) -> list[Effect]:
        """A gateway serves again: the time without one becomes a gap, with time to reconnect."""
        now_ns = self._at(now_ns)
        self._append_owed_gaps(now_ns)
        self._note_stall(now_ns)
        lost_ns, self._gateway_lost_ns = self._gateway_lost_ns, None
        if lost_ns is not None:
            self._append_gaps(Outage(lost_ns, now_ns + RECONNECT_GRACE_NS, GapCause.GATEWAY_LOST), now_ns)
            for log in self._held.running:
                self.presence.expect(log.auction.watched, now_ns)
        return self._commit()

    def set_allowed(self, allowed: AllowList, now_ns: int) -> list[Effect]:
        """Another allow list is in force: whoever it does not admit in its role has no session. Standing bids stay."""
        self._admission.take(allowed)
        self._is_registry_behind = True
        self._let_in(now_ns)
        return self.handle((), now_ns)

    def _let_in(self, now_ns: int) -> None:
        self.allowed = self._admission.in_force(self.registry.state)
        self._is_registry_behind |= self._admission.is_ahead
        for session in self.presence.not_admitted(self.allowed):
            self.session_ended(session, now_ns)

    def session_ended(self, session: int, now_ns: int) -> None:
        """The gateway has lost sight of a session."""
        self.presence.end(session, self._at(now_ns))
        self._questions.subscriptions.end(session)

    def alive_ns(self, now_ns: int) -> int:
        """Until when bidders could reach the house, for the store to keep: a restart begins its gap there.

        While they can, no entry was dated later: with one, or a clock head, the time goes with it into the store. But
        not later than a gap that is owed: whoever starts after a crash would know nothing of it.
        """
        reached_ns = max(self._now_ns, now_ns) if self._gateway_lost_ns is None else self._gateway_lost_ns
        return self._room.before_lack(self._gaps.before_owed(reached_ns))

    # Requests

    def handle(self, requests: Sequence[Request], now_ns: int) -> list[Effect]:
        """Judge a batch at one instant: what is due first, then the requests in order."""
        now_ns = self._at(now_ns)
        self.quotas.obey(self.limits, self.allowed)
        refuse = self.quotas.refuse
        types = [message_type(request.body) for request in requests]
        effects = heed(requests, partial(refuse, now_ns=now_ns), self._remind) if REMIND in types else []
        if self._room.is_awaited(now_ns):
            self._now_ns = now_ns
        else:
            self._append_owed_gaps(now_ns)
            self._note_stall(now_ns)
            self._keep_registry(now_ns)
            self._run_due(now_ns)
        for request, type_name in zip(requests, types, strict=True):
            if not request.body:
                self.session_ended(request.session, now_ns)
            elif type_name == "hello":
                self._greet(request, now_ns, effects)
            elif type_name == REMIND:
                continue  # It was heeded before everything else.
            elif (refusal := refuse(request, type_name, now_ns)) is not None:
                effects.append(Send(request.session, Message(encode(refusal))))
            else:
                try:
                    if type_name == "bid":
                        answer = self._judge.bid(request, self.registry, now_ns)
                    elif (decode := DECODERS.get(type_name)) is not None:
                        answer = self._judge.command(request, decode(request.body), self.registry, now_ns)
                    else:
                        answer = None
                        self._dispatch(type_name, request, now_ns, effects)
                except RemoteProtocolError as error:
                    answer = refused("malformed", str(error), command_id(request.body))
                if answer is not None:
                    effects.append(Send(request.session, answer))
        return effects + self._commit()

    def _dispatch(self, type_name: str, request: Request, now_ns: int, effects: list[Effect]) -> None:
        if type_name == "terms":
            self._offer(request, now_ns, effects)
        elif type_name == FINISH:
            within = take_out(request, self.identity.signing)
            command = DECODERS[message_type(within.body)](within.body)
            if (answer := self._judge.command(within, command, self.registry, now_ns)) is not None:
                effects.append(Send(request.session, answer))
        elif type_name in KEY_COMMANDS:
            peer = self.presence.peers[request.session]
            effects += self._key_commands.take(request, peer, self.registry, self.allowed, now_ns)
        else:
            self._inquire(request, now_ns, effects)

    def _greet(self, request: Request, now_ns: int, effects: list[Effect]) -> None:
        peer, answer = greet(request, self._key, self.allowed, now_ns, self.limits.queue)
        if peer is not None:
            self.presence.greet(request.session, peer, self.registry.state.successions.former(peer.identity.signing))
        effects += answer

    def _not_here(self, auction: bytes, command: bytes) -> Message:
        return no_such_auction(self.registry.state, auction, command)

    def _offer(self, request: Request, now_ns: int, effects: list[Effect]) -> None:
        """A seller's terms: the same ones again get a receipt again, others begin an auction if they can."""
        name = command_id(request.body)
        log = self._held.get(name)
        if (reason := self._reminders.why(name, *([REGISTRY_ID] if log is None else []))) is not None:
            effects.append(Send(request.session, refused("halted", reason, name)))
            return
        self._outbox.note_command(request.session, name, name)
        identity = self.presence.peers[request.session].identity.signing
        try:
            if not decode_terms(request.body).seller == request.signer == identity:
                raise TermsError("terms are signed by their session's identity")
            if log is None and self._room.is_awaited(now_ns):
                effects.append(Send(request.session, no_room(name)))
                return
            if log is None:
                check_share(identity, self.registry.state, self._catalogue(), self.limits, now_ns)
                log = self._open_log(request.body, request.signature, now_ns)
                self._held.turn(log)
        except TermsError as error:
            hint = f" ({error.hint})" if error.hint else ""
            effects.append(Send(request.session, refused("terms", f"{error}{hint}", name)))
        else:
            self._held.answer(log)
            log.owe_again(request.session, name)

    def _inquire(self, request: Request, now_ns: int, effects: list[Effect]) -> None:
        message = decode_request(request.body)
        if isinstance(message, List | Subscribe | Read | Measure):
            most = self.limits.max_subscriptions
            effects += self._questions.take(request.session, message, self.registry.state, most)
        elif isinstance(message, Status):
            effects.append(Send(request.session, Message(encode(condition_of(self, now_ns)))))
        else:
            assert isinstance(message, Bye), "intake lets no other type through"
            self.session_ended(request.session, now_ns)

    def _catalogue(self) -> Sequence[AuctionLog]:
        return self._held.in_order

    def _find(self, log_id: bytes) -> HouseLog | None:
        return self.registry if log_id == REGISTRY_ID else self._held.get(log_id)

    def _remind(self, reminder: Remind) -> list[Effect]:
        """A note that was signed here once: where the log says otherwise, nothing is written to it any more."""
        log = self._find(reminder.log)
        if log is None and reminder.log in self.registry.state.auctions:
            return []  # archived, or in quarantine: nothing is written to it anyway
        if (halt := self._reminders.judge(reminder, log)) is None:
            return []
        self._held.halted(reminder.log)
        self.warnings.say(HALTED, halt.reason, halt.log)
        return [halt]

    # The commit point

    def _commit(self) -> list[Effect]:
        """A batch that changes nothing needs no commit and is released at once, unless the time has to be durable."""
        if not self._room.is_awaited(self._now_ns):
            say_conduct(self.registry, self._held.take_ended(), self._now_ns)
        appends = [append for log in (self.registry, *self._held.dirty) if (append := log.to_append()) is not None]
        self._in_flight = True
        if not appends and not self._clock_heads.needs_commit:
            return self._release()
        self._clock_heads.committing(self.alive_ns(self._now_ns))
        return [Commit(tuple(appends))]

    def committed(self) -> list[Effect]:
        """Everything of the last commit is durable: now, and not before, it may be said. The feed goes first."""
        self._room.found()
        return self._release()

    def _release(self) -> list[Effect]:
        self._in_flight = False
        self._gaps.committed()
        changed = self._held.take_dirty()
        said = self._outbox.release(self.registry, changed, self._catalogue)
        self._questions.subscriptions.completed(changed)
        # A revocation or a rotation is in force now that it is durable; its holder was told of it first.
        if self._admission.is_behind(self.registry.state):
            self._let_in(self._now_ns)
        return said + self._clock_heads.release(self._held.by_id)

    def rolled_back(self, rebuild: Rebuild, rebuild_registry: Callable[[], RegistryLog]) -> list[Effect]:
        """Nothing of the last commit was written: drop what it changed, and refuse its commands for want of room.

        What time brought about is said again by the next batch: deadlines are due, gaps, admissions and deeds are owed,
        and whoever had left has the grace once more. ``rebuild`` replays a log from the store; None where it has none.
        """
        self._room.lacked(self._now_ns)
        self._drop(rebuild, rebuild_registry)
        return self._outbox.refuse_all(self._held.by_id)

    def _drop(self, rebuild: Rebuild, rebuild_registry: Callable[[], RegistryLog]) -> None:
        if self.registry.to_append() is not None:
            followers = self.registry.followers
            self.registry = rebuild_registry()
            self.registry.followers = followers
            self._is_registry_behind = True
            self._held.recall_ended()
        self._in_flight = False
        self._gaps.rolled_back()
        self._clock_heads.rolled_back()
        for log in self._held.take_dirty():
            stored = rebuild(log)
            self._held.replace(log, stored)
            if stored is not None:
                self.presence.expect(stored.auction.watched, self._now_ns)
