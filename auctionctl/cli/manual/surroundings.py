"""What commands find around them, as data: environment variables and files.

Rule: every variable that the program reads stands here, and no other; a test looks for them in the source.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from auctionctl.client.paths import Paths

ALL: Final = ""
"""In ``belongs_to``: every command."""

PLACES: Final = Paths(
    Path("~/.config/auctionctl"), Path("~/.local/state/auctionctl"), Path("$XDG_RUNTIME_DIR/auctionctl")
)
"""Where files are on Linux, unless the environment says otherwise."""


@dataclass(frozen=True, slots=True)
class Variable:
    """An environment variable; ``belongs_to`` is the option that it stands for, or :data:`ALL`."""

    name: str
    belongs_to: str
    meaning: str


@dataclass(frozen=True, slots=True)
class File:
    """A file or directory, and the commands that it matters to, by their first words."""

    path: str
    belongs_to: tuple[str, ...]
    meaning: str


VARIABLES: Final = (
    Variable("AUCTIONCTL_HOME", ALL, "Keeps configuration, keys, state and runtime files under this one directory."),
    Variable("AUCTIONCTL_HOUSE", "--house", "The house, where no option names one: an address, or a context."),
    Variable("AUCTIONCTL_KEY", "--key", "The name of the key, where no option names one."),
    Variable(
        "AUCTIONCTL_PASSPHRASE_FILE",
        "--passphrase-file",
        "The file with the passphrase of the key, where no option names one.",
    ),
    Variable("AUCTIONCTL_CONTEXT", "--context", "The context, where no option names one."),
    Variable("AUCTIONCTL_OUTPUT", "--output", "The form of results, where no option names one."),
    Variable(
        "AUCTIONCTL_LOG_FORMAT",
        "--log-format",
        "How to write on stderr, where no option says: as `--log-format` has it.",
    ),
    Variable(
        "AUCTIONCTL_SAMPLES",
        "--profile",
        "A directory for where the processes of a house spend their time; `bench` sets it for those that it starts.",
    ),
    Variable("AUCTIONCTL_DEBUG", ALL, "If it is set, an internal error is shown with its traceback."),
)

_WITH_HOUSES: Final = (
    *("ls", "show", "result", "events", "watch", "bid", "export", "verify", "report", "backup"),
    *("context", "config", "doctor"),
)
_READING: Final = ("ls", "show", "result", "events", "watch", "bid", "bidders", "export", "verify", "report", "backup")
_OF_A_HOUSE: Final = ("serve", "init", "config", "doctor")
_OF_A_STATE: Final = ("serve", "backup", "restore")

FILES: Final = (
    File(f"{PLACES.config}/config.toml", (*_WITH_HOUSES, "init"), "A person's settings: `house`, `key` and `output`."),
    File(f"{PLACES.config}/contexts.toml", _WITH_HOUSES, "Houses by name, each with its address and a key."),
    File(
        f"{PLACES.config}/house.toml",
        (*_OF_A_HOUSE, "backup", "restore"),
        "The settings of a house: see `auctionctl-house`(5).",
    ),
    File(
        f"{PLACES.keys}/‹NAME›.key",
        ("keygen", "key", "serve", "init", "restore", *_WITH_HOUSES),
        "A secret key, mode 0600.",
    ),
    File(str(PLACES.allow_list), ("allow", *_OF_A_HOUSE), "Whom a house on this machine lets in, a key a line."),
    File(
        str(PLACES.house_state("‹NAME›")), _OF_A_STATE, "The store of the house called ‹NAME›, which must not be lost."
    ),
    File(
        f"{PLACES.house_state('‹NAME›')}/halted",
        ("serve", "restore"),
        "Logs to which the house writes no more, since it has signed for what its store does not hold, with the notes"
        " that say so. Once the store holds it again, they go on; without this file the house writes a second history.",
    ),
    File(
        f"{PLACES.house_state('‹NAME›')}/{PLACES.evidence.name}",
        ("serve", "evidence"),
        "What proves that a bidder signed two bids under one number, a directory a case; 8 a bidder at most.",
    ),
    File(f"{PLACES.state}/replaced-‹NAME›-‹TIME›", ("restore",), "What stood there before a backup was restored."),
    File(f"{PLACES.receipts}/‹LISTING›-‹ID›", ("bid", "verify"), "The receipts of one's bids, a file each."),
    File(
        f"{PLACES.receipts}/‹LISTING›-‹ID›/clock-head.note",
        ("bid", "verify"),
        "The last clock head of the auction: what the house signed of its time.",
    ),
    File(str(PLACES.evidence), (*_READING, "evidence"), "What proves that a house broke its word, a directory a case."),
    File(str(PLACES.bidder_state("‹IDENTITY›")), ("bid",), "Held by the one bidder that runs under a key."),
    File(
        str(PLACES.undecided_bids("‹IDENTITY›", "‹HOUSE›")),
        ("bid",),
        "The bids of which it is not known what became of them, for the next run to take up.",
    ),
    File(
        str(PLACES.account("‹IDENTITY›", "‹HOUSE›")),
        ("bid", "wallet"),
        "What the bidder has tied up where, for whoever asks.",
    ),
    File(
        str(PLACES.seen_logs("‹IDENTITY›")),
        _READING,
        "The heads of a house's logs when they were last seen: another history than that is refused.",
    ),
    File(f"{PLACES.state}/catalogue-‹IDENTITY›.json", ("completion",), "What a house held when it was last seen."),
    File(str(PLACES.address_file("‹NAME›")), ("serve", *_WITH_HOUSES), "The address of a house while it runs."),
)
