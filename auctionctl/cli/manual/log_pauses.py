"""Of auctionctl-log(5): the accounting of pauses, as an algorithm.

Rule: written by hand beside :mod:`auctionctl.auction.pauses`, and held against it by the verifier that is written from
the page alone.
"""

from __future__ import annotations

from auctionctl.auction.rules import Disconnection
from auctionctl.cli.manual.roff import Code, Definitions, Paragraph, Part, Subheading


def pause_parts() -> tuple[Part, ...]:
    """Who is waited for, when a pause has to begin and to end, and what it changes."""
    below = Disconnection.PAUSE_BELOW_MIN_BIDDERS
    return (
        Subheading("Pauses"),
        Paragraph(
            "An auction stands still because an operator says so, or by its terms (by_terms), while bidders are absent"
            " for whom it may wait. It waits for each so often and so long only, and stands still so often and so long"
            " in all only; gaps within a pause are part of it, but count for nobody. `waits`, `waited` and `since` are"
            " of each bidder; `since` is set while the pause under way waits for it; `needed` is when the last one"
            " came back for whom it waited."
        ),
        Code(
            "may_wait(b):  waits[b] < max_pauses_a_bidder and waited[b] < max_pause_a_bidder_ns\n"
            "may_pause:    count < max_pauses and spent < max_pause_ns\n"
            "below:        fewer than min_bidders are present\n"
            "\n"
            "wait for b:   if may_wait(b): waits[b] += 1; since[b] = at\n"
            "b is back:    b is absent no more; if since[b] is set: needed = max(needed, min(at, cap));\n"
            "                waited[b] = min(waited[b] + at - since[b], max_pause_a_bidder_ns); unset since[b]\n"
            "begin:        count += 1; began = counted = needed = at; by_terms as is said of the entry;\n"
            "                if by_terms: wait for every b that is absent\n"
            "end:          if not by_terms, or since[b] is set for any b: at = min(at, cap);\n"
            "                for every b with since[b] set: as if b were back, but absent as before\n"
            "                and without needed;\n"
            "                spent += at - counted; end += at - began; max_end += at - began\n"
            "gap:          counted += until_ns - since_ns; for every b with since[b] set:\n"
            "                since[b] += max(0, until_ns - max(since_ns, since[b])); and needed likewise\n"
            "\n"
            "cap:          in_all = counted + max_pause_ns - spent\n"
            "                if not by_terms: in_all; otherwise the lesser of in_all and the greatest of\n"
            "                needed and since[b] + max_pause_a_bidder_ns - waited[b], of every b with since[b] set"
        ),
        Definitions(
            (
                (
                    "a pause has to begin",
                    f"`disconnection` is not `{Disconnection.CONTINUE}`, may_pause, there is an absent b with"
                    f" may_wait(b), and, if `disconnection` is `{below}`, below.",
                ),
                (
                    "a pause has to end",
                    f"by_terms, and: no since[b] is set; or `disconnection` is `{below}`, and not below.",
                ),
            )
        ),
    )
