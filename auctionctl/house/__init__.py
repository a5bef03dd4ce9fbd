"""The house as a pure core: a batch of requests and the time come in, effects go out (DESIGN.md sections 3, 4 and 6).

:mod:`house` is the sequencer; :mod:`auction_log` one auction with its log; :mod:`intake` says who may ask for what;
:mod:`presence` who is there; :mod:`clock_heads` how late it is; :mod:`recovery` rebuilds logs from a store. No clock,
socket, file or thread in here.
"""
