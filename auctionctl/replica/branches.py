"""One core at a house of several instances: where its session is, and the sessions that it needs elsewhere.

The core (a :class:`~auctionctl.replica.follower.Follower`, or what has one) knows one house. Its own session is at the
*home*, one place of the address; where nobody answers there, the next place is the home. What the house says is taken
elsewhere goes there, over a session of the same key and role that is opened for that: commands as the same bytes, and
subscriptions anew. What comes from any of them is the core's to verify, as always.

Rule: a house in one place that never says ``moved`` is spoken to exactly as if this module were not there. That a log
has moved is not signed: it is heeded of what was asked alone, a few times, and to few places. Pure: the shell opens
what :meth:`Branches.open_places` names, and hands in nonces and times. Source: DESIGN.md sections 5 and 8.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Any, Final

from auctionctl.auction.terms import SECOND_NS
from auctionctl.replica.core import Core
from auctionctl.replica.destinations import UNANSWERED, is_of, log_of, names_of, subscribed_in, subscription
from auctionctl.replica.place_budget import MAX_AN_HOUR, PlaceBudget
from auctionctl.replica.place_session import ASK_AGAIN_NS, DEAF_NS, HELLO_NS, PING_NS, UNUSED_NS, PlaceSession
from auctionctl.replica.rounds import Rounds
from auctionctl.wire.frames import Message, message_type
from auctionctl.wire.messages import Bye, Entries, Moved, Ping, Pong, Refused, Welcome, decode_reply, encode

MAX_AWAY: Final = 15
"""Sessions elsewhere than at home: a house of more instances than an address may name is none of ours."""
RECENT_COMMANDS: Final = 256
LEAST_RETRY_NS: Final = SECOND_NS // 10
MOST_RETRY_NS: Final = 10 * SECOND_NS
SHORTFALL_NS: Final = 10 * SECOND_NS
"""How long an instance may know less of a log than another has signed: an overtaken one notices within that."""
GONE_TRIES: Final = 3
"""How often a log is no such auction before that is believed: one instance may know it, and another not yet."""
MAX_GONE: Final = 4_096
MAX_LOGS: Final = 16_384
"""Of so many logs it is remembered where they are; whoever follows more is told again, where it asks."""
MAX_TOLD: Final = 256
NEVER_NS: Final = 1 << 62
FIRST_TOKEN: Final = 2**52
"""Of our own pings; those of cores are far below."""

_MOVED: Final = b"\xa5moved"


class Branches:
    """The places of one house, for ``core``. ``places`` are those of its address, ``host:port``, in order of choice."""

    def __init__(self, core: Core, places: Sequence[str], now_ns: int) -> None:
        self.home = places[0]
        self._core = core
        self._places = tuple(places)
        self._sessions = {self.home: PlaceSession(None, now_ns, heard_ns=now_ns)}
        self._where: dict[bytes, str] = {}
        """Log → the place that takes what is about it, as far as that is not the home."""
        self._told_where: dict[bytes, str] = {}
        """Log → the place that the house has named last."""
        self._later: dict[bytes, int] = {}
        """Log that nobody has just now → when the home is asked again."""
        self._held_back: dict[bytes, list[Message]] = {}
        self._rounds = Rounds()
        self._passed_on = Rounds()
        """Of commands, by their signatures: how often each was sent on elsewhere."""
        self._budget = PlaceBudget()
        self._shunned_until_ns: dict[str, int] = {}
        self._recent: deque[Message] = deque(maxlen=RECENT_COMMANDS)
        self._gone: dict[bytes, int] = {}
        self._outgoing: list[tuple[str, Message]] = []
        self._notes: list[str] = []
        self._told: deque[str] = deque(maxlen=MAX_TOLD)
        self._refusals = 0
        self._tokens = FIRST_TOKEN
        self._must_greet_home = False
        self._is_spread = False
        if len(places) > 1:
            self._is_spread = True
            self._be_patient()

    def _be_patient(self) -> None:
        """It is a house of several instances, by its address or its signature: what is under way is not lost."""
        self._core.follower.patience_ns = SHORTFALL_NS

    # The shell's moves

    def open_places(self) -> tuple[str, ...]:
        """Where there have to be connections now; the home is the first."""
        return self.home, *(place for place in self._sessions if place != self.home)

    def take_notes(self) -> list[str]:
        """What people should know, in words, since the last call."""
        notes, self._notes = self._notes, []
        return notes

    def connected(self, place: str, nonce: bytes, now_ns: int) -> None:
        """The transport to ``place`` is up (again): greet. ``nonce`` is 16 fresh bytes."""
        session = self._sessions[place]
        session.is_connected, session.is_refused = True, False
        session.heard_ns, session.asked_ns = now_ns, None
        session.hello_at_ns = now_ns
        if session.greeting is None:
            self._must_greet_home = False
            self._outgoing = [each for each in self._outgoing if each[0] != place]
            self._core.connected(nonce, now_ns)
            return
        session.is_welcome = False
        session.nonces.append(nonce)
        self._outgoing = [each for each in self._outgoing if each[0] != place]
        self._outgoing.append((place, session.greeting.hello(nonce, now_ns)))

    def disconnected(self, place: str, now_ns: int) -> None:
        """The transport to ``place`` is down."""
        session = self._sessions[place]
        session.is_connected = session.is_welcome = False
        session.since_ns, session.asked_ns, session.hello_at_ns = now_ns, None, None
        self._outgoing = [each for each in self._outgoing if each[0] != place]
        if place == self.home:
            self._core.disconnected()
        else:
            self._ask_home(self._logs_at(place), now_ns)

    def unreached(self, place: str) -> None:
        """Nobody listens at ``place``, as far as was tried."""
        self._sessions[place].is_refused = True

    def refused(self, place: str, now_ns: int) -> bool:
        """``place`` does not know our key; whether none of the house's places does."""
        if place != self.home:
            self._note(f"{place} does not let this key in, where the house says that it takes something")
            self._give_up(place, now_ns)
            return False
        self._refusals += 1
        if self._refusals >= len(self._places):
            return True
        self._move_home(now_ns)
        return False

    def needs_hello(self, place: str, now_ns: int) -> bool:
        """Whether to greet ``place`` (again), by :meth:`connected`."""
        session = self._sessions.get(place)
        if session is None:
            return False
        if session.greeting is None:
            return self._must_greet_home or self._core.needs_hello(now_ns)
        if not session.is_connected or session.is_welcome:
            return False
        return session.hello_at_ns is None or now_ns - session.hello_at_ns >= HELLO_NS

    def receive(self, place: str, message: Message, now_ns: int) -> Sequence[Any]:
        """What one message from ``place`` means to the core. Raises what that raises."""
        if not self._is_spread and message.body[1:7] != _MOVED:
            return self._core.receive(message, now_ns)
        session = self._sessions.get(place)
        if session is None:
            return ()  # It was given up meanwhile.
        session.heard_ns = now_ns
        reply = decode_reply(message.body)
        if isinstance(reply, Pong):
            return self._core.receive(message, now_ns) if session.greeting is None and reply.token < FIRST_TOKEN else ()
        session.asked_ns = None
        if isinstance(reply, Moved):
            self._moved(place, reply, now_ns)
            return ()
        if isinstance(reply, Welcome) and session.greeting is None and reply.nonce in session.nonces:
            return ()  # A slow instance answers the hello of before its place became the home.
        if isinstance(reply, Welcome) and session.greeting is not None:
            if reply.nonce not in list(session.nonces)[:-1]:  # A slow instance may answer a hello that was repeated.
                session.greeting.check(reply, message.body, message.signature)
                self._welcomed(place, session, now_ns)
            return ()
        if isinstance(reply, Refused) and self._keeps_to_itself(place, session, reply, now_ns):
            return ()
        if isinstance(reply, Entries):
            self._answered(place, reply.auction)
        notices = self._core.receive(message, now_ns)
        if isinstance(reply, Welcome) and self._core.is_welcome:
            session.since_ns, self._refusals = now_ns, 0
        return notices

    def take_outgoing(self, now_ns: int) -> list[tuple[str, Message]]:
        """What has to be sent now, and where to, in order."""
        messages = self._core.take_outgoing()
        self._recent.extend(message for message in messages if message.signature)
        if not self._is_spread:
            return [(self.home, message) for message in messages]
        for message in messages:
            self._route(message, now_ns)
        outgoing, self._outgoing = self._outgoing, []
        for place, message in outgoing:
            session = self._sessions.get(place)
            if session is not None and session.asked_ns is None and message_type(message.body) not in UNANSWERED:
                session.asked_ns = now_ns
        return [each for each in outgoing if each[0] in self._sessions]

    def say_bye(self) -> None:
        """Tell every instance that our session there ends. What was sent stays sent."""
        self._outgoing.clear()
        self._core.say_bye()
        bye = Message(encode(Bye()))
        self._outgoing += [(place, bye) for place, session in self._sessions.items() if session.is_welcome]

    def get_timer(self) -> int | None:
        """When :meth:`handle_timer` should be called, or None."""
        timer_ns = self._core.get_timer()
        if not self._is_spread:
            return timer_ns
        times = [*self._later.values(), *(self._due_ns(place) for place in self._sessions)]
        if self._must_greet_home:
            times.append(0)
        if timer_ns is not None:
            times.append(timer_ns)
        return min(times)

    def handle_timer(self, now_ns: int) -> None:
        """Do what is due."""
        timer_ns = self._core.get_timer()
        if timer_ns is not None and timer_ns <= now_ns:
            self._core.handle_timer(now_ns)
        if not self._is_spread:
            return
        for place in list(self._sessions):
            if place in self._sessions and self._due_ns(place) <= now_ns:
                self._tend(place, now_ns)
        due = [log for log, at_ns in self._later.items() if at_ns <= now_ns]
        if due and self._core.is_welcome:
            for log in due:
                del self._later[log]
                for message in self._held_back.pop(log, ()):
                    self._post(self.home, message)
            self._ask_home(due, now_ns)
        elif due:
            self._later.update((log, now_ns + ASK_AGAIN_NS) for log in due)

    # What a place says

    def _moved(self, place: str, moved: Moved, now_ns: int) -> None:
        log, target = moved.log, moved.endpoint
        command = self._find(moved.command)
        if not (self._core.follower.follows(log) if command is None else is_of(command, log)):
            return  # It concerns nothing of ours.
        self._is_spread = True
        is_news = self._where.get(log, self.home) != target
        is_hop = bool(target) and self._told_where.get(log) != target
        if log not in self._told_where and len(self._told_where) >= MAX_LOGS:
            self._forget(next(iter(self._told_where)))
        self._told_where[log] = target or self._told_where.get(log, "")
        self._core.follower.copies.add(log)
        rest_ns = self._rounds.rest_ns(log, is_hop, now_ns)
        if rest_ns and self._rounds.is_circle(log):
            self._note(f"the house sends us round in circles for {_named(log)}")
        if rest_ns or not target or target == place or not self._open(target, now_ns):
            self._where.pop(log, None)
            wait_ns = min(max(moved.retry_ns, LEAST_RETRY_NS, rest_ns), MOST_RETRY_NS)
            self._wait_with(log, command, now_ns + wait_ns)
            return
        self._later.pop(log, None)
        waiting = [*self._held_back.pop(log, ()), *([] if command is None else [command])]
        self._where[log] = target
        for message in waiting:
            self._pass_on(log, target, message, now_ns)
        if is_news:
            for message in self._core.follower.ask_anew([log], now_ns):
                self._forward(target, message)

    def _pass_on(self, log: bytes, place: str, command: Message, now_ns: int) -> None:
        """Send ``command`` on to ``place``, unless it is sent to and fro."""
        is_hop = self._sessions[place].is_welcome  # Before that it waits there once, however often it is sent.
        if rest_ns := self._passed_on.rest_ns(command.signature, is_hop, now_ns):
            self._wait_with(log, command, now_ns + rest_ns)
        else:
            self._forward(place, command)

    def _wait_with(self, log: bytes, command: Message | None, until_ns: int) -> None:
        """Ask for ``log`` again then, at home, and send ``command`` there."""
        self._later[log] = max(self._later.get(log, 0), until_ns)
        held_back = self._held_back.setdefault(log, [])
        if command is not None and command not in held_back:
            held_back.append(command)
            del held_back[:-RECENT_COMMANDS]

    def _forget(self, log: bytes) -> None:
        """Where ``log`` is taken; what asks for it goes to the home again."""
        for known in (self._told_where, self._where, self._later, self._held_back):
            known.pop(log, None)
        self._core.follower.copies.discard(log)

    def _find(self, command: bytes) -> Message | None:
        found = (message for message in reversed(self._recent) if command in names_of(message))
        return next(found, None) if command else None

    def _open(self, place: str, now_ns: int) -> bool:
        """Have a session at ``place``, if that can be."""
        if place in self._sessions:
            return True
        if self._shunned_until_ns.get(place, 0) > now_ns:
            return False
        if len(self._sessions) > MAX_AWAY:
            self._note(f"the house names more than {MAX_AWAY + 1} places: the others are not gone to")
            return False
        if place not in self._places and not self._budget.grants(place, now_ns):
            self._note(f"the house names more than {MAX_AN_HOUR} new places in an hour: the others are not gone to")
            return False
        greeting = self._core.follower.another_greeting()
        self._sessions[place] = PlaceSession(greeting, now_ns, heard_ns=now_ns, ask_again_ns=now_ns + ASK_AGAIN_NS)
        self._sessions[place].used_ns = now_ns
        return True

    def _welcomed(self, place: str, session: PlaceSession, now_ns: int) -> None:
        session.is_welcome, session.since_ns = True, now_ns
        self._be_patient()
        session.ping_at_ns = now_ns + PING_NS
        self._outgoing += [(place, message) for message in session.queue]
        session.queue.clear()

    def _keeps_to_itself(self, place: str, session: PlaceSession, refused: Refused, now_ns: int) -> bool:
        """Whether a refusal is of no concern to the core, as another instance may see it otherwise."""
        log = refused.command
        if refused.code == "no_such_auction" and log:
            if len(self._gone) > MAX_GONE:
                self._gone.clear()
            self._gone[log] = self._gone.get(log, 0) + 1
            if self._gone[log] < GONE_TRIES:
                if self._core.follower.follows(log):
                    self._later.setdefault(log, now_ns + SECOND_NS // 2)
                return True
            return False
        if log:
            return False
        if refused.code == "closing" and len(self._places) + len(self._sessions) > 2:
            self._give_up(place, now_ns)
            return True
        if session.greeting is None:
            if refused.code != "not_authorised" or self._refusals + 1 >= len(self._places):
                return False
            self._refusals += 1
            self._move_home(now_ns)
            return True
        if refused.code == "no_session":
            session.is_welcome, session.hello_at_ns = False, None
            return True
        if refused.code == "not_authorised":
            self.refused(place, now_ns)
            return True
        return False

    def _answered(self, place: str, log: bytes) -> None:
        """Entries of ``log`` come from ``place``: whether that is who writes it, or has a copy."""
        if not self._core.follower.follows(log):
            return
        self._gone.pop(log, None)
        copies = self._core.follower.copies
        if self._where.get(log, self.home) == place and log not in self._later:
            copies.discard(log)
        else:
            copies.add(log)

    # Where things go

    def _route(self, message: Message, now_ns: int) -> None:
        if logs := subscribed_in(message):
            by_place: dict[str, list[bytes]] = {}
            for log in logs:
                by_place.setdefault(self._where.get(log, self.home), []).append(log)
            for place, some in by_place.items():
                self._post(place, message if len(by_place) == 1 else subscription(tuple(some)))
            return
        about = log_of(message)
        place = self.home if about is None else self._where.get(about, self.home)
        self._post(place, message)
        self._sessions[place].used_ns = now_ns

    def _post(self, place: str, message: Message) -> None:
        session = self._sessions[place]
        if session.greeting is None or session.is_welcome:
            self._outgoing.append((place, message))
        elif message not in session.queue:
            session.queue.append(message)

    def _forward(self, place: str, message: Message) -> None:
        """As :meth:`_post`, what the core does not know of; at home it asks for everything once it is welcome."""
        if place != self.home or self._core.is_welcome:
            self._post(place, message)

    def _logs_at(self, place: str) -> list[bytes]:
        return [log for log, where in self._where.items() if where == place]

    def _ask_home(self, logs: Sequence[bytes], now_ns: int) -> None:
        """Where are ``logs`` now? What asks for them goes to the home, which says ``moved`` if it is elsewhere."""
        for log in logs:
            self._where.pop(log, None)
        if logs and self._core.is_welcome:
            for message in self._core.follower.ask_anew(logs, now_ns):
                self._post(self.home, message)

    # Places that do not answer

    def _due_ns(self, place: str) -> int:
        """When there is something to do about ``place``; far away if there is not."""
        session = self._sessions[place]
        if session.greeting is not None:
            return session.due_ns()
        if self._core.is_welcome:
            return min(session.ping_at_ns, session.failing_ns())
        return NEVER_NS if len(self._places) == 1 else session.unwelcome_home_until_ns()

    def _tend(self, place: str, now_ns: int) -> None:
        session = self._sessions[place]
        is_home = session.greeting is None
        if is_home and not self._core.is_welcome:
            self._move_home(now_ns)
        elif is_home or session.is_welcome:
            if session.failing_ns() <= now_ns:
                self._give_up(place, now_ns)
            elif session.ping_at_ns <= now_ns:
                self._tokens += 1
                session.ping_at_ns = now_ns + PING_NS
                self._outgoing.append((place, Message(encode(Ping(self._tokens)))))
        elif session.ask_again_ns <= now_ns:
            session.ask_again_ns = now_ns + ASK_AGAIN_NS
            if now_ns - session.since_ns >= DEAF_NS:
                self._note(f"nobody answers at {place}, where the house says that it takes something")
            self._ask_home(self._logs_at(place), now_ns)
        if not is_home and place in self._sessions and session.used_ns + UNUSED_NS <= now_ns:
            self._put_away(place, now_ns)

    def _put_away(self, place: str, now_ns: int) -> None:
        """A session elsewhere that has nothing to do is ended."""
        session = self._sessions[place]
        session.used_ns = now_ns
        if not self._logs_at(place):
            del self._sessions[place]

    def _give_up(self, place: str, now_ns: int) -> None:
        """Nothing more is expected of ``place`` for now."""
        if place == self.home:
            self._move_home(now_ns)
        else:
            self._shun(place, now_ns)
            logs = self._logs_at(place)
            self._sessions.pop(place, None)
            self._ask_home(logs, now_ns)

    def _shun(self, place: str, now_ns: int) -> None:
        self._shunned_until_ns = {each: at_ns for each, at_ns in self._shunned_until_ns.items() if at_ns > now_ns}
        self._shunned_until_ns[place] = now_ns + ASK_AGAIN_NS

    def _move_home(self, now_ns: int) -> None:
        """The core's session is at the next place of the address from now on."""
        if len(self._places) == 1:
            self._sessions[self.home].asked_ns, self._sessions[self.home].heard_ns = None, now_ns
            return
        del self._sessions[self.home]
        self._shun(self.home, now_ns)
        for log in self._logs_at(self.home):
            del self._where[log]
        self._outgoing = [each for each in self._outgoing if each[0] in self._sessions]
        self._core.disconnected()
        self.home = self._places[(self._places.index(self.home) + 1) % len(self._places)]
        former = self._sessions.pop(self.home, None)
        session = PlaceSession(None, now_ns, heard_ns=now_ns)
        if former is not None and former.is_connected:
            # There is a connection: the core's hello takes over its session.
            session.is_connected, self._must_greet_home = True, True
            session.nonces = former.nonces
        self._sessions = {self.home: session, **self._sessions}

    def _note(self, words: str) -> None:
        if words not in self._told:
            self._told.append(words)
            self._notes.append(words)


def _named(log: bytes) -> str:
    return f"the auction {log.hex()[:12]}…" if log else "its registry"
