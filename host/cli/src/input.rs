//! What every command takes: a policy, limits, settings.

use crate::duration;
use crate::error::CommandError;
use clap::Args;
use lifeline::FIVE_MINUTES;
use lifeline::settings::{Kind, Settings, TABLE};
use lifeline_sandbox::{Cache, Compiling, Limits, LoadError, Policy, Sandbox};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::time::Duration;

/// The built-in policy goes by its name.
const BUILT_IN: &str = "five-minutes";

/// The policy, and what it may use.
#[derive(Args, Debug)]
pub struct PolicyFile {
    /// A policy component, or `five-minutes` for the built-in one.
    #[arg(value_name = "P.wasm")]
    pub file: PathBuf,
    /// Units of fuel for a call [default: 50000000].
    #[arg(long, value_name = "UNITS")]
    fuel: Option<u64>,
    /// Memory for a call, in MiB [default: 64].
    #[arg(long, value_name = "MIB", value_parser = clap::value_parser!(u32).range(1..=1024))]
    memory: Option<u32>,
    /// Time for a call [default: 2s].
    #[arg(long, value_name = "TIME", value_parser = duration::parse)]
    time: Option<u64>,
    /// Where it is compiled.
    #[arg(skip)]
    pub compiling: Compiling,
}

impl PolicyFile {
    /// As it was named.
    pub fn name(&self) -> String {
        self.file.display().to_string()
    }

    pub fn bytes(&self) -> Result<Vec<u8>, CommandError> {
        read(&self.file)
    }

    pub fn limits(&self) -> Limits {
        let usual = Limits::default();
        Limits {
            fuel: self.fuel.unwrap_or(usual.fuel),
            memory: self.memory.map_or(usual.memory, |mib| (mib as usize) << 20),
            time: self.time.map_or(usual.time, Duration::from_millis),
            ..usual
        }
    }

    pub fn sandbox(&self) -> Result<Sandbox, CommandError> {
        self.failed(self.sandbox_with(Cache::user()))
    }

    /// In which all is compiled now.
    pub fn sandbox_with(&self, cache: Option<Cache>) -> Result<Sandbox, LoadError> {
        Sandbox::new(self.limits(), cache, self.compiling.clone())
    }

    pub fn load(&self) -> Result<Policy, CommandError> {
        self.failed(self.sandbox()?.load(&self.bytes()?))
    }

    fn failed<T>(&self, outcome: Result<T, LoadError>) -> Result<T, CommandError> {
        outcome.map_err(|error| CommandError::Load {
            name: self.name(),
            error,
        })
    }
}

/// All of a file; `five-minutes` is the built-in policy unless there is such a file.
pub fn read(file: &PathBuf) -> Result<Vec<u8>, CommandError> {
    if file.as_os_str() == BUILT_IN && !file.exists() {
        return Ok(FIVE_MINUTES.component.to_vec());
    }
    fs::read(file).map_err(|source| CommandError::File {
        path: file.clone(),
        source,
    })
}

/// The settings that the policy is told.
#[derive(Args, Debug)]
pub struct SettingsOptions {
    /// A setting, like cleanup-timeout=60s, retry-attempts=3 or warn-before=1m,10s; may be repeated.
    #[arg(long = "set", value_name = "NAME=VALUE")]
    set: Vec<String>,
}

impl SettingsOptions {
    /// The defaults, with what was set.
    pub fn resolve(&self) -> Result<Settings, CommandError> {
        let mut chosen = Map::new();
        for text in &self.set {
            let (name, value) = text
                .split_once('=')
                .ok_or_else(|| usage(format!("--set {text}: expected NAME=VALUE")))?;
            let name = name.trim().replace('-', "_");
            let setting = TABLE
                .iter()
                .find(|setting| setting.name == name)
                .ok_or_else(|| {
                    usage(format!(
                        "--set {name}: there is no such setting; there are {}",
                        timing_names().join(", ")
                    ))
                })?;
            let json = value_of(&setting.kind, value).map_err(usage)?;
            if setting.kind.from_json(&json).is_none() {
                let expected = setting.kind.expected();
                return Err(usage(format!("--set {text}: expected {expected}")));
            }
            chosen.insert(name, json);
        }
        // Each value was looked at; the environment is none of a simulation's business.
        Settings::resolve(&chosen, &BTreeMap::new()).map_err(|error| usage(error.to_string()))
    }
}

fn value_of(kind: &Kind, text: &str) -> Result<Value, String> {
    let seconds = |text: &str| duration::parse(text).map(|millis| json!(millis as f64 / 1_000.0));
    match kind {
        Kind::Seconds(..) => seconds(text),
        Kind::SecondsList if text.trim().is_empty() => Ok(json!([])),
        Kind::SecondsList => text.split(',').map(seconds).collect(),
        Kind::Count(..) => Ok(text
            .trim()
            .parse::<u64>()
            .map_or(Value::Null, |it| json!(it))),
        _ => Ok(json!(text)),
    }
}

fn timing_names() -> Vec<String> {
    TABLE
        .iter()
        .filter(|setting| matches!(setting.kind, Kind::Seconds(..) | Kind::SecondsList))
        .map(|setting| setting.name.replace('_', "-"))
        .collect()
}

/// Something on the command line that clap cannot know.
pub fn usage(text: String) -> CommandError {
    CommandError::Usage(text)
}
