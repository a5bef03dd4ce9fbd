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
    Attack(
        "An instance of the house that others have outdated goes on: it stood still, or was cut off",
        "The store refuses what it writes: it acknowledges nothing of that, and tells senders to send it again.",
        "house/test_shared_house.py::test_a_stale_instance_writes_nothing_and_answers_nothing_but_where_to_go",
    ),
    Attack(
        "Somebody goes to several instances of the house, for as much at each of them",
        "Each takes its part of what the house takes of anybody; what counts auctions counts those of all.",
        "house/test_shared_limits.py::test_an_identity_that_goes_to_all_of_three_instances_gets_as_much_as_of_one",
    ),
    Attack(
        "What an instance has put into the store breaks the rules",
        "The other instances quarantine that log and go on with the others.",
        "house/test_shared_house.py::test_a_log_that_breaks_the_rules_is_quarantined_and_the_others_go_on",
    ),
    Attack(
        "Conduct that a bidder's reputation rests on is misstated or left out",
        "`verify --registry` fails with `conduct`, for the auction's own log says otherwise.",
        "house/test_reputation.py::test_a_house_that_says_something_else_or_nothing_is_caught",
    ),
    Attack(
        "A replaced key does more than finish what it began, or one holder joins under two keys",
        "`verify --registry` fails with `rotated`.",
        "independent/test_rotations.py::test_a_key_that_was_replaced_finishes_what_it_began_and_nothing_else",
    ),
    Attack(
        "A key is put in another's place without both having signed",
        "`verify` of the registry fails with `signature`.",
        "independent/test_rotations.py::test_both_say_whose_key_takes_the_place_of_which",
    ),
    Attack(
        "A bid of a revoked key is taken",
        "`verify --registry` fails with `revoked`.",
        "independent/test_registry.py::test_nobody_signs_anything_after_its_key_was_revoked",
    ),
)
"""By the house, or by whoever has its key."""

SESSION_ATTACKS: Final = (
    Attack(
        "Messages over one connection that are to count as another's session",
        "Each message is of the key that CURVE authenticated for it; that session ends, and has said nothing.",
        "net/test_user_ids.py::test_no_message_of_another_key_is_of_a_session_even_under_its_routing_id",
    ),
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
    Attack(
        "More commands a second than its rate",
        "Refused as `rate` with a time to come back; others do not notice, and operators get through.",
        "house/test_quotas.py::test_what_one_identity_has_used_up_nobody_else_lacks",
    ),
    Attack(
        "Reading more bytes a second than its share",
        "Refused as `rate` with a time to read on; others read as before, and an honest reader waits and goes on.",
        "net/test_reading.py::test_whoever_reads_too_much_is_refused_by_the_name_of_the_log_and_others_are_answered",
    ),
    Attack(
        "Following more logs than a session may",
        "Refused as `quota`, and the limit is named; an end of an auction makes room.",
        "house/test_subscriptions.py::test_what_is_too_much_is_refused_as_a_whole_by_the_name_of_the_limit",
    ),
    Attack(
        "A flood of checkpoints that the house is to be reminded of",
        "Counted as questions are, before any of them is looked at; no more than 8 a turn are.",
        "house/test_quotas.py::test_reminders_are_taken_of_nobody_who_is_muted_and_no_faster_than_other_questions",
    ),
    Attack(
        "Bad signatures, again and again",
        "After five within a minute nothing of that identity is taken for a minute; `events --security` says so.",
        "house/test_quotas.py::test_whoever_signs_badly_again_and_again_is_not_heard_for_a_while",
    ),
    Attack(
        "A flood of bids, to keep the house busy with checking signatures",
        "What passes a rate is refused at the gateway, in the house's words, before anything of it is checked.",
        "net/test_edge.py::test_bids_beyond_the_rate_die_at_the_edge_in_the_words_of_the_house",
    ),
    Attack(
        "A flood at ten times what the house takes, by many that are listed",
        "Operators are answered within a second meanwhile, and closes are in time.",
        "faults/test_floods.py::test_an_operator_is_answered_and_a_close_is_in_time_while_listed_bidders_flood_the_house",
    ),
    Attack(
        "Bad signatures after that, all the same",
        "The gateway knows of the mute: nothing of that identity is checked until it is over.",
        "net/test_manners.py::test_whoever_signs_badly_again_and_again_is_refused_at_the_edge",
    ),
    Attack(
        "Hellos that are not signed by whom they name",
        "Refused; after four within ten minutes the connection's key is cut and kept out for a minute, then longer.",
        "net/test_manners.py::test_whoever_does_not_sign_its_hello_again_and_again_is_kept_out_and_nobody_else_is",
    ),
    Attack(
        "A bit of a signed message changed",
        "The signature does not hold; nothing changes.",
        "fuzz/test_bit_flips.py::test_every_single_bit_of_a_signed_message_is_bound",
    ),
    Attack(
        "A message that means something else, is for another auction, house, role or bidder, or comes again",
        "Refused with its code; nothing changes.",
        "fuzz/test_semantic_mutations.py::test_what_means_something_else_is_refused_with_its_code_and_changes_nothing",
    ),
    Attack(
        "Two bids under one number",
        "The second is refused, and both are kept: `auctionctl evidence ls`.",
        "net/test_keeping.py::test_both_bids_of_a_conflict_are_kept_and_prove_it",
    ),
    Attack(
        "Defaulting, and bidding again where a reputation is asked for",
        "Refused as `low_reputation`, with what is needed and what it is, over restarts too.",
        "house/test_reputation.py::test_a_defaulter_is_kept_out_and_told_why_and_others_come_in",
    ),
    Attack(
        "A message without end, half a message, silence, garbage, or reading nothing",
        "Cut after 4 MiB, 2 s or 5 s; who repeats it is muted. Others are served as before.",
        "faults/test_hostile_clients.py::test_an_honest_bidder_is_served_in_time_while_somebody_means_harm",
    ),
    Attack(
        "Taking routing ids, by which a ZeroMQ process can be ended",
        "The key is banned. Where a gateway ended, it is back within 2 s, the log has a gap, and nobody wins by it.",
        "faults/test_routing_id_attack.py::test_who_takes_the_next_routing_id_ends_two_gateways_and_no_auction_and_is_banned",
    ),
    Attack(
        "Going to another of several gateways after a ban or a mute, or having more by being at all of them",
        "What one gateway says of a key or an address holds at all within a moment. Each has its share of the"
        " connections, rounded up; commands, questions and the queue are counted by the house.",
        "faults/test_gateways.py::test_who_attacks_one_gateway_is_kept_out_of_all",
    ),
    Attack(
        "Ending one of several gateways, to be rid of those who bid there",
        "They come in by another one within a second. No deadline moves by it, for others serve: a soft close gives"
        " them their time.",
        "faults/test_gateways.py::test_a_gateway_killed_among_three_is_noticed_by_nobody_at_the_others_and_all_three_by_the_deadline",
    ),
    Attack(
        "A gateway in a bidder's power, speaking for the sessions of another",
        "Sessions are a gateway's by their numbers: what it says of others' is not heard.",
        "net/test_daemon_gateways.py::test_no_gateway_speaks_for_the_sessions_of_another",
    ),
    Attack(
        "Staying connected after being taken off the list",
        "Cut off at once; standing bids stay.",
        "net/test_admission.py::test_a_key_that_is_taken_off_the_list_is_cut_off_at_once_and_its_standing_bid_stays",
    ),
    Attack(
        "Hellos on and on, or messages that no house knows",
        "Put off, by key, beyond what the liveliest client needs.",
        "net/test_edge.py::test_a_listed_key_that_says_hello_on_and_on_is_put_off_and_others_are_not",
    ),
    Attack(
        "Rotating to a key half of which is somebody else's, to shut that one out",
        "Refused while its owner is there, or the registry knows it.",
        "house/test_key_commands.py::test_nobody_gets_half_of_the_key_of_somebody_who_is_there",
    ),
    Attack(
        "Putting a key of one's own in the place of a stolen one, before that is revoked",
        "Shut out with it, once an operator revokes the stolen one.",
        "house/test_key_commands.py::test_to_revoke_a_key_shuts_out_whoever_has_put_another_in_its_place",
    ),
)
"""By an identity that the house lets in."""

STRANGER_ATTACKS: Final = (
    Attack(
        "Having a server of a cluster look as if it had no TLS",
        "To an address that asks for TLS the house says nothing without it, no login either; and why it does not.",
        "conformance/test_cluster_tls.py::test_whoever_has_a_server_look_as_if_it_had_no_tls_hears_nothing_of_us",
    ),
    Attack(
        "Being taken for a server of a cluster",
        "A certificate of another authority or name, or one that has expired, is refused, and which of these it is.",
        "conformance/test_cluster_tls.py::test_what_does_not_hold_is_said_at_once_with_what_mends_it",
    ),
    Attack(
        "Deleting or changing what is stored in a cluster, with the house's own login",
        "Its user is allowed neither, where servers are set up as auctionctl-cluster(7) says.",
        "conformance/test_cluster_login.py::test_the_user_of_the_manual_deletes_and_changes_nothing_and_is_told_why",
    ),
    Attack(
        "Reading the login of a house in the list of processes, or in their environment",
        "It is in neither, and refused on a command line.",
        "conformance/test_cluster_login.py::test_no_process_of_a_house_shows_its_login_to_others",
    ),
    Attack(
        "Connecting with a key that is not on the allow list",
        "Refused in the handshake, before any message of it is read.",
        "net/test_admission.py::test_an_unlisted_key_is_refused_in_the_handshake_and_told_so",
    ),
    Attack(
        "Coming in to an open house (`serve --open`) as more than a bidder",
        "Refused: a stranger bids and looks on, under a name made of its key.",
        "net/test_open_house.py::test_a_stranger_bids_beside_a_listed_bidder_and_is_nothing_but_a_bidder",
    ),
    Attack(
        "Many strangers at an open house, to keep listed bidders out",
        "Half of all connections, half of the queue and most of the rate are left to the list.",
        "net/test_door.py::test_half_of_the_house_is_for_listed_keys_however_many_strangers_come",
    ),
    Attack(
        "Many keys from one address at an open house",
        "An address has so many connections, and so many arrivals and hellos a minute, whatever the keys.",
        "net/test_open_house.py::test_one_address_has_its_connections_and_listed_bidders_come_in_from_it_all_the_same",
    ),
    Attack(
        "One identity after the other at an open house, for a new rate each",
        "Those of one address have no more commands and questions together than as many as may be connected.",
        "net/test_edge.py::test_identities_one_after_the_other_have_no_more_than_what_their_address_has",
    ),
    Attack(
        "A muted or revoked key at an open house",
        "A revoked key is refused for ever; what one key of a stranger is muted for, mutes its address as well.",
        "net/test_zap_configurations.py::test_an_open_house_refuses_in_the_handshake_whom_it_does_not_want",
    ),
    Attack(
        "Ending the gateway to be rid of a mute",
        "What a key or an address is muted for goes on at the next gateway.",
        "net/test_open_house.py::test_what_an_address_was_muted_for_counts_after_the_gateway_was_replaced",
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
    Attack(
        "More connections than a key, or all together, may have",
        "Put off until there is room.",
        "net/test_door.py::test_all_together_have_so_many",
    ),
    Attack(
        "A flood of knocking keys, to fill the disk or wash out the journal",
        "Few are named, the others counted; other kinds of events stay.",
        "net/test_security_journal.py::test_a_flood_of_100_000_keys_stays_small_and_washes_nothing_away",
    ),
    Attack(
        "What is no message, or a ping, on and on",
        "Counted and limited like questions, though the gateway answers it by itself.",
        "net/test_manners.py::test_a_flood_of_what_is_no_message_and_of_pings_that_are_none_comes_to_its_limit",
    ),
    Attack(
        "Damaged files and messages",
        "One of the documented errors, and nothing else.",
        "fuzz/test_decoders.py::test_only_documented_errors_come_out_and_what_is_accepted_is_canonical",
    ),
    Attack(
        "Odd Ed25519 keys and signatures",
        "Judged as libsodium judges them, so that two readers of a log agree.",
        "keys/test_edwards.py::test_every_signature_of_a_group_is_judged_as_pinned",
    ),
    Attack(
        "A secret in a file that a killed `keygen`, `passwd` or `rotate` left",
        "Taken away by the next such command for that key.",
        "keys/test_keyfile.py::test_what_a_killed_process_left_is_taken_away_the_next_time_and_nothing_else",
    ),
    Attack(
        "A stolen key file",
        "Under a passphrase each try costs 256 MiB and most of a second.",
        "keys/test_locked_key.py::test_a_locked_key_opens_with_its_passphrase_alone",
    ),
    Attack(
        "Reading a house's key from a core file",
        "There is none.",
        "net/test_child.py::test_a_house_that_dies_leaves_no_core_file_and_nothing_of_its_key",
    ),
    Attack(
        "A stolen key that was replaced",
        "Refused in the handshake; what it had begun takes the new key as well to finish.",
        "house/test_finishing.py::test_nobody_else_finishes_it_and_nothing_new_is_begun",
    ),
    Attack(
        "Keys replaced again and again to be rid of a bad reputation or of limits",
        "Reputation, listings, shares and presence are the holder's; once an hour at most.",
        "replica/test_registry_rotations.py::test_the_reputation_is_one_for_all_keys_of_a_holder_whichever_did_it",
    ),
    Attack(
        "A stolen key that was revoked",
        "Cut within a second, and let in no more, whatever the allow list says.",
        "cli/test_key_revoke.py::test_an_operator_revokes_the_key_of_another_which_is_cut_off_within_a_second",
    ),
    Attack(
        "Words in a title or a name that are to run, or load something, in the page of `report`",
        "Stripped and escaped; the page forbids itself to load or run anything.",
        "terminal/test_hostile_text.py::test_reported",
    ),
    Attack(
        "Bytes on the terminal of `watch` that pose as keys",
        "Dropped, where they are none; no key sends anything to the house.",
        "views/test_keystrokes.py::test_what_terminals_send_is_the_key_that_was_pressed",
    ),
    Attack(
        "A bidding program of somebody else's that lies, floods, hangs or dies",
        "No bid and a warning, and an end with all that it started. It has all rights of its user, who lets it run.",
        "cli/test_own_strategies_live.py::test_whatever_a_strategy_says_no_bad_bid_is_sent_and_no_budget_exceeded",
    ),
)
"""By anybody who reaches the port, or stands in between."""
