"""Of auctionctl-cluster(7): certificates, who may log in at the servers and do what there, and who may be on the way.

Rule: what stands here as an example is what a test gives to a server.
"""

from __future__ import annotations

from typing import Final

from auctionctl.cli.manual.roff import Code, Definitions, Heading, Paragraph, Part, Subheading

HOUSE_USER: Final = """\
{
    nkey: "PUBLIC"
    permissions {
      publish {
        allow: [
          "auction-KEY.>", "auction-KEY-alive.>", "$JS.FC.>", "$JS.API.STREAM.NAMES"
          "$JS.API.STREAM.CREATE.auction-KEY", "$JS.API.STREAM.CREATE.auction-KEY-alive"
          "$JS.API.STREAM.INFO.auction-KEY", "$JS.API.STREAM.INFO.auction-KEY-alive"
          "$JS.API.STREAM.MSG.GET.auction-KEY", "$JS.API.STREAM.MSG.GET.auction-KEY-alive"
          "$JS.API.CONSUMER.*.auction-KEY.*", "$JS.API.CONSUMER.*.auction-KEY-alive.*"
          "$JS.API.CONSUMER.MSG.NEXT.auction-KEY.*", "$JS.API.CONSUMER.MSG.NEXT.auction-KEY-alive.*"
        ]
      }
      subscribe { allow: ["_INBOX.>"] }
    }
  }"""
OPERATOR_USER: Final = """\
{
    nkey: "OPERATOR"
    permissions {
      publish {
        allow: [
          "$JS.API.INFO", "$JS.API.STREAM.NAMES"
          "$JS.API.STREAM.*.auction-KEY", "$JS.API.STREAM.*.auction-KEY-alive"
          "$JS.SNAPSHOT.ACK.auction-KEY.>", "$JS.SNAPSHOT.RESTORE.auction-KEY.>"
        ]
      }
      subscribe { allow: ["_INBOX.>"] }
    }
  }"""
PERMISSIONS_EXAMPLE: Final = f"""\
# /etc/nats/house.conf on a, b and c; KEY stands for the first 16 hex digits of the house's key
authorization {{
  users: [{HOUSE_USER}, {OPERATOR_USER}]
}}
"""
CERTIFICATES_EXAMPLE: Final = """\
$ umask 077
$ openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 3650 -subj /CN=auction \\
    -addext keyUsage=critical,keyCertSign -keyout ca.key -out ca.pem
$ for host in a b c; do
    openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=$host -keyout $host.key -out $host.csr
    printf 'subjectAltName=DNS:%s\\nsubjectKeyIdentifier=hash\\nauthorityKeyIdentifier=keyid\\n' $host > $host.ext
    openssl x509 -req -in $host.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 800 -extfile $host.ext -out $host.pem
  done
"""
LOGIN_EXAMPLE: Final = """\
$ nk -gen user -pubout          # its first line, SU…, is secret; its second, U…, is PUBLIC below
$ (umask 077; cat > ~/.config/auctionctl/nats.seed)      # the first line, by hand
$ chmod 600 ~/.config/auctionctl/nats.seed
"""


def wire_parts() -> tuple[Part, ...]:
    """What whoever is between house and servers can do."""
    return (
        Heading("Whoever is on the way"),
        Definitions(
            (
                (
                    "With TLS",
                    "Whoever is between the house and its servers can cut them off from one another, and no more.",
                ),
                (
                    "Without",
                    "With `nats://` to another machine, of which the house warns at its start, it reads all that is"
                    " stored, and a password or a token, with which it then logs in itself; of a key it sees a"
                    " signature that is good once. At worst it says in the servers' place that something is stored"
                    " which is not: the house signs a receipt, and the bid is lost. That receipt proves it to anybody."
                    " It can write records in the house's place, too. It cannot make up a bid, for it lacks the"
                    " bidder's key; a log that breaks the rules by what it wrote is quarantined by whoever replays it,"
                    " and one that is shorter than, or another than, what was signed of it is found out by the mark"
                    " of the machine and by those who followed it.",
                ),
                (
                    "The monitoring port",
                    "It speaks HTTP, without TLS. Whoever is on the way there can have it say that a server syncs which"
                    " does not, or the other way round; nothing else that it says matters to the house.",
                ),
                (
                    "Between servers",
                    "What one of them stores the others get over their routes, in the clear unless the block `cluster`"
                    " has a block `tls` of its own.",
                ),
            )
        ),
    )


def access_parts() -> tuple[Part, ...]:
    """How a house logs in, and what its user needs."""
    return (
        Subheading("Certificates"),
        Paragraph(
            "Each server shows a certificate for the name by which the address calls it, and the house one of an"
            " authority that it knows: with `--store-ca` those in that file, else those of the system. An authority of"
            " one's own is made so, and its key, `ca.key`, then kept away from all three:"
        ),
        Code(CERTIFICATES_EXAMPLE),
        Paragraph(
            "Then `ca.pem` and the certificate and key of each server go to /etc/nats there, and `ca.pem` to"
            " ~/.config/auctionctl on the machines of the house. Where servers ask for a certificate of their clients"
            " (`verify: true` in the block `tls` that is for these), the house shows that of `--store-cert`, with the"
            " key `--store-key`, which is for its owner alone to read. To an address that begins with `tls://` the"
            " house says nothing, no login either, before it is under TLS; and it goes to no server that its address"
            " does not name, with TLS or without, whatever servers say of others: name every one of them."
        ),
        Subheading("Who may log in"),
        Paragraph(
            "The house logs in with what stands in the file that `--store-credentials` names, or `store_credentials`"
            " in house.toml. It is for its owner alone to read, as a key file is, and read when the house's process"
            " starts. It is one of these:"
            " the file of a user as `nsc` writes it (`.creds`), for servers with accounts and JWTs;"
            " the seed of a user's key in one line, `SU…`, for servers whose settings name its public key;"
            ' lines with `user = "…"` and `password = "…"`, or with `token = "…"`.'
        ),
        Code(LOGIN_EXAMPLE),
        Paragraph(
            "A key is better than a password: servers know its public half alone, and what goes over the wire is the"
            " signature of a number. This is all that the user of a house needs, and with it neither it nor whoever has"
            " stolen its key can delete or change what is stored, or how the stream is set up. The second user is for"
            " whoever looks after the servers: to back the streams up, to restore them, and to change how they are set"
            " up, see Backup and restore. It can delete all that the house has, and its key, made in the same way and"
            " kept in `operator.seed`, is for no machine of the house:"
        ),
        Code(PERMISSIONS_EXAMPLE),
        Paragraph(
            "A login within the address, `nats://`‹USER›`:`‹PASSWORD›`@…`, is taken from house.toml or AUCTIONS.toml"
            " where they are their owner's alone to read, and refused on a command line, which every user of the"
            " machine can see. It is one for all servers, and has no `@`, `/`, `?` or `#` in it: such a password goes"
            " into a file. A house that every server refuses does not start; one that has served waits until they let"
            " it in again, and goes on."
        ),
        Paragraph(
            "So it is with its files. While the house's process runs it has no need of them; they are read when it is"
            " started, and so whenever its supervisor starts it again: whoever renews one of them puts the new one in"
            " the place of the old one (`mv`). Where one is missing then, cannot be read, is open to others or is none,"
            " a house that has served says which (`restarted`, with the reason), and tries again every 5 s until it is"
            " right; nothing that was acknowledged is lost meanwhile, and of several instances the others take its"
            " auctions over. At the first start such a file is refused."
        ),
    )
