"""Of auctionctl-wire(7): every message with its fields, who sends it, and what comes of it.

Rule: names, types, bounds and what a message is for come from the types by which it is read; what is answered, and what
a client has to check, is written by hand, for every type.
"""

from __future__ import annotations

from typing import Final, get_args

import msgspec

from auctionctl.auction.bid import Bid, Join
from auctionctl.auction.commands import Accept, Cancel, Decline, Offer, Pause, Pay, RejectPayment, Resume, Settle
from auctionctl.auction.rejection import RULES, Code
from auctionctl.auction.terms import SECOND_NS, Terms
from auctionctl.cli.manual.roff import Definitions, Heading, Paragraph, Part, Subheading, Table
from auctionctl.cli.manual.shapes import job_of, plain_table, tag_of
from auctionctl.house.answers import LISTINGS_A_PAGE, MAX_LISTINGS_BYTES
from auctionctl.house.clock_heads import LAST_MINUTE_NS, SLOW_S
from auctionctl.house.intake import ROLES
from auctionctl.house.key_commands import LEAST_AGE_NS
from auctionctl.house.presence import PRESENCE_GRACE_NS
from auctionctl.house.reminders import REMINDERS_A_TURN
from auctionctl.net.edge import BUSY_RETRY_NS, LEAST_SHARE, SHARES
from auctionctl.net.reading import FETCH_ENTRIES
from auctionctl.replica.registry import Revoke, Rotate
from auctionctl.wire.measures import Busy, Labelled, Measure, Measures, PeerMeasure, ProcessMeasure, StageMeasure
from auctionctl.wire.messages import (
    MAX_ANSWERS_A_MESSAGE,
    MAX_AUCTIONS_A_MESSAGE,
    MAX_ENTRIES_BYTES,
    Acknowledged,
    Bye,
    Catalogue,
    ClockHead,
    Condition,
    Entries,
    Finish,
    Hello,
    InstanceWord,
    List,
    Listing,
    Moved,
    Ping,
    Pong,
    Read,
    Receipted,
    Receipts,
    Refused,
    Rejected,
    Rejection,
    Rejections,
    RejectionsHead,
    Remind,
    Status,
    Subscribe,
    Welcome,
)

EVERYBODY: Final = frozenset({"bidder", "seller", "operator", "observer"})

ANSWERED: Final = "which is the session's identity. Answered by a receipt, a rejection or `refused`"
COMMAND: Final = f"Signed by `actor`, {ANSWERED}."

FROM_SESSIONS: Final[dict[type[msgspec.Struct], str]] = {
    Hello: "Signed by `identity`. Answered by `welcome`, or `refused`. It is taken at any time; one that is welcomed"
    " replaces what the session was, and its subscriptions stay.",
    Bye: f"Not answered. A bidder counts as gone {PRESENCE_GRACE_NS // SECOND_NS} s after its last session has ended,"
    " and leaves its auctions then.",
    Ping: "Answered by `pong` at once, ahead of everything that waits.",
    List: f"Answered by one `catalogue`, of at most {LISTINGS_A_PAGE} listings or {MAX_LISTINGS_BYTES} bytes of terms"
    " and announcements, one listing at least; ask again from `start` + their number until that is `total`. A later"
    " `list`"
    " of the same session takes the place of one that waits.",
    Subscribe: f"Not answered, but by `refused` with `quota` where it is too many. From now on entries of these logs"
    " come as they become durable; at most"
    f" {MAX_AUCTIONS_A_MESSAGE} logs a message. What the house does not hold is passed over. So subscribe, then `read`:"
    " what was appended in between comes twice, never not at all. A log that nothing can be added to any more is not"
    " followed, and counts no longer. There is no way back but another session.",
    Read: f"Answered by one `entries` from `start` on, of at most {FETCH_ENTRIES} entries or {MAX_ENTRIES_BYTES} bytes"
    " (one entry at least), empty if there is nothing new, under a checkpoint signed alone; or by `refused` with"
    " `no_such_auction`, or `rate` once this identity has read more than it may, whose `command` is then the log. A"
    " later `read` of the same session and log takes the place of one that waits.",
    Remind: "Not answered, unless it is one too many of this identity, or the note, in either form of"
    " auctionctl-log(5), is no checkpoint of this log by this"
    " house: then by `refused` with `malformed`. Send it when the house serves less than a head that was verified"
    f" before, or another root: it then writes no more to that log. Of more than {REMINDERS_A_TURN} at once, it passes"
    " over some.",
    Status: "Answered by `condition`.",
    Measure: "Answered by `measures`, to operators and to the house's own key; else by `refused` with"
    " `not_authorised`.",
    Revoke: "Signed by `actor`, which is the session's identity. Not answered but by the entry `key_revoked` of the"
    " registry, or by `refused` with `not_revoked`, `not_authorised` or `halted`. Once it is durable, the sessions of"
    " `key` end, and no hello of it is welcomed any more.",
    Rotate: "Signed by `key`, which is the session's identity; `consent` is as auctionctl-log(5) says. Not answered"
    " but by the entry `key_rotated` of the registry, or by `refused` with `not_rotated`, `not_authorised` or `halted`."
    " Once it is durable, the sessions of `key` end, and no hello of it is welcomed any more; the new keys are let in"
    " where the allow list names `key`, by the same name and in the same roles. They can be replaced in turn"
    f" {LEAST_AGE_NS // SECOND_NS} s later at the earliest.",
    Finish: "Signed by the session's identity, which has taken the place of `actor`. `command` is what `actor` would"
    " send itself, one of pay, reject_payment, settle (as the seller), offer, accept and decline, and `signature` that"
    " of `actor`: these are what is entered, and answered, as if they had come by themselves. The log of a sale names"
    " the key that was replaced, so nothing else will do there; and that key alone will not do here. While a session of"
    " the new key lasts, its holder is there under the former ones. What was not begun under a former key is done under"
    " the new one; but nobody joins an auction in which it has part under another of its keys: `not_authorised`.",
    Join: f"Signed by `bidder`, {ANSWERED}.",
    Bid: f"Signed by `bidder`, {ANSWERED}.",
    Terms: "Signed by `seller`, which is the session's identity: the body of entry 0 of the log that begins. Answered"
    " by a receipt for that entry, or `refused` with `terms` or `not_authorised`. The same bytes again get a receipt"
    " again;"
    " another auction under the same listing is refused, for ever. A reserve must be sealed to the `escrow` key of the"
    " welcome.",
    Pause: f"{COMMAND} Bidding stands still, and the end moves by as long as it does.",
    Resume: f"{COMMAND} What the terms have stand still, this does not end.",
    Cancel: f"{COMMAND} There is no sale.",
    Pay: f"{COMMAND} It says that the price was paid, and moves no money.",
    Settle: f"{COMMAND} `capacity` is the session's role. With it the log of the auction is finished.",
    RejectPayment: f"{COMMAND} `capacity` is the session's role. The debtor's time goes on from where the payment was"
    " reported.",
    Offer: f"{COMMAND} Where the terms allow it, after the entry `defaulted` or `declined`.",
    Accept: f"{COMMAND} Its sender owes the price of its bid from now on.",
    Decline: f"{COMMAND} Not to answer is to decline, later.",
}
"""What a session may send → what comes of it."""

FROM_HOUSES: Final[dict[type[msgspec.Struct], str]] = {
    Welcome: "Signed by the house. `queue_limit` is how many requests the house lets wait, from everybody together.",
    Refused: "Unsigned. `command` is the id of the command that it is about (and, for `no_such_auction` and `rate`,"
    " perhaps"
    " the log that was to be read), or empty. `message` is for people.",
    Moved: "Unsigned. A house of several instances takes what is asked of a log where that log is written; `log` is the"
    " id of an auction, or empty for the registry, to which terms and changes of keys go. `command` is the id of the"
    " command that this answers, or empty: then it answers `subscribe`, which did nothing for this log, or says to"
    " whoever follows the log that it is written elsewhere from now on. Nothing was changed by what is answered so."
    " Send the same bytes to `endpoint`, over a session there under the same key of the house, and subscribe there;"
    " where it is empty, nobody has the log just now: ask again after `retry_ns`. Follow only a few of these in a row,"
    " and then begin anew at an endpoint of the address. `read` and `list` are answered by every instance, but"
    " for a `read` of an auction that it does not have yet.",
    Pong: "Unsigned.",
    Condition: "Unsigned: it proves nothing. Codes of warnings so far: `store_full` (nothing is accepted until there is"
    " room), `store_lossy` (a cluster has the logs that may lose them), `halted`, `quarantined` (a log that"
    " does not verify), `clock_behind` (another instance's clock is so far ahead that this one takes nothing"
    " over), `instance_lost` (one that did not end in order is not heard of any more), `banned` (who is kept"
    " out for ending gateways), `archive_failed`, `revoked_listed` (the allow list names keys that were"
    " revoked), `rotated_listed` (it names keys that were replaced), `limits_unshared` (an instance's change"
    " of limits could not be written), `limits_differ` (its settings say others than are in force),"
    " `lots_wait`. `instance` is empty where a house has one.",
    Measures: "Unsigned: it proves nothing. Amounts and families that a client does not know are to be passed over.",
    Catalogue: "Unsigned; each listing holds its own proofs. Auctions stand in the order in which they were announced.",
    Entries: f"Unsigned; the checkpoint, in either form of auctionctl-log(5), is over `start` + number of entries or"
    f" more. Both the feed and the answer to `read`; a feed of more than {MAX_ENTRIES_BYTES} bytes comes in pieces.",
    ClockHead: "Unsigned; the note is a clock head of auctionctl-log(5). It comes to whoever subscribed, while the"
    f" auction is open or paused: every second in the last {LAST_MINUTE_NS // SECOND_NS} s before its end, unless it is"
    f" paused, else every {SLOW_S} s; each time at the beginning of a second of the house's clock and after the feed;"
    " and once with the close.",
    Acknowledged: f"Unsigned; proofs are within. At most {MAX_ANSWERS_A_MESSAGE} receipts a message.",
    Rejections: f"The signature is within. At most {MAX_ANSWERS_A_MESSAGE} rejections a message.",
}
"""What a house may send → what to know of it."""

WITHIN: Final = (
    StageMeasure,
    Labelled,
    ProcessMeasure,
    PeerMeasure,
    Busy,
    InstanceWord,
    Listing,
    Receipts,
    Receipted,
    Rejected,
    Rejection,
    RejectionsHead,
)
"""What stands within others, or is only signed."""

OBSERVED: Final = (
    (("seq", "last_seq"), "`stale` and `sequence_conflict`"),
    (("not_after", "now"), "`expired`"),
    (("not_after", "latest"), "`not_after_too_far`"),
    (("stated", "reputation"), "`wrong_reputation`"),
    (("reputation", "needed"), "`low_reputation`"),
    (("amount", "minimum"), "`below_starting_price`"),
    (("price",), "`already_leading`"),
    (("amount", "price", "minimum"), "`below_increment`"),
    (("pauses", "paused_ns"), "`pauses_used_up`"),
    (("until",), "`paused_by_terms`"),
    (("bids",), "`has_bids`"),
    (("due",), "`defaulted`"),
    (("amount", "price"), "`wrong_amount`"),
    (("amount", "bid_index"), "`not_next_bidder`"),
)
"""Names of the values that a rejection shows, and the codes that show them."""

REFUSALS: Final = {
    "malformed": "Frames or a body that are not what this page says. Do not send them again.",
    "no_session": "The house does not know this session (any more): say hello, then everything again.",
    "not_authorised": "Without `command`: the hello was refused, for the reason in `message`. With it: a command that"
    " the"
    " session's role or identity may not send.",
    "bad_signature": "The signature is not by the session's identity; or a hello is not signed by the one in it, or"
    " malformed.",
    "unknown_type": "This house knows no messages of this type.",
    "busy": "The queue is full: send the same bytes again after `retry_after_ns`.",
    "rate": "More commands or questions a second than the house takes, of this identity or of all together, or more"
    " bytes"
    " than it reads to one: send the same bytes again after `retry_after_ns`. No log holds why, so nobody can judge it"
    " again.",
    "quota": "The house takes no more bids of this bidder in this auction; or, without `command`, the session would"
    " follow"
    " more logs than it may, and follows none of this `subscribe`.",
    "muted": "Too many messages of this identity were signed badly: nothing is taken of it before `retry_after_ns`.",
    "store_full": "The house's disk has no room left, and this command was not written: send the same bytes again after"
    " `retry_after_ns`.",
    "halted": "The house has signed for more of this log, or for something else, than it holds, and writes no more to"
    " it; where the log is the registry, it announces nothing. Do not send the command again.",
    "closing": "This house is being shut down and takes nothing more: send the same bytes again after `retry_after_ns`,"
    " to whoever answers at its address then. Without `command` it is a goodbye to the session.",
    "no_such_auction": "This house holds no auction or log of this id.",
    "not_revoked": "The key cannot be revoked by this sender, for the reason in `message`.",
    "not_rotated": "The key cannot be replaced by this one, or not now, for the reason in `message`.",
    "terms": "No auction can be held under these terms here, for the reason in `message`.",
}
"""Code of a refusal → what it means."""


def message_parts() -> tuple[Part, ...]:
    """All messages, first those of sessions, then those of houses, then what stands within."""
    parts: list[Part] = [
        Heading("Messages of a session"),
        Paragraph("The first table says who may send what; `hello` and `ping` are anybody's."),
        Table(("type", "roles"), tuple((f"`{name}`", _roles(roles)) for name, roles in ROLES.items())),
    ]
    for struct, said in FROM_SESSIONS.items():
        parts += _message(struct, said)
    parts.append(Heading("Messages of a house"))
    for struct, said in FROM_HOUSES.items():
        parts += _message(struct, said)
    parts += [Heading("Arrays within"), Paragraph("These stand within the messages above, or are what is signed:")]
    for struct in WITHIN:
        parts += [Subheading(struct.__name__), Paragraph(job_of(struct)), plain_table(struct)]
    return tuple(parts)


def _roles(roles: frozenset[str]) -> str:
    return "any" if roles == EVERYBODY else ", ".join(sorted(roles))


def _message(struct: type[msgspec.Struct], said: str) -> list[Part]:
    return [Subheading(tag_of(struct)), Paragraph(job_of(struct)), Paragraph(said), plain_table(struct)]


def refusal_parts() -> tuple[Part, ...]:
    """Codes of refusals and rejections."""
    return (
        Heading("Refusals and rejections"),
        Paragraph(
            "What never reached the rules of an auction is `refused`: unsigned, kept nowhere, and no reason to believe"
            " anything. The codes:"
        ),
        Definitions(tuple((f"`{code}`", meaning) for code, meaning in REFUSALS.items())),
        Paragraph(
            f"`busy` comes when the requests under way are as many as `queue_limit`, or those of one session as many"
            f" as one part in {SHARES} of it or {LEAST_SHARE}, whichever is more (of a stranger's: {LEAST_SHARE});"
            f" retry_after_ns is {BUSY_RETRY_NS}."
        ),
        Paragraph(
            "What the rules refused is a rejection, signed by the house. Anybody who has the log can replay it up to"
            " `log_size` entries and must come to the same `code` and `observed` values at `time_ns`; auctionctl-log(5)"
            " says when each code applies."
        ),
        Definitions(tuple((f"`{code}`", f"{RULES[code]}.".capitalize()) for code in Code)),
        Paragraph(
            "`observed` is pairs of name and number, in this order: "
            + "; ".join(f"{', '.join(f'`{name}`' for name in names)} for {codes}" for names, codes in OBSERVED)
            + "; none for the others."
        ),
    )


def known_types(union: object) -> set[str]:
    """The tags of the members of a union of messages."""
    return {tag_of(member) for member in get_args(union)}
