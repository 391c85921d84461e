//! Anything as preferences and environment: settings, or an error that names each value and hides
//! secrets.
#![no_main]
#![allow(clippy::expect_used)] // a panic is what a fuzz target finds

use libfuzzer_sys::fuzz_target;
use lifeline::settings::{Kind, Settings, TABLE};
use lifeline_fuzz::{Arbitrary, Result, Unstructured};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// Put into every secret.
const SECRET: &str = "hunter2-hunter2";

#[derive(Debug)]
struct Input {
    preferences: Map<String, Value>,
    environment: BTreeMap<String, String>,
}

impl<'a> Arbitrary<'a> for Input {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        let mut input = Input {
            preferences: Map::new(),
            environment: BTreeMap::new(),
        };
        for _ in 0..u.int_in_range(0..=6)? {
            let setting = u.choose(TABLE)?;
            let secret = setting.kind == Kind::Secret;
            if u.arbitrary()? {
                let mut text = text(u)?;
                if secret {
                    text.push_str(SECRET);
                }
                input.environment.insert(setting.variable(), text);
            } else {
                let mut value = value(u, 2)?;
                if secret {
                    value = Value::String(SECRET.into());
                }
                input.preferences.insert(setting.name.into(), value);
            }
        }
        if u.ratio(1, 8)? {
            input.preferences.insert(u.arbitrary()?, value(u, 1)?);
        }
        Ok(input)
    }
}

/// What people write, and what they do not.
fn text(u: &mut Unstructured<'_>) -> Result<String> {
    Ok(match u.int_in_range(0..=5)? {
        0 => u.arbitrary::<f64>()?.to_string(),
        1 => u.arbitrary::<i64>()?.to_string(),
        2 => {
            let few = u.int_in_range(0..=4)?;
            let parts = (0..few).map(|_| Ok(u.arbitrary::<u16>()?.to_string()));
            parts.collect::<Result<Vec<_>>>()?.join(",")
        }
        3 => (*u.choose(&[
            "",
            " ",
            "1",
            "true",
            "off",
            "1e400",
            "nan",
            "-0",
            "0x10",
            "1_000",
            "٣",
            "wss://h/p?q#f",
            "ws://u:p@h:0",
            "http://[::1]:99999",
            "/dev/null",
            "1e-9",
            "18446744073709551616",
        ])?)
        .into(),
        _ => u.arbitrary()?,
    })
}

fn value(u: &mut Unstructured<'_>, depth: u8) -> Result<Value> {
    Ok(match u.int_in_range(0..=6)? {
        0 => Value::Null,
        1 => u.arbitrary::<bool>()?.into(),
        2 => u.arbitrary::<i64>()?.into(),
        3 => u.arbitrary::<f64>()?.into(),
        4 => u.arbitrary::<u64>()?.into(),
        5 if depth > 0 => {
            let few = u.int_in_range(0..=3)?;
            let list: Result<Vec<Value>> = (0..few).map(|_| value(u, depth - 1)).collect();
            list?.into()
        }
        _ => text(u)?.into(),
    })
}

fuzz_target!(|input: Input| {
    match Settings::resolve(&input.preferences, &input.environment) {
        Ok(settings) => {
            let shown = settings.shown();
            assert!(TABLE.iter().all(|it| {
                it.kind == Kind::Secret || it.name == "server_url" || shown.contains_key(it.name)
            }));
            let seen = format!("{settings:?} {}", Value::Object(shown.clone()));
            assert!(!seen.contains(SECRET), "{seen}");
            // What is shown is what was understood: it means the same once more.
            let again =
                Settings::resolve(shown, &BTreeMap::new()).expect("what is shown can be set");
            assert_eq!(again.timing, settings.timing);
            assert_eq!(again.shown(), shown);
        }
        Err(error) => {
            let text = error.to_string();
            assert!(!error.0.is_empty() && !text.contains(SECRET), "{text}");
        }
    }
});
