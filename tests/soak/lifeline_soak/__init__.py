"""Faults at random, again and again, against the real server and the real host.

After each the line must be as it was: connected, each outage counted once, nothing left over,
nothing grown. `python -m lifeline_soak --help` tells how to run it.
"""
