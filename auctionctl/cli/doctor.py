"""``doctor``: what is wrong on this machine, and with the house that is chosen, and what mends it.

Rule: it changes nothing, and ends within some seconds whatever does not answer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from auctionctl.cli.options import (
    ContextOption,
    HouseOption,
    KeyOption,
    PassphraseFileOption,
    with_form_despite_files,
)
from auctionctl.cli.output import Form, write_note
from auctionctl.cli.store_options import StoreOptions, with_store
from auctionctl.client.paths import Paths, find_paths
from auctionctl.errors import AuctionctlError

if TYPE_CHECKING:
    from auctionctl.cli.checks.findings import Finding

app = typer.Typer(rich_markup_mode=None)


@app.command(epilog="Example: auctionctl doctor")
@with_store
@with_form_despite_files
def doctor(
    form: Form,
    *,
    house: HouseOption = None,
    key: KeyOption = None,
    context: ContextOption = None,
    passphrase_file: PassphraseFileOption = None,
    at_store: StoreOptions,
) -> int:
    """Check libraries, directories, files, keys, the port, the clock, houses and their cluster; changes nothing."""
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
        *_check_store(paths, at_store),
    ]
    status = write_findings(form, "auctionctl.doctor/1", findings)
    if not form.is_json:
        write_note(summary(findings))
    return status


def _check_store(paths: Paths, at_store: StoreOptions) -> list[Finding]:
    """The cluster that was named, or that house.toml names; nothing where there is none, or that file is wrong."""
    from auctionctl.cli.settings.cluster_settings import access_of  # noqa: PLC0415
    from auctionctl.cli.settings.house_file import combine, find_house_layers, option_layer  # noqa: PLC0415

    files = {name: value for name, value in at_store.items() if name != "store"}
    try:
        layers = find_house_layers(paths.config, None)
        usual = combine(layers).section
    except AuctionctlError:
        layers, usual = [], combine([]).section  # reported with the files
    named = at_store.get("store") or usual.store
    if named is None:
        return []
    from auctionctl.cli.checks.cluster_checks import check_cluster  # noqa: PLC0415

    return check_cluster(named, usual.durability, access_of(combine([*layers, option_layer(files)]).section))
