//! `lifeline verify`: the search for a broken rule, and the trace that leads to it.

use crate::check::thousands;
use crate::duration::{self, clock, seconds};
use crate::error::CommandError;
use crate::input::{PolicyFile, SettingsOptions};
use clap::Args;
use lifeline_core::as_seconds;
use lifeline_sandbox::{Contract, Identity, Policy};
use lifeline_simulate::explore::{
    Bounds, Broken, Entry, Exploration, Progress, Property, Setup, explore,
};
use lifeline_simulate::wave;
use serde_json::{Value, json};
use std::io::Write;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// How far is searched.
#[derive(Args, Debug)]
pub struct Options {
    #[command(flatten)]
    pub policy: PolicyFile,
    #[command(flatten)]
    settings: SettingsOptions,
    /// Situations to look at, with each of the four sets of settings.
    #[arg(long, value_name = "N", default_value_t = 400_000,
        value_parser = clap::value_parser!(u32).range(1..=50_000_000))]
    states: u32,
    /// Faults of one trace: a person, a stopped process, a server that is back. With the settings
    /// in real time one fewer.
    #[arg(long, alias = "surprises", value_name = "N", default_value_t = 2,
        value_parser = clap::value_parser!(u32).range(0..=10))]
    faults: u32,
    /// Calls of one outage after which it is held to have no end.
    #[arg(long, value_name = "CALLS", value_parser = clap::value_parser!(u32).range(1..))]
    depth: Option<u32>,
    /// An undisturbed outage must have led to quit within this time.
    #[arg(long, value_name = "TIME", value_parser = duration::parse)]
    within: Option<u64>,
    /// One JSON document instead of text.
    #[arg(long)]
    json: bool,
}

/// Searches at once.
const THREADS: usize = 2;
/// Progress is told this often.
const TELL: Duration = Duration::from_secs(2);
/// Of a long trace so many events are shown at each end.
const SHOWN: usize = 12;

/// What one set of settings has led to.
struct Looked {
    setup: Setup,
    faults: u32,
    found: Exploration,
    took: Duration,
}

/// True: no rule is broken in what was looked at.
pub fn run(
    options: &Options,
    out: &mut dyn Write,
    err: &mut (dyn Write + Send),
) -> Result<bool, CommandError> {
    let settings = options.settings.resolve()?;
    let policy = options.policy.load()?;
    let mut setups = Setup::all(
        &settings.timing,
        settings.quit_floor,
        settings.bounds.unsaved_wait,
    );
    for setup in &mut setups {
        fit(setup, &policy);
    }
    let looked = look(&policy, setups, options, err);
    let broken = plainest(&looked);
    let file = options.policy.name();
    if options.json {
        writeln!(
            out,
            "{}",
            as_json(policy.identity(), &file, &looked, &broken)
        )?;
    } else {
        as_text(policy.identity(), &file, &looked, &broken, out)?;
    }
    Ok(broken.is_empty())
}

/// What the policy may depart from, and what it is not told.
fn fit(setup: &mut Setup, policy: &Policy) {
    let departs = |rule: &Property| match policy.contract() {
        // It has no way to say so.
        Contract::V0_1 => true,
        Contract::V0_2 => {
            let departs = &policy.identity().departs;
            departs.iter().any(|name| name == rule.name())
        }
    };
    let rules = Property::ALL.into_iter();
    setup.departs = rules
        .filter(|rule| rule.may_be_departed_from())
        .filter(departs)
        .collect();
    if policy.contract() == Contract::V0_1 {
        setup.cut_off = None;
    }
}

fn look(
    policy: &Policy,
    setups: Vec<Setup>,
    options: &Options,
    err: &mut (dyn Write + Send),
) -> Vec<Looked> {
    let names: Vec<&str> = setups.iter().map(|setup| setup.name).collect();
    let mut order = setups;
    // What takes longest is begun first.
    order.sort_by_key(|setup| std::cmp::Reverse(setup.fewer));
    let waiting = Mutex::new(order);
    let done = Mutex::new(Vec::new());
    let (progress, told) = channel();
    thread::scope(|scope| {
        for _ in 0..THREADS {
            let (waiting, done) = (&waiting, &done);
            let progress = progress.clone();
            scope.spawn(move || {
                let next = || waiting.lock().unwrap_or_else(PoisonError::into_inner).pop();
                while let Some(setup) = next() {
                    let looked = one(policy, setup, options, &progress);
                    let mut done = done.lock().unwrap_or_else(PoisonError::into_inner);
                    done.push(looked);
                }
            });
        }
        drop(progress);
        let mut last = Instant::now();
        loop {
            match told.recv_timeout(TELL) {
                Ok((name, it)) if last.elapsed() >= TELL => {
                    last = Instant::now();
                    let (states, edges) = (thousands(it.states as u64), thousands(it.edges));
                    // Only there for who waits.
                    let _ = writeln!(err, "  {name}: {states} situations, {edges} events");
                }
                Ok(_) | Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
        }
    });
    let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    done.sort_by_key(|looked| names.iter().position(|name| *name == looked.setup.name));
    done
}

fn one(
    policy: &Policy,
    setup: Setup,
    options: &Options,
    progress: &Sender<(&'static str, Progress)>,
) -> Looked {
    let faults = options.faults.saturating_sub(setup.fewer);
    let bounds = Bounds {
        states: options.states as usize,
        faults,
        depth: options.depth,
        within: options.within,
    };
    let begun = Instant::now();
    let found = explore(policy, &setup, &bounds, &mut |it| {
        // Whoever has stopped listening has ended the search.
        progress.send((setup.name, it)).is_ok()
    });
    Looked {
        setup,
        faults,
        found,
        took: begun.elapsed(),
    }
}

/// Of each broken rule the shortest trace, whatever the settings.
fn plainest(looked: &[Looked]) -> Vec<(&Broken, &Looked)> {
    let all = || {
        looked
            .iter()
            .flat_map(|it| it.found.broken.iter().map(move |broken| (broken, it)))
    };
    Property::ALL
        .iter()
        .filter_map(|property| {
            all()
                .filter(|(broken, _)| broken.property == *property)
                .min_by_key(|(broken, _)| broken.trace.len())
        })
        .collect()
}

fn as_json(who: &Identity, file: &str, looked: &[Looked], broken: &[(&Broken, &Looked)]) -> Value {
    let is_kept = |property: Property| !broken.iter().any(|(it, _)| it.property == property);
    let property = |&it: &Property| {
        json!({
            "name": it.name(),
            "sentence": it.sentence(),
            "kept": is_kept(it),
            "asked": is_asked(it, looked),
        })
    };
    let properties: Vec<Value> = Property::ALL.iter().map(property).collect();
    let broken: Vec<Value> = broken
        .iter()
        .map(|(broken, looked)| {
            let trace: Vec<Value> = broken.trace.iter().map(|it| entry_json(it, file)).collect();
            json!({
                "property": broken.property.name(),
                "settings": looked.setup.name,
                "why": broken.why,
                "trace": trace,
            })
        })
        .collect();
    json!({
        "file": file,
        "name": who.name,
        "version": who.version,
        "sha256": who.sha256,
        "kept": broken.is_empty(),
        "properties": properties,
        "broken": broken,
        "looked_at": looked.iter().map(looked_json).collect::<Vec<_>>(),
    })
}

/// It may not be departed from; or the policy can say that it does, and does not.
fn is_asked(rule: Property, looked: &[Looked]) -> bool {
    !looked.iter().any(|it| it.setup.departs.contains(&rule))
}

fn looked_json(looked: &Looked) -> Value {
    let Looked { setup, found, .. } = looked;
    json!({
        "settings": setup.name,
        "situations": found.states,
        "events": found.edges,
        "depth": found.depth,
        "faults": looked.faults,
        "complete_faults": found.complete,
        "bound_hit": found.complete != Some(looked.faults),
        "longest_s": found.longest.map(as_seconds),
        "seconds": looked.took.as_secs_f64(),
    })
}

fn entry_json(entry: &Entry, file: &str) -> Value {
    json!({
        "at_s": as_seconds(entry.at),
        "what": entry.what,
        "command": command(entry, file),
        "answer": answer(entry),
    })
}

/// What repeats the call.
fn command(entry: &Entry, file: &str) -> Option<String> {
    let (call, state, moment) = entry.call.as_ref()?;
    let call = quoted(&wave::call(call, state, moment));
    Some(format!("wasmtime run --invoke {call} {}", quoted(file)))
}

/// One word for a shell.
fn quoted(text: &str) -> String {
    let is_plain = |it: char| it.is_ascii_alphanumeric() || "-_./".contains(it);
    if !text.is_empty() && text.chars().all(is_plain) && !text.starts_with('-') {
        return text.to_string();
    }
    format!("'{}'", text.replace('\'', "'\\''"))
}

fn answer(entry: &Entry) -> Option<String> {
    Some(match entry.answer.as_ref()? {
        Ok(decision) => wave::decision(decision),
        Err(error) => error.clone(),
    })
}

fn as_text(
    who: &Identity,
    file: &str,
    looked: &[Looked],
    broken: &[(&Broken, &Looked)],
    out: &mut dyn Write,
) -> std::io::Result<()> {
    writeln!(out, "{} {}, {file}\n", who.name, who.version)?;
    for looked in looked {
        looked_at(looked, out)?;
    }
    writeln!(out)?;
    for property in Property::ALL {
        let kept = !broken.iter().any(|(it, _)| it.property == property);
        let sign = match kept {
            _ if !is_asked(property, looked) => "not asked",
            true => "kept",
            false => "BROKEN",
        };
        let (name, sentence) = (property.name(), property.sentence());
        writeln!(out, "{sign:<11}{name:<20}{sentence}")?;
    }
    for (broken, looked) in broken {
        trace(broken, looked, file, out)?;
    }
    match broken.len() {
        0 => writeln!(
            out,
            "\nyes: in none of these situations does it break a rule"
        ),
        1 => writeln!(out, "\nno: it breaks a rule"),
        more => writeln!(out, "\nno: it breaks {more} rules"),
    }
}

fn looked_at(looked: &Looked, out: &mut dyn Write) -> std::io::Result<()> {
    let Looked {
        setup, found, took, ..
    } = looked;
    let (states, edges) = (thousands(found.states as u64), thousands(found.edges));
    writeln!(
        out,
        "{:<22}{states:>9} situations, {edges:>9} events, {:.1} s",
        format!("settings {}", setup.name),
        took.as_secs_f64()
    )?;
    let bound = match found.complete {
        Some(all) if all == looked.faults => format!("all traces with {}", faults(all)),
        Some(all) => format!(
            "bound hit: all traces with {}, and some with more",
            faults(all)
        ),
        None => "bound hit: not even all traces without a fault".into(),
    };
    let longest = match found.longest {
        Some(longest) if found.complete.is_none() => {
            format!("quit {} after the loss, or later", seconds(longest))
        }
        Some(longest) => format!("quit at most {} after the loss", seconds(longest)),
        None => "no undisturbed outage led to quit".into(),
    };
    writeln!(out, "{:22}{bound}; {longest}", "")
}

fn faults(most: u32) -> String {
    match most {
        0 => "no fault".into(),
        1 => "up to one fault".into(),
        more => format!("up to {more} faults"),
    }
}

fn trace(broken: &Broken, looked: &Looked, file: &str, out: &mut dyn Write) -> std::io::Result<()> {
    let name = broken.property.name();
    let set = looked.setup.name;
    writeln!(out, "\n{name} is broken, with the settings {set}:\n")?;
    let length = broken.trace.len();
    let is_left_out = |at: usize| length > 2 * SHOWN && (SHOWN..length - SHOWN).contains(&at);
    for (at, entry) in broken.trace.iter().enumerate() {
        if is_left_out(at) {
            if at == SHOWN {
                let left = length - 2 * SHOWN;
                writeln!(out, "# … {left} events are left out here (--json has them)")?;
            }
            continue;
        }
        writeln!(out, "# {}  {}", clock(entry.at), entry.what)?;
        if let Some(command) = command(entry, file) {
            writeln!(out, "{command}")?;
        }
    }
    if let Some(answer) = broken.trace.last().and_then(answer) {
        writeln!(out, "\nit answered\n{answer}")?;
    }
    writeln!(out, "\nwhich breaks {name}: {}", broken.why)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_for_a_shell() {
        assert_eq!(quoted("target/policies/p.wasm"), "target/policies/p.wasm");
        assert_eq!(quoted("tick({now: 1})"), "'tick({now: 1})'");
        assert_eq!(quoted("it's"), "'it'\\''s'");
        assert_eq!(quoted("-x"), "'-x'");
        assert_eq!(quoted(""), "''");
    }
}
