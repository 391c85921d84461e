//! What people, and the server, are told of an outage.

use super::*;
use crate::contract::Scene;
use crate::notify::{About, Notification, Outcome};

impl Stage {
    /// What people were told since the last time.
    fn told(&self) -> Vec<Notification> {
        std::mem::take(&mut self.world.0.lock().unwrap().notified)
    }

    /// The same, in short.
    fn events(&self) -> Vec<(About, Option<Outcome>)> {
        let told = self.told();
        told.iter().map(|it| (it.event, it.outcome)).collect()
    }

    /// What the server was told since the last time.
    fn said(&self) -> Vec<(String, Value)> {
        std::mem::take(&mut self.said.lock().unwrap())
    }

    /// Lets a connected Blender count down.
    async fn count_down(&mut self) {
        self.pass(1.0).await;
        self.server.lose();
        self.pass(40.0).await;
        assert_eq!(self.phase(), "counting-down");
    }
}

const WARN: (About, Option<Outcome>) = (About::Warn, None);
const SAVED: (About, Option<Outcome>) = (About::Saved, None);

fn cancelled(outcome: Outcome) -> (About, Option<Outcome>) {
    (About::Cancelled, Some(outcome))
}

fn told_failed(outcome: Outcome) -> (About, Option<Outcome>) {
    (About::Failed, Some(outcome))
}

#[tokio::test(start_paused = true)]
async fn an_outage_is_told_from_the_countdown_to_the_saved_file() {
    let settings = [("CR8_RETRY_JITTER", "0"), ("CR8_USERNAME", "ann")];
    let mut stage = Stage::open(&settings, true);
    let scene = Scene {
        modified: true,
        untitled: false,
        rendering: false,
    };
    let path = "/works/a.blend".to_string();
    stage.send(Command::Scene { scene, path });
    stage.lose_for_good().await;
    let outcome = Ok(Saved {
        path: "/r/a.blend".into(),
        recovery: true,
        failures: vec!["read-only".into()],
        digest: None,
        render: None,
    });
    stage.answer_save(outcome).await;
    assert_eq!(stage.quits().len(), 1);
    let told = stage.told();
    let short: Vec<_> = told
        .iter()
        .map(|it| (it.event, it.sequence, it.seconds.left))
        .collect();
    let warn = |sequence, left| (About::Warn, sequence, Some(left));
    assert_eq!(
        short,
        [
            warn(1, 300.0),
            warn(2, 60.0),
            warn(3, 10.0),
            (About::Saved, 4, None)
        ]
    );
    for it in &told {
        assert_eq!((it.id.len(), &it.id), (32, &told[0].id));
        assert_eq!((it.username.as_str(), it.schema), ("ann", 1));
        assert_eq!(it.file.as_deref(), Some("/works/a.blend"));
        assert_eq!(it.reason, "transport-error");
        assert_eq!(it.policy.name, "five-minutes");
        assert_eq!(it.pid, std::process::id());
    }
    assert_eq!((told[0].seconds.outage, &told[0].save), (34.0, &None));
    let work = told[3].save.as_ref().unwrap();
    assert_eq!((work.path.as_str(), work.recovery), ("/r/a.blend", true));
    assert_eq!(
        (work.bytes, work.sha256.as_deref()),
        (Some(3), Some("ba78"))
    );
    assert_eq!(told[3].failures, ["read-only"]);
    // Blender closes: nothing more is to be told.
    assert!(stage.claim(stage.quits()[0]));
    stage.pass(1.0).await;
    stage.send(Command::Close);
    stage.pass(1.0).await;
    assert!(stage.told_to_close());
    assert_eq!(stage.events(), []);
    assert_eq!(stage.said(), []);
}

#[tokio::test(start_paused = true)]
async fn nothing_is_told_of_an_outage_within_the_first_attempts() {
    let mut stage = Stage::open(NO_JITTER, true);
    stage.pass(1.0).await;
    stage.server.lose();
    stage.pass(30.0).await;
    stage.server.set(true);
    stage.pass(30.0).await;
    assert_eq!(stage.phase(), "connected");
    assert_eq!((stage.events(), stage.said()), (vec![], vec![]));
}

#[tokio::test(start_paused = true)]
async fn a_server_back_in_the_countdown_is_told_and_hears_of_it() {
    let mut stage = Stage::open(NO_JITTER, true);
    stage.count_down().await;
    let first = stage.told();
    stage.server.set(true);
    stage.pass(30.0).await;
    assert_eq!(stage.phase(), "connected");
    let told = stage.told();
    assert_eq!(told.len(), 1);
    let it = &told[0];
    assert_eq!(
        (it.event, it.outcome),
        (About::Cancelled, Some(Outcome::Recovered))
    );
    assert_eq!((&it.id, it.sequence), (&first[0].id, 2));
    assert!(it.seconds.outage > 39.0, "{it:?}");
    let said = stage.said();
    let same = serde_json::to_value(it).unwrap();
    assert_eq!(said, [("cleanup_cancelled".to_string(), same)]);
    // Another outage is another story.
    stage.server.lose();
    stage.pass(40.0).await;
    let told = stage.told();
    assert_eq!(told[0].sequence, 1);
    assert_ne!(told[0].id, it.id);
}

#[tokio::test(start_paused = true)]
async fn a_server_back_during_or_after_the_save_cancels_too() {
    for answered in [false, true] {
        let mut stage = Stage::open(&[("CR8_QUIT_FLOOR", "3600")], true);
        stage.pass(1.0).await;
        stage.server.lose();
        stage.pass(1.0).await;
        // No countdown was warned of.
        stage.send(ask(Request::CloseNow));
        stage.pass(1.0).await;
        if answered {
            stage.answer_save(saved("/tmp/a.blend")).await;
            assert_eq!(stage.events(), [SAVED]);
        }
        stage.server.set(true);
        stage.pass(60.0).await;
        assert_eq!(stage.phase(), "connected");
        assert_eq!(stage.events(), [cancelled(Outcome::Recovered)]);
        assert_eq!(stage.said().len(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_hold_cancels_once_and_a_release_warns_again() {
    let mut stage = Stage::open(NO_JITTER, true);
    stage.count_down().await;
    stage.send(ask(Request::Hold));
    stage.send(ask(Request::Hold));
    stage.pass(1_000.0).await;
    assert_eq!(stage.events(), [WARN, cancelled(Outcome::Held)]);
    stage.send(ask(Request::Release));
    stage.pass(1.0).await;
    stage.send(ask(Request::Hold));
    stage.pass(1.0).await;
    assert_eq!(stage.events(), [WARN, cancelled(Outcome::Held)]);
    stage.server.set(true);
    stage.pass(60.0).await;
    assert_eq!(stage.phase(), "connected");
    assert_eq!(stage.events(), [], "there was nothing left to be cancelled");
    assert_eq!(stage.said().len(), 1, "the server did not know");
}

#[tokio::test(start_paused = true)]
async fn a_hold_before_the_countdown_is_no_news() {
    let mut stage = Stage::open(NO_JITTER, true);
    stage.pass(1.0).await;
    stage.server.lose();
    stage.pass(1.0).await;
    stage.send(ask(Request::Hold));
    stage.pass(1.0).await;
    stage.server.set(true);
    stage.pass(60.0).await;
    assert_eq!((stage.events(), stage.said()), (vec![], vec![]));
}

#[tokio::test(start_paused = true)]
async fn a_line_that_is_closed_in_the_countdown_is_told() {
    let mut stage = Stage::open(NO_JITTER, true);
    stage.count_down().await;
    stage.send(Command::Close);
    stage.pass(1.0).await;
    assert_eq!(stage.events(), [WARN, cancelled(Outcome::Closed)]);
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_saved_is_told_once_and_at_the_end() {
    let settings = [("CR8_RETRY_JITTER", "0"), ("CR8_UNSAVED_WAIT", "20")];
    let mut stage = Stage::open(&settings, true);
    stage.lose_for_good().await;
    stage.told();
    stage.answer_save(failed("read-only")).await;
    assert_eq!(stage.events(), [], "a recovery copy is tried first");
    stage.answer_save(failed("disk full")).await;
    let told = stage.told();
    assert_eq!(told.len(), 1);
    assert_eq!(
        (told[0].event, told[0].outcome, &told[0].save),
        (About::Failed, Some(Outcome::Retrying), &None)
    );
    assert_eq!(told[0].failures, ["disk full"]);
    for _ in 0..3 {
        stage.pass(8.0).await;
        if stage.quits().is_empty() {
            stage.answer_save(failed("disk full")).await;
        }
    }
    stage.pass(30.0).await;
    assert_eq!(stage.events(), [], "not one per attempt");
    assert!(stage.claim(*stage.quits().last().unwrap()));
    stage.pass(0.1).await;
    assert_eq!(stage.events(), [told_failed(Outcome::Quit)]);
}

#[tokio::test(start_paused = true)]
async fn what_can_be_saved_in_the_end_is_told() {
    let mut stage = Stage::open(NO_JITTER, true);
    stage.lose_for_good().await;
    stage.told();
    stage.answer_save(failed("read-only")).await;
    stage.answer_save(failed("disk full")).await;
    stage.pass(2.0).await;
    stage.answer_save(saved("/tmp/a.blend")).await;
    assert_eq!(stage.events(), [told_failed(Outcome::Retrying), SAVED]);
}

#[tokio::test(start_paused = true)]
async fn a_file_that_cannot_be_verified_is_told() {
    let mut stage = Stage::open(NO_JITTER, true);
    let unreadable = KeepEvent::Unreadable("gone".into());
    stage.world.0.lock().unwrap().script.push(unreadable);
    stage.lose_for_good().await;
    stage.told();
    stage.answer_save(saved("/tmp/a.blend")).await;
    let told = stage.told();
    assert_eq!(told.len(), 1);
    assert_eq!(
        (told[0].outcome, &told[0].save),
        (Some(Outcome::Retrying), &None)
    );
    assert_eq!(told[0].failures, ["gone"]);
}

#[tokio::test(start_paused = true)]
async fn sigterm_is_told_to_the_server_that_is_still_there() {
    let mut stage = Stage::open(NO_JITTER, true);
    stage.pass(1.0).await;
    stage.send(Command::Terminate);
    stage.pass(0.1).await;
    let told = stage.told();
    assert_eq!(told.len(), 1);
    let it = &told[0];
    assert_eq!((it.event, it.reason.as_str()), (About::Warn, "sigterm"));
    assert_eq!((it.seconds.left, it.seconds.outage), (Some(0.0), 0.0));
    let same = serde_json::to_value(it).unwrap();
    assert_eq!(stage.said(), [("cleanup_imminent".to_string(), same)]);
    stage.answer_save(saved("/tmp/a.blend")).await;
    assert_eq!(stage.events(), [SAVED]);
}

#[tokio::test(start_paused = true)]
async fn sigterm_in_the_countdown_is_told_to_people_alone() {
    let mut stage = Stage::open(NO_JITTER, true);
    stage.count_down().await;
    stage.told();
    stage.send(Command::Terminate);
    stage.pass(0.1).await;
    let told = stage.told();
    assert_eq!(told.len(), 1);
    assert_eq!(told[0].reason, "sigterm");
    assert_eq!(stage.said(), []);
    // It cannot be saved, and is tried again.
    stage.answer_save(failed("disk full")).await;
    stage.pass(2.0).await;
    stage.answer_save(failed("disk full")).await;
    assert_eq!(stage.events(), [told_failed(Outcome::Retrying)]);
}

#[tokio::test(start_paused = true)]
async fn a_file_that_there_was_no_time_to_verify_is_told_without_its_digest() {
    let settings = [NO_JITTER[0], ("CR8_TERMINATE_TIMEOUT", "25")];
    let mut stage = Stage::open(&settings, true);
    stage.world.0.lock().unwrap().silent = true;
    stage.pass(1.0).await;
    stage.send(Command::Terminate);
    stage.pass(0.1).await;
    stage.answer_save(saved("/tmp/a.blend")).await;
    assert_eq!(stage.events(), [WARN]);
    stage.pass(21.0).await;
    assert!(stage.claim(stage.quits()[0]));
    stage.pass(0.1).await;
    let told = stage.told();
    assert_eq!((told.len(), told[0].event), (1, About::Saved));
    let work = told[0].save.as_ref().unwrap();
    assert_eq!((work.path.as_str(), &work.sha256), ("/tmp/a.blend", &None));
}

#[tokio::test(start_paused = true)]
async fn a_blender_that_is_ended_unsaved_is_told() {
    let settings = [("CR8_RETRY_JITTER", "0"), ("CR8_STUCK_TIMEOUT", "100")];
    let mut stage = Stage::open(&settings, true);
    stage.lose_for_good().await;
    stage.told();
    stage.pass(100.0).await;
    assert_eq!(stage.world.ended_with(), Some(1));
    assert_eq!(stage.events(), [told_failed(Outcome::EndedByHost)]);
}

#[tokio::test(start_paused = true)]
async fn a_policy_that_warns_without_end_is_not_listened_to_for_ever() {
    let mut stage = Stage::open(NO_JITTER, true);
    stage.send(spoiled(|_, _, mut decision| {
        if let Phase::CountingDown(_) = decision.state.phase {
            let more = std::iter::repeat_n(Action::Warn(1), 10);
            decision.actions.extend(more);
        }
        decision
    }));
    stage.count_down().await;
    stage.pass(200.0).await;
    assert_eq!(stage.told().len(), 50);
    stage.server.set(true);
    stage.pass(30.0).await;
    assert_eq!(stage.events(), [cancelled(Outcome::Recovered)]);
}
