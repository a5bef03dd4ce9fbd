"""Of auctionctl-log(5): what the house itself says, in the log of an auction and in its registry.

Rule: bounds and words are the program's; what each entry needs is held against it by the verifier that is written from
the page alone.
"""

from __future__ import annotations

from typing import Final

from auctionctl.auction.auction import NOT_ENOUGH_BIDDERS
from auctionctl.auction.claims import MAX_GAP_GRACE_NS
from auctionctl.auction.events import DefaultCause, PauseCause
from auctionctl.auction.phase import EndReason
from auctionctl.auction.rejection import FAULTS
from auctionctl.auction.rules import WHOLE_PPM
from auctionctl.auction.terms import SECOND_NS
from auctionctl.cli.manual import roff
from auctionctl.cli.manual.roff import Definitions, Heading, Paragraph, Part, Subheading
from auctionctl.keys.allowlist import Role
from auctionctl.replica.announcement import RULE as ANNOUNCEMENT
from auctionctl.replica.audit import REGISTRY_GRACE_NS
from auctionctl.replica.conduct import MAX_DEEDS
from auctionctl.replica.registry import FINISHING
from auctionctl.replica.reputation import (
    DAY_NS,
    DEFAULTED_POINTS,
    FORGOTTEN_DAYS,
    HALF_LIFE_DAYS,
    MAX_INVALID,
    MAX_LEFT,
    PAID_POINTS,
    SCALE_BITS,
    STOOD_POINTS,
)

REVOKED: Final = "revoked"
"""The rule by which somebody signed with a key that was revoked before."""
ROTATED: Final = "rotated"
"""The rule by which a key that was replaced did more than finish, or one holder took part under two keys."""
OPERATOR: Final = "operator"
"""The rule by which somebody who acted as an operator was none."""

REPUTATION: Final = "reputation"
"""The rule by which somebody joined with another reputation than it had."""


def house_parts() -> tuple[Part, ...]:
    """The house's own entries."""
    return (
        Subheading("The house's own entries"),
        Paragraph(
            "These are the entries of kinds that nobody signs, and those without a signature of kinds that have two"
            " types. For all of them: the signature is empty (`signature`); the body is canonical, within its bounds"
            " and of the"
            " type that belongs to the kind (`entry`). Then, each with its kind as the word; the phase or stage"
            " afterwards is the one in the tables above:"
        ),
        Definitions((*_bidding_claims(), *_pause_claims(), *_end_claims(), *_sale_claims())),
        _results(),
    )


def _bidding_claims() -> tuple[tuple[str, str], ...]:
    grace = f"{MAX_GAP_GRACE_NS} ({MAX_GAP_GRACE_NS // SECOND_NS} s)"
    return (
        (
            "`opened`",
            "It has to come next, and t = last: it opens at the time of the joining that made it possible.\n\n"
            "Then end = t + `duration_ns`, max_end = end + `max_extension_ns`; nobody is absent.",
        ),
        (
            "`left`",
            "`bidder` is present. While paused, t < deadline. While there is a stage: that is pending_payment,"
            " `bidder` is the debtor, and `absence_ns` > 0.\n\n"
            "Then it is not present. While open or paused it is absent, and a pause by_terms waits for it: see Pauses."
            " With a stage, absent_since = at.",
        ),
        (
            "`gap`",
            f"floor <= `since_ns` <= `until_ns` <= t + {grace}. How long it is has no bound.\n\n"
            "Then, while announced, if start_deadline > since_ns, start_deadline moves by"
            " until_ns - since_ns; while open, if end > since_ns, end and max_end do. So a deadline that had"
            " passed when the gap began stays. While paused, and with a stage: see Pauses, and The sale.",
        ),
        (
            "`takeover`",
            "`instance` is a name (1 to 32 of `a` to `z`, `0` to `9`, `.`, `_`, `-`, beginning with a letter or"
            " digit), and `epoch` > takeover_epoch.\n\n"
            "Then takeover_epoch = `epoch`, and nothing else changes: whatever time was lost, a gap says.",
        ),
    )


def _pause_claims() -> tuple[tuple[str, str], ...]:
    return (
        (
            "`paused`",
            f"It has to come next, `cause` is `{PauseCause.TERMS}`, and t = last.\n\nThen a pause begins, by_terms.",
        ),
        (
            "`resumed`",
            f"It has to come next, `cause` is `{PauseCause.TERMS}`, and t = last; or it does not, `cause` is"
            f" `{PauseCause.CAP}`, and t >= deadline.\n\nThen the pause ends, whoever began it.",
        ),
    )


def _end_claims() -> tuple[tuple[str, str], ...]:
    return (
        (
            "`cancelled`",
            f"The phase is announced, t >= start_deadline, and `reason` is `{NOT_ENOUGH_BIDDERS}`.\n\nThen the end"
            f" reason is `{EndReason.CANCELLED}`.",
        ),
        (
            "`closed`",
            "t >= end; then the reserve: without one in the terms, `reserve` is nil; with one, it is an opening"
            " (minor, salt) for which H(`auctionctl/reserve/v1` | 00 | salt (32 bytes) | minor (8 bytes,"
            " big-endian) | currency (UTF-8)) is the commitment of the terms. Then the other fields are those"
            " of the table below.\n\n"
            f"Then, if `end_reason` is `{EndReason.COMPLETED}` and `payment_ns` > 0, the winner owes price_minor, the"
            " bid at bid_index, from at on: see The sale.",
        ),
    )


def _sale_claims() -> tuple[tuple[str, str], ...]:
    return (
        (
            "`defaulted`",
            f"t >= deadline, `bidder` is the debtor, and `cause` is `{DefaultCause.LATE}` if t >= due, otherwise"
            f" `{DefaultCause.ABSENT}`.\n\nThen the debtor is excluded, and by = at + `offer_ns`.",
        ),
        (
            "`declined`",
            "t >= deadline, and `offer` is the offer that stands.\n\nThen it is turned down.",
        ),
        (
            "`reverted`",
            "It has to come next, and t = last; or it does not, and t >= deadline.\n\n"
            f"Then the end reason is `{EndReason.REVERTED}`.",
        ),
    )


def _results() -> roff.Table:
    return roff.Table(
        ("end_reason", "when, and the other fields"),
        (
            (f"`{EndReason.NO_BIDS}`", "There is no bid. winner, price_minor and bid_index are nil."),
            (
                f"`{EndReason.RESERVE_NOT_MET}`",
                "There is a reserve, and the standing price is below its `minor`. The same are nil.",
            ),
            (
                f"`{EndReason.COMPLETED}`",
                "Otherwise: winner is the leader, price_minor its bid, bid_index the index of that bid.",
            ),
        ),
    )


def registry_parts() -> tuple[Part, ...]:
    """The rules of the registry."""
    roles = ", ".join(f"`{role}`" for role in Role)
    return (
        Heading("The registry"),
        Paragraph(
            "The registry is a log of the same form under the origin ‹HOUSE›`/registry`; its file has no announcement."
            " It is verified in the order above, as far as the root; a file with an announcement is `checkpoint`."
            " Of an auction's file only the announcement is needed. Its entries are the house's own, but for"
            " `key_revoked` and `key_rotated`, which are signed. For each, in"
            " this order: entry and body are canonical, and of the same kind (`entry`); the signature is empty, or of"
            " `key_revoked` that of its `actor`, of `key_rotated` that of its `key`, and there `consent` is the"
            " signature, by `signing`, of the array `succeed` of the other four fields, as if that were a body"
            " (`signature`);"
            " its time is not before the last (`time`); then, with the kind as the word:"
        ),
        Definitions(
            (
                (
                    "`announced`",
                    "The auction was not announced before, nor this listing of this seller or of another key of its"
                    " holder. The seller is the house's"
                    f" own signing key, or an identity whose roles now include `{Role.SELLER}`.",
                ),
                (
                    "`admitted`",
                    "`name` is a name (1 to 32 of `a` to `z`, `0` to `9`, `.`, `_`, `-`, beginning with a letter or"
                    " digit); the signing key is not let in already (a member with roles), was never revoked nor"
                    " replaced, and is not the house's;"
                    f" `role` is one of {roles}, or several different ones joined by `+`.",
                ),
                (
                    "`role`",
                    "`name` is a name; the signing key is that of a member with roles; name or role are other than"
                    " they were; `role` is as above, or empty: then the member is let in no more.",
                ),
                (
                    "`key_revoked`",
                    "`house` is this house's signing key; `key` is another one, that was admitted before and not"
                    " revoked; `actor` was neither revoked nor replaced, and is `key` itself or may act as an operator"
                    " at t, as below."
                    "\n\nThen `key` has no role from t on, and is never admitted again.",
                ),
                (
                    "`key_rotated`",
                    "`house` is this house's signing key; `key` is another one, of a member with roles; `signing` is"
                    " not the house's either, and neither it nor `transport` is a key that was admitted before, or"
                    " replaced another.\n\nThen `key` has no role from t on, and is never admitted again; `signing`,"
                    " with `transport`, is that of a member by the name and with the roles that `key` had. The two are"
                    " keys of one holder, and so are all before and after them.",
                ),
                (
                    "`conduct`",
                    "The auction was announced; the keys of bidders rise, from those of earlier `conduct` entries of"
                    " this auction on, if there are any. Of each bidder: `stood`, `won`, `left` or `invalid` is more"
                    " than 0; `paid` + `defaulted` <= `won`; `stood` + `defaulted` <= 1.",
                ),
            )
        ),
        *reputation_parts(),
        *_beside_the_registry(),
    )


def _beside_the_registry() -> tuple[Part, ...]:
    """What is held against the registry in the log of an auction."""
    return (
        Subheading("A log beside a copy of the registry"),
        Paragraph(
            "With `verify --registry` the log is held against a copy of the registry, once both have been verified, in"
            " this order. s is how far apart the two may be: where the log has a `takeover` entry before the entry in"
            f" question, that one may be of another instance than writes the registry, which hears a moment later what"
            f" stands there and has another clock, and s is {REGISTRY_GRACE_NS // 10**9} s; for every other entry it is"
            " 0."
        ),
        Definitions(
            (
                (f"`{ANNOUNCEMENT}`", "The registry is of the same house."),
                (f"`{ANNOUNCEMENT}`", "It has as many entries as the checkpoint in the announcement says, or more."),
                (f"`{ANNOUNCEMENT}`", "Its root at that size is the root in that checkpoint."),
                (
                    f"`{OPERATOR}`",
                    f"Whoever acted as an operator was one: for each, in the order of the log, `{Role.OPERATOR}` is"
                    " among the roles that the last `admitted` or `role` entry before t - s gave to that key, or among"
                    " those that one from t - s to t + s gave to it, or the key is the house's own; t is the time of"
                    " what was done."
                    " The index is that of the entry"
                    " in the log of the auction.",
                ),
                (
                    f"`{REVOKED}`",
                    "No signed entry of the log is by a key that the registry has as revoked, and later than that: its"
                    " time is at most that of the `key_revoked` entry + s. The index is that of the first that is.",
                ),
                (
                    f"`{ROTATED}`",
                    "For each signed entry of the log, in order: if its signer is a key that the registry has as"
                    " replaced, and its time later than that of the `key_rotated` entry + s, its kind is one of"
                    f" {', '.join(f'`{kind}`' for kind in sorted(FINISHING))}; and if it is `joined`, no other key of"
                    " its holder is the seller's, or that of an earlier `joined` entry of the log. The index is that of"
                    " the first for which it is not so.",
                ),
                (
                    f"`{REPUTATION}`",
                    "If `min_reputation_ppm` > 0: for each `joined` entry in the order of the log, `reputation_ppm` is"
                    " the reputation of its bidder at t by the `conduct` entries before t - s, or by those up to and at"
                    " one of them that is from t - s to t + s."
                    " The index is that of the entry in the log of the auction.",
                ),
                (
                    "`conduct`",
                    "If nothing can follow in the log: what the registry says of its bidders in all, with every"
                    " `invalid` as 0 and without bidders of whom then nothing is said, is what follows from the log. If"
                    " it has no such entry, nothing follows, or the time of the registry's last entry is at most that"
                    " of the log's + s.",
                ),
            )
        ),
        Paragraph(
            "A copy that is older than the log may know nothing of an operator: take a newer one. The registry itself"
            " is the house's word: that an operator is whom the house says, it does not prove."
        ),
    )


def reputation_parts() -> tuple[Part, ...]:
    """What an auction says of its bidders, and what all of them come to."""
    return (
        Subheading("Reputation"),
        Paragraph(
            "Once nothing can follow in the log of an auction, the house says in `conduct` entries what the auction"
            f" comes to for its bidders, at most {MAX_DEEDS} an entry, in the order of their keys. All of it follows"
            " from the log but `invalid`, which is the house's word alone: bids that were refused are in no log. The"
            f" house counts those that it refused with {', '.join(f'`{code}`' for code in sorted(FAULTS))}, since it"
            " last started; what can happen to an honest bidder whom another one outruns is not counted."
        ),
        Definitions(
            (
                (
                    "`stood`",
                    "1 if there is a `closed` entry, a bid of the bidder, and no `defaulted` entry that names it.",
                ),
                (
                    "`won`",
                    "1 if it is the winner of the `closed` entry, or, where there is a stage, accepted an offer.",
                ),
                ("`paid`", "1 if it is the debtor, and the stage is settled."),
                ("`defaulted`", "1 if there is a `defaulted` entry that names it."),
                ("`left`", "How many `left` entries name it that came while it led, before the auction was over."),
            )
        ),
        Paragraph(
            f"Each such row is worth {STOOD_POINTS} * `stood` + {PAID_POINTS} * `paid` good points, and"
            f" {DEFAULTED_POINTS} * `defaulted` + min(`left`, {MAX_LEFT}) + min(`invalid`, {MAX_INVALID}) bad ones."
            " Points are forgotten, by half in"
            f" {HALF_LIFE_DAYS} days: day(t) = t / {DAY_NS}, rounded down; age = day(now) - day(t of the entry), or"
            " 0 if that is less; a"
            f" point weighs the greatest integer x with x^{HALF_LIFE_DAYS} <= 2^({FORGOTTEN_DAYS} - age), or 0 if age >"
            f" {FORGOTTEN_DAYS}. With g and b the sums of good and bad points by their weights, the reputation is (g +"
            f" 2^{SCALE_BITS}) * {WHOLE_PPM} / (g + b + 2^{SCALE_BITS + 1}), rounded down: the beta reputation system"
            " of Jøsang and Ismail (2002). Without evidence it is one half. A key has the rows of all keys of its"
            " holder."
        ),
        Paragraph(
            "It is no proof of honesty: whoever has a seller for a friend can buy from it again and again. A seller who"
            " asks for a reputation asks for the house's word on `invalid`, and for evidence on everything else."
        ),
    )
