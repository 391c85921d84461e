# SPDX-License-Identifier: GPL-3.0-or-later
"""What can be pressed, searched for (F3) and scripted: `bpy.ops.cr8.*`."""

from . import connection, policy, recovery, requests, support

OPERATORS = (
    requests.TryNow,
    requests.KeepOpen,
    requests.Extend,
    requests.Release,
    requests.SaveAndClose,
    connection.Connect,
    connection.Disconnect,
    policy.SwapPolicy,
    policy.ReloadPolicy,
    policy.RevertPolicy,
    policy.CheckPolicy,
    policy.SimulateOutage,
    recovery.OpenRecovered,
    recovery.DeclineRecovered,
    support.ShowPreferences,
    support.OpenRecoveryFolder,
    support.CopyStatus,
)
