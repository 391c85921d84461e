//! Credentials that are renewed while Blender runs.

use super::{SaveTarget, Secret};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use serde_json::Value;

/// In place of those that were set.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Renewed {
    /// What the server asks for.
    pub token: Option<Secret>,
    /// Where the saved file goes.
    pub save: Option<SaveTarget>,
    /// How long these are good for.
    pub expires_at: Option<Timestamp>,
}

impl Renewed {
    /// `{token?, save?, expires_at?}`: a text; a URL, or an upload in parts as an object or as its text; ISO
    /// 8601, or seconds since 1970. The fault repeats nothing of it.
    pub fn parse(json: &Value) -> Result<Self, String> {
        let object = json
            .as_object()
            .ok_or("expected {token?, save?, expires_at?}")?;
        let given = |name: &str| object.get(name).filter(|value| !value.is_null());
        let token = given("token").map(|value| {
            let text = value.as_str().map(super::value::trimmed);
            text.map(Secret::new).ok_or("token: expected text")
        });
        let save = given("save").map(|value| {
            let text = match value {
                Value::String(text) => text.clone(),
                other => other.to_string(),
            };
            SaveTarget::parse(&text).map_err(|fault| format!("save: {fault}"))
        });
        let expires_at = given("expires_at").map(|value| {
            instant(value).ok_or("expires_at: expected ISO 8601, or seconds since 1970")
        });
        let renewed = Renewed {
            token: token.transpose()?,
            save: save.transpose()?,
            expires_at: expires_at.transpose()?,
        };
        match renewed == Renewed::default() {
            true => Err("expected at least one of token, save and expires_at".into()),
            false => Ok(renewed),
        }
    }
}

fn instant(value: &Value) -> Option<Timestamp> {
    match value {
        Value::String(text) => text.trim().parse().ok(),
        other => Timestamp::from_second(other.as_f64()?.floor() as i64).ok(),
    }
}

/// What a JSON Web Token says itself of how long it is good for.
pub(crate) fn expiry(token: &Secret) -> Option<Timestamp> {
    let mut parts = token.reveal().split('.');
    let (_, claims, _) = (parts.next()?, parts.next()?, parts.next()?);
    let claims = URL_SAFE_NO_PAD.decode(claims.trim_end_matches('=')).ok()?;
    instant(serde_json::from_slice::<Value>(&claims).ok()?.get("exp")?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn each_of_them_may_be_renewed() {
        let at: Timestamp = "2026-11-29T22:00:00Z".parse().unwrap();
        let target = json!({"part_size": 5, "part_urls": ["http://h/1"]});
        for save in [target.clone(), json!(target.to_string())] {
            let json = json!({"token": " t\n", "save": save, "expires_at": "2026-11-29T22:00:00Z"});
            let renewed = Renewed::parse(&json).unwrap();
            assert_eq!(renewed.token, Some(Secret::new("t")));
            assert!(matches!(renewed.save, Some(SaveTarget::Parts(_))));
            assert_eq!(renewed.expires_at, Some(at));
        }
        let seconds = json!({"expires_at": at.as_second(), "token": null});
        assert_eq!(Renewed::parse(&seconds).unwrap().expires_at, Some(at));
    }

    #[test]
    fn a_fault_repeats_nothing() {
        for json in [
            json!("hunter2"),
            json!({}),
            json!({"token": ["hunter2"]}),
            json!({"save": "hunter2"}),
            json!({"expires_at": "hunter2"}),
        ] {
            let fault = Renewed::parse(&json).unwrap_err();
            assert!(
                fault.contains("expected") && !fault.contains("hunter2"),
                "{fault}"
            );
        }
    }

    #[test]
    fn a_token_may_say_how_long_it_is_good_for() {
        let token = |claims: Value| {
            let claims = URL_SAFE_NO_PAD.encode(claims.to_string());
            expiry(&Secret::new(format!("head.{claims}.signature")))
        };
        let at = Timestamp::from_second(1_795_989_600).ok();
        assert_eq!(token(json!({"sub": "ann", "exp": 1_795_989_600})), at);
        assert_eq!(token(json!({"sub": "ann"})), None);
        for other in ["", "a.b", "a.%.c", "secret"] {
            assert_eq!(expiry(&Secret::new(other)), None);
        }
    }
}
