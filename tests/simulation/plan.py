"""What one seed is to bring: who is there, what is sold, and what goes wrong, when and how often.

Rule: everything is drawn here and from the seed, but for the small chances of single messages and commits, whose rates
are. Each kind of fault is left out of about half of the seeds, so that the others are also seen alone.
"""

from __future__ import annotations

import enum
import random
from dataclasses import dataclass, replace
from typing import Final

from timeline import MILLISECOND_NS, SECOND_NS

from auctionctl.auction.increments import Fixed, Increment, Percent, Table
from auctionctl.auction.rules import Cancellation, Disconnection, OnDefault, PauseRules, PaymentRules
from auctionctl.wire.listing import LotDescription

CURRENCY: Final = "EUR"
NAMES: Final = ("ann", "ben", "cleo", "dora", "emil", "faye")
STRATEGIES: Final = ("market-value", "aggressive", "conservative", "smart")


class Trouble(enum.Enum):
    """What can go wrong at an instant, for a while."""

    PARTITION = "partition"
    DISCONNECT = "disconnect"
    PERSON_CRASH = "person_crash"
    PERSON_AWAY = "person_away"
    PERSON_FREEZE = "person_freeze"
    PERSON_SUSPEND = "person_suspend"
    GATEWAY_CRASH = "gateway_crash"
    HOUSE_CRASH = "house_crash"
    HOUSE_FREEZE = "house_freeze"
    WALL_CLOCK = "wall_clock"
    STORE_FULL = "store_full"


@dataclass(frozen=True, slots=True)
class Incident:
    """``trouble`` begins so long after the start; ``length_ns``: how long it lasts, or by how much the clock jumps."""

    at_ns: int
    trouble: Trouble
    length_ns: int
    person: int = 0


@dataclass(frozen=True, slots=True)
class Weather:
    """The network: chances of one message, and delays."""

    loss: float
    duplication: float
    spike: float
    delay_ns: int
    jitter_ns: int
    spike_ns: int
    is_reordering: bool


@dataclass(frozen=True, slots=True)
class Hazards:
    """Chances of one commit: a crash before or after the append, a slow disk, an append that fails, a broken store.

    ``persist_crash`` is that of a bidder's process when it has just kept a bid, or is about to.
    """

    crash_before: float
    crash_after: float
    slow: float
    refused: float
    broken_lost: float
    broken_kept: float
    persist_crash: float


@dataclass(frozen=True, slots=True)
class PersonPlan:
    """A bidder: strategy and value of each lot, budget, how far its clock is off, when it comes."""

    name: str
    strategy: str
    value_minor: int
    budget_minor: int
    skew_ns: int
    arrives_ns: int
    is_choosy: bool


@dataclass(frozen=True, slots=True)
class LotPlan:
    """A lot, and so long after the start its seller, or the house itself, has it to sell."""

    at_ns: int
    is_sellers: bool
    lot: LotDescription


@dataclass(frozen=True, slots=True)
class Interference:
    """Somebody gives a command of this type, so long after the start, whether it makes sense or not."""

    at_ns: int
    command: str
    lot: int
    person: int


@dataclass(frozen=True, slots=True)
class Rotation:
    """A bidder puts a new key in the place of its own, so long after the start, or as soon afterwards as it can."""

    at_ns: int
    person: int


@dataclass(frozen=True, slots=True)
class Plan:
    """One seed. Nothing goes wrong any more ``calm_ns`` after the start."""

    seed: int
    people: tuple[PersonPlan, ...]
    lots: tuple[LotPlan, ...]
    weather: Weather
    hazards: Hazards
    incidents: tuple[Incident, ...]
    interferences: tuple[Interference, ...]
    rotations: tuple[Rotation, ...]
    calm_ns: int


# Trouble → how often at most, and the range of its length
_TROUBLES: Final = {
    Trouble.PARTITION: (3, 1 * SECOND_NS, 18 * SECOND_NS),
    Trouble.DISCONNECT: (4, 0, 0),
    Trouble.PERSON_CRASH: (2, SECOND_NS // 10, 5 * SECOND_NS),
    Trouble.PERSON_AWAY: (3, 11 * SECOND_NS, 20 * SECOND_NS),
    Trouble.PERSON_FREEZE: (2, SECOND_NS // 2, 8 * SECOND_NS),
    Trouble.PERSON_SUSPEND: (1, SECOND_NS // 2, 20 * SECOND_NS),
    Trouble.GATEWAY_CRASH: (2, SECOND_NS // 10, 6 * SECOND_NS),
    Trouble.HOUSE_CRASH: (2, SECOND_NS // 10, 15 * SECOND_NS),
    Trouble.HOUSE_FREEZE: (2, SECOND_NS // 4, 5 * SECOND_NS),
    Trouble.WALL_CLOCK: (2, -8 * SECOND_NS, 8 * SECOND_NS),
    Trouble.STORE_FULL: (2, SECOND_NS // 2, 8 * SECOND_NS),
}


def draw(seed: int) -> Plan:
    """The plan of this seed, always the same."""
    rng = random.Random(f"plan {seed}")
    calm_ns = rng.randint(10, 26) * SECOND_NS
    people = tuple(_person(rng, name) for name in NAMES[: rng.choice((2, 2, 2, 3, 3, 4, 5))])
    lots = tuple(_lot(rng, number, len(people)) for number in range(rng.choice((1, 1, 1, 2, 2, 3))))
    return Plan(
        seed=seed,
        people=people,
        lots=_ask_reputation(random.Random(f"reputation {seed}"), lots),
        weather=_weather(rng),
        hazards=_hazards(rng),
        incidents=_incidents(rng, len(people), calm_ns),
        interferences=_interferences(rng, calm_ns),
        rotations=_rotations(random.Random(f"rotation {seed}"), len(people), calm_ns),
        calm_ns=calm_ns,
    )


def _person(rng: random.Random, name: str) -> PersonPlan:
    value_minor = rng.randint(10, 60) * 100
    return PersonPlan(
        name=name,
        strategy=rng.choice(STRATEGIES),
        value_minor=value_minor,
        budget_minor=value_minor * rng.choice((1, 1, 2, 4)) + rng.randint(0, 500),
        skew_ns=rng.choice((0, 0, rng.randint(-30, 30) * SECOND_NS + rng.randint(0, SECOND_NS))),
        arrives_ns=rng.choice((0, 0, 0, rng.randint(0, 8))) * SECOND_NS + rng.randint(0, SECOND_NS),
        is_choosy=rng.random() < 0.2,
    )


def _lot(rng: random.Random, number: int, people: int) -> LotPlan:
    pauses = _pauses(rng)
    longest_s = 13 if pauses.disconnection is Disconnection.CONTINUE else 20
    duration_ns = rng.randint(4, longest_s) * SECOND_NS + rng.randint(0, 999) * MILLISECOND_NS
    starting_minor = rng.choice((0, 1, 500, 1_000, rng.randint(100, 3_000)))
    window_ns, longest_ns = 0, 0
    if rng.random() < 0.5:
        window_ns = rng.randint(1, duration_ns // SECOND_NS) * SECOND_NS
        longest_ns = rng.randint(1, 10) * SECOND_NS
    lot = LotDescription(
        listing=f"lot-{number}",
        title="A lot",
        currency="USD" if number and rng.random() < 0.05 else CURRENCY,
        starting_price_minor=starting_minor,
        estimate_minor=rng.choice((None, starting_minor * 2)),
        reserve_minor=rng.choice((None, None, rng.randint(0, 4_000))),
        increment=_increment(rng),
        duration_ns=duration_ns,
        start_timeout_ns=rng.randint(6, 20) * SECOND_NS,
        min_bidders=rng.randint(1, max(1, people - 1)),
        bid_timeout_ns=rng.choice((1, 2, 4, 10, 30)) * SECOND_NS,
        soft_close_window_ns=window_ns,
        max_extension_ns=longest_ns,
        pauses=pauses,
        payment=_payment(rng),
        cancellation=rng.choice(tuple(Cancellation)),
    )
    return LotPlan(rng.choice((0, 0, rng.randint(0, 10) * SECOND_NS)), rng.random() < 0.6, lot)


def _ask_reputation(rng: random.Random, lots: tuple[LotPlan, ...]) -> tuple[LotPlan, ...]:
    """Sometimes the last of several lots asks for a reputation, and comes when others may have ended."""
    *others, last = lots
    if not others or rng.random() < 0.7:
        return lots
    lot = replace(last.lot, min_reputation_ppm=rng.choice((1, 300_000, 500_000, 500_000, 600_000)))
    return (*others, replace(last, at_ns=rng.choice((last.at_ns, rng.randint(10, 35) * SECOND_NS)), lot=lot))


def _pauses(rng: random.Random) -> PauseRules:
    """Caps are low, so that they are reached."""
    return PauseRules(
        disconnection=rng.choice(tuple(Disconnection)),
        max_pauses=rng.choice((0, 1, 2, 5)),
        max_pause_ns=rng.randint(1, 12) * SECOND_NS,
        max_pauses_a_bidder=rng.choice((0, 1, 2)),
        max_pause_a_bidder_ns=rng.randint(1, 8) * SECOND_NS,
    )


def _payment(rng: random.Random) -> PaymentRules:
    if rng.random() < 0.35:
        return PaymentRules()
    on_default = rng.choice((OnDefault.REVERT, OnDefault.OFFER, OnDefault.OFFER))
    offer_ns = rng.randint(2, 6) * SECOND_NS if on_default is OnDefault.OFFER else 0
    return PaymentRules(rng.randint(3, 10) * SECOND_NS, rng.choice((0, 2, 5)) * SECOND_NS, on_default, offer_ns)


def _increment(rng: random.Random) -> Increment:
    kind = rng.randrange(3)
    if kind == 0:
        return Fixed(rng.choice((100, 250, 500)))
    if kind == 1:
        return Percent(rng.choice((500, 1_000, 2_500)))
    return Table(((0, 100), (1_000, rng.choice((150, 300))), (3_000, 500)))


def _weather(rng: random.Random) -> Weather:
    return Weather(
        loss=rng.choice((0.0, 0.0, 0.02, 0.1, 0.25)),
        duplication=rng.choice((0.0, 0.0, 0.05, 0.3)),
        spike=rng.choice((0.0, 0.0, 0.05, 0.2)),
        delay_ns=rng.choice((1, 5, 40)) * MILLISECOND_NS,
        jitter_ns=rng.choice((1, 10, 100)) * MILLISECOND_NS,
        spike_ns=rng.choice((500, 3_000)) * MILLISECOND_NS,
        is_reordering=rng.random() < 0.5,
    )


def _hazards(rng: random.Random) -> Hazards:
    def chance(*rates: float) -> float:
        return rng.choice((0.0, *rates))

    return Hazards(
        crash_before=chance(0.0, 0.01, 0.03),
        crash_after=chance(0.0, 0.01, 0.03),
        slow=chance(0.05, 0.3),
        refused=chance(0.0, 0.02, 0.1),
        broken_lost=chance(0.0, 0.0, 0.01),
        broken_kept=chance(0.0, 0.0, 0.02),
        persist_crash=chance(0.0, 0.0, 0.03),
    )


def _interferences(rng: random.Random, calm_ns: int) -> tuple[Interference, ...]:
    if rng.random() < 0.5:
        return ()
    often = ("pause", "pause", "pause", "resume", "resume", "cancel")
    return tuple(
        Interference(rng.randint(SECOND_NS, calm_ns + 5 * SECOND_NS), command, rng.randrange(3), rng.randrange(6))
        for command in rng.choices((*often, "pay", "settle", "reject_payment", "offer", "accept", "decline"), k=4)
    )


def _rotations(rng: random.Random, people: int, calm_ns: int) -> tuple[Rotation, ...]:
    if rng.random() < 0.7:
        return ()
    return tuple(
        Rotation(rng.randint(SECOND_NS, calm_ns), person) for person in rng.sample(range(people), rng.randint(1, 2))
    )


def _incidents(rng: random.Random, people: int, calm_ns: int) -> tuple[Incident, ...]:
    incidents = []
    for trouble, (most, least_ns, longest_ns) in _TROUBLES.items():
        if rng.random() < 0.5:
            continue
        for _ in range(rng.randint(1, most)):
            length_ns = rng.randint(least_ns, longest_ns)
            incidents.append(Incident(rng.randint(0, calm_ns), trouble, length_ns, rng.randrange(people)))
    return tuple(sorted(incidents, key=lambda incident: incident.at_ns))
