"""A TOML file as it is, bounded and read whole: what is wrong with it is named, with its line where there is one.

Rule: what its keys mean is its reader's affair. Source: TOML 1.0.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any, Final

from auctionctl.client.files import read_bounded
from auctionctl.errors import ConfigurationError

MAX_FILE_BYTES: Final = 1024 * 1024


def read_toml(path: Path) -> dict[str, Any]:
    """The content of a TOML file of at most 1 MiB; a byte-order mark at its beginning is passed over.

    Raises NotFoundError if there is none, ConfigurationError with the line where it is malformed.
    """
    return parse_toml(path, read_bounded(path, MAX_FILE_BYTES))


def parse_toml(path: Path, data: bytes) -> dict[str, Any]:
    """What ``data``, the content of the TOML file at ``path``, says; ConfigurationError as in :func:`read_toml`."""
    try:
        return tomllib.loads(data.decode().removeprefix("\ufeff"))
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise ConfigurationError(f"{path}: line {line}: not UTF-8", hint="save the file as UTF-8") from error
    except tomllib.TOMLDecodeError as error:
        hint = 'a line is: key = value, and text stands in quotes: price = "12.50EUR"'
        raise ConfigurationError(f"{path}: {str(error).lower()}", hint=hint) from error
    except ValueError as error:
        raise ConfigurationError(f"{path}: a number in it is too long to be read", hint="write fewer digits") from error
    except RecursionError as error:
        raise ConfigurationError(f"{path}: nested too deep", hint="a list of pairs is the deepest there is") from error
