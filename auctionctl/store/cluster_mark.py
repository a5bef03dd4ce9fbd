"""The file ``cluster`` in a state directory: what this machine knows to be in the stream that has the house's logs.

Rule: it lags behind, by a second or so, and never runs ahead; it is not synced, for an old one is as true as a new one.
A stream that does not hold what it names has been rolled back, and nothing is written to it. That it is there says that
the logs are in a cluster, and nowhere else. Source: DESIGN.md section 10.

One line: the number of a message, a blank, and its id.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import Final

from auctionctl.errors import ConfigurationError

FILE_NAME: Final = "cluster"
MAX_BYTES: Final = 256


def check_not_in_cluster(directory: Path, hint: str) -> None:
    """Raises ConfigurationError, with ``hint``, if the logs of the house with this state are in a cluster."""
    if (directory / FILE_NAME).exists():
        raise ConfigurationError(
            f"the logs of this house are in a cluster, as {directory / FILE_NAME} says, and not in a file", hint=hint
        )


class ClusterMark:
    """The file in the state ``directory``, which is this process's alone."""

    def __init__(self, directory: Path) -> None:
        self.path = directory / FILE_NAME
        self._kept: tuple[int, str] | None = None

    def read(self) -> tuple[int, str] | None:
        """Number and id of the message; None if there is no file. ConfigurationError if it says something else."""
        try:
            with open(self.path, encoding="ascii", errors="replace") as file:
                text = file.read(MAX_BYTES)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise ConfigurationError(f"cannot read {self.path}: {(error.strerror or '').lower()}") from error
        words = text.split()
        if len(words) != 2 or not (words[0].isascii() and words[0].isdigit()):
            raise ConfigurationError(
                f"{self.path} is damaged", hint="it says how far the stream had come: remove it if you know that it has"
            )
        return int(words[0]), words[1]

    def keep(self, sequence: int, message_id: str) -> None:
        """Remember that the stream holds this message. A disk that fails keeps the last one that it took."""
        if self._kept == (sequence, message_id):
            return
        new = self.path.with_name(f"{FILE_NAME}.new")
        with suppress(OSError):
            descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with open(descriptor, "w", encoding="ascii") as file:
                file.write(f"{sequence} {message_id}\n")
            new.replace(self.path)
            self._kept = (sequence, message_id)
