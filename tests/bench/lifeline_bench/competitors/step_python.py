"""The same, of the policy `steady`, as plain Python: no sandbox at all.

The modules that its component is made with, and its own folder, are on PYTHONPATH.
"""

from __future__ import annotations

import copy

from policy import Policy
from wit_world.exports.types import Loss, Moment

from lifeline_bench.competitors.pace import serve

policy = Policy()


def moment(now: int) -> Moment:
    return Moment(now, None, None, None, None, None)


connected = policy.on_connect(policy.start(moment(0)).state, moment(0)).state
lost = policy.on_disconnect(connected, moment(1_000), Loss.TRANSPORT_ERROR).state
# Its calls may change their arguments.
serve(lambda: policy.tick(copy.deepcopy(lost), moment(2_000)))
