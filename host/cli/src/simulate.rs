//! `lifeline simulate`: one outage, as a table, a strip, a picture, or JSON.

use crate::duration::{self, clock, seconds};
use crate::error::CommandError;
use crate::input::{PolicyFile, SettingsOptions, read};
use crate::script::{self, Flap};
use crate::strip;
use crate::svg::{Align, Picture};
use clap::Args;
use lifeline::FIVE_MINUTES;
use lifeline::contract::{Place, Request};
use lifeline_core::as_seconds;
use lifeline_simulate::timeline::{Ending, Entry, Saves, Scenario, Timeline, What, play};
use serde_json::{Value, json};
use std::fs;
use std::io::Write;
use std::path::PathBuf;

/// What happens. The server is lost at 0.
#[derive(Args, Debug)]
pub struct Options {
    #[command(flatten)]
    pub policy: PolicyFile,
    #[command(flatten)]
    settings: SettingsOptions,
    /// The server is away for this long; left out: for good.
    #[arg(long, value_name = "TIME", value_parser = duration::parse)]
    outage: Option<u64>,
    /// Before that it goes and comes back so many times.
    #[arg(long, value_name = "COUNTxDOWN/UP", value_parser = Flap::parse)]
    flap: Option<Flap>,
    /// A render runs; may be repeated.
    #[arg(long, value_name = "FROM..TO", value_parser = script::range)]
    render: Vec<(u64, u64)>,
    /// A person keeps Blender open at this time; may be repeated.
    #[arg(long, value_name = "AT", value_parser = duration::parse)]
    hold: Vec<u64>,
    /// And releases it.
    #[arg(long, value_name = "AT", value_parser = duration::parse)]
    release: Vec<u64>,
    /// And adds to the countdown.
    #[arg(long, value_name = "AT=BY", value_parser = script::at)]
    extend: Vec<(u64, u64)>,
    /// And closes without waiting.
    #[arg(long, value_name = "AT", value_parser = duration::parse)]
    close_now: Vec<u64>,
    /// The process is stopped for a while: the clock goes on, and nobody is awake.
    #[arg(long, value_name = "AT=FOR", value_parser = script::at)]
    stop: Vec<(u64, u64)>,
    /// Saves that fail: in-place, all, or how many.
    #[arg(long, value_name = "WHICH", value_parser = script::saves)]
    save_fails: Option<Saves>,
    /// How long a save takes.
    #[arg(long, value_name = "TIME", value_parser = duration::parse, default_value = "0s")]
    save_takes: u64,
    /// Another policy is swapped in; may be repeated.
    #[arg(long, value_name = "AT=P.wasm", value_parser = script::at_text)]
    swap: Vec<(u64, String)>,
    /// Of all chances: the same seed gives the same time line.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// It ends after this long, if not before.
    #[arg(long = "for", value_name = "TIME", value_parser = duration::parse, default_value = "24h")]
    until: u64,
    /// A picture.
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
    /// One JSON document instead of text.
    #[arg(long)]
    json: bool,
}

/// True: there is a time line.
pub fn run(options: &Options, out: &mut dyn Write) -> Result<bool, CommandError> {
    let scenario = scenario(options)?;
    let who = scenario.policy.identity().clone();
    let timeline = play(&scenario);
    let title = format!("{} {}: {}", who.name, who.version, story(options));
    if let Some(file) = &options.svg {
        fs::write(file, draw(&title, &timeline)).map_err(|source| CommandError::File {
            path: file.clone(),
            source,
        })?;
    }
    if options.json {
        let mut json = as_json(&timeline);
        json["policy"] = json!({"name": who.name, "version": who.version, "sha256": who.sha256});
        writeln!(out, "{json}")?;
    } else {
        as_text(&title, &timeline, out)?;
    }
    Ok(true)
}

fn scenario(options: &Options) -> Result<Scenario, CommandError> {
    let config = options.settings.resolve()?.core();
    let sandbox = options.policy.sandbox()?;
    let failed = |name: &str| {
        let name = name.to_string();
        |error| CommandError::Load { name, error }
    };
    let built_in = sandbox
        .load_embedded(&FIVE_MINUTES)
        .map_err(failed("five-minutes"))?;
    let mut scenario = Scenario::new(config, options.policy.load()?, built_in);
    let (mut away, begins) = options.flap.map_or((Vec::new(), 0), |flap| flap.away());
    let ends = options
        .outage
        .map_or(u64::MAX, |outage| begins.saturating_add(outage));
    // With an outage that is none, flapping is all.
    if ends > begins {
        away.push((begins, ends));
    }
    scenario.away = away;
    scenario.renders = options.render.clone();
    let asked = |times: &[u64], request: Request| -> Vec<(u64, Request)> {
        times.iter().map(|&at| (at, request)).collect()
    };
    scenario.requests = [
        asked(&options.hold, Request::Hold),
        asked(&options.release, Request::Release),
        asked(&options.close_now, Request::CloseNow),
        options
            .extend
            .iter()
            .map(|&(at, by)| (at, Request::Extend(by)))
            .collect(),
    ]
    .concat();
    scenario.stops = options.stop.clone();
    scenario.saves = options.save_fails.unwrap_or_default();
    scenario.save_takes = options.save_takes;
    scenario.seed = options.seed;
    scenario.until = options.until;
    for (at, file) in &options.swap {
        let bytes = read(&PathBuf::from(file))?;
        let policy = sandbox.load(&bytes).map_err(failed(file))?;
        scenario.swaps.push((*at, policy));
    }
    Ok(scenario)
}

fn story(options: &Options) -> String {
    match (options.outage, options.flap) {
        (None, _) => "the server is lost for good".into(),
        (Some(outage), None) => format!("the server is away for {}", seconds(outage)),
        (Some(0), Some(_)) => "the server comes and goes".into(),
        (Some(outage), Some(_)) => {
            format!(
                "the server comes and goes, and is away for {}",
                seconds(outage)
            )
        }
    }
}

fn as_text(title: &str, timeline: &Timeline, out: &mut dyn Write) -> std::io::Result<()> {
    writeln!(out, "{title}\n")?;
    for line in lines(timeline) {
        writeln!(out, "  {line}")?;
    }
    writeln!(out)?;
    for line in strip::draw(timeline, strip::width()) {
        writeln!(out, "  {line}")?;
    }
    writeln!(out)?;
    match &timeline.ending {
        Ending::Closed(at) => writeln!(out, "Blender closes at {}", clock(*at)),
        Ending::Open(phase) => {
            let at = clock(timeline.until);
            writeln!(out, "Blender is open at {at}, and the line is {phase}")
        }
    }
}

/// A row of failed attempts with nothing in between is one line, but for the first.
const ROW: usize = 5;

fn lines(timeline: &Timeline) -> Vec<String> {
    let mut lines = Vec::new();
    let mut attempts = 0;
    let mut entries = timeline.entries.as_slice();
    while let Some(entry) = entries.first() {
        if entry.what == What::Lost {
            attempts = 0;
        }
        let refused = entries
            .iter()
            .take_while(|it| it.what == What::Attempt { accepted: false })
            .count();
        if refused > ROW && attempts > 0 {
            let last = &entries[refused - 1];
            let (from, to) = (attempts + 1, attempts + refused);
            lines.push(format!(
                "{:>10}  attempts {from} to {to}, until {}: refused",
                clock(entry.at),
                clock(last.at)
            ));
            attempts += refused;
            entries = &entries[refused..];
            continue;
        }
        if matches!(entry.what, What::Attempt { .. }) {
            attempts += 1;
        }
        lines.push(format!(
            "{:>10}  {}",
            clock(entry.at),
            told(entry, attempts)
        ));
        entries = &entries[1..];
    }
    lines
}

fn spoken(place: Place) -> &'static str {
    match place {
        Place::InPlace => "in place",
        Place::Recovery => "a recovery copy",
    }
}

fn told(entry: &Entry, attempts: usize) -> String {
    match &entry.what {
        What::ServerAway => "the server goes away".into(),
        What::ServerBack => "the server is there again".into(),
        What::RenderBegins => "a render begins".into(),
        What::RenderEnds => "the render ends".into(),
        What::Request(Request::Extend(by)) => {
            format!("a person asks: extend by {}", seconds(*by))
        }
        What::Request(request) => format!("a person asks: {}", request.name()),
        What::Stopped(millis) => format!("nobody is awake for {}", seconds(*millis)),
        What::Lost => "the line is lost".into(),
        What::Attempt { accepted: true } => format!("attempt {attempts}: accepted"),
        What::Attempt { accepted: false } => format!("attempt {attempts}: refused"),
        What::Countdown(left) => format!("countdown begins: save and close in {left} s"),
        What::Warn(left) => format!("warning: save and close in {left} s"),
        What::Held => "kept open".into(),
        What::Recovered(after) => format!("the server is back, after {after} s"),
        What::Save(to) => format!("save {}", spoken(*to)),
        What::Saved {
            place: to,
            ok: true,
        } => format!("saved, {}", spoken(*to)),
        What::Saved {
            place: to,
            ok: false,
        } => format!("not saved, {}", spoken(*to)),
        What::Quit => "quit".into(),
        What::Closed => "Blender closes".into(),
        What::Policy(name) => format!("{name} decides"),
        What::Trouble(text) => text.clone(),
    }
}

fn as_json(timeline: &Timeline) -> Value {
    let time = |millis: u64| json!(as_seconds(millis));
    let entries: Vec<Value> = timeline
        .entries
        .iter()
        .map(|entry| {
            let mut json = what_json(&entry.what);
            json["at_s"] = time(entry.at);
            json
        })
        .collect();
    let spans: Vec<Value> = timeline
        .spans
        .iter()
        .map(|span| json!({"phase": span.phase, "from_s": time(span.from), "to_s": time(span.to)}))
        .collect();
    let ending = match &timeline.ending {
        Ending::Closed(at) => json!({"closed_s": time(*at)}),
        Ending::Open(phase) => json!({"open": phase}),
    };
    json!({"entries": entries, "phases": spans, "ending": ending, "until_s": time(timeline.until)})
}

fn what_json(what: &What) -> Value {
    match what {
        What::ServerAway => json!({"what": "server-away"}),
        What::ServerBack => json!({"what": "server-back"}),
        What::RenderBegins => json!({"what": "render-begins"}),
        What::RenderEnds => json!({"what": "render-ends"}),
        What::Request(request) => json!({"what": "request", "request": request.name()}),
        What::Stopped(millis) => json!({"what": "stopped", "seconds": as_seconds(*millis)}),
        What::Lost => json!({"what": "lost"}),
        What::Attempt { accepted } => json!({"what": "attempt", "accepted": accepted}),
        What::Countdown(left) => json!({"what": "countdown", "seconds": left}),
        What::Warn(left) => json!({"what": "warn", "seconds": left}),
        What::Held => json!({"what": "held"}),
        What::Recovered(after) => json!({"what": "recovered", "seconds": after}),
        What::Save(to) => json!({"what": "save", "place": to.name()}),
        What::Saved { place: to, ok } => json!({"what": "saved", "place": to.name(), "ok": ok}),
        What::Quit => json!({"what": "quit"}),
        What::Closed => json!({"what": "closed"}),
        What::Policy(name) => json!({"what": "policy", "name": name}),
        What::Trouble(text) => json!({"what": "trouble", "text": text}),
    }
}

const WIDTH: f64 = 960.0;
const LEFT: f64 = 110.0;
const RIGHT: f64 = 30.0;

/// A label's room.
const ROOM: f64 = 52.0;

/// A picture of a time line, which is as wide as all of its time.
struct Drawing<'a> {
    picture: Picture,
    timeline: &'a Timeline,
}

/// Rows: the phase, attempts, warnings, what is done.
fn draw(title: &str, timeline: &Timeline) -> String {
    let mut drawing = Drawing {
        picture: Picture::new(WIDTH, 270.0, title),
        timeline,
    };
    let rows = [
        (70.0, "phase"),
        (120.0, "attempts"),
        (160.0, "warnings"),
        (200.0, "actions"),
    ];
    for (y, name) in rows {
        let picture = &mut drawing.picture;
        picture.text(LEFT - 12.0, y + 5.0, Align::End, "dim", name);
        picture.line((LEFT, y), (WIDTH - RIGHT, y), "grid");
    }
    drawing.phases();
    drawing.entries();
    drawing.renders();
    drawing.axis();
    drawing.picture.finish()
}

impl Drawing<'_> {
    fn x(&self, at: u64) -> f64 {
        let whole = self.timeline.until.max(1) as f64;
        LEFT + (WIDTH - LEFT - RIGHT) * at as f64 / whole
    }

    fn phases(&mut self) {
        for span in &self.timeline.spans {
            let (from, to) = (self.x(span.from), self.x(span.to));
            let picture = &mut self.picture;
            picture.rect((from, 56.0), (to - from, 28.0), &span.phase);
            // As far as it has room.
            if to - from > 8.0 * span.phase.len() as f64 {
                let middle = (from + to) / 2.0;
                picture.text(middle, 75.0, Align::Middle, "on", &span.phase);
            }
        }
    }

    fn entries(&mut self) {
        // Where the last label of a row is: the next one needs room.
        let (mut warned, mut saved) = (f64::MIN, f64::MIN);
        for entry in &self.timeline.entries {
            let at = self.x(entry.at);
            let picture = &mut self.picture;
            match &entry.what {
                What::Attempt { accepted } => {
                    let class = if *accepted { "good" } else { "bad" };
                    picture.line((at, 108.0), (at, 132.0), class);
                }
                What::Countdown(left) | What::Warn(left) => {
                    picture.line((at, 150.0), (at, 170.0), "warn");
                    if at - warned > ROOM && at < WIDTH - ROOM {
                        warned = at;
                        picture.text(at + 4.0, 156.0, Align::Start, "small", &format!("{left} s"));
                    }
                }
                What::Saved { ok, .. } => {
                    picture.dot((at, 200.0), if *ok { "good" } else { "bad" });
                    if at - saved > ROOM {
                        saved = at;
                        picture.text(at - 8.0, 194.0, Align::End, "small", "save");
                    }
                }
                What::Closed => {
                    picture.dot((at, 200.0), "closed");
                    picture.text(at - 8.0, 216.0, Align::End, "small", "close");
                }
                What::Request(request) => {
                    picture.text(at, 216.0, Align::Middle, "small", request.name());
                }
                What::Recovered(_) => {
                    picture.text(at + 4.0, 194.0, Align::Start, "small", "the server is back");
                }
                _ => {}
            }
        }
    }

    /// Below the phases. One that has not ended runs to the end.
    fn renders(&mut self) {
        let mut begun = None;
        let ends = (self.timeline.until, &What::RenderEnds);
        let entries = self.timeline.entries.iter().map(|it| (it.at, &it.what));
        for (at, what) in entries.chain([ends]) {
            match what {
                What::RenderBegins => begun = Some(self.x(at)),
                What::RenderEnds => {
                    if let Some(from) = begun.take() {
                        let to = self.x(at);
                        let picture = &mut self.picture;
                        picture.rect((from, 86.0), (to - from, 4.0), "render");
                        picture.text(from, 101.0, Align::Start, "small", "a render runs");
                    }
                }
                _ => {}
            }
        }
    }

    fn axis(&mut self) {
        for part in 0..=5_u64 {
            let at = self.timeline.until / 5 * part;
            let align = match part {
                0 => Align::Start,
                5 => Align::End,
                _ => Align::Middle,
            };
            let x = self.x(at);
            self.picture.text(x, 245.0, align, "dim", &clock(at));
        }
    }
}
