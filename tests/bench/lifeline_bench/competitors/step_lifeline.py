"""A tick, one second after a loss: `cr8_lifeline`. Argument: the component."""

from __future__ import annotations

import sys

from cr8_lifeline import Policy

from lifeline_bench.competitors.pace import serve

policy = Policy(sys.argv[1])
connected = policy.on_connect(policy.start(0).state, 0).state
lost = policy.on_disconnect(connected, 1_000, "transport-error").state
tick = policy.tick
serve(lambda: tick(lost, 2_000))
