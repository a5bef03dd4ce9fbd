"""auctionctl-cluster(7): a house whose logs are on three machines, from setting it up to what happens when one fails.

Rule: figures of time and size were measured, and are said to be; bounds come from the code that keeps them.
"""

from __future__ import annotations

from typing import Final

from auctionctl.cli.manual.cluster_access import access_parts, wire_parts
from auctionctl.cli.manual.cluster_failures import FAILURES
from auctionctl.cli.manual.cluster_instances import instance_parts
from auctionctl.cli.manual.roff import Code, Definitions, Heading, Page, Paragraph, Part, Subheading, Table
from auctionctl.net.house_store import MAX_AUCTIONS
from auctionctl.store.cluster_store import PATIENCE_S
from auctionctl.store.cluster_streams import MIN_VERSION, dotted
from auctionctl.store.jetstream import MAX_BATCH_MESSAGES
from auctionctl.store.stream_records import PIECE_BYTES
from auctionctl.store.stream_settings import REPLICAS
from auctionctl.wire.address import DEFAULT_PORT

SERVER_EXAMPLE: Final = """\
# /etc/nats/nats.conf on machine a; on b and c: their own server_name and files
server_name: a
listen: "0.0.0.0:4222"
http: "0.0.0.0:8222"
include "house.conf"
tls { cert_file: "/etc/nats/a.pem", key_file: "/etc/nats/a.key" }
jetstream {
  store_dir: "/var/lib/nats"
  sync_interval: always
  max_file_store: 100GB
}
cluster {
  name: auction
  listen: "0.0.0.0:6222"
  routes: ["nats://a:6222", "nats://b:6222", "nats://c:6222"]
  tls { cert_file: "/etc/nats/a.pem", key_file: "/etc/nats/a.key", ca_file: "/etc/nats/ca.pem", verify: true }
}
"""
HOUSE_EXAMPLE: Final = """\
$ pip install 'auctionctl[cluster]'
$ cd ~/.config/auctionctl
$ auctionctl doctor --store tls://a,b,c --store-ca ca.pem --store-credentials nats.seed
$ auctionctl serve AUCTIONS.toml --bind 0.0.0.0 --store tls://a,b,c --store-ca ca.pem --store-credentials nats.seed
"""
MOVE_EXAMPLE: Final = """\
$ cd ~/.config/auctionctl
$ tar c keys/house.key allow house.toml nats.seed ca.pem AUCTIONS.toml |
    ssh b 'umask 077; mkdir -p ~/.config/auctionctl; tar x -C ~/.config/auctionctl'
$ ssh -t b                            # once a's house has ended
b$ cd ~/.config/auctionctl; auctionctl serve AUCTIONS.toml      # house.toml says the rest
"""
FILE_EXAMPLE: Final = """\
# ~/.config/auctionctl/house.toml
store = "tls://a,b,c"
store_ca = "ca.pem"
store_credentials = "nats.seed"
bind = "0.0.0.0"
"""
BACKUP_EXAMPLE: Final = """\
$ auctionctl backup /mnt/backup/house.backup --key observer      # while the house runs
$ nats() { command nats --server tls://a,tls://b,tls://c --tlsca ca.pem --nkey operator.seed "$@"; }
$ nats stream backup auction-KEY /mnt/backup/stream --no-consumers
$ nats stream rm auction-KEY               # where there is one that is to be given up, and no instance runs
$ nats stream restore /mnt/backup/stream
"""


def page() -> Page:
    """The page."""
    return Page(
        name="auctionctl-cluster",
        section=7,
        title="a house whose logs are on three machines",
        parts=(
            Heading("Description"),
            Paragraph(
                "A house keeps its logs in a file on one machine, or with `--store` in a cluster of three servers of"
                " NATS JetStream, each on a machine of its own. A receipt then says that two of the three have the bid"
                " on their disks. One of them may be lost at any time, for good, and so may a machine that the house"
                " runs on: it is started on another one, and goes on where it was, or other instances of it do so by"
                " themselves."
            ),
            Paragraph(
                "What bidders are promised is the same with either. The logs are the same entries, signed by the same"
                " key, and who verifies them need not know where they are kept."
            ),
            *_walk_through(),
            *instance_parts(),
            Heading("What happens when"),
            Paragraph(
                "Behind each of these stands how long bidders get no answer. Times were measured with three servers on"
                " one machine with two cores, and are no promise of another network."
            ),
            Definitions(tuple((f.what, f"{f.happens} No answer: {f.away}.") for f in FAILURES)),
            Paragraph(
                "In a run of 33 such faults, one after the other, of three instances and three servers while everybody"
                " bid, 17,795 bids and joinings were acknowledged; none was lost or stored twice, none of 17,867"
                " records came from an instance that had lost its log, every log verified, and the longest time that a"
                " lot was without an accepted bid after a single fault was 7.6 s, after a server was killed."
            ),
            *_capacity(),
            *_backups(),
            *wire_parts(),
            *_limits(),
        ),
        see_also=(
            "auctionctl(1)",
            "auctionctl-serve(1)",
            "auctionctl-doctor(1)",
            "auctionctl-backup(1)",
            "auctionctl-demo(1)",
            "auctionctl-house(5)",
            "auctionctl-log(5)",
            "auctionctl-security(7)",
        ),
    )


def _walk_through() -> tuple[Part, ...]:
    return (
        Heading("Three machines"),
        Paragraph(
            f"On each of the machines `a`, `b` and `c` runs a nats-server, from {dotted(MIN_VERSION)} on, with a"
            " configuration like this one:"
        ),
        Code(SERVER_EXAMPLE),
        Paragraph(
            "`sync_interval: always` is what makes a receipt worth something: by itself, a server syncs every two"
            " minutes only, and a power cut takes what came since. The house asks each server on its monitoring port"
            " (`http`) whether it syncs, and does not start with one that does not, or of which nobody knows. That"
            " port is for the house's machines alone, and tells anybody who reaches it all about the server; between"
            " `a`, `b` and `c` the ports 4222, 6222 and 8222 have to be open, and to nobody else."
        ),
        *access_parts(),
        Subheading("The house"),
        Paragraph("Then, on the machine of the house:"),
        Code(HOUSE_EXAMPLE),
        Paragraph(
            "With `--bind 0.0.0.0` the house listens on every address of its machine; without, on 127.0.0.1, where no"
            f" other machine reaches it. Its port, {DEFAULT_PORT}, has to be open to bidders."
        ),
        Paragraph(
            "`doctor` writes nothing: it says for each server its version, whether it syncs, how far its clock is off"
            " and how long it takes to answer, and what is wrong with streams that are there. The house makes its two"
            f" streams at its first start, with {REPLICAS} replicas in files and nothing that may be deleted:"
            " `auction-`‹KEY› for all its logs and `auction-`‹KEY›`-alive` for its signs of life, where ‹KEY› is the"
            " first 16 hex digits of its signing key (`signing_key` of `auctionctl key show house --json`). The address"
            " names servers as `HOST:PORT`, or as `HOST` for port 4222; `?monitor=`‹PORT› at its end is the monitoring"
            " port of all, or a list of one for each, where that is not 8222. All of it can stand in house.toml, see"
            " auctionctl-house(5), where paths begin at that file:"
        ),
        Code(FILE_EXAMPLE),
        Subheading("Another machine"),
        Paragraph(
            "What has to be on a machine before the house can run there is its key, its allow list, its settings and"
            " its lots, and no log:"
        ),
        Code(MOVE_EXAMPLE),
        Paragraph(
            "It reads the stream, replays every log, enters a gap for as long as nobody was served, by which deadlines"
            " move, and resumes every auction. Whoever connects to the house finds it by its address: a name that can"
            " be pointed elsewhere is better there than the number of a machine. Of two that run at the same time"
            " under one key and no name of an instance, or the same one, one ends, and says why; nothing that either"
            " has acknowledged is lost by that."
        ),
    )


def _capacity() -> tuple[Part, ...]:
    return (
        Heading("Capacity"),
        Paragraph(
            "Measured with servers 2.15, three on one machine with two cores, that others used as well, and entries of"
            " 380 bytes, which is a bid with its signature:"
        ),
        Table(
            ("entries at once", "stored after", "bytes an entry"),
            (("1", "3.4 ms", "745"), ("16", "3.9 ms", "406"), ("64", "3.6 ms", "389"), ("128", "4.2 ms", "386")),
        ),
        Paragraph(
            "The times are medians, and the bytes those on each server. So a message costs a server some 360 bytes"
            " besides what it holds, and a quiet auction twice what a busy"
            " one does for each bid. A million bids are at most 0.75 GB on each server, and one that serves 100 bids a"
            " second around the clock fills 3.4 to 6.4 GB a day. Nothing is ever taken out of a stream, nor what was"
            " archived (`retention`): the disks have to hold all that a house ever sells."
        ),
        Paragraph(
            "A house takes one sign of life a second, which replaces the one before. It opens a store at 0.15 ms a"
            " message and replays it as it replays a file, and keeps some 20 bytes a message in memory besides the"
            " logs."
        ),
        Definitions(
            (
                (
                    "auctions at once",
                    f"At most {MAX_AUCTIONS}: what one turn brings about is stored as a whole, with a message for each"
                    f" log, and a server takes {MAX_BATCH_MESSAGES} messages as one. `max_concurrent_auctions` above"
                    " that is refused at the start.",
                ),
                (
                    "payload",
                    f"A message holds at most {PIECE_BYTES // 1024} KiB of entries, or one entry: servers need no"
                    " `max_payload` of their own.",
                ),
                (
                    "patience",
                    f"An operation that the cluster has not answered for {PATIENCE_S:.0f} s ends the house's process;"
                    " its supervisor starts another one, again and again, until the cluster is back. An election of"
                    " NATS takes 5 to 7 s, and is waited for within that.",
                ),
            )
        ),
    )


def _backups() -> tuple[Part, ...]:
    return (
        Heading("Backup and restore"),
        Paragraph("Three copies are no backup: a mistake that deletes one deletes all. So there are two ways:"),
        Code(BACKUP_EXAMPLE),
        Paragraph(
            "The first asks the house for every log, verifies it, and adds what is new to the file, see"
            " auctionctl-backup(1); it can be verified anywhere. It cannot be put back into a cluster: a house that has"
            " lost its stream and is restored from it goes on with its logs in a file, under a state of its own. The"
            " second is what restores a cluster, with all settings of the stream. It is done with the program `nats`,"
            " by the operator of the settings above, and so is what `doctor` has one do with it: to the house's own"
            " user all that is refused. Nothing goes into a stream that is there; one that was rolled back has to be"
            " removed before a newer backup is restored. The stream of signs of life needs no backup: the house makes"
            " it anew, with the allow list and the limits of the instance that is started first."
        ),
        Subheading("Guard against rollback"),
        Paragraph(
            "A stream that was restored from last week knows nothing of the receipts since, and a house that went on"
            " from there would sign a second history. Three things keep it from that."
        ),
        Definitions(
            (
                (
                    "the mark",
                    "Each machine keeps in its state directory, in the file `cluster`, the number and the hash of the"
                    " last message that it knows to be stored. A stream without that message is refused at the start."
                    " To accept the loss, restore what there is, and remove that file.",
                ),
                (
                    "what others have seen",
                    "Whoever has followed a log and knows more of it than the house shows it what the house has"
                    " signed. The house then writes no more to that log, says `HALTED`, and goes on with the others.",
                ),
                (
                    "the place of the logs",
                    "A state directory with logs in a file is not served with `--store`, and one whose logs are in a"
                    " cluster not without: either would begin a second history.",
                ),
            )
        ),
    )


def _limits() -> tuple[Part, ...]:
    return (
        Heading("What it does not do"),
        Definitions(
            (
                (
                    "The servers",
                    "Whoever runs them can take bids away or keep the house from writing, but cannot make up any:"
                    " entries are signed. Two of three that lose their disks at the same time lose receipts; the"
                    " marks and the followers of the logs show that, and nothing brings them back.",
                ),
                (
                    "Time to be away",
                    "A house that waits for an election answers nobody meanwhile. Gaps are entered for that as for"
                    " any other silence, and no auction ends in one.",
                ),
            )
        ),
    )
