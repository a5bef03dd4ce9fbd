"""Of auctionctl-cluster(7): who may log in at the servers, what the house's user may do there, and files that say so.

Rule: what stands here as an example is what a test gives to a server.
"""

from __future__ import annotations

from typing import Final

from auctionctl.cli.manual.roff import Code, Paragraph, Part, Subheading

PERMISSIONS_EXAMPLE: Final = """\
# /etc/nats/house.conf on a, b and c; KEY stands for the first 16 hex digits of the house's key
authorization {
  users: [{
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
  }]
}
"""
LOGIN_EXAMPLE: Final = """\
$ nk -gen user -pubout          # its first line, SU…, is secret; its second, U…, is PUBLIC above
$ (umask 077; cat > ~/.config/auctionctl/nats.seed)      # the first line, by hand
$ chmod 600 ~/.config/auctionctl/nats.seed
"""


def access_parts() -> tuple[Part, ...]:
    """How a house logs in, and what its user needs."""
    return (
        Subheading("Who may log in"),
        Paragraph(
            "The house logs in with what stands in the file that `--store-credentials` names, or `store_credentials`"
            " in house.toml. It is for its owner alone to read, as a key file is, and read whenever the house's process"
            " connects. It is one of these:"
            " the file of a user as `nsc` writes it (`.creds`), for servers with accounts and JWTs;"
            " the seed of a user's key in one line, `SU…`, for servers whose settings name its public key;"
            ' lines with `user = "…"` and `password = "…"`, or with `token = "…"`.'
        ),
        Code(LOGIN_EXAMPLE),
        Paragraph(
            "A key is better than a password: servers know its public half alone, and what goes over the wire is the"
            " signature of a number. This is all that the user of a house needs, and with it neither it nor whoever has"
            " stolen its key can delete or change what is stored, or how the stream is set up:"
        ),
        Code(PERMISSIONS_EXAMPLE),
        Paragraph(
            "A login within the address, `nats://`‹USER›`:`‹PASSWORD›`@…`, is taken from house.toml or AUCTIONS.toml"
            " where they are their owner's alone to read, and refused on a command line, which every user of the"
            " machine can see."
        ),
    )
