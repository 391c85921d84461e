//! Who decides: swaps, what the server sends, and what is told of it.

use super::FirstPolicy;
use super::run::Driver;
use crate::event::{Event, LogLine};
use crate::journal::{PolicyLine, PolicyNews};
use crate::reload::{Loader, Order, PolicySource, Push, Store, SwapError, Verdict, Watch};
use crate::settings::Settings;
use crate::status::Refused;
use lifeline_core::{Input, Who};
use lifeline_sandbox::{Code, Policy, told};
use serde_json::{Value, json};
use std::path::PathBuf;
use std::sync::Arc;
use tokio::sync::mpsc::UnboundedSender;

/// What the server sends, and what it is answered.
pub(super) const UPDATE: &str = "policy_update";
const RESULT: &str = "policy_update_result";
/// A reason may hold what somebody else has written; it has so many bytes at most.
const REASON: usize = 400;
/// Of one process there are so many lines about policies at most: outages must not be rotated away.
const LINES: u32 = 200;

/// Where policies come from.
pub(super) struct Sources {
    loader: Loader,
    file: Option<PathBuf>,
    watch: Option<Watch>,
    lines: u32,
}

impl Sources {
    /// Nothing is loaded yet.
    pub fn new(
        settings: &Settings,
        sandbox: &lifeline_sandbox::Sandbox,
        file: Option<PathBuf>,
        done: UnboundedSender<Verdict>,
    ) -> Self {
        let policy = &settings.policy;
        let server = settings
            .server
            .as_ref()
            .map(ToString::to_string)
            .unwrap_or_default();
        let store = policy
            .store
            .clone()
            .map(|folder| Store::new(folder, server));
        let loader = Loader::new(
            sandbox.clone(),
            policy.bounds,
            &policy.pins,
            store,
            file.clone(),
            done,
        );
        Sources {
            loader,
            file,
            watch: None,
            lines: 0,
        }
    }

    /// In the background.
    pub fn order(&self, order: Order) {
        self.loader.order(order);
    }
}

impl Driver {
    /// After a fault, which the policy's file may have had its part in, the file only counts once it
    /// changes.
    pub(super) fn begin_with(&mut self, policy: FirstPolicy) {
        let fresh = policy.fresh;
        let before = self.shared.snapshot().policy.clone();
        if !fresh && before.origin != self.deciding.origin() {
            let message = format!(
                "Policy {} has decided until the fault; five-minutes decides now",
                before.name
            );
            let line = LogLine::warning("policy-set-aside-after-fault", message);
            self.say(line.with("policy", before.name));
            self.policy_line(PolicyNews::Taken, Some("after a fault"), None);
        }
        if let Code::Distrusted(why) = self.deciding.policy(Who::BuiltIn).code() {
            let message = format!("The built-in policy was compiled at the start: {why}");
            let line = LogLine::info("compiled-policy-not-used", message);
            self.say(line.with("reason", why.to_string()));
        }
        if let Some(bytes) = policy.given {
            self.swap(PolicySource::Bytes(bytes));
        } else if fresh && self.settings.policy.push {
            // The file comes when it is known whether there is one.
            self.sources.order(Order::Kept);
        } else {
            self.watch_file(fresh);
        }
    }

    fn watch_file(&mut self, at_once: bool) {
        let Some(path) = self.sources.file.clone() else {
            return;
        };
        match Watch::begin(path, self.sources.loader.clone(), at_once) {
            Ok(watch) => self.sources.watch = Some(watch),
            Err(error) => {
                let message = format!("The policy's file cannot be watched: {error}");
                let line = LogLine::error("policy-not-watched", message);
                self.say(line.with("error", error.to_string()));
            }
        }
    }

    /// Loads a policy in the background.
    pub(super) fn swap(&self, source: PolicySource) {
        self.sources.order(Order::Swap(source));
    }

    /// Back to what is set, from what the server has sent or a script has swapped in.
    pub(super) fn revert(&self) {
        self.sources.order(Order::Revert(None));
    }

    /// The server sends a policy.
    pub(super) fn pushed(&mut self, args: &[Value]) {
        let push = match Push::read(args) {
            Ok(push) => Box::new(push),
            Err(error) => {
                let reason = told(&error.to_string(), REASON);
                let line = LogLine::warning("policy-push-refused", format!("Not taken: {reason}"));
                self.say(line.with("reason", reason.as_str()));
                let id = args.first().and_then(|it| it.get("id")?.as_str());
                return self.answer(id, "refused", None, Some(&reason));
            }
        };
        if !self.settings.policy.push {
            let reason = "this Blender takes no policy from its server: set CR8_POLICY_PUSH=1";
            let message = format!("The server has sent a policy; {reason}");
            self.say(LogLine::warning("policy-push-refused", message).with("reason", reason));
            return self.answer(push.id.as_deref(), "refused", None, Some(reason));
        }
        let order = if push.revert {
            Order::Revert(Some(push))
        } else {
            Order::Pushed(push)
        };
        self.sources.order(order);
    }

    fn answer(&self, id: Option<&str>, outcome: &str, trouble: Option<&str>, reason: Option<&str>) {
        let now = self.deciding.identity();
        let policy = json!({"name": now.name, "version": now.version, "sha256": now.sha256});
        let id = id.map(|id| told(id, REASON));
        let data = json!({
            "id": id, "outcome": outcome, "reason": reason, "trouble": trouble, "policy": policy,
        });
        // Who is not connected asks again, or does not care.
        self.tell_server(RESULT, &data);
    }

    /// An order was carried out, or not.
    pub(super) fn loaded(&mut self, verdict: Verdict) {
        let origin = match (&verdict.order, &self.sources.file) {
            (Order::Revert(_), Some(path)) => path.display().to_string(),
            _ => verdict.order.origin(),
        };
        let trouble = verdict.trouble.as_deref();
        if let Some(trouble) = trouble {
            let message = format!("Policy from {origin}: {trouble}");
            let line = LogLine::warning("policy-trouble", message);
            self.say(line.with("origin", origin.as_str()).with("reason", trouble));
        }
        let reason = match (verdict.outcome, &verdict.order) {
            (Ok(policy), Order::Watched(_))
                if self.deciding.decides(policy.identity(), &origin) =>
            {
                // Written again as it was; what was wrong in between is mended.
                self.deciding.mended();
                return self.publish();
            }
            (Ok(policy), _) => {
                self.loaded_well(*policy, &origin);
                None
            }
            (Err(SwapError::NothingSet), Order::Kept) => {
                return self.watch_file(true);
            }
            // The one that was quicker stays.
            (Err(error), Order::Revert(_)) if !matches!(error, SwapError::Superseded) => {
                self.back_to_built_in(&origin, &error);
                None
            }
            (Err(error), _) => Some(told(&error.to_string(), REASON)),
        };
        if matches!(verdict.order, Order::Kept) {
            self.watch_file(reason.is_some());
        }
        if let Some(reason) = &reason {
            self.refused(&origin, verdict.sha256, reason);
        }
        if let Order::Pushed(push) | Order::Revert(Some(push)) = &verdict.order {
            let outcome = match (&reason, push.revert) {
                (Some(_), _) => "refused",
                (None, true) => "reverted",
                (None, false) => "taken",
            };
            self.answer(push.id.as_deref(), outcome, trouble, reason.as_deref());
        }
        self.publish();
        let decides = self.deciding.identity();
        let message = reason.map(|why| format!("{origin}: {why}; {decides} still decides"));
        let name = decides.name.clone();
        self.shared.events.push(Event::Policy { name, message });
    }

    fn loaded_well(&mut self, policy: Policy, origin: &str) {
        if let Code::Distrusted(why) = policy.code() {
            let message = format!("A compiled policy was not used: {why}");
            let line = LogLine::warning("compiled-policy-not-used", message);
            self.say(line.with("reason", why.to_string()));
        }
        self.deciding.swap(Arc::new(policy), origin.into());
        self.taken();
    }

    /// What is set is none, or there is nothing set.
    fn back_to_built_in(&mut self, origin: &str, error: &SwapError) {
        if !matches!(error, SwapError::NothingSet) {
            let why = told(&error.to_string(), REASON);
            let message = format!("Back to five-minutes, since {origin} is none: {why}");
            let line = LogLine::warning("policy-back-to-built-in", message);
            self.say(line.with("origin", origin).with("reason", why));
        }
        self.deciding.back_to_built_in();
        self.taken();
    }

    /// A policy that is loaded already.
    #[cfg(test)]
    pub(super) fn take(&mut self, policy: Arc<dyn super::deciding::Decider>, origin: String) {
        self.deciding.swap(policy, origin);
        self.taken();
        let name = self.deciding.identity().name.clone();
        let message = None;
        self.shared.events.push(Event::Policy { name, message });
    }

    fn taken(&mut self) {
        self.shared.metrics.policy_swapped(true);
        self.policy_line(PolicyNews::Taken, None, None);
        self.step(Input::Policy(self.deciding.kind()));
    }

    fn refused(&mut self, origin: &str, sha256: Option<String>, reason: &str) {
        let refused = Refused::now(origin, sha256.clone(), reason);
        let same = self.deciding.refuse(refused);
        if !same {
            self.shared.metrics.policy_swapped(false);
            let reason = format!("{origin}: {reason}");
            self.policy_line(PolicyNews::Refused, Some(&reason), sha256);
        }
    }

    pub(super) fn policy_line(
        &mut self,
        news: PolicyNews,
        reason: Option<&str>,
        sha256: Option<String>,
    ) {
        self.sources.lines += 1;
        if self.sources.lines > LINES {
            return;
        }
        let reason = reason.map(|text| self.settings.redact(text));
        let line = PolicyLine::new(
            &self.settings.username,
            news,
            self.deciding.identity().into(),
            self.deciding.origin(),
            reason.as_deref(),
        );
        self.journal.policy(line.refused(sha256));
    }
}
