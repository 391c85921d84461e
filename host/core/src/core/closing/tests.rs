use super::*;
use std::hash::DefaultHasher;

fn print(closing: &Closing) -> u64 {
    let mut hasher = DefaultHasher::new();
    closing.hash_relative(|at| at as i64, &mut hasher);
    hasher.finish()
}

fn with(change: impl FnOnce(&mut Closing)) -> Closing {
    let mut closing = Closing::default();
    change(&mut closing);
    closing
}

fn keeping(since: u64, verified_at: Option<u64>) -> Closing {
    with(|it| {
        it.keeping = Some(Keeping {
            order: 1,
            since,
            upload: Upload::No,
            verified_at,
        });
    })
}

fn terminating(upload_until: u64, until: u64, recover: bool) -> Closing {
    with(|it| {
        it.terminating = Some(Terminating {
            upload_until,
            until,
            recover,
            heard_at: 0,
        });
    })
}

#[test]
fn what_it_goes_by_tells_it_from_others() {
    let mut prints: Vec<u64> = [
        Closing::default(),
        keeping(1, None),
        keeping(1, Some(2)),
        keeping(1, Some(3)),
        with(|it| it.copied = true),
        with(|it| it.outdated = true),
        with(|it| it.uploaded = true),
        with(|it| it.again = true),
        with(|it| it.retry_at = Some(1)),
        with(|it| it.retry_at = Some(2)),
        with(|it| it.retries = 6),
        with(|it| it.retries = 7),
        with(|it| it.saved_first = 1),
        terminating(1, 2, false),
        terminating(2, 2, false),
        terminating(1, 3, false),
        terminating(1, 2, true),
        with(|it| it.late = Some((1, Place::InPlace))),
        with(|it| it.late = Some((1, Place::Recovery))),
        with(|it| it.recorded = true),
    ]
    .iter()
    .map(print)
    .collect();
    let count = prints.len();
    prints.sort_unstable();
    prints.dedup();
    assert_eq!(prints.len(), count);
}

#[test]
fn what_nobody_asks_for_makes_no_difference() {
    let alike = |one: Closing, other: Closing| assert_eq!(print(&one), print(&other));
    alike(keeping(1, None), keeping(2, None));
    alike(with(|it| it.orders = 1), Closing::default());
    alike(with(|it| it.retries = 7), with(|it| it.retries = 8));
    let late = |ticket| with(|it| it.late = Some((ticket, Place::InPlace)));
    alike(late(1), late(2));
}

#[test]
fn nobody_can_stop_what_is_written_down_or_told() {
    let ends = |end| with(|it| it.end = end);
    for end in [End::No, End::Wanted, End::Asked] {
        assert!(!ends(end).is_final() && !ends(end).is_out_of_hand());
    }
    let written = End::Writing {
        since: 0,
        end: None,
    };
    for end in [written, End::Told] {
        assert!(ends(end).is_final() && ends(end).is_out_of_hand());
    }
    let terminating = terminating(0, 0, false);
    assert!(!terminating.is_final() && terminating.is_out_of_hand());
}
