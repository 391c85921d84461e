//! `lifeline check`: can it be used, and what does it take?

use crate::error::CommandError;
use crate::input::PolicyFile;
use clap::Args;
use lifeline::Call;
use lifeline::contract::{
    Attempt, ConnectError, Countdown, Loss, Moment, Outage, Phase, Place, Request, Saving, Scene,
    State,
};
use lifeline_sandbox::{Boundary, Limits, LoadError, Policy, Usage};
use lifeline_simulate::explore::Property;
use serde_json::{Value, json};
use std::io::Write;
use std::time::Instant;

/// What is checked.
#[derive(Args, Debug)]
pub struct Options {
    #[command(flatten)]
    pub policy: PolicyFile,
    /// One JSON document instead of text.
    #[arg(long)]
    json: bool,
}

/// All that was found out; later things only if the earlier ones allow it.
#[derive(Default)]
struct Findings {
    size: usize,
    boundary: Boundary,
    policy: Option<Policy>,
    compile_seconds: f64,
    functions: Vec<(&'static str, Usage)>,
    fault: Option<String>,
}

/// True: it can be used.
pub fn run(options: &Options, out: &mut dyn Write) -> Result<bool, CommandError> {
    let bytes = options.policy.bytes()?;
    let findings = look(&options.policy, &bytes)?;
    let name = options.policy.name();
    if options.json {
        writeln!(out, "{}", as_json(&findings, &name))?;
    } else {
        as_text(&findings, &name, &options.policy.limits(), out)?;
    }
    Ok(findings.fault.is_none())
}

fn look(file: &PolicyFile, bytes: &[u8]) -> Result<Findings, CommandError> {
    let mut findings = Findings {
        size: bytes.len(),
        ..Findings::default()
    };
    match Boundary::read(bytes) {
        Ok(boundary) => findings.boundary = boundary,
        Err(error) => {
            findings.fault = Some(error.to_string());
            return Ok(findings);
        }
    }
    // Without the cache: how long it takes is one of the questions.
    let sandbox = file
        .sandbox_with(None)
        .map_err(|error| CommandError::Load {
            name: file.name(),
            error,
        })?;
    let begun = Instant::now();
    let loaded = sandbox.load(bytes);
    findings.compile_seconds = begun.elapsed().as_secs_f64();
    match loaded {
        Ok(policy) => {
            findings.fault = measure(&policy, &mut findings.functions);
            findings.policy = Some(policy);
        }
        Err(error @ LoadError::Engine(_)) => {
            return Err(CommandError::Load {
                name: file.name(),
                error,
            });
        }
        Err(error) => findings.fault = Some(error.to_string()),
    }
    Ok(findings)
}

/// The most that each function takes; the first call that fails.
fn measure(policy: &Policy, functions: &mut Vec<(&'static str, Usage)>) -> Option<String> {
    let mut fault = None;
    for (call, state) in samples() {
        let (answer, used) = policy.measure(&call, &state, &moment());
        match functions.iter_mut().find(|(name, _)| *name == call.name()) {
            Some((_, most)) => {
                most.fuel = most.fuel.max(used.fuel);
                most.memory = most.memory.max(used.memory);
            }
            None => functions.push((call.name(), used)),
        }
        if let Err(error) = answer {
            fault.get_or_insert(format!("its {}() failed: {error}", call.name()));
        }
    }
    fault
}

fn moment() -> Moment {
    Moment {
        due: Some(334_000),
        entropy: Some(u64::MAX),
        settings: Some(lifeline::contract::Settings::default()),
        scene: Some(Scene {
            modified: true,
            untitled: false,
            rendering: false,
        }),
        cut_off: Some(1),
        ..Moment::at(334_000)
    }
}

/// Each function, in the phases that it meets.
fn samples() -> Vec<(Call, State)> {
    let outage = Outage {
        lost_at: 0,
        why: Loss::TransportError,
        attempts: 5,
        attempt: Attempt::UnderWay(340_000),
        extended: 0,
    };
    let saving = |place| {
        Phase::Saving(Saving {
            outage,
            place,
            since: 333_000,
        })
    };
    let phases = [
        Phase::Connected,
        Phase::Reconnecting(outage),
        Phase::CountingDown(Countdown {
            outage,
            deadline: 334_000,
            warned: 10_000,
        }),
        Phase::Held(outage),
        saving(Place::InPlace),
        saving(Place::Recovery),
        Phase::Quitting(outage),
    ];
    let state = |phase| State {
        phase,
        seen: 333_000,
        memo: Vec::new(),
    };
    let mut calls = vec![(Call::Start, state(Phase::Connected))];
    for phase in phases {
        let connected = phase == Phase::Connected;
        let mut with = |call| calls.push((call, state(phase)));
        with(Call::Tick);
        if connected {
            with(Call::OnDisconnect(Loss::TransportError));
            continue;
        }
        with(Call::OnConnect);
        with(Call::OnConnectError(ConnectError::Unreachable));
        for request in [
            Request::Hold,
            Request::Extend(60_000),
            Request::Release,
            Request::CloseNow,
        ] {
            with(Call::OnRequest(request));
        }
        if matches!(phase, Phase::Saving(_)) {
            with(Call::OnSaved(Ok(())));
            with(Call::OnSaved(Err("no space left on the device".into())));
        }
    }
    calls
}

fn as_text(
    findings: &Findings,
    name: &str,
    limits: &Limits,
    out: &mut dyn Write,
) -> std::io::Result<()> {
    match &findings.policy {
        Some(policy) => {
            let who = policy.identity();
            writeln!(out, "{} {}: {}", who.name, who.version, who.about)?;
            writeln!(
                out,
                "  file       {name}, {} bytes",
                thousands(findings.size as u64)
            )?;
            writeln!(out, "  SHA-256    {}", who.sha256)?;
        }
        None => writeln!(out, "{name}, {} bytes", thousands(findings.size as u64))?,
    }
    let list = |names: &[String]| match names {
        [] => "none".to_string(),
        names => names.join(", "),
    };
    let contract = findings.boundary.contract().unwrap_or("none");
    writeln!(out, "  contract   {contract}")?;
    for rule in departs(findings) {
        writeln!(out, "  departs    from {rule}{}", heeded(rule))?;
    }
    writeln!(out, "  imports    {}", list(&findings.boundary.imports))?;
    writeln!(out, "  exports    {}", list(&findings.boundary.exports))?;
    if !findings.functions.is_empty() {
        writeln!(out, "  compiled   in {:.3} s", findings.compile_seconds)?;
        writeln!(out, "\n  {:<18}{:>14}{:>14}", "function", "fuel", "memory")?;
        for (function, used) in &findings.functions {
            let (fuel, memory) = (thousands(used.fuel), kib(used.memory));
            writeln!(out, "  {function:<18}{fuel:>14}{memory:>14}")?;
        }
        let (fuel, memory) = (thousands(limits.fuel), kib(limits.memory));
        writeln!(out, "  {:<18}{fuel:>14}{memory:>14}\n", "the limit")?;
    }
    match &findings.fault {
        None => writeln!(out, "yes: it can be used"),
        Some(fault) => writeln!(out, "no: {fault}"),
    }
}

fn as_json(findings: &Findings, name: &str) -> Value {
    let functions: serde_json::Map<String, Value> = findings
        .functions
        .iter()
        .map(|(name, used)| {
            let used = json!({"fuel": used.fuel, "memory": used.memory});
            (name.to_string(), used)
        })
        .collect();
    let who = findings.policy.as_ref().map(Policy::identity);
    json!({
        "file": name,
        "usable": findings.fault.is_none(),
        "reason": findings.fault,
        "bytes": findings.size,
        "contract": findings.boundary.contract(),
        "imports": findings.boundary.imports,
        "exports": findings.boundary.exports,
        "name": who.map(|it| &it.name),
        "version": who.map(|it| &it.version),
        "about": who.map(|it| &it.about),
        "departs": departs(findings),
        "sha256": who.map(|it| &it.sha256),
        "compile_s": who.map(|_| findings.compile_seconds),
        "functions": functions,
    })
}

/// The rules from which it says that it departs on purpose.
fn departs(findings: &Findings) -> &[String] {
    let policy = findings.policy.as_ref();
    policy.map_or(&[], |policy| &policy.identity().departs)
}

/// What comes of its saying so.
fn heeded(rule: &str) -> &'static str {
    match Property::of_name(rule) {
        Some(rule) if rule.may_be_departed_from() => ", on purpose",
        Some(_) => ", which none may: verify holds it to that all the same",
        None => ", which is no rule of verify here",
    }
}

fn kib(bytes: usize) -> String {
    format!("{} KiB", thousands((bytes / 1024) as u64))
}

/// `50,000,000`
pub fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
