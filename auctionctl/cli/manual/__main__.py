"""``python -m auctionctl.cli.manual man completions``: writes the manual pages and the completion scripts anew.

Rule: what is not generated any more is taken away, so that the directories hold exactly what the program says.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from auctionctl.cli.completion.command import FILE_NAMES, SCRIPTS
from auctionctl.cli.manual.library import pages
from auctionctl.cli.manual.roff import render

USAGE: Final = "usage: python -m auctionctl.cli.manual MAN_DIRECTORY COMPLETIONS_DIRECTORY"


def manual_files() -> dict[str, str]:
    """``man1/auctionctl.1`` and the like → text of every manual page."""
    return {f"man{page.section}/{page.file_name}": render(page) for page in pages()}


def completion_files() -> dict[str, str]:
    """File name → text of every completion script."""
    return {FILE_NAMES[shell]: script for shell, script in SCRIPTS.items()}


def write_directory(directory: Path, files: Mapping[str, str]) -> None:
    """Have ``files`` (path → text) in ``directory``, and no others."""
    for name, text in files.items():
        (directory / name).parent.mkdir(parents=True, exist_ok=True)
        (directory / name).write_text(text, encoding="ascii", newline="\n")
    for path in directory.rglob("*"):
        if path.is_file() and path.relative_to(directory).as_posix() not in files:
            path.unlink()


def main(arguments: list[str]) -> int:
    """Write both directories; 2 if they are not named."""
    if len(arguments) != 2:
        sys.stderr.write(USAGE + "\n")
        return 2
    write_directory(Path(arguments[0]), manual_files())
    write_directory(Path(arguments[1]), completion_files())
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
