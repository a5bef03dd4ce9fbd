"""``doctor``: what is wrong on this machine, and with the house that is chosen, and what mends it.

Rule: it changes nothing, and ends within some seconds whatever does not answer.
"""

from __future__ import annotations

import typer

from auctionctl.cli.options import (
    ContextOption,
    HouseOption,
    KeyOption,
    PassphraseFileOption,
    with_form_despite_files,
)
from auctionctl.cli.output import Form, write_note
from auctionctl.client.paths import find_paths

app = typer.Typer(rich_markup_mode=None)


@app.command(epilog="Example: auctionctl doctor")
@with_form_despite_files
def doctor(
    form: Form,
    *,
    house: HouseOption = None,
    key: KeyOption = None,
    context: ContextOption = None,
    passphrase_file: PassphraseFileOption = None,
) -> int:
    """Check libraries, directories, files, keys, houses, the port, the clock and the chosen house; changes nothing."""
    from auctionctl.cli.checks.file_checks import check_files  # noqa: PLC0415
    from auctionctl.cli.checks.findings import summary, write_findings  # noqa: PLC0415
    from auctionctl.cli.checks.house_checks import check_chosen_house  # noqa: PLC0415
    from auctionctl.cli.checks.machine_checks import (  # noqa: PLC0415
        check_addresses,
        check_directories,
        check_houses,
        check_libraries,
        check_port,
    )

    paths = find_paths()
    findings = [
        *check_libraries(),
        *check_directories(paths),
        *check_files(paths),
        *check_houses(paths),
        *check_addresses(paths),
        *check_port(paths),
        *check_chosen_house(paths, house, key, context, passphrase_file),
    ]
    status = write_findings(form, "auctionctl.doctor/1", findings)
    if not form.is_json:
        write_note(summary(findings))
    return status
