//! Tells people what becomes of an outage: each [`Notification`] is sent to a webhook.
//!
//! On a thread of its own, so that neither the driver nor Blender waits; it ends when there is
//! nothing more to send. Notifications arrive in order, or not at all.

mod message;
mod post;
mod queue;

pub use message::{About, Notification, Outcome, SCHEMA, Seconds, Work};

use crate::event::LogLine;
use crate::settings::{Secret, Trust};
use post::{NotifyError, Post};
use queue::Queue;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// Where the log lines about notifications that were not delivered go.
type Complain = Box<dyn Fn(LogLine) + Send + Sync>;

/// The way to the webhook. Clones are the same one.
#[derive(Clone)]
pub struct Notifier(Arc<Inner>);

struct Inner {
    url: Secret,
    trust: Trust,
    /// For one notification, with its retries.
    limit: Duration,
    complain: Complain,
    state: Mutex<State>,
    /// The thread has ended.
    idle: Condvar,
}

#[derive(Default)]
struct State {
    waiting: Queue,
    /// There is a thread, which will look at the queue before it ends.
    working: bool,
    /// What has not arrived by then is given up.
    until: Option<Instant>,
}

impl Notifier {
    /// Nothing is sent yet. `limit`: for one notification, with its retries.
    pub fn new(
        url: Secret,
        trust: Trust,
        limit: Duration,
        complain: impl Fn(LogLine) + Send + Sync + 'static,
    ) -> Self {
        Notifier(Arc::new(Inner {
            url,
            trust,
            limit,
            complain: Box::new(complain),
            state: Mutex::default(),
            idle: Condvar::new(),
        }))
    }

    /// Sends it, after those before it. It never waits.
    pub fn send(&self, notification: Notification) {
        let mut state = self.0.state();
        let dropped = state.waiting.push(notification);
        if !state.working {
            let inner = Arc::clone(&self.0);
            let spawned = thread::Builder::new()
                .name("lifeline-notify".into())
                .spawn(move || inner.work());
            match spawned {
                Ok(_) => state.working = true,
                Err(error) => {
                    let error = NotifyError::Local(format!("no thread: {error}"));
                    while let Some(one) = state.waiting.pop() {
                        self.0.complain(&one, &error);
                    }
                }
            }
        }
        drop(state);
        if let Some(dropped) = dropped {
            self.0.complain(&dropped, &NotifyError::TooMany);
        }
    }

    /// Whether something is still to be sent.
    pub fn is_busy(&self) -> bool {
        self.0.state().working
    }

    /// What has not arrived by then is given up (a request that is under way then ends by itself).
    /// Later calls do nothing.
    pub fn finish_by(&self, until: Instant) {
        self.0.state().until.get_or_insert(until);
    }

    /// Waits until nothing is left to be sent, or it is that late.
    pub fn wait(&self, until: Instant) {
        let left = until.saturating_duration_since(Instant::now());
        let state = self.0.state();
        // Whichever of the two it was.
        drop(
            self.0
                .idle
                .wait_timeout_while(state, left, |state| state.working),
        );
    }
}

impl Inner {
    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing in here panics half way.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The thread.
    fn work(&self) {
        let post = Post::new(&self.url, &self.trust);
        while let Some(notification) = self.next() {
            let begun = Instant::now();
            let sent = match &post {
                Ok(post) => post.deliver(&notification, &|| self.left(begun)),
                Err(error) => Err(error.clone()),
            };
            if let Err(error) = sent {
                self.complain(&notification, &error);
            }
        }
    }

    /// The next one; None: the thread ends.
    fn next(&self) -> Option<Notification> {
        let mut state = self.state();
        let next = state.waiting.pop();
        if next.is_none() {
            state.working = false;
            self.idle.notify_all();
        }
        next
    }

    /// How long the one that was begun then may still take.
    fn left(&self, begun: Instant) -> Duration {
        let left = self.limit.saturating_sub(begun.elapsed());
        match self.state().until {
            Some(until) => left.min(until.saturating_duration_since(Instant::now())),
            None => left,
        }
    }

    fn complain(&self, notification: &Notification, error: &NotifyError) {
        let event = notification.event.name();
        let message = format!("The notification \"{event}\" was not delivered: {error}");
        let line = LogLine::warning("notification-failed", message)
            .with("notification", event)
            .with("outage", notification.id.as_str())
            .with("sequence", notification.sequence)
            .with("error", error.to_string());
        (self.complain)(line);
    }
}

#[cfg(test)]
mod tests;
