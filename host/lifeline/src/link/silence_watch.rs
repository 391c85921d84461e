//! Looks out for a server that has frozen: the rule of [`Silence`], carried out.

use super::pace::Pace;
use super::probe::{Answer, Asked, Probe};
use super::silence::{Silence, Step};
use crate::net::Activity;
use crate::settings::Probing;
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use std::mem::take;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::time::{Instant, sleep_until};

/// How a server is asked, on one line after the other.
#[derive(Clone, Debug)]
pub(super) struct ProbeSchedule {
    probing: Probing,
    probe: Probe,
    pace: Pace,
    /// False from a loss by silence until a probe is answered: where probes do not get through,
    /// but the line does, a Blender would lose it again and again.
    trusted: Arc<AtomicBool>,
}

impl ProbeSchedule {
    pub fn new(probing: Probing, probe: Probe, pace: Pace) -> Self {
        ProbeSchedule {
            probing,
            probe,
            pace,
            trusted: Arc::new(AtomicBool::new(true)),
        }
    }
}

/// For one line.
pub(super) struct SilenceWatch {
    schedule: ProbeSchedule,
    up: Instant,
    activity: Activity,
    silence: Silence,
    probes: FuturesUnordered<Asked>,
    /// Why the last probe was not answered.
    why: String,
}

impl SilenceWatch {
    /// A line that is up since now.
    pub fn new(schedule: ProbeSchedule, activity: Activity) -> Self {
        let trusted = schedule.trusted.load(Ordering::Relaxed);
        // Each line has its own, or all that a server has told something at once would ask at once.
        let probing = Probing {
            silence: schedule
                .probing
                .silence
                .mul_f64(1.0 - fastrand::f64() / 2.0),
            ..schedule.probing
        };
        SilenceWatch {
            silence: Silence::new(probing, trusted, schedule.pace.wait(), Duration::ZERO),
            schedule,
            up: Instant::now(),
            activity,
            probes: FuturesUnordered::new(),
            why: String::new(),
        }
    }

    /// Something came from the server.
    pub fn heard(&mut self) {
        self.silence.heard(self.up.elapsed());
        self.probes.clear();
    }

    /// Something was sent to the server.
    pub fn sent(&mut self) {
        self.silence.sent(self.up.elapsed());
    }

    /// Until there is something to look at; [`SilenceWatch::look`] must follow. May be dropped.
    pub async fn wait(&mut self) {
        // A time too far away for the system never comes.
        let due = self.up.checked_add(self.silence.due());
        tokio::select! {
            biased;
            Some(answer) = self.probes.next() => self.take(answer),
            () = async { match due {
                Some(due) => sleep_until(due).await,
                None => std::future::pending().await,
            }} => {}
        }
    }

    fn take(&mut self, answer: Answer) {
        match answer {
            Answer::Alive(took) => {
                self.schedule.trusted.store(true, Ordering::Relaxed);
                self.schedule.pace.answer(took);
                self.silence.wait(self.schedule.pace.wait());
                self.silence.answered(self.up.elapsed(), took);
                self.probes.clear();
            }
            Answer::None(why) => {
                self.why = why;
                self.silence.unanswered();
            }
            Answer::Unclear => {
                self.silence.unclear(self.up.elapsed());
                self.probes.clear();
            }
        }
    }

    /// Does what is due. The server is lost: why, in words.
    pub fn look(&mut self) -> Option<String> {
        let read_at = self.activity.read_at();
        self.silence
            .life(read_at.saturating_duration_since(self.up));
        match self.silence.look(self.up.elapsed()) {
            Step::Wait => None,
            Step::Ask => {
                let wait = self.schedule.pace.wait() * 2;
                self.probes.push(self.schedule.probe.ask(wait));
                None
            }
            Step::Forget => {
                self.probes.clear();
                None
            }
            Step::Lost => {
                self.schedule.trusted.store(false, Ordering::Relaxed);
                let mut said = "the server has frozen: asked twice, it did not answer".to_string();
                if !self.why.is_empty() {
                    said = format!("{said} ({})", self.why);
                }
                for asked in take(&mut self.probes) {
                    asked.go_on(); // an answer to it would contradict the loss
                }
                Some(said)
            }
        }
    }
}
