"""The command line: one file a command group, loaded when it is asked for; one error boundary, in :mod:`app`.

``auctionctl --version`` is to take no more than 120 ms (DESIGN.md section 11): what is slow to import, or belongs to
one command only, is imported inside the functions that need it.
"""
