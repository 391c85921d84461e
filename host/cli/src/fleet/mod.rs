//! `lifeline fleet`: the load on a server that comes back, beside that of python-socketio's own
//! algorithm.

mod moments;
mod picture;

use crate::check::thousands;
use crate::duration::{self, seconds};
use crate::error::CommandError;
use crate::input::{PolicyFile, SettingsOptions};
use clap::Args;
use lifeline_core::as_seconds;
use lifeline_sandbox::CallError;
use lifeline_simulate::fleet::{
    FleetError, Instances, Pace, PolicyAlgorithm, Report, SocketIoAlgorithm, Story, play,
};
use moments::Moments;
use serde_json::{Value, json};
use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

/// What happens to the fleet.
#[derive(Args, Debug)]
pub struct Options {
    #[command(flatten)]
    pub policy: PolicyFile,
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
    /// As well, the same fleet with the server back at so many other instants, spread evenly over the
    /// countdown; each attempt is accepted.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(2..=1_000),
        conflicts_with = "capacity")]
    moments: Option<u32>,
    /// A fresh instance of the policy for each call, as in Blender: several times as slow.
    #[arg(long)]
    fresh: bool,
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

impl Options {
    fn story(&self) -> Story {
        Story {
            clients: self.clients,
            outage: self.outage,
            noticed_within: self.noticed_within,
            capacity: self.capacity,
            patience: PATIENCE,
            seed: self.seed,
        }
    }
}

/// So long after the return it is over.
const PATIENCE: u64 = 3_600_000;

/// True: there is a report.
pub fn run(
    options: &Options,
    out: &mut dyn Write,
    err: &mut (dyn Write + Send),
) -> Result<bool, CommandError> {
    let config = options.settings.resolve()?.core();
    let timing = config.timing.clone();
    let policy = options.policy.load()?;
    let who = policy.identity().clone();
    let story = options.story();
    let socketio = SocketIoAlgorithm::new(&timing);
    let instances = if options.fresh {
        Instances::Fresh
    } else {
        Instances::Warm
    };
    let moments = options.moments.map(|it| Moments::new(&timing, &story, it));
    let policy = PolicyAlgorithm::new(policy, config, instances);
    let progress = progress(err);
    let ours = play(&policy, &story, &progress).map_err(told_of_fresh)?;
    let theirs = play(socketio, &story, &|_| ())?;
    let surveyed = match &moments {
        None => None,
        Some(moments) => Some(moments.play(&policy, socketio, &story, &progress)?),
    };
    let name = format!("{} {}", who.name, who.version);
    if let Some(file) = &options.svg {
        let drawn = picture::draw(&name, &story, (&ours, &theirs), surveyed.as_ref());
        fs::write(file, drawn).map_err(|source| CommandError::File {
            path: file.clone(),
            source,
        })?;
    }
    let pace = policy.pace();
    if options.json {
        let decides = json!({"name": who.name, "version": who.version, "sha256": who.sha256});
        let json = json!({
            "clients": story.clients,
            "outage_s": as_seconds(story.outage),
            "decides": decides,
            "policy": as_json(&ours),
            "python_socketio": as_json(&theirs),
            "moments": surveyed.as_ref().map(moments::Surveyed::as_json),
            "steps": pace_as_json(pace, instances),
        });
        writeln!(out, "{json}")?;
        return Ok(true);
    }
    as_text(&name, &story, &ours, &theirs, out)?;
    if let Some(surveyed) = &surveyed {
        surveyed.as_text(&name, out)?;
    }
    pace_as_text(pace, instances, out)?;
    Ok(true)
}

/// Now and then how many clients have been played.
fn progress<'a>(err: &'a mut (dyn Write + Send)) -> impl Fn(u32) + Sync + 'a {
    let done = Mutex::new((0, err));
    move |more: u32| {
        let mut done = done.lock().unwrap_or_else(PoisonError::into_inner);
        done.0 += more;
        if done.0 % 10_000 < more {
            let (done, err) = &mut *done;
            // Only there for who waits.
            let _ = writeln!(err, "  {} clients", thousands(u64::from(*done)));
        }
    }
}

/// How else it can be played.
fn told_of_fresh(error: FleetError) -> CommandError {
    match &error {
        FleetError::Policy {
            error: CallError::Remembers,
            ..
        } => CommandError::NeedsFresh(error),
        _ => error.into(),
    }
}

fn pace_as_json(pace: Pace, instances: Instances) -> Value {
    json!({
        "instances": match instances {
            Instances::Fresh => "fresh",
            Instances::Warm => "warm",
        },
        "steps": pace.steps,
        "core_s": pace.busy.as_secs_f64(),
        "per_core_s": pace.steps_per_second(),
    })
}

fn pace_as_text(pace: Pace, instances: Instances, out: &mut dyn Write) -> std::io::Result<()> {
    writeln!(
        out,
        "\n  {} steps of the policy, each in {}: {} a second on one core",
        thousands(pace.steps),
        match instances {
            Instances::Fresh => "a fresh instance",
            Instances::Warm => "an instance that is used again",
        },
        thousands(pace.steps_per_second() as u64)
    )
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
    seconds_as_text(ours, theirs, out)?;
    writeln!(
        out,
        "\n  * its own algorithm with the same delays, and no limit to its attempts: with the usual\n    \
         five, nobody would be back after 35 s."
    )
}

fn seconds_as_text(ours: &Report, theirs: &Report, out: &mut dyn Write) -> std::io::Result<()> {
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
    Ok(())
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
