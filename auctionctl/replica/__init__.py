"""Anybody's copy of a log, replayed through the rules (DESIGN.md section 7).

:mod:`replay` takes entries one by one and believes none that it has not checked; :mod:`replica` follows a live log
under its checkpoints, and :mod:`follower` all logs of a house over one session; :mod:`export` is the file that a log
becomes; :mod:`audit` verifies such a file, offline. :mod:`clock_heads` holds a log against what its house said of the
time, :mod:`house_clock` that against our own clock.
"""
