//! `lifeline fleet`: the load on a server that comes back, beside that of python-socketio's own
//! algorithm.

use crate::check::thousands;
use crate::duration::{self, seconds};
use crate::error::CommandError;
use crate::input::{PolicyFile, SettingsOptions};
use crate::svg::{Align, Picture};
use clap::Args;
use lifeline::simulate::fleet::{PolicyAlgorithm, Report, SocketIoAlgorithm, Story, play};
use serde_json::{Value, json};
use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

/// What happens to the fleet.
#[derive(Args, Debug)]
pub struct Options {
    #[command(flatten)]
    policy: PolicyFile,
    #[command(flatten)]
    settings: SettingsOptions,
    /// How many Blenders.
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(1..=10_000_000))]
    clients: u32,
    /// The server is away for this long.
    #[arg(long, value_name = "TIME", value_parser = duration::parse, default_value = "2m")]
    outage: u64,
    /// Each Blender notices the loss within this time.
    #[arg(long, value_name = "TIME", value_parser = duration::parse, default_value = "1s")]
    noticed_within: u64,
    /// Connections that the server accepts in a second; left out: all.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    capacity: Option<u32>,
    /// Of all chances: the same seed gives the same numbers.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// A picture.
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
    /// One JSON document instead of text.
    #[arg(long)]
    json: bool,
}

/// So long after the return it is over.
const PATIENCE: u64 = 3_600_000;

/// True: there is a report.
pub fn run(
    options: &Options,
    out: &mut dyn Write,
    err: &mut (dyn Write + Send),
) -> Result<bool, CommandError> {
    let timing = options.settings.resolve()?.timing;
    let policy = options.policy.load()?;
    let who = policy.identity().clone();
    let story = Story {
        clients: options.clients,
        outage: options.outage,
        noticed_within: options.noticed_within,
        capacity: options.capacity,
        patience: PATIENCE,
        seed: options.seed,
    };
    let socketio = SocketIoAlgorithm::new(&timing);
    let done = Mutex::new((0, err));
    let progress = |more: u32| {
        let mut done = done.lock().unwrap_or_else(PoisonError::into_inner);
        done.0 += more;
        if done.0 % 10_000 < more {
            let (done, err) = &mut *done;
            // Only there for who waits.
            let _ = writeln!(err, "  {} clients", thousands(u64::from(*done)));
        }
    };
    let ours = play(&PolicyAlgorithm::new(policy, timing), &story, &progress)?;
    let theirs = play(&socketio, &story, &|_| ())?;
    let name = format!("{} {}", who.name, who.version);
    if let Some(file) = &options.svg {
        fs::write(file, draw(&name, &story, &ours, &theirs)).map_err(|source| {
            CommandError::File {
                path: file.clone(),
                source,
            }
        })?;
    }
    if options.json {
        let policy = json!({"name": who.name, "version": who.version, "sha256": who.sha256});
        let json = json!({
            "clients": story.clients,
            "outage_s": as_seconds(story.outage),
            "decides": policy,
            "policy": as_json(&ours),
            "python_socketio": as_json(&theirs),
        });
        writeln!(out, "{json}")?;
    } else {
        as_text(&name, &story, &ours, &theirs, out)?;
    }
    Ok(true)
}

fn as_seconds(millis: u64) -> f64 {
    millis as f64 / 1_000.0
}

fn as_text(
    name: &str,
    story: &Story,
    ours: &Report,
    theirs: &Report,
    out: &mut dyn Write,
) -> std::io::Result<()> {
    let clients = thousands(u64::from(story.clients));
    let outage = seconds(story.outage);
    writeln!(
        out,
        "{clients} Blenders lose their server, which is back after {outage}\n"
    )?;
    writeln!(out, "  {:<34}{name:>22}{:>22}", "", "python-socketio*")?;
    let mut row = |what: &str, of: &dyn Fn(&Report) -> String| {
        writeln!(out, "  {what:<34}{:>22}{:>22}", of(ours), of(theirs))
    };
    row("attempts", &|it| thousands(it.attempts()))?;
    row("most attempts in a second", &|it| {
        let (second, count) = it.peak();
        format!("{} (at {second} s)", thousands(u64::from(count)))
    })?;
    row("most in a second since the return", &|it| {
        thousands(u64::from(it.peak_after_return().1))
    })?;
    let time = |millis: Option<u64>| {
        millis.map_or("never".into(), |it| format!("{:.1} s", as_seconds(it)))
    };
    row("50 % are back after", &|it| time(it.back_after().half))?;
    row("95 %", &|it| time(it.back_after().most))?;
    row("100 %", &|it| time(it.back_after().all))?;
    row("saved and closed instead", &|it| {
        thousands(u64::from(it.closed_count()))
    })?;
    row("neither", &|it| thousands(it.left() as u64))?;
    writeln!(out, "\n  attempts in each second since the return:\n")?;
    let after = ours.seconds_before();
    let of = |report: &Report, second: usize| {
        report
            .attempts_per_second()
            .get(after + second)
            .copied()
            .unwrap_or(0)
    };
    let seconds = (0..SHOWN)
        .rev()
        .find(|&it| of(ours, it) + of(theirs, it) > 0);
    for second in 0..=seconds.unwrap_or(0) {
        let number = |report| thousands(u64::from(of(report, second)));
        writeln!(
            out,
            "  {second:>5} s{:>49}{:>22}",
            number(ours),
            number(theirs)
        )?;
    }
    writeln!(
        out,
        "\n  * its own algorithm with the same delays, and no limit to its attempts: with the usual\n    \
         five, nobody would be back after 35 s."
    )
}

/// Seconds after the return in the table.
const SHOWN: usize = 15;

fn as_json(report: &Report) -> Value {
    let back = report.back_after();
    json!({
        "attempts": report.attempts(),
        "peak": {"at_s": report.peak().0, "attempts_per_s": report.peak().1},
        "peak_after_return": {
            "after_s": report.peak_after_return().0,
            "attempts_per_s": report.peak_after_return().1,
        },
        "back_after_s": {
            "50": back.half.map(as_seconds),
            "95": back.most.map(as_seconds),
            "100": back.all.map(as_seconds),
        },
        "returned": report.returned(),
        "closed": report.closed_count(),
        "left": report.left(),
        "attempts_per_s": report.attempts_per_second(),
        "seconds_before_return": report.seconds_before(),
    })
}

const WIDTH: f64 = 960.0;
const HEIGHT: f64 = 420.0;
const LEFT: f64 = 90.0;
const RIGHT: f64 = 30.0;
const TOP: f64 = 90.0;
const BOTTOM: f64 = 60.0;
/// Seconds before and after the return.
const BEFORE: usize = 30;
const AFTER: usize = 30;

/// Attempts a second around the return, both algorithms in one plot.
fn draw(name: &str, story: &Story, ours: &Report, theirs: &Report) -> String {
    let clients = thousands(u64::from(story.clients));
    let title = format!("{clients} Blenders and a server that is back: attempts per second");
    let mut picture = Picture::new(WIDTH, HEIGHT, &title);
    let from = ours.seconds_before().saturating_sub(BEFORE);
    let to = ours.seconds_before() + AFTER;
    let at = |report: &Report, second: usize| {
        report
            .attempts_per_second()
            .get(second)
            .copied()
            .unwrap_or(0)
    };
    let most = (from..to).map(|it| at(ours, it).max(at(theirs, it))).max();
    let top = round_up(f64::from(most.unwrap_or(1).max(1)));
    let x =
        |second: f64| LEFT + (WIDTH - LEFT - RIGHT) * (second - from as f64) / (to - from) as f64;
    let y = |count: f64| HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * count / top;
    for part in 0..=4 {
        let count = top * f64::from(part) / 4.0;
        picture.line((LEFT, y(count)), (WIDTH - RIGHT, y(count)), "grid");
        let label = thousands(count.round() as u64);
        picture.text(LEFT - 10.0, y(count) + 4.0, Align::End, "dim", &label);
    }
    let back = x(ours.seconds_before() as f64);
    picture.line((back, TOP - 10.0), (back, y(0.0)), "good");
    picture.text(
        back + 6.0,
        TOP - 2.0,
        Align::Start,
        "small",
        "the server is back",
    );
    for second in (from..=to).step_by(10) {
        let relative = second as i64 - ours.seconds_before() as i64;
        let label = format!("{relative} s");
        picture.text(
            x(second as f64),
            y(0.0) + 20.0,
            Align::Middle,
            "dim",
            &label,
        );
    }
    let middle = (LEFT + WIDTH - RIGHT) / 2.0;
    let axis = "time since the return; attempts counted by the second";
    picture.text(middle, HEIGHT - 14.0, Align::Middle, "dim", axis);
    for (report, class) in [(theirs, "two"), (ours, "one")] {
        let steps: Vec<(f64, f64)> = (from..to)
            .flat_map(|second| {
                let count = y(f64::from(at(report, second)));
                [(x(second as f64), count), (x(second as f64 + 1.0), count)]
            })
            .collect();
        picture.polyline(&steps, class);
    }
    let peak = |report: &Report| thousands(u64::from(report.peak_after_return().1));
    picture.rect((LEFT, 48.0), (14.0, 4.0), "one-key");
    let ours = format!("{name}: at most {} since the return", peak(ours));
    picture.text(LEFT + 22.0, 54.0, Align::Start, "", &ours);
    picture.rect((LEFT + 400.0, 48.0), (14.0, 4.0), "two-key");
    let theirs = format!("python-socketio's own algorithm: at most {}", peak(theirs));
    picture.text(LEFT + 422.0, 54.0, Align::Start, "", &theirs);
    picture.finish()
}

/// 1, 2 or 5 with zeros.
fn round_up(number: f64) -> f64 {
    let unit = 10_f64.powf(number.log10().floor());
    [1.0, 2.0, 4.0, 5.0, 8.0, 10.0]
        .into_iter()
        .map(|factor| factor * unit)
        .find(|&it| it >= number)
        .unwrap_or(10.0 * unit)
}
