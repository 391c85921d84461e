# SPDX-License-Identifier: GPL-3.0-or-later
"""What can be pressed, searched for (F3) and scripted: `bpy.ops.cr8.*`."""

from . import connection, policy, requests, support

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
    support.ShowPreferences,
    support.OpenRecoveryFolder,
    support.CopyStatus,
)
