//! What is uploaded where, and a save that counts only once the store has it.

use super::*;

/// Only what the store has is safe.
fn stored(config: &mut Config) {
    (config.safe, config.target, config.upload) = (Safe::Uploaded, true, MINUTE);
}

impl Stage {
    /// The upload that is under way has ended.
    fn upload(&mut self, ok: bool) {
        let order = self.core.keeping().unwrap();
        self.tell(Input::Uploaded(order, uploaded(ok)));
    }

    fn uploads(&self) -> Vec<Upload> {
        let upload = |output: &Output| match output {
            Output::Keep { upload, .. } | Output::KeepAgain { upload, .. } => Some(*upload),
            _ => None,
        };
        self.outputs.iter().filter_map(upload).collect()
    }

    fn works_on(&mut self) {
        self.tell(Input::Scene(Scene {
            modified: true,
            untitled: false,
            rendering: false,
        }));
    }

    /// Claims the quit, and the journal is written; whether Blender is told that its work is safe.
    fn quit(&mut self) -> bool {
        let quit = *self.quits().last().unwrap();
        self.tell(Input::Claimed(quit));
        self.tell(Input::Written);
        self.closes().unwrap().1
    }
}

fn uploaded(ok: bool) -> Uploaded {
    Uploaded {
        bytes: 1,
        attempts: 1,
        seconds: 1.0,
        error: (!ok).then(|| "503".into()),
        multipart: None,
    }
}

#[test]
fn a_save_that_the_store_has_is_safe() {
    let mut stage = Stage::connected(stored);
    let ticket = stage.lose_for_good();
    stage.save(ticket, true);
    stage.verify();
    assert!(stage.quits().is_empty());
    stage.upload(true);
    assert!(stage.quit());
}

#[test]
fn what_the_store_does_not_take_is_uploaded_again_and_not_saved_again() {
    let mut stage = Stage::connected(stored);
    let ticket = stage.lose_for_good();
    stage.save(ticket, true);
    stage.verify();
    stage.upload(false);
    assert!(stage.told(Work::NotSaved));
    for pause in [1_000, 2_000, 4_000] {
        stage.pass(pause - 1);
        assert_eq!(stage.core.keeping(), None);
        stage.pass(1);
        stage.verify();
        stage.upload(pause == 4_000);
    }
    assert_eq!(stage.saves().len(), 1);
    assert_eq!(stage.uploads(), [Upload::Target; 4]);
    assert!(stage.quit());
}

#[test]
fn who_works_on_meanwhile_has_it_saved_again() {
    let mut stage = Stage::connected(stored);
    let ticket = stage.lose_for_good();
    stage.save(ticket, true);
    stage.verify();
    stage.upload(false);
    stage.works_on();
    stage.pass(1_000);
    assert_eq!(stage.saves().len(), 2);
}

#[test]
fn without_the_store_blender_stays_as_long_as_with_unsaved_work() {
    let mut stage = Stage::connected(stored);
    let ticket = stage.lose_for_good();
    stage.save(ticket, true);
    stage.verify();
    let begun = stage.now;
    stage.upload(false);
    let mut known = None;
    while stage.quits().is_empty() {
        assert!(stage.now < begun + 10 * MINUTE, "for ever");
        stage.pass(1_000);
        let order = stage.core.keeping();
        if order.is_some() && order != known {
            known = order;
            stage.verify();
            // One that never ends is cut off.
            if stage.now < begun + MINUTE / 2 {
                stage.upload(false);
            }
        }
    }
    assert!(stage.now >= begun + MINUTE);
    assert!(!stage.quit(), "it is on the disk alone");
}

#[test]
fn a_server_that_is_back_ends_the_wait() {
    let mut stage = Stage::connected(stored);
    let ticket = stage.lose_for_good();
    stage.save(ticket, true);
    stage.verify();
    stage.upload(false);
    stage.next_attempt();
    stage.connection(Connection::Accepted);
    let uploads = stage.uploads();
    stage.pass(10 * MINUTE);
    assert!(stage.quits().is_empty());
    assert_eq!(stage.uploads(), uploads);
}

#[test]
fn sigterm_does_not_wait_for_a_store_that_is_not_there() {
    for fails_before in [false, true] {
        let mut stage = Stage::connected(stored);
        let ticket = stage.lose_for_good();
        stage.save(ticket, true);
        stage.verify();
        if fails_before {
            stage.upload(false);
        }
        stage.tell(Input::Terminate);
        if fails_before {
            stage.verify();
        }
        // Five seconds of the twenty are for closing.
        stage.pass(15_000);
        assert_eq!(stage.saves().len(), 1);
        assert!(!stage.quit(), "it is on the disk alone");
    }
}

#[test]
fn nothing_is_written_over_another_file_in_the_store() {
    let file = |name: &str| Input::File(Some(name.into()));
    for (open, expected) in [
        (vec![Input::File(None)], Upload::Target),
        (vec![file("/a")], Upload::Target),
        (vec![Input::File(None), file("/a")], Upload::Target),
        (vec![file("/a"), file("/b")], Upload::Copy),
        (vec![file("/a"), Input::File(None)], Upload::Copy),
        (vec![file("/a"), file("/b"), file("/a")], Upload::Target),
        (vec![file("/a"), file("/b"), Input::Target], Upload::Target),
    ] {
        for copies in [false, true] {
            for safe in [Safe::Local, Safe::Uploaded] {
                let mut stage = Stage::connected(|config| {
                    stored(config);
                    (config.copies, config.safe) = (copies, safe);
                });
                for input in open.clone() {
                    stage.tell(input);
                }
                let ticket = stage.lose_for_good();
                stage.save(ticket, true);
                // What must be uploaded has failed if there is no place for it.
                let none = expected == Upload::Copy && !copies && safe == Safe::Local;
                let expected = if none { Upload::No } else { expected };
                assert_eq!(stage.uploads(), [expected], "{open:?}");
            }
        }
    }
}

#[test]
fn a_target_that_the_server_has_sent_is_used() {
    let mut stage = Stage::connected(|config| config.upload = MINUTE);
    stage.tell(Input::File(Some("/a".into())));
    stage.tell(Input::Target);
    let ticket = stage.lose_for_good();
    stage.save(ticket, true);
    assert_eq!(stage.uploads(), [Upload::Target]);
}

#[test]
fn an_upload_again_is_of_the_file_that_was_saved() {
    let mut stage = Stage::connected(stored);
    stage.tell(Input::File(Some("/a".into())));
    stage.tell(Input::File(Some("/b".into())));
    let ticket = stage.lose_for_good();
    stage.save(ticket, true);
    stage.verify();
    stage.upload(false);
    stage.tell(Input::File(Some("/a".into())));
    stage.pass(1000);
    assert_eq!(stage.uploads(), [Upload::Copy, Upload::Copy]);
}
