"""One setting of a house: its key, what it may be, and what is said of it wherever it is read or documented."""

from __future__ import annotations

import enum
from dataclasses import dataclass


class Kind(enum.Enum):
    """What a setting is; the value says it to a reader."""

    NAME = "a name"
    HOST = "a host"
    INTEGER = "a whole number"
    DURATION = 'a duration such as "30s"'
    RETENTION = '"forever", or a duration such as "30d"'
    SHARE = 'a percentage such as "40%"'
    INCREMENT = 'an amount, a percentage such as "5%", or a table of amounts'
    STORE = "the address of a cluster"
    FILE = "the path of a file"
    ENDPOINT = "a host and a port"
    WORD = "a word"


@dataclass(frozen=True, slots=True)
class Setting:
    """One key: its default as it is written in TOML (None: see ``default_words``), its bounds if it is a number."""

    name: str
    kind: Kind
    default: str | int | None
    meaning: str
    low: int = 0
    high: int = 0
    default_words: str = ""
    needs_restart: bool = False
    words: type[enum.StrEnum] | None = None
    """What a word may be."""

    @property
    def default_text(self) -> str:
        """The default as a line of TOML has it, or in words."""
        if self.default is None:
            return self.default_words
        return f'"{self.default}"' if isinstance(self.default, str) else str(self.default)
