//! What the server asks for, and where files go, as they are renewed while Blender runs.

use super::first_file::is_same;
use super::run::Driver;
use super::{Command, Lifeline, Shared};
use crate::event::LogLine;
use crate::settings::{Renewed, Secret, Settings, expiry};
use jiff::Timestamp;
use lifeline_core::Input;
use serde_json::Value;
use std::io;
use std::path::PathBuf;
use std::sync::PoisonError;
use std::sync::mpsc::sync_channel;
use std::thread;
use std::time::Duration;
use tokio::time::Instant;

/// What the server sends.
pub(super) const CREDENTIALS: &str = "lifeline_credentials";
/// Who is told so long before they expire can still renew them.
const NEARS: Duration = Duration::from_secs(600);
/// A file that does not answer within this long is on a disk that hangs.
const READ: Duration = Duration::from_millis(500);

/// What is known of them beside the settings.
#[derive(Debug, Default)]
pub(super) struct Credentials {
    /// What the token's file held last.
    mounted: Option<Secret>,
    /// As somebody has said, or the token says itself.
    expires_at: Option<Timestamp>,
    /// When it is told that they expire.
    pub nears_at: Option<Instant>,
}

impl Lifeline {
    /// These count from now on, in place of those that were set.
    pub fn credentials(&self, renewed: Renewed) {
        self.send(Command::Credentials(Box::new(renewed)));
    }
}

impl Shared {
    /// What came last of each: a host thread that is started again has it, too.
    fn renew(&self, renewed: &Renewed) {
        // Written as a whole: a poisoned one is still in order.
        let mut known = self.renewed.lock().unwrap_or_else(PoisonError::into_inner);
        let Renewed {
            token,
            save,
            expires_at,
        } = renewed.clone();
        if token.is_some() || expires_at.is_some() {
            known.expires_at = expires_at;
        }
        known.token = token.or(known.token.take());
        known.save = save.or(known.save.take());
    }

    pub(super) fn renewed(&self) -> Renewed {
        // Written as a whole: a poisoned one is still in order.
        let known = self.renewed.lock().unwrap_or_else(PoisonError::into_inner);
        known.clone()
    }
}

impl Driver {
    /// The server, or a script, has others.
    pub(super) fn renew(&mut self, renewed: Renewed) {
        let named = [
            ("token", renewed.token.is_some()),
            ("save target", renewed.save.is_some()),
        ];
        let named: Vec<&str> = named.into_iter().filter(|it| it.1).map(|it| it.0).collect();
        // New URLs for the same object are not for another file.
        let is_target = renewed.save.as_ref().is_some_and(|save| {
            let known = self.settings.save.as_ref();
            !known.is_some_and(|known| is_same(known, save))
        });
        self.shared.renew(&renewed);
        self.settings.renew(renewed);
        self.schedule_expiry();
        let until = self
            .credentials
            .expires_at
            .map(|at| format!(", good until {at}"));
        let message = format!(
            "Credentials were renewed{}{}",
            if named.is_empty() {
                String::new()
            } else {
                format!(": {}", named.join(", "))
            },
            until.unwrap_or_default()
        );
        self.say(LogLine::info("credentials-renewed", message));
        if is_target {
            self.file_opened();
            self.step(Input::Target);
        }
    }

    /// `{token?, save?, expires_at?}`
    pub(super) fn server_renews(&mut self, args: &[Value]) {
        match Renewed::parse(args.first().unwrap_or(&Value::Null)) {
            Ok(renewed) => self.renew(renewed),
            Err(fault) => {
                let message =
                    format!("The server has sent credentials that cannot be used: {fault}");
                self.say(LogLine::warning("credentials-refused", message).with("reason", fault));
            }
        }
    }

    /// For the next attempt: what its file holds, if that is news.
    pub(super) fn look_at_token(&mut self) {
        let Some(path) = self.settings.token_file.clone() else {
            return;
        };
        match read_in_time(path) {
            Ok(token) => {
                if self.credentials.mounted.as_ref() != Some(&token) {
                    self.credentials.mounted = Some(token.clone());
                    self.settings.renew(Renewed {
                        token: Some(token),
                        ..Renewed::default()
                    });
                }
            }
            Err(error) => {
                let message = format!("The token's file cannot be read: {error}");
                let line = LogLine::warning("token-not-read", message);
                self.say(line.with("error", error.to_string()));
            }
        }
        self.schedule_expiry();
    }

    /// How long they are good for, from now on.
    pub(super) fn schedule_expiry(&mut self) {
        let said = self.settings.expires_at;
        let at = said.or_else(|| expiry(&self.settings.token));
        if at == self.credentials.expires_at {
            return;
        }
        self.credentials.expires_at = at;
        self.credentials.nears_at = at.map(|at| {
            let left = Duration::try_from(at.duration_since(Timestamp::now()));
            // Of one that is over it is told at once.
            Instant::now() + left.unwrap_or_default().saturating_sub(NEARS)
        });
        self.shared.snapshot().expires_at = at.map(|at| at.to_string());
    }

    /// They expire soon, or have expired.
    pub(super) fn tell_expiry(&mut self) {
        self.credentials.nears_at = None;
        let Some(at) = self.credentials.expires_at else {
            return;
        };
        let left = Duration::try_from(at.duration_since(Timestamp::now())).unwrap_or_default();
        if left.is_zero() {
            let message =
                format!("The credentials have expired at {at}: the server may not accept them");
            self.say(LogLine::warning("credentials-expired", message).with("at", at.to_string()));
        } else {
            self.credentials.nears_at = Some(Instant::now() + left);
            let minutes = (left.as_secs() + 1).div_ceil(60);
            let message = format!("The credentials expire in {minutes} minute(s), at {at}");
            self.say(LogLine::warning("credentials-expire", message).with("at", at.to_string()));
        }
    }

    /// Why an attempt has failed, and that no other one can succeed.
    pub(super) fn with_expiry(&self, detail: String) -> String {
        let at = self.credentials.expires_at;
        match at.filter(|at| *at <= Timestamp::now()) {
            Some(at) => format!("{detail}; the token has expired at {at}"),
            None => detail,
        }
    }
}

/// The host thread must not wait for a disk that hangs.
fn read_in_time(path: PathBuf) -> io::Result<Secret> {
    let (done, read) = sync_channel(1);
    thread::Builder::new()
        .name("lifeline-token".into())
        .spawn(move || {
            // Late, nobody listens.
            let _ = done.send(Settings::mounted_token(&path));
        })?;
    let late = |_| Err(io::Error::from(io::ErrorKind::TimedOut));
    read.recv_timeout(READ).unwrap_or_else(late)
}
