"""The wallet: whatever the order in which a house's answers come, what may have to be paid stays within the budget."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from auctionctl.auction.price import Money
from auctionctl.bidding.wallet import VOID_MARGIN_NS, Commitment, Wallet
from auctionctl.errors import LocalProtocolError

A, B, C = b"a" * 32, b"b" * 32, b"c" * 32
BUDGET_MINOR = 10_000


def command(number: int) -> bytes:
    return number.to_bytes(32, "big")


@pytest.fixture
def wallet() -> Wallet:
    return Wallet(Money(BUDGET_MINOR, "EUR"))


def test_a_bid_is_tied_up_before_it_is_answered(wallet: Wallet) -> None:
    wallet.commit(A, command(1), 1, 6_000, 100)
    assert wallet.committed_minor == 6_000
    assert wallet.is_undecided(A, command(1))
    assert not wallet.is_undecided(B, command(1))
    assert wallet.available_minor(B) == 4_000
    assert wallet.commitments() == (Commitment(A, leading_minor=0, undecided_minor=6_000, won_minor=0),)


def test_bids_in_one_auction_tie_up_the_largest_of_them_and_not_their_sum(wallet: Wallet) -> None:
    wallet.commit(A, command(1), 1, 6_000, 100)
    assert wallet.available_minor(A) == BUDGET_MINOR
    wallet.commit(A, command(2), 2, 9_000, 100)
    wallet.commit(A, command(3), 3, 7_000, 100)
    assert wallet.committed_minor == 9_000


def test_more_than_the_budget_over_all_auctions_is_refused_and_changes_nothing(wallet: Wallet) -> None:
    wallet.commit(A, command(1), 1, 6_000, 100)
    with pytest.raises(LocalProtocolError, match=r"a bid of 40\.01EUR, where 40\.00EUR of the budget of 100\.00EUR"):
        wallet.commit(B, command(2), 1, 4_001, 100)
    wallet.commit(B, command(2), 1, 4_000, 100)
    assert wallet.committed_minor == BUDGET_MINOR


def test_what_was_spent_follows_the_sales_as_they_stand(wallet: Wallet) -> None:
    wallet.ended(A, 3_000)
    wallet.ended(B, None)
    assert wallet.spent_minor == 3_000
    wallet.owes(B, 2_000)
    wallet.owes(A, 0)
    assert wallet.spent_minor == wallet.committed_minor == 2_000


def test_an_accepted_bid_decides_those_of_its_seq_and_below(wallet: Wallet) -> None:
    for seq, amount_minor in ((1, 5_000), (2, 3_000), (3, 2_000)):
        wallet.commit(A, command(seq), seq, amount_minor, 100)
    wallet.accepted(A, 2, 3_000)
    assert wallet.committed_minor == 3_000
    assert [wallet.is_undecided(A, command(seq)) for seq in (1, 2, 3)] == [False, False, True]
    wallet.accepted(A, 1, 5_000)
    assert wallet.committed_minor == 3_000
    wallet.outbid(A)
    assert wallet.committed_minor == 2_000


def test_a_bid_whose_not_after_has_passed_is_free_only_after_the_margin(wallet: Wallet) -> None:
    wallet.commit(A, command(1), 1, 5_000, 100)
    wallet.expire(A, 100 + VOID_MARGIN_NS)
    assert wallet.committed_minor == 5_000
    wallet.expire(A, 101 + VOID_MARGIN_NS)
    assert wallet.committed_minor == 0
    assert wallet.commitments() == ()


def test_what_leads_does_not_expire(wallet: Wallet) -> None:
    wallet.commit(A, command(1), 1, 5_000, 100)
    wallet.accepted(A, 1, 5_000)
    wallet.expire(A, 10**18)
    assert wallet.committed_minor == 5_000


def test_a_win_is_tied_up_for_ever_at_its_price(wallet: Wallet) -> None:
    wallet.commit(A, command(1), 1, 5_000, 100)
    wallet.accepted(A, 1, 5_000)
    wallet.ended(A, 4_500)
    wallet.accepted(A, 2, 9_000)
    wallet.expire(A, 10**18)
    assert wallet.committed_minor == 4_500
    assert wallet.available_minor(B) == 5_500


def test_an_auction_that_ends_without_us_ties_up_nothing(wallet: Wallet) -> None:
    wallet.commit(A, command(1), 1, 5_000, 100)
    wallet.ended(A, None)
    assert wallet.committed_minor == 0
    with pytest.raises(LocalProtocolError, match="has ended"):
        wallet.commit(A, command(2), 2, 1, 100)


def test_a_seq_or_command_is_not_used_twice(wallet: Wallet) -> None:
    wallet.commit(A, command(1), 1, 5_000, 100)
    with pytest.raises(LocalProtocolError, match="second bid under seq 1"):
        wallet.commit(A, command(1), 1, 5_000, 100)
    wallet.accepted(A, 1, 5_000)
    with pytest.raises(LocalProtocolError, match="second bid under seq 1"):
        wallet.commit(A, command(2), 1, 5_000, 100)


def test_what_an_earlier_run_bid_binds_even_beyond_the_budget(wallet: Wallet) -> None:
    wallet.recall(A, command(1), 1, 8_000, 100)
    wallet.recall(B, command(2), 1, 7_000, 100)
    assert wallet.committed_minor == 15_000
    assert wallet.available_minor(A) == 3_000
    assert wallet.available_minor(C) == 0


def test_what_the_log_says_of_the_sale_is_what_a_win_ties_up(wallet: Wallet) -> None:
    wallet.commit(A, command(1), 1, 5_000, 100)
    wallet.accepted(A, 1, 5_000)
    wallet.ended(A, 5_000)
    wallet.owes(A, 0)
    assert wallet.committed_minor == 0
    assert wallet.available_minor(B) == BUDGET_MINOR
    wallet.ended(B, None)
    wallet.commit(C, command(2), 1, 9_000, 100)
    wallet.owes(B, 4_000)
    assert wallet.committed_minor == 13_000, "who accepts an offer by hand may owe more than the budget"
    assert wallet.available_minor(C) == 6_000


def test_a_cap_bounds_one_auction_whatever_is_free(wallet: Wallet) -> None:
    wallet.cap(A, 3_000)
    assert (wallet.available_minor(A), wallet.available_minor(B)) == (3_000, BUDGET_MINOR)
    assert wallet.is_capped(A)
    assert not wallet.is_capped(B)
    with pytest.raises(LocalProtocolError, match=r"a bid of 30\.01EUR, where 30\.00EUR is this auction's cap"):
        wallet.commit(A, command(1), 1, 3_001, 100)
    wallet.commit(A, command(1), 1, 3_000, 100)
    wallet.commit(B, command(2), 1, 7_000, 100)
    assert wallet.available_minor(A) == 3_000
    wallet.commit(B, command(3), 2, 7_000, 100)
    wallet.cap(B, 20_000)
    assert not wallet.is_capped(B), "the budget is less than that cap"
    assert wallet.available_minor(B) == 7_000


@dataclass
class SentBid:
    seq: int
    amount_minor: int
    not_after_ns: int


@dataclass
class Truth:
    """One auction as its house has it. ``told`` counts the events of which we have heard."""

    bids: list[SentBid] = field(default_factory=list)
    accepted_seq: int = 0
    leading_minor: int = 0
    won_minor: int = 0
    has_ended: bool = False
    is_final: bool = False
    events: list[tuple[str, int, int]] = field(default_factory=list)
    told: int = 0

    def acceptable(self, now_ns: int) -> list[SentBid]:
        """What may yet be accepted: also if the house's clock is set back by the margin."""
        if self.has_ended:
            return []
        return [bid for bid in self.bids if bid.seq > self.accepted_seq and now_ns <= bid.not_after_ns + VOID_MARGIN_NS]

    def owed_minor(self, now_ns: int) -> int:
        undecided = max((bid.amount_minor for bid in self.acceptable(now_ns)), default=0)
        return max(self.won_minor, self.leading_minor, undecided)


class AnyInterleaving(RuleBasedStateMachine):
    """A house that accepts, outbids and closes when it likes, and a wallet that hears of it, in order, much later."""

    def __init__(self) -> None:
        super().__init__()
        self.wallet = Wallet(Money(BUDGET_MINOR, "EUR"))
        self.now_ns = 0
        self.commands = 0
        self.truth = {auction: Truth() for auction in (A, B)}

    @rule(auction=st.sampled_from([A, B]), part=st.integers(1, 4), timeout_s=st.integers(0, 20))
    def bid(self, auction: bytes, part: int, timeout_s: int) -> None:
        """Sent, and never answered as far as the wallet knows: a rejection frees nothing."""
        amount_minor = self.wallet.available_minor(auction) * part // 4
        truth = self.truth[auction]
        seq = len(truth.bids) + 1
        self.commands += 1
        not_after_ns = self.now_ns + timeout_s * 10**9
        try:
            self.wallet.commit(auction, command(self.commands), seq, amount_minor, not_after_ns)
        except LocalProtocolError:
            assert truth.has_ended
        else:
            truth.bids.append(SentBid(seq, amount_minor, not_after_ns))

    @rule(auction=st.sampled_from([A, B]), amount_minor=st.integers(1, 2 * BUDGET_MINOR))
    def beyond_the_budget(self, auction: bytes, amount_minor: int) -> None:
        amount_minor += self.wallet.available_minor(auction)
        with pytest.raises(LocalProtocolError):
            self.wallet.commit(auction, command(0), len(self.truth[auction].bids) + 1, amount_minor, self.now_ns)

    @rule(auction=st.sampled_from([A, B]), choice=st.integers(0, 10))
    def accept(self, auction: bytes, choice: int) -> None:
        truth = self.truth[auction]
        acceptable = truth.acceptable(self.now_ns)
        if acceptable:
            bid = acceptable[choice % len(acceptable)]
            truth.accepted_seq, truth.leading_minor = bid.seq, bid.amount_minor
            truth.events.append(("accepted", bid.seq, bid.amount_minor))

    @rule(auction=st.sampled_from([A, B]))
    def outbid(self, auction: bytes) -> None:
        truth = self.truth[auction]
        if not truth.has_ended:
            truth.leading_minor = 0
            truth.events.append(("outbid", 0, 0))

    @rule(auction=st.sampled_from([A, B]))
    def end(self, auction: bytes) -> None:
        truth = self.truth[auction]
        if not truth.has_ended:
            truth.has_ended, truth.won_minor, truth.leading_minor = True, truth.leading_minor, 0
            truth.events.append(("ended", 0, truth.won_minor))

    @rule(auction=st.sampled_from([A, B]), is_reverted=st.booleans())
    def settle(self, auction: bytes, is_reverted: bool) -> None:
        """What was won is paid, and so spent; or the sale is undone."""
        truth = self.truth[auction]
        if truth.has_ended and not truth.is_final:
            truth.is_final = True
            truth.won_minor = 0 if is_reverted else truth.won_minor
            truth.events.append(("owes", 0, truth.won_minor))

    @rule(auction=st.sampled_from([A, B]), part=st.integers(1, 4))
    def offer_and_accept(self, auction: bytes, part: int) -> None:
        """Another's default, and an offer at a bid of ours that we take within what is left."""
        truth = self.truth[auction]
        free_minor = BUDGET_MINOR - sum(each.owed_minor(self.now_ns) for each in self.truth.values())
        offered = [bid.amount_minor for bid in truth.bids if bid.amount_minor <= min(free_minor, self._known_free())]
        if truth.has_ended and not truth.won_minor and not truth.is_final and offered:
            truth.won_minor = offered[part % len(offered)]
            truth.events.append(("owes", 0, truth.won_minor))
            self._hear_all(auction)

    def _known_free(self) -> int:
        return BUDGET_MINOR - self.wallet.committed_minor

    def _hear_all(self, auction: bytes) -> None:
        while self.truth[auction].told < len(self.truth[auction].events):
            self.hear(auction)

    @rule(seconds=st.integers(1, 10))
    def time_passes(self, seconds: int) -> None:
        self.now_ns += seconds * 10**9

    @rule(auction=st.sampled_from([A, B]))
    def hear(self, auction: bytes) -> None:
        truth = self.truth[auction]
        if truth.told == len(truth.events):
            return
        kind, seq, amount_minor = truth.events[truth.told]
        truth.told += 1
        if kind == "accepted":
            self.wallet.accepted(auction, seq, amount_minor)
        elif kind == "outbid":
            self.wallet.outbid(auction)
        elif kind == "owes":
            self.wallet.owes(auction, amount_minor)
        else:
            self.wallet.ended(auction, amount_minor or None)

    @precondition(lambda self: any(truth.told == len(truth.events) for truth in self.truth.values()))
    @rule()
    def know_all_until_now(self) -> None:
        for auction, truth in self.truth.items():
            if truth.told == len(truth.events):
                self.wallet.expire(auction, self.now_ns)

    @invariant()
    def the_worst_case_is_within_the_budget(self) -> None:
        owed = {auction: truth.owed_minor(self.now_ns) for auction, truth in self.truth.items()}
        # What the house did and we have not heard of is owed, too.
        assert sum(owed.values()) <= BUDGET_MINOR
        assert self.wallet.committed_minor <= BUDGET_MINOR
        parts = {item.auction: item.committed_minor for item in self.wallet.commitments()}
        assert sum(parts.values()) == self.wallet.committed_minor
        for auction, minor in owed.items():
            assert minor <= parts.get(auction, 0)


def test_no_interleaving_lets_the_worst_case_exceed_the_budget() -> None:
    run_state_machine_as_test(
        AnyInterleaving, settings=settings(max_examples=200, stateful_step_count=50, deadline=None)
    )


class CappedInterleaving(AnyInterleaving):
    """The same, where one auction has a cap."""

    CAP_MINOR = 3_000

    def __init__(self) -> None:
        super().__init__()
        self.wallet.cap(A, self.CAP_MINOR)

    def check(self) -> None:
        self.the_worst_case_is_within_the_budget()
        assert self.truth[A].owed_minor(self.now_ns) <= self.CAP_MINOR
        assert all(bid.amount_minor <= self.CAP_MINOR for bid in self.truth[A].bids)


def test_budget_and_cap_hold_in_thousands_of_schedules() -> None:
    bids = 0
    for seed in range(3_000):
        rng, machine = random.Random(seed), CappedInterleaving()
        for _ in range(40):
            auction = rng.choice([A, B])
            match rng.randrange(8):
                case 0 | 1:
                    machine.bid(auction=auction, part=rng.randint(1, 4), timeout_s=rng.randint(0, 20))
                case 2:
                    machine.accept(auction=auction, choice=rng.randint(0, 10))
                case 3:
                    machine.outbid(auction=auction)
                case 4 | 5:
                    machine.hear(auction=auction)
                case 6:
                    machine.time_passes(seconds=rng.randint(1, 10))
                case _ if any(truth.told == len(truth.events) for truth in machine.truth.values()):
                    machine.know_all_until_now()
                case _:
                    machine.end(auction=auction)
            machine.check()
        bids += sum(len(truth.bids) for truth in machine.truth.values())
    assert bids > 20_000
