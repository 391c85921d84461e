"""A webhook is told what becomes of an outage; what the webhook makes of it changes nothing."""

from __future__ import annotations

import os
import signal

import pytest
from lifeline_harness.webhook import ACCEPT, BUSY, FORBID, SILENT, Answer, Webhook

from tests.blender.conftest import MakeStage
from tests.blender.observe import wait_unreachable
from tests.blender.stage import Stage, edit
from tests.faults.outcome import assert_closed_once, assert_kept


def notify_stage(make_stage: MakeStage, webhook: Webhook, **settings: float | str) -> Stage:
    """Whose Blenders tell the webhook. The URL must not be in any log."""
    stage = make_stage(notify_url=webhook.url, **settings)
    stage.secrets.append(webhook.secret)
    return stage


@pytest.mark.parametrize("first", [ACCEPT, BUSY], ids=["at once", "again"])
def test_from_the_countdown_to_the_saved_file(make_stage: MakeStage, first: Answer) -> None:
    with Webhook(first, ACCEPT) as webhook:
        stage = notify_stage(make_stage, webhook)
        blender = stage.launch(stage.file)
        edit(blender)
        stage.engine.kill()
        entry = assert_kept(stage, blender, stage.file)
        assert_closed_once(blender)
        # No waiting: it has arrived before Blender has closed.
        assert webhook.events() == ["warn", "warn", "saved"]
        for told in webhook.accepted():
            assert (told["id"], told["pid"]) == (entry["id"], entry["pid"])
            assert (told["username"], told["file"]) == ("ann", str(stage.file))
        saved = webhook.accepted()[-1]["save"]
        done = entry["saves"][-1]
        assert saved == {key: done[key] for key in ("path", "recovery", "bytes", "sha256")}


@pytest.mark.parametrize("answer", [SILENT, FORBID], ids=["silent", "forbidden"])
def test_a_webhook_that_takes_nothing(make_stage: MakeStage, answer: Answer) -> None:
    """The outcome is as without it: a Blender that waited for it would be ended by the host."""
    with Webhook(answer) as webhook:
        stage = notify_stage(make_stage, webhook, notify_timeout=600)
        blender = stage.launch(stage.file)
        edit(blender)
        stage.engine.kill()
        assert_kept(stage, blender, stage.file)
        assert_closed_once(blender)
        assert webhook.posts()[0].content["event"] == "warn"
        assert webhook.accepted() == []


def test_back_in_the_countdown(make_stage: MakeStage) -> None:
    """The server hears of it, too."""
    with Webhook() as webhook:
        stage = notify_stage(make_stage, webhook, cleanup_timeout=300)
        blender = stage.launch(stage.file)
        stage.engine.kill()
        wait_unreachable(blender)
        stage.engine.start()
        stage.wait_connected(blender)
        told = webhook.wait_for("cancelled")
        assert (told["outcome"], told["save"]) == ("recovered", None)
        event = stage.engine.wait_for_event("ann", "cleanup_cancelled")
        assert event["data"] == [told]


def test_sigterm_while_connected(make_stage: MakeStage) -> None:
    """The server is told before it is given up."""
    with Webhook() as webhook:
        stage = notify_stage(make_stage, webhook, terminate="save")
        blender = stage.launch(stage.file)
        edit(blender)
        os.kill(blender.pid, signal.SIGTERM)
        assert_kept(stage, blender, stage.file, outcome="terminated")
        event = stage.engine.wait_for_event("ann", "cleanup_imminent")
        assert webhook.events() == ["warn", "saved"]
        assert event["data"] == [webhook.accepted()[0]]
