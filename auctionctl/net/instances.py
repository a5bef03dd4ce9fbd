"""One instance of a house among several: ties the store, which says who writes which log, to the house's pure core.

Rule: the store's claims say who holds a log, and nothing else does; this instance acts on them between two batches of
its loop, in the order in which they were stored. It commits nothing dated more than :data:`SIGNED_FOR_NS` after its
last sign of life; and whoever takes over from it first puts a word in the place of its next sign, and dates what it
writes later than that. So of a log that is another's by now this one has signed nothing that the log contradicts.
Source: DESIGN.md section 9.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Final

import msgspec

from auctionctl.auction.terms import SECOND_NS
from auctionctl.errors import OvertakenError, SizeConflictError, StoreFullError
from auctionctl.house.auction_log import log_name
from auctionctl.house.condition import CLOCK_BEHIND, INSTANCE_LOST, company_of
from auctionctl.house.effects import Effect
from auctionctl.house.house import House
from auctionctl.house.instances import NOBODY, Heard, Instances
from auctionctl.house.shared_house import SharedHouse
from auctionctl.net.alone import Alone, Recovered
from auctionctl.net.claims import Unread, Won
from auctionctl.net.clock import MAX_CLOCK_BACK_NS
from auctionctl.net.house_words import StartHouse
from auctionctl.net.stored_logs import StoredLogs
from auctionctl.replica.registry import REGISTRY, REGISTRY_ID
from auctionctl.store.cluster_changes import Change, Claimed, Grown
from auctionctl.store.cluster_signs import Sign, under_one_name
from auctionctl.store.cluster_store import ClusterStore
from auctionctl.store.log_store import Append
from auctionctl.store.sqlite import SqliteStore

SIGN_NS: Final = SECOND_NS
SIGNED_FOR_NS: Final = SECOND_NS * 3 // 2
LOOK_NS: Final = SECOND_NS // 4
HELD_UP_NS: Final = SECOND_NS // 2
PORTION: Final = 300
"""Logs that are claimed, or taken over, at once."""


def take_part(
    start: StartHouse,
    store: SqliteStore | ClusterStore,
    house: House,
    perform: Callable[[list[Effect], int], None],
    now_ns: int,
) -> Alone | AmongSeveral:
    """The part of the instance that ``start`` says in its house; ``perform`` as for :class:`AmongSeveral`."""
    if start.instance is None or not isinstance(house, SharedHouse) or not isinstance(store, ClusterStore):
        return Alone(store, house)
    return AmongSeveral(store, house, Place(start.instance, start.advertised), perform, now_ns)


class Place(msgspec.Struct, frozen=True):
    """The name of an instance, and where it is reached: host:port."""

    name: str
    endpoint: str


class AmongSeveral:
    """What an instance at ``place`` has to do with the others.

    ``perform`` makes effects happen, and is back when they have, or were dropped.
    """

    def __init__(
        self,
        store: ClusterStore,
        house: SharedHouse,
        place: Place,
        perform: Callable[[list[Effect], int], None],
        now_ns: int,
    ) -> None:
        self._store = store
        self._house = house
        self._name = name = place.name
        self._endpoint = place.endpoint
        self._perform = perform
        self._instances = Instances(name, now_ns)
        self._before_ns = store.last_alive_ns()
        """When anybody was last known to live before this process: for logs that nobody has ever claimed."""
        before = self._sign_of(name)
        self._signed_ns = 0 if before is None else before.latest_ns
        """The latest time that it has signed for."""
        self._signed_before_ns = self._signed_ns
        """The latest time that any process before this one has signed for: until this one signs, it may get later."""
        self._has_begun = False
        """Whether this process has signed."""
        self._reached_ns = self._held_ns = 0 if before is None else before.time_ns
        """The last sign, and the last one under which it held what the claims say that it holds, and it does not."""
        self._is_regaining = any(self._is_mine(log) for log, _ in store.logs())
        """Whether there may be any such: nobody looks after those, whatever lives here."""
        self._clock_ns = now_ns
        """The loop's own time: what is said may be dated later, and signs are due by this."""
        self._signed_at_ns = 0
        self._unheard: deque[Change] = deque()
        """What others have written, has come, and is not known to the house yet."""
        self._unreadable: dict[str, Unread] = {}
        """What is this one's by a claim and cannot be read here."""
        self._looked_ns = 0
        self._is_dismissed = False
        self._is_leaving = False

    def is_all_over(self) -> bool:
        """Whether every auction of the house has ended, and every sale, whoever holds it."""
        return not self._house.unfinished_count and not self._house.foreign_ids

    def announces(self) -> bool:
        """Whether it is this instance that announces auctions."""
        return self._house.holds(REGISTRY_ID)

    def adopt(self, logs: Recovered, now_ns: int) -> list[Effect]:
        """Take on what the store has: as another's, all of it, until each log is claimed anew."""
        foreign = frozenset({REGISTRY_ID, *(log.id for log in logs.auctions)})
        effects = self._house.adopt(logs.registry, logs.auctions, logs.alive_ns, now_ns, logs.halted, foreign=foreign)
        for log, _ in self._store.logs():
            if self._is_mine(log) and not self._house.can_read(_id_of(log)):
                # The process before this one held it: what that has said may be dated so late.
                said_ns = self._signed_ns + SIGNED_FOR_NS
                self._unreadable[log] = Unread(max(self._held_ns, self._store.unwritten_ns(log)), said_ns)
        return effects

    def overtaken(self, error: OvertakenError, stored: StoredLogs, now_ns: int) -> list[Effect]:
        """Somebody else has a log now to which the last batch was to be written: the batch is dropped, that log too."""
        holder = self._store.holder_of(error.log)
        endpoint = "" if holder is None else self._endpoint_of(holder[1], now_ns)
        return self._house.overtaken(error.log, stored.rebuild, stored.registry, now_ns, endpoint)

    # Turns of the loop

    def turn(self, now_ns: int) -> None:
        """Before a batch: hear what the others have written, sign, and take on and give away what is to be.

        Raises StoreFullError where there is no room for a claim or a sign: the rest is done in a later turn.
        """
        self.keep_alive(now_ns)
        if self._is_dismissed:
            self._is_dismissed = False
            self._let_go(now_ns)
        given = self._absorb(now_ns)
        for claimed in given:
            self._take_on(claimed, now_ns)
        if given or now_ns - self._looked_ns >= LOOK_NS:
            self._looked_ns = now_ns
            self._hear(now_ns)
            try:
                self._share_out(now_ns)
            except StoreFullError:
                # Whoever asks is sent to nobody who is dead, nor back here: room may be long in coming.
                self._house.set_holders(self._endpoints(now_ns))
                raise
            self._house.set_holders(self._endpoints(now_ns))

    def _share_out(self, now_ns: int) -> None:
        self._let_others_read()
        if not self._is_leaving:
            self._claim_due(now_ns)
            self._give_new(now_ns)
            self._give_share(now_ns)

    def is_behind(self) -> bool:
        """Whether the next turn is due at once: others have written more than one takes in."""
        return self._store.is_behind()

    def keep_alive(self, now_ns: int) -> None:
        """Give a sign of life, if it is time to; ``now_ns`` is the loop's own time."""
        self._clock_ns = now_ns
        if now_ns - self._signed_at_ns >= SIGN_NS and not self._is_leaving and not self._sign(now_ns):
            self._is_dismissed = True
            self._sign(now_ns)

    def commit(self, appends: Sequence[Append], now_ns: int) -> None:
        """Make ``appends`` durable, or of none the time alone. Errors as for the store.

        Raises OvertakenError, and nothing is written, if this instance was taken for dead: then it holds nothing; and
        if another has written to one of the logs, whether that has been heard here or only come.
        """
        if not appends and self._is_leaving and not self._held():
            return  # Everything is given away, and its last word is said: nothing is dated by this one any more.
        if not self.may_commit(now_ns) or not (appends or self._has_signed(self._house.alive_ns(now_ns), now_ns)):
            raise OvertakenError(appends[0].log if appends else REGISTRY, expected=0, actual=0)
        if not appends:
            return  # A sign says until when this instance was alive.
        unheard = {change.log for change in self._unheard}
        try:
            for share in appends:
                if share.log in unheard:
                    raise OvertakenError(share.log, expected=share.expected_size, actual=self._store.size(share.log))
            self._store.append(appends, self._house.alive_ns(now_ns))
        except OvertakenError:
            raise
        except SizeConflictError as error:
            raise OvertakenError(error.log, expected=error.expected, actual=error.actual) from error

    def may_commit(self, now_ns: int) -> bool:
        """Whether what is dated ``now_ns`` may be said; False if this instance was taken for dead: it holds nothing."""
        return self._has_signed(self._house.alive_ns(now_ns) - SIGNED_FOR_NS, now_ns)

    def leave(self, now_ns: int) -> None:
        """Give every log to another instance that lives; where there is none, they wait for this one."""
        if self._is_leaving:
            return
        self._clock_ns = now_ns
        self._absorb(now_ns)
        while self.is_behind():
            self._absorb(now_ns)
        self._hear(now_ns)
        self._is_leaving = True
        with suppress(StoreFullError):  # What cannot be given now is taken over when the last sign is old.
            if self._is_dismissed or not self._sign(now_ns):
                self._let_go(now_ns)
                self._store.depose(self._name)  # Its last word is that it has ended, not that it was lost.
                return  # It was taken for dead: it has nothing to give.
            self._let_others_read()
            chosen = {log: self._instances.choose_other(log, now_ns) for log in self._held()}
            self._give_each({log: name for log, name in chosen.items() if name is not None}, now_ns)
            if not self._held():
                # Nobody has to wait until its sign is old: from here on it is chosen for nothing.
                self._store.depose(self._name)

    # The allow list

    def shared_text(self) -> bytes | None:
        """The allow list of all instances, if there is one."""
        shared = self._store.shared()
        return None if shared is None else shared.text

    def share(self, text: bytes, now_ns: int) -> bool:
        """Have ``text`` be the allow list of all; False if another came first: of two changes at once, that one stays.

        Raises StoreError for one that is too large to be shared, or has no room.
        """
        shared = self._store.shared()
        return (shared is not None and shared.text == text) or self._store.share(text, now_ns)

    # Hearing

    def _has_signed(self, time_ns: int, now_ns: int) -> bool:
        """Whether this instance has signed at ``time_ns`` or later, if need be only now; False if taken for dead."""
        if self._signed_ns < time_ns and not self._sign(now_ns):
            self._is_dismissed = True
        return not self._is_dismissed

    def _sign(self, now_ns: int) -> bool:
        """Until when bidders could reach this instance, as far as logs say when they could not; and what it signs for.

        So no sign hides a gap that is lost with this process before it is durable.
        """
        reached_ns, latest_ns = self._house.reached_ns(now_ns), self._house.alive_ns(now_ns)
        if self._is_regaining:
            reached_ns = min(reached_ns, self._held_ns)
        if not self._has_begun and (before := self._sign_of(self._name)) is not None:
            self._signed_before_ns = before.latest_ns
        self._signed_at_ns = self._clock_ns
        if not self._store.sign(reached_ns, self._endpoint, len(self._house.held_ids), latest_ns):
            self._has_lost_hold()
            return False
        self._has_begun = True
        self._reached_ns, self._signed_ns = reached_ns, max(latest_ns, self._signed_ns)
        return True

    def _sign_of(self, name: str) -> Sign | None:
        return next((sign for sign in self._store.signs() if sign.instance == name), None)

    def _has_lost_hold(self) -> None:
        """There are claims of this instance that it does not hold, from its last sign on."""
        self._held_ns, self._is_regaining = self._reached_ns, True

    def _hear(self, now_ns: int) -> None:
        signs = self._store.signs()
        heard = [Heard(each.instance, each.sequence, each.endpoint, each.holds, each.is_deposed) for each in signs]
        self._instances.hear(heard, self._store.heard(), now_ns)
        self._house.company = company_of(self._name, self._instances.all(now_ns))
        if not self._instances.is_deaf(now_ns):
            self._house.warnings.put_each(INSTANCE_LOST, self._house.company.lost)

    def _absorb(self, now_ns: int) -> list[Claimed]:
        """Take in what the others have written; returns what they have given to this one.

        Raises StoreError if another process goes under its name.
        """
        given: dict[str, Claimed] = {}
        self._unheard.extend(self._store.refresh())
        while self._unheard:
            change = self._unheard.popleft()
            if isinstance(change, Grown):
                self._perform(self._house.absorb(change.log, change.first, change.entries, now_ns), now_ns)
            elif isinstance(change, Claimed):
                given.pop(change.log, None)
                is_held = self._house.holds(_id_of(change.log))
                if change.instance == self._name:
                    if is_held:  # Nobody gives to an instance what it has.
                        raise under_one_name(self._name)
                    given[change.log] = change
                elif is_held:
                    endpoint = self._instances.endpoint_of(change.instance, now_ns)
                    self._perform(self._house.give_up({_id_of(change.log): endpoint}, now_ns), now_ns)
        return [claimed for log, claimed in given.items() if self._is_mine(log)]

    def _is_mine(self, log: str) -> bool:
        holder = self._store.holder_of(log)
        return holder is not None and holder[1] == self._name and not self._house.holds(_id_of(log))

    def _auctions_held(self) -> list[str]:
        return [log_name(each) for each in self._house.held_ids]

    def _held(self) -> list[str]:
        return [*self._auctions_held(), *([REGISTRY] if self._house.holds(REGISTRY_ID) else [])]

    def _holders(self) -> dict[str, str]:
        """Who holds each log that may yet be written and is not held here; empty where nobody does."""
        registrar = self._store.holder_of(REGISTRY)
        names = [log_name(each) for each in self._house.foreign_ids]
        if not self._house.holds(REGISTRY_ID):
            names.append(REGISTRY)
        found = {name: self._store.holder_of(name) or registrar for name in names}
        return {name: "" if holder is None else holder[1] for name, holder in found.items()}

    def _endpoints(self, now_ns: int) -> dict[bytes, str]:
        return {_id_of(name): self._endpoint_of(holder, now_ns) for name, holder in self._holders().items()}

    def _endpoint_of(self, holder: str, now_ns: int) -> str:
        """Where to go for what is not held here; if it is this instance's by its claim, nowhere just now."""
        return "" if holder == self._name else self._instances.endpoint_of(holder, now_ns)

    # Taking on, giving away

    def _let_go(self, now_ns: int) -> None:
        """Hold nothing any more; what the others leave is claimed anew."""
        self._perform(self._house.give_up({_id_of(log): "" for log in self._held()}, now_ns), now_ns)

    def _take_on(self, claimed: Claimed, now_ns: int) -> None:
        """A log that another one has given to this one."""
        if self._is_leaving:
            other = self._instances.choose_other(claimed.log, now_ns)
            if other is not None:
                with suppress(OvertakenError):  # Another's already.
                    # Nobody wrote it since it was given to this one.
                    self._store.give([claimed.log], other, claimed.time_ns, {claimed.log: claimed.since_ns})
        elif (at_ns := self._date([claimed.time_ns], now_ns)) is not None:
            self._take_over({claimed.log: Won(claimed.epoch, claimed.since_ns)}, at_ns)

    def _claim_due(self, now_ns: int) -> None:
        """Claim what is to be this one's: of instances that are dead, or nobody's, or its own of before."""
        holders = self._holders()
        self._is_regaining &= self._name in holders.values()
        due: dict[str, list[str]] = {}
        for log in self._instances.due(holders, now_ns):
            if not self._house.is_quarantined(log):
                due.setdefault(holders[log], []).append(log)
        if due and not self._is_held_up(now_ns):
            for holder, logs in due.items():
                for portion in _portions(logs):
                    self._claim(holder, portion, now_ns)

    def _is_held_up(self, now_ns: int) -> bool:
        """Whether the cluster elects a leader for the logs: whoever writes to one waits, and cannot sign meanwhile."""
        begun_ns = time.monotonic_ns()
        self._store.reach()
        waited_ns = time.monotonic_ns() - begun_ns
        if waited_ns > HELD_UP_NS:
            self._instances.excuse(now_ns + waited_ns)
        return waited_ns > HELD_UP_NS

    def _claim(self, holder: str, logs: Sequence[str], now_ns: int) -> None:
        sign = self._sign_of(holder)
        if holder == self._name:
            last_ns: int | None = self._held_ns
        elif sign is None:
            last_ns = self._before_ns
        elif self._store.depose(holder):
            last_ns = sign.time_ns
        else:
            return  # It lives after all.
        unwritten = {log: self._unwritten_since(log, last_ns or 0) for log in logs}
        signed_ns = [last_ns or 0, 0 if sign is None else sign.latest_ns]
        if holder == self._name:
            # What this process has signed itself is not ahead of the time here: only the one before may be.
            signed_ns = [self._signed_before_ns, self._house.latest_ns(now_ns) - SIGNED_FOR_NS]
        at_ns = self._date([max(signed_ns) + SIGNED_FOR_NS, *map(self._store.given_ns, logs)], now_ns)
        if at_ns is None:
            return
        try:
            # If this one comes to an end before it goes on with them, the next one knows since when as well.
            epochs = self._store.give(logs, self._name, at_ns, unwritten)
        except OvertakenError:
            return  # Another one was first with one of them: the next look says with which.
        self._take_over({log: Won(epoch, unwritten[log]) for log, epoch in epochs.items()}, at_ns)

    def _date(self, not_before_ns: Sequence[int], now_ns: int) -> int | None:
        """When what is taken over now is to be dated: behind all that its last holder has signed. None: not yet."""
        at_ns = max(now_ns, *not_before_ns)
        if at_ns - now_ns > MAX_CLOCK_BACK_NS:
            behind_s = (at_ns - now_ns) // SECOND_NS
            self._house.warnings.say(
                CLOCK_BEHIND, f"this machine's clock is {behind_s} s behind another instance's: it takes over nothing"
            )
            return None
        self._house.warnings.take_back(CLOCK_BEHIND)
        return at_ns

    def _take_over(self, won: Mapping[str, Won], at_ns: int) -> None:
        """Logs are this one's, by claims."""
        # A write that came too late may have told the store more than the house has heard.
        for claimed in self._absorb(at_ns):
            self._take_on(claimed, at_ns)
        mine = {log: of for log, of in won.items() if self._store.holder_of(log) == (of.epoch, self._name)}
        by_id = {_id_of(log): (of.epoch, of.since_ns or None) for log, of in mine.items()}
        self._perform(self._house.take_over_all(by_id, self._name, at_ns, self._clock_ns), at_ns)
        self._unreadable |= {
            log: Unread(of.since_ns) for log, of in mine.items() if not self._house.can_read(_id_of(log))
        }
        self._let_others_read()

    def _let_others_read(self) -> None:
        """What does not hold as it is here may do so elsewhere: it is nobody's, until whoever can read it claims it."""
        for log, (since_ns, said_ns) in list(self._unreadable.items()):
            if self._is_mine(log):
                at_ns = max(since_ns, said_ns, self._store.given_ns(log))
                with suppress(OvertakenError):  # Another's already.
                    self._store.give([log], NOBODY, at_ns, {log: since_ns})
            del self._unreadable[log]

    def _unwritten_since(self, log: str, last_ns: int) -> int:
        """Since when nobody looks after a log whose holder lived at ``last_ns``; 0 where nothing is known of that."""
        since_ns, holder = self._store.unwritten_ns(log), self._store.holder_of(log)
        if holder is None and (left_ns := self._store.left_ns(REGISTRY, self._house.announced_ns(_id_of(log)))):
            # Announced by one that had the registry then, and had no time to give it: no other ever looked after it.
            return left_ns
        # Of the registry no entry says that anybody went on with it: what comes behind a claim is its holder's.
        is_said = log == REGISTRY or holder is None or self._house.is_gone_on_with(_id_of(log), holder[0])
        if since_ns and not is_said:
            return since_ns  # Its last holder lived, but never went on with it.
        return max(last_ns, self._store.given_ns(log))

    def _give_new(self, now_ns: int) -> None:
        """What was announced here goes to the instance that it is for."""
        if self._house.holds(REGISTRY_ID):
            new = [log for log in self._auctions_held() if self._store.holder_of(log) is None]
            self._give_each({log: self._instances.choose(log, now_ns) for log in new}, now_ns)

    def _give_share(self, now_ns: int) -> None:
        """To an instance that has come, its share of what is held here."""
        if arrived := self._instances.arrived(now_ns):
            chosen = {log: self._instances.choose_evenly(log, now_ns) for log in self._auctions_held()}
            self._give_each({log: name for log, name in chosen.items() if name in arrived}, now_ns)

    def _give_each(self, chosen: Mapping[str, str], now_ns: int) -> None:
        """Give each log to the instance that is said; what stays here is claimed, too, so that everybody knows.

        What another one claims meanwhile is not given. Where no room was for what the logs have to say before, nothing
        is: whoever takes over when this one is gone knows by its last sign since when nobody could bid.
        """
        holders = {log: self._store.holder_of(log) for log in chosen}
        if any(name != self._name for name in chosen.values()):
            self._perform(self._house.enter_outages(now_ns), now_ns)
        for name in dict.fromkeys(chosen.values()):
            for logs in _portions([log for log, its in chosen.items() if its == name]):
                if not self._is_dismissed and (name == self._name or not self._house.owes_gaps):
                    self._give({log: holders[log] for log in logs}, name, now_ns)

    def _give(self, holders: Mapping[str, tuple[int, str] | None], name: str, now_ns: int) -> None:
        """Give the logs with these holders to the instance of this name, but for those that have another one by now."""
        logs = [log for log, holder in holders.items() if self._store.holder_of(log) == holder]
        at_ns = 0  # It stays where it was announced: nobody has to go on with it.
        if logs and name != self._name:
            at_ns = max(self._house.latest_ns(now_ns), *(self._store.given_ns(log) for log in logs))
            endpoint = self._instances.endpoint_of(name, now_ns)
            self._perform(self._house.give_up({_id_of(log): endpoint for log in logs}, now_ns), now_ns)
        try:
            self._store.give(logs, name, at_ns)
        except StoreFullError:
            self._has_lost_hold()  # They are this one's by their claims as before, and given up.
            raise
        except OvertakenError:
            # From here on the store would let this one write behind the other one's claim.
            for log in logs:
                if self._store.holder_of(log) == holders[log]:
                    with suppress(OvertakenError):
                        self._store.give([log], name, at_ns)


def _portions(logs: Sequence[str]) -> list[Sequence[str]]:
    """As many at once as the store takes, with what else there is to say."""
    return [logs[begin : begin + PORTION] for begin in range(0, len(logs), PORTION)]


def _id_of(name: str) -> bytes:
    return REGISTRY_ID if name == REGISTRY else bytes.fromhex(name.partition("/")[2])
