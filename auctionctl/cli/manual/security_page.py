"""auctionctl-security(7): who may attack what, what happens then, and what nothing here protects from."""

from __future__ import annotations

from auctionctl.cli.manual.attacks import HOUSE_ATTACKS, SESSION_ATTACKS, STRANGER_ATTACKS, Attack
from auctionctl.cli.manual.roff import Code, Definitions, Heading, Page, Paragraph, Part, Subheading, Table
from auctionctl.cli.roles import rows
from auctionctl.replica.audit import REGISTRY_GRACE_NS

LIMITS = (
    (
        "Censorship",
        "No log shows a bid that the house never acknowledged. Whoever gets no answer knows it, and can prove nothing.",
    ),
    (
        "Order within a batch",
        "Bids that reach the house within the same few milliseconds are entered in an order that the house may choose.",
    ),
    ("Shilling", "A bidder may be the seller, or the house, under another key. Keys are not persons."),
    (
        "False vouching",
        "The operator says who is behind a key. Where he lies, or is mistaken, the log is right about keys only.",
    ),
    (
        "The last moments",
        "A house can date an entry back by no more than the time since the last clock head that anybody keeps.",
    ),
    (
        "Instances",
        "Where one instance of a house has taken a log over from another, what the registry says of keys, roles and"
        f" reputations is held against it give or take {REGISTRY_GRACE_NS // 10**9} s: a bid of a key that was revoked"
        " less long before is not found out there.",
    ),
    (
        "The way to a cluster",
        "Where a house has its logs in a cluster and the way there is not under TLS (`nats://`), whoever is on it reads"
        " what is stored, and a password or a token with it; can keep the house from writing; and can say in the"
        " servers' place that a bid is stored which is not: the house acknowledges it, and it is lost, which its"
        " receipt proves. It cannot make up a bid, and a log that says something else than the house has signed is"
        " found out by whoever has seen more of it.",
    ),
    (
        "A stolen key",
        "Whoever has the key is its owner, for the house and for every log, until it is revoked or off the list.",
    ),
    (
        "Many together",
        "The rate that the house takes in all is shared: a hundred listed keys at their own rates use it up, and honest"
        " bidders are told to come back like they are.",
    ),
    (
        "Strangers",
        "Keys cost nothing. Whoever has many addresses is many strangers at an open house: it can make up the bidders"
        " that an auction waits for, use up what strangers have, and come back under another key after any ban.",
    ),
    (
        "Reputation",
        "A seller and a bidder who are one can make sham sales, and how many bids were invalid is the house's word.",
    ),
    (
        "Keys that were replaced",
        "A budget counts what was bid under its own key: `key rotate` refuses while the old one has anything tied up,"
        " unless it is forced. Whoever had left an auction in which it owes cannot join it again under another key; it"
        " can pay, until it has been away for as long as the terms allow (`payment_absence`). Half of a"
        " key whose owner is neither there nor in the registry can be taken by another's rotation.",
    ),
    (
        "Being there",
        "A house that is ended, or cut off from the net, sells nothing meanwhile; its log shows how long, and what was"
        " acknowledged stays so.",
    ),
)
"""What no test can show, since it is not so: (what, how far it goes)."""


def page() -> Page:
    """The page."""
    return Page(
        name="auctionctl-security",
        section=7,
        title="attacks on a house, its bidders and its logs, and what comes of them",
        parts=(
            Heading("Description"),
            Paragraph(
                "Bidders, sellers and the house trust neither one another nor the network. What follows says of each of"
                " them what they may try, what happens then, and which test of the source distribution shows it: a file"
                " below tests/ and a function in it, run by `pytest tests/FILE -k FUNCTION`."
            ),
            Heading("Who may do what"),
            Paragraph(
                "An identity acts in one of its roles at a time, which its session says. What needs another one is"
                " refused, and the refusal names it; `auctionctl allow roles` shows the same table."
            ),
            Table(
                ("message", "roles", "commands"),
                tuple((name, ", ".join(may), ", ".join(commands)) for name, may, commands in rows()),
            ),
            *_attacks("By the house", HOUSE_ATTACKS),
            *_attacks("By somebody who is let in", SESSION_ATTACKS),
            *_attacks("By anybody else", STRANGER_ATTACKS),
            Heading("What nothing here protects from"),
            Definitions(LIMITS),
        ),
        see_also=("auctionctl(1)", "auctionctl-verify(1)", "auctionctl-log(5)", "auctionctl-wire(7)"),
    )


def _attacks(title: str, attacks: tuple[Attack, ...]) -> tuple[Part, ...]:
    """A heading, and each attack with what happens and what shows it."""
    parts: list[Part] = [Heading(title)]
    for attack in attacks:
        file, _, function = attack.test.partition("::")
        parts += [Subheading(attack.what), Paragraph(attack.outcome), Code(f"{file}\n  {function}")]
    return tuple(parts)
