"""Bidders: the real agent, its process, and the disk on which it keeps what another run has to know.

Rule: a process that ends loses everything but what stands in ``kept``, ``refused`` and ``heads``, which are the disk,
as :mod:`auctionctl.client.bid_journal` and :mod:`auctionctl.cli.seen_logs` keep it: a bid before it is sent.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from checkers import owed_minor
from clients import Client, Machine, nonces_of
from errands import Rotation
from plan import CURRENCY, PersonPlan
from timeline import MILLISECOND_NS, SECOND_NS

from auctionctl.auction.price import Money
from auctionctl.bidding import strategies
from auctionctl.bidding.agent import Agent
from auctionctl.bidding.notices import AgentNotice, BidAccepted, BidPlaced, BidRejected, Result
from auctionctl.bidding.wallet import Wallet
from auctionctl.keys.signing import SecretKey
from auctionctl.replica.follower import Advanced
from auctionctl.replica.replica import Head

if TYPE_CHECKING:
    from world import World

CLOCK_CHANCE: Final = 0.2
CLOCK_JUMP_NS: Final = 20 * SECOND_NS
"""Between two processes the clock of a machine may be set: a process does not see that."""


class Person(Client):
    """One bidder of the plan."""

    def __init__(self, world: World, plan: PersonPlan, key: SecretKey) -> None:
        super().__init__(world, plan.name, key, Machine(world.timeline, plan.skew_ns))
        self.plan = plan
        self.keys = [key]
        """All that it had, the present one last."""
        self.agent: Agent | None = None
        self.kept: dict[bytes, BidPlaced] = {}
        self.refused: set[bytes] = set()
        self.heads: dict[bytes, Head] = {}
        self.persist_crash = 0.0
        self._chosen: frozenset[bytes] | None = None

    def rotate(self) -> None:
        """Put another key in the place of the present one, as soon as that has nothing tied up."""
        world, me = self._world, self.key.identity.signing
        if world.has_ended:
            return
        naive = world.watch.naive.values()
        stands = any(owed_minor(each, me) if each.has_ended else each.leader == me for each in naive)
        if self.agent is not None and not stands and not self.kept:
            self.crash()
            self.refused.clear()
            Rotation(world, self, world.key_of(f"{self.name} renewed")).start()
        elif not world.conduct.is_calm:
            world.timeline.after(SECOND_NS, self.rotate)

    @property
    def is_done(self) -> bool:
        """Whether every auction has ended, and this person knows all of it."""
        agent = self.agent
        if agent is None or len(agent.outcomes) < self.auction_count or not agent.is_done:
            return False
        shadows, replicas = self._world.watch.shadows, agent.follower.replicas
        # Where its reputation does not suffice, it is kept out, and looks no further.
        seen = [auction for auction, outcome in agent.outcomes.items() if outcome.result is not Result.REFUSED]
        return all(replicas[auction].size == len(shadows[auction].entries) for auction in seen)

    @property
    def auction_count(self) -> int:
        """How many auctions there are for this person."""
        return self._world.lots_for_all if self._chosen is None else len(self._chosen)

    def start(self) -> None:
        """Begin, or begin again, with what was kept."""
        world, life = self._world, self._life + 1
        self.key = self.keys[-1]
        if self._rng.random() < CLOCK_CHANCE:
            self.machine.offset_ns += self._rng.randint(-CLOCK_JUMP_NS, CLOCK_JUMP_NS)
        if life == 1 and self.plan.is_choosy:
            here = world.auctions_in(CURRENCY)
            self._chosen = frozenset(self._rng.sample(here, self._rng.randint(1, len(here)))) if here else None
        value = str(Money(self.plan.value_minor, CURRENCY))
        self.agent = Agent(
            self.key,
            world.house_key.identity,
            strategy=strategies.factory(self.plan.strategy, {"value": value}),
            wallet=Wallet(Money(self.plan.budget_minor, CURRENCY)),
            rng=random.Random(f"{self.name} {life} {world.plan.seed}"),
            nonces=nonces_of(f"{self.name} {life} {world.plan.seed}"),
            auctions=self._chosen,
            earlier=[placed.message for name, placed in self.kept.items() if name not in self.refused],
            refused=[placed.message for name, placed in self.kept.items() if name in self.refused],
            heads_of=lambda log: [self.heads[log]] if log in self.heads else [],
        )
        world.trace("starts", self.name, len(self.kept))
        self.run(self.agent)

    def crash(self) -> None:
        """The process ends, now."""
        super().crash()
        self.agent = None

    def heed(self, notices: Sequence[AgentNotice]) -> bool:
        """Keep what has to be kept; the process may end while it does."""
        for notice in notices:
            if isinstance(notice, BidPlaced) and self.persist_crash and self._rng.random() < self.persist_crash:
                self._die_keeping(notice)
                return False
            self._keep(notice)
        self._forget_decided()
        return True

    def _die_keeping(self, placed: BidPlaced) -> None:
        """The process ends between the making of a bid and its sending; the bid is on the disk, or is not."""
        if self._rng.random() < 0.5:
            self._keep(placed)
        self._world.tally["crashes with a bid in hand"] += 1
        self._world.crash_person(self, self._rng.randint(100, 3_000) * MILLISECOND_NS)

    def _forget_decided(self) -> None:
        assert self.agent is not None
        for name, placed in list(self.kept.items()):
            if not self.agent.wallet.is_undecided(placed.auction, name):
                del self.kept[name]

    def _keep(self, notice: AgentNotice) -> None:
        if isinstance(notice, BidPlaced):
            self.kept[notice.command] = notice
            self._world.watch.placed(self, notice)
        elif isinstance(notice, BidAccepted):
            self._world.watch.accepted(self, notice)
        elif isinstance(notice, BidRejected):
            self.refused.add(notice.command)
            self._world.watch.rejected(self, notice)
        elif isinstance(notice, Advanced) and self.agent is not None:
            replica = self.agent.follower.replicas[notice.auction]
            if replica.head is not None:
                self.heads[notice.auction] = Head(replica.head.size, replica.head.root, replica.head_note)
