//! The fleet's return, drawn: both algorithms in each plot.

use super::moments::{Load, Moment, Surveyed};
use crate::check::thousands;
use crate::duration;
use crate::svg::{Align, Picture, Plot};
use lifeline_core::as_seconds;
use lifeline_simulate::fleet::{Report, Story};

const WIDTH: f64 = 960.0;
const LEFT: f64 = 76.0;
const RIGHT: f64 = 24.0;
/// Seconds before and after the return.
const BEFORE: f64 = 25.0;
const AFTER: f64 = 15.0;
/// The classes of the two, ours last: it lies on top.
const CLASSES: [&str; 2] = ["two", "one"];

/// Attempts a second around the return and how many are back, and by the moment of return what the
/// worst second is and how long it takes.
pub fn draw(
    name: &str,
    story: &Story,
    reports: (&Report, &Report),
    surveyed: Option<&Surveyed>,
) -> String {
    let (ours, theirs) = reports;
    let clients = thousands(u64::from(story.clients));
    let outage = duration::seconds(story.outage);
    let title = format!("{clients} Blenders, and a server that is back after {outage}");
    let height = if surveyed.is_some() { 860.0 } else { 560.0 };
    let mut picture = Picture::new(WIDTH, height, &title);
    for (at, class, text) in [
        (LEFT, "one-key", name),
        (
            LEFT + 220.0,
            "two-key",
            "python-socketio\u{2019}s own algorithm",
        ),
    ] {
        picture.rect((at, 45.0), (18.0, 4.0), class);
        picture.text(at + 26.0, 52.0, Align::Start, "", text);
    }
    let both = [theirs, ours];
    attempts(&mut picture, both);
    back(&mut picture, both, story);
    if let Some(surveyed) = surveyed {
        by_moment(&mut picture, surveyed);
    }
    picture.finish()
}

fn attempts(picture: &mut Picture, both: [&Report; 2]) {
    let at = |report: &Report, relative: i64| {
        usize::try_from(report.seconds_before() as i64 + relative)
            .ok()
            .and_then(|second| report.attempts_per_second().get(second).copied())
            .unwrap_or(0)
    };
    let seconds = -BEFORE as i64..AFTER as i64;
    let most = seconds
        .clone()
        .flat_map(|second| both.map(|report| at(report, second)))
        .max();
    let plot = Plot {
        corner: (LEFT, 96.0),
        size: (WIDTH - LEFT - RIGHT, 190.0),
        x: (-BEFORE, AFTER),
        y: (0.0, round_up(f64::from(most.unwrap_or(1).max(1)))),
    };
    picture.frame(&plot, "attempts to connect in each second", &count);
    picture.ticks(&plot, 5.0, &|it| format!("{it} s"));
    picture.line(plot.at(0.0, plot.y.0), plot.at(0.0, plot.y.1), "good");
    let (x, y) = plot.at(0.0, plot.y.1);
    picture.text(
        x + 6.0,
        y + 12.0,
        Align::Start,
        "back",
        "the server is back",
    );
    for (report, class) in both.into_iter().zip(CLASSES) {
        let steps: Vec<(f64, f64)> = seconds
            .clone()
            .flat_map(|second| {
                let count = f64::from(at(report, second));
                let from = second as f64;
                [plot.at(from, count), plot.at(from + 1.0, count)]
            })
            .collect();
        picture.polyline(&steps, class);
    }
}

fn back(picture: &mut Picture, both: [&Report; 2], story: &Story) {
    let plot = Plot {
        corner: (LEFT, 342.0),
        size: (WIDTH - LEFT - RIGHT, 150.0),
        x: (-BEFORE, AFTER),
        y: (0.0, 100.0),
    };
    picture.frame(&plot, "of the fleet is back", &|it| format!("{it} %"));
    picture.ticks(&plot, 5.0, &|it| format!("{it} s"));
    let (x, y) = plot.at((plot.x.0 + plot.x.1) / 2.0, 0.0);
    picture.text(x, y + 38.0, Align::Middle, "dim", "time since the return");
    picture.line(plot.at(0.0, 0.0), plot.at(0.0, 100.0), "good");
    let percent = |report: &Report, seconds: f64| {
        let back = report.returned_within((seconds * 1_000.0) as u64);
        100.0 * back as f64 / f64::from(story.clients.max(1))
    };
    for ((report, class), above) in both.into_iter().zip(CLASSES).zip([true, false]) {
        let mut points = vec![plot.at(-BEFORE, 0.0)];
        points.extend((0..=(AFTER * 10.0) as u32).map(|tenth| {
            let seconds = f64::from(tenth) / 10.0;
            plot.at(seconds, percent(report, seconds))
        }));
        picture.polyline(&points, class);
        let Some(most) = report.back_after().most.map(as_seconds) else {
            continue;
        };
        if most < AFTER {
            let (x, y) = plot.at(most, 95.0);
            picture.dot((x, y), &format!("{class}-key"));
            let text = format!("95 % after {most:.1} s");
            // The two are close to each other at times.
            let (x, align) = if above {
                (x - 12.0, Align::End)
            } else {
                (x + 9.0, Align::Start)
            };
            picture.text(
                x,
                y + if above { 4.0 } else { 14.0 },
                align,
                &format!("{class}-key"),
                &text,
            );
        }
    }
}

/// What is drawn of a return, and how it is written at the axis.
type Figure = fn(&Load) -> f64;
type Label<'a> = &'a dyn Fn(f64) -> String;

fn by_moment(picture: &mut Picture, surveyed: &Surveyed) {
    let moments: Vec<&Moment> = surveyed.early.iter().chain(&surveyed.late).collect();
    let Some(last) = surveyed.late.last() else {
        return;
    };
    let until = (as_seconds(last.outage) / 50.0).ceil() * 50.0;
    let loads = |of: Figure| {
        moments
            .iter()
            .flat_map(|it| [of(&it.ours), of(&it.theirs)])
            .fold(1.0, f64::max)
    };
    let peak = |it: &Load| f64::from(it.peak);
    let most = |it: &Load| it.most.map_or(0.0, as_seconds);
    let half = (WIDTH - LEFT - RIGHT - 84.0) / 2.0;
    let plots: [(f64, &str, Figure, Label<'_>); 2] = [
        (LEFT, "the most attempts in a second", peak, &count),
        (LEFT + half + 84.0, "until 95 % are back", most, &|it| {
            format!("{it} s")
        }),
    ];
    picture.text(
        20.0,
        570.0,
        Align::Start,
        "title",
        "The same, had it been back earlier or later",
    );
    for (left, title, of, label) in plots {
        let plot = Plot {
            corner: (left, 612.0),
            size: (half, 180.0),
            x: (0.0, until),
            y: (0.0, round_up(loads(of))),
        };
        picture.frame(&plot, title, label);
        picture.ticks(&plot, 50.0, &|it| format!("{it} s"));
        let (x, y) = plot.at(until / 2.0, 0.0);
        let axis = "length of the outage; dashed: the countdown begins";
        picture.text(x, y + 38.0, Align::Middle, "dim", axis);
        if let Some(first) = surveyed.late.first() {
            let begins = as_seconds(first.outage);
            picture.line(plot.at(begins, 0.0), plot.at(begins, plot.y.1), "dashed");
        }
        for (which, class) in [(|it: &Moment| it.theirs) as fn(&Moment) -> Load, |it| {
            it.ours
        }]
        .into_iter()
        .zip(CLASSES)
        {
            let points: Vec<(f64, f64)> = moments
                .iter()
                .map(|it| plot.at(as_seconds(it.outage), of(&which(it))))
                .collect();
            picture.polyline(&points, class);
        }
    }
}

fn count(it: f64) -> String {
    thousands(it.round() as u64)
}

/// A number whose quarters are short, and with zeros.
fn round_up(number: f64) -> f64 {
    let unit = 10_f64.powf(number.log10().floor());
    [1.0, 1.2, 1.6, 2.0, 2.4, 3.2, 4.0, 5.0, 6.0, 8.0, 10.0]
        .into_iter()
        .map(|factor| factor * unit)
        .find(|&it| it >= number)
        .unwrap_or(10.0 * unit)
}
