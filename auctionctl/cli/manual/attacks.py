"""Of auctionctl-security(7): attacks, as data: what somebody may try, what comes of it, and which test shows that.

Rule: no row without a test that runs the attack; a test looks up every name that stands here.
"""

from __future__ import annotations

from typing import Final, NamedTuple


class Attack(NamedTuple):
    """What is tried, what happens, and the test: ``file::function`` below ``tests/``."""

    what: str
    outcome: str
    test: str


HOUSE_ATTACKS: Final = (
    Attack(
        "An acknowledged bid is left out, changed, moved or dated back",
        "The log fails `verify` with the entry and the rule, and does not hold the receipt's entry at its place.",
        "replica/test_audit.py::test_no_bit_of_an_entry_can_change_unnoticed_even_under_a_new_signature_of_its_tree",
    ),
    Attack(
        "The lot goes to another than the rules say, or at another price",
        "The close entry does not follow from the bids: `verify` fails at it.",
        "replica/test_audit.py::test_a_sale_to_the_second_best_bid_is_caught",
    ),
    Attack(
        "A bid is made or raised in a bidder's name",
        "Its signature does not hold, or not for the bidder that it names: `verify` fails at it.",
        "replica/test_audit.py::test_a_bid_raised_in_its_bidders_name_is_caught",
    ),
    Attack(
        "A log is shortened, replaced or forked",
        "Whoever saw more refuses to go on, exits with 7 and keeps both notes, which prove it to anybody.",
        "cli/test_history_refused.py::test_a_house_that_lost_a_bid_is_refused_by_every_command_that_reads_the_auction",
    ),
    Attack(
        "The house is restored from an older copy",
        "Bidders show it what it has signed: it writes no more to that log, and says `HALTED`.",
        "faults/test_rollback.py::test_a_house_that_was_rolled_back_is_reminded_and_halts_that_log_alone",
    ),
    Attack(
        "An acknowledgement leaves the house before the bid is durable",
        "A house that did so is found out by the harness that kills it; this one does not.",
        "faults/test_kill_loop.py::test_a_house_that_acknowledges_what_it_has_not_written_is_found_out",
    ),
)
"""By the house, or by whoever has its key."""

SESSION_ATTACKS: Final = (
    Attack(
        "Commands signed by somebody else than the session's identity",
        "Refused as `not_authorised`; nothing is logged.",
        "house/test_house.py::test_a_command_is_signed_by_the_identity_of_its_session",
    ),
    Attack(
        "A hello for another house or another connection, or one that is sent again",
        "Refused; there is no session.",
        "house/test_house.py::test_a_hello_that_does_not_hold_is_refused_and_makes_no_session",
    ),
    Attack(
        "More requests than the house takes at once",
        "Answered `busy` with a time to come back; no session gets more than its part of the queue.",
        "net/test_gateway.py::test_no_session_has_more_under_way_than_its_part_of_the_queue",
    ),
    Attack(
        "Reading without end",
        "Answered in turn and in bounds; nobody is kept from bidding, and no deadline moves.",
        "faults/test_outages.py::test_a_reader_that_asks_without_end_moves_no_deadline_and_keeps_nobody_from_bidding",
    ),
    Attack(
        "False notes, to have the house stop a log",
        "Only what this house has signed of that very log counts; anything else is malformed.",
        "house/test_reminders.py::test_what_this_house_has_not_signed_of_this_log_is_malformed",
    ),
    Attack(
        "Leaving while others bid, again and again, where the terms have the auction wait",
        "Waited for no more often and no longer than the terms allow, for one bidder and in all.",
        "auction/test_pauses.py::test_whatever_happens_the_caps_are_kept",
    ),
    Attack(
        "Control characters, markup or text from right to left in what others will see",
        "Shown as marks, on a terminal and in a pipe.",
        "terminal/test_hostile_text.py::test_on_a_terminal",
    ),
)
"""By an identity that the house lets in."""

STRANGER_ATTACKS: Final = (
    Attack(
        "Connecting with a key that is not on the allow list",
        "Refused in the handshake, before any message of it is read.",
        "net/test_admission.py::test_an_unlisted_key_is_refused_in_the_handshake_and_told_so",
    ),
    Attack(
        "Being the house towards a bidder",
        "The address holds the house's keys: nothing but the house can answer.",
        "net/test_admission.py::test_another_house_than_the_address_says_is_not_spoken_to",
    ),
    Attack(
        "Cutting, delaying or swallowing the connection between the two",
        "Sent again as the same bytes, which stand in the log once; a receipt that was lost comes again.",
        "faults/test_wires.py::test_a_bid_that_was_lost_on_the_way_is_sent_again_and_stands_once",
    ),
)
"""By anybody who reaches the port, or stands in between."""
