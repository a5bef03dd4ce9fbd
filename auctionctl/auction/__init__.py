"""The rules: terms, bids, and the event-sourced state machine of one auction (DESIGN.md section 6).

Pure and synchronous: time comes in as ``now_ns`` (nanoseconds since the Unix epoch, the house's clock), deadlines go
out through :meth:`auction.Auction.get_timer`. The same code decides in the house, in every replica and in the market.

Two decisions that the design left open are taken here:

* terms hold durations, never points in time: the clock starts with the entry that carries them, so that terms can be
  signed long before they are announced;
* a bid's ``head`` is a claim. A head that the log does not have is reported by the audit as *contested*, and does not
  make the log invalid: otherwise any bidder could spoil any log by lying about what it had seen.
"""
