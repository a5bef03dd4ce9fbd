"""What stands in the JSON of ``bench``: schema → field → meaning, as in :mod:`auctionctl.cli.manual.json_fields`."""

from __future__ import annotations

from typing import Final

SCHEMA: Final = "auctionctl.bench/2"
RESTART_SCHEMA: Final = "auctionctl.bench-restart/1"
SIMULATION_SCHEMA: Final = "auctionctl.bench-simulate/1"

RESTART: Final = {
    "entries": "How many entries the store held.",
    "logs": "In how many logs of auctions.",
    "entries_of_largest": "How many of them the largest log had when the bid came.",
    "listening_s": "From the start of the process until the house served, in seconds.",
    "first_receipt_s": "Until the receipt of the first new bid.",
    "bare_s": "What it takes to read and hash the same entries, and nothing else.",
    "ratio": "The former by the latter.",
    "peak_bytes": "The most memory that the house's process had resident; null outside of Linux.",
    "peak_bytes_per_entry": "That, by the number of entries.",
}

LOADED: Final = {
    "auctions": "How many auctions there were.",
    "bidders": "Of how many bidders each.",
    "window": "How many bids were under way in each.",
    "gateways": "How many processes took connections.",
    "runs": "How many runs the medians are of.",
    "bids_per_s": "Signed, durable, receipted bids a second.",
    "answers_per_s": "The same with the bids that the rules refused, by signed rejections.",
    "ratio": "The former, by what one core verifies bare in a second, measured just before each run.",
    "cpu_us_per_bid": "CPU time a bid: `gateway`, `verifiers`, `house`, `load` (the bidders); null outside of Linux.",
    "cpu_ratio": "The first three together, by the CPU time of one bare verification.",
    "rejections": "Bids that the rules refused.",
}

SCALED: Final = {
    "auctions": "How many auctions each house had.",
    "bidders": "Of how many bidders each.",
    "window": "How many bids were under way in each.",
    "cores": "How many the machine has, for houses, bidders and servers together.",
    "runs": "How many runs the medians are of.",
    "bids_per_s": "By house: signed, durable, receipted bids a second.",
    "ratios": "By house: that, by the first one's in the same round; the median.",
    "bare_ratios": "By house: the former, by what one core verifies bare in a second.",
    "cpu_us_per_bid": "By house: CPU time a bid as above, without that of the servers of a cluster.",
    "rejections": "Bids that the rules refused, of all houses.",
}

JSON_SCHEMA: Final = {
    SCHEMA: {
        "is_short": "Whether `--short` was given: then ratios may be compared, and nothing else.",
        "cores": "How many the machine has.",
        "bare_verify_per_s": "Signatures that one core verifies a second, with nothing else to do; the median.",
        "bare_cpu_us": "CPU time that one takes.",
        "fdatasync_ms": "What it takes here to make 16 KiB durable.",
        "rows": "One for each figure: `benchmark`, `what`, `value`, `unit`, `ratio` and `against` what (or null),"
        " `target` (`sense`: `at_least` or `at_most`, and `limit`; or null), and `is_met`. A target is one of the ratio"
        " where there is one, else of the value.",
        "is_met": "Whether no target was missed.",
        "receipts_verified": "Receipts that were verified afterwards: every one that came.",
        "entries_replayed": "Entries of logs that were verified afterwards, by signature and rule.",
        "measured": "By benchmark what it measured, as below.",
        "profile": "With `--profile`: by process its hottest functions, each with its share of the time; else null.",
    },
    "measured.throughput and measured.hot": LOADED,
    "measured.latency": {
        "auctions": "How many auctions there were.",
        "runs": "How many rounds the medians are of.",
        "seconds": "How long a round was.",
        "latency_ms": "By bids a second: `p50`, `p99` and `p99_9` from when a bid was due until its receipt.",
    },
    "measured.many": {
        "auctions": "How many auctions the large house had.",
        "few_auctions": "How many the small one.",
        "under_way": "How many bids were under way at once in each of them.",
        "runs": "How many runs the medians are of.",
        "answers_per_s": "Receipts and signed rejections a second of the large one.",
        "few_answers_per_s": "Of the small one.",
        "ratio": "The former by the latter.",
        "cpu_us_per_bid": "CPU time a bid in the large one, as above.",
        "few_cpu_us_per_bid": "In the small one.",
        "rejections": "Bids that the rules refused.",
    },
    "measured.fanout": {
        "watchers": "How many sessions followed the auction.",
        "runs": "How many bids they were told of, one at a time.",
        "last_ms": "From when a bid was sent until the last of them knew; the median.",
        "slowest_ms": "The longest that it took.",
        "first_to_last_ms": "From the first of them to the last.",
    },
    "measured.restart": RESTART,
    "measured.verify": {
        "entries": "How many entries the file had.",
        "runs": "How many runs the medians are of.",
        "entries_per_s": "Entries verified a second, from the start of the process to its end.",
        "ratio": "That, by what one core verifies bare in a second.",
    },
    "measured.startup": {
        "runs": "How many starts the medians are of.",
        "version_ms": "How long `auctionctl --version` took.",
        "interpreter_ms": "How long the interpreter took to start and end.",
    },
    "measured.gateways (houses `1`, `2`, `4`), measured.cluster (houses `sqlite`, `cluster`) and"
    " measured.instances (houses `1`, `2`, `3`)": SCALED,
    RESTART_SCHEMA: RESTART,
    SIMULATION_SCHEMA: {
        "auctions": "How many auctions a run simulated.",
        "bidders": "Of how many bidders each.",
        "bids": "How many bids that made.",
        "runs": "How many runs the medians are of.",
        "bids_per_s": "Bids a second of CPU time: strategies asked, wallets kept, bids judged.",
        "bare_rules_per_s": "The same bids through the rules alone.",
        "ratio": "The former by the latter.",
        "auctions_20000_s": "CPU time that 20,000 such auctions take, in seconds.",
    },
}
