//! The same outage with the server back at many instants: waves come and go, and what a server has to
//! stand depends on when it returns.

use super::told_of_fresh;
use crate::check::thousands;
use crate::error::CommandError;
use lifeline::contract::Settings;
use lifeline_core::as_seconds;
use lifeline_simulate::fleet::{PolicyAlgorithm, Report, SocketIoAlgorithm, Story, survey};
use serde_json::{Value, json};
use std::io::{self, Write};

/// How many during the first attempts.
const EARLY: u64 = 10;

/// When the server is back, in milliseconds since the loss.
pub struct Moments {
    /// While all make their first attempts, by the same formula.
    early: Vec<u64>,
    /// When all count down, and nobody closes.
    late: Vec<u64>,
}

impl Moments {
    /// Spread evenly over the countdown of these settings.
    pub fn new(settings: &Settings, story: &Story, count: u32) -> Self {
        let delays: u64 = (0..settings.retry_attempts.min(1_000))
            .map(|made| {
                let factor = 1_u64.checked_shl(made).unwrap_or(u64::MAX);
                let delay = settings.retry_delay.saturating_mul(factor);
                delay.min(settings.retry_delay_max)
            })
            .fold(0, u64::saturating_add);
        let jitter = settings
            .retry_jitter
            .saturating_mul(settings.retry_attempts.into());
        let first = delays
            .saturating_add(jitter)
            .saturating_add(story.noticed_within);
        let last = delays
            .saturating_sub(jitter)
            .saturating_add(settings.cleanup_timeout)
            .saturating_sub(settings.retry_delay_max)
            .max(first);
        let count = u64::from(count);
        Moments {
            early: (0..EARLY)
                .map(|it| share(first, 2 * it + 1, 2 * EARLY))
                .collect(),
            late: (0..count)
                .map(|it| first + share(last - first, it, count - 1))
                .collect(),
        }
    }

    /// Both algorithms, at each of them.
    pub fn play(
        &self,
        policy: &PolicyAlgorithm,
        socketio: SocketIoAlgorithm,
        story: &Story,
        progress: &(dyn Fn(u32) + Sync),
    ) -> Result<Surveyed, CommandError> {
        let returns = [&self.early[..], &self.late].concat();
        let ours = survey(policy, story, &returns, progress).map_err(told_of_fresh)?;
        let theirs = survey(socketio, story, &returns, &|_| ())?;
        let mut all: Vec<_> = ours
            .iter()
            .zip(&theirs)
            .map(|(ours, theirs)| Moment {
                outage: ours.outage(),
                ours: Load::of(ours),
                theirs: Load::of(theirs),
            })
            .collect();
        let late = all.split_off(self.early.len());
        Ok(Surveyed { early: all, late })
    }
}

/// `part / of` of a length.
fn share(length: u64, part: u64, of: u64) -> u64 {
    // No more than the length.
    (u128::from(length) * u128::from(part) / u128::from(of.max(1))) as u64
}

/// What one return asks of the server.
#[derive(Clone, Copy)]
pub struct Load {
    /// The most attempts in a second since the return.
    pub peak: u32,
    /// Milliseconds until so many are back; None: they are not.
    pub half: Option<u64>,
    /// 95 %.
    pub most: Option<u64>,
}

impl Load {
    fn of(report: &Report) -> Self {
        let back = report.back_after();
        Load {
            peak: report.peak_after_return().1,
            half: back.half,
            most: back.most,
        }
    }

    fn as_json(self) -> Value {
        json!({
            "peak_per_s": self.peak,
            "back_50_s": self.half.map(as_seconds),
            "back_95_s": self.most.map(as_seconds),
        })
    }
}

/// One return.
pub struct Moment {
    /// Milliseconds since the loss.
    pub outage: u64,
    /// The policy's fleet.
    pub ours: Load,
    /// python-socketio's.
    pub theirs: Load,
}

/// All of them.
pub struct Surveyed {
    /// During the first attempts.
    pub early: Vec<Moment>,
    /// During the countdown.
    pub late: Vec<Moment>,
}

/// The middle one and the worst one.
struct Spread<T> {
    median: T,
    worst: T,
}

impl<T: Ord + Copy> Spread<T> {
    /// None: of nothing.
    fn of(values: impl Iterator<Item = T>) -> Option<Self> {
        let mut values: Vec<T> = values.collect();
        values.sort_unstable();
        Some(Spread {
            median: *values.get(values.len().checked_sub(1)? / 2)?,
            worst: *values.last()?,
        })
    }
}

type Which = fn(&Moment) -> Load;
const WHICH: [(&str, Which); 2] = [
    ("policy", |it| it.ours),
    ("python_socketio", |it| it.theirs),
];

fn peaks(moments: &[Moment], which: Which) -> Option<Spread<u32>> {
    Spread::of(moments.iter().map(|it| which(it).peak))
}

/// What never happens is the worst.
fn times(moments: &[Moment], of: impl Fn(&Moment) -> Option<u64>) -> Option<Spread<u64>> {
    Spread::of(moments.iter().map(|it| of(it).unwrap_or(u64::MAX)))
}

fn time(millis: u64) -> Option<f64> {
    (millis != u64::MAX).then(|| as_seconds(millis))
}

impl Surveyed {
    /// Medians, the worst ones, and each.
    pub fn as_json(&self) -> Value {
        let group = |moments: &[Moment]| {
            let mut group = json!({
                "returns": moments.len(),
                "from_s": moments.first().map(|it| as_seconds(it.outage)),
                "to_s": moments.last().map(|it| as_seconds(it.outage)),
            });
            for (name, which) in WHICH {
                let seconds = |it: Option<Spread<u64>>| {
                    it.map(|it| json!({"median": time(it.median), "worst": time(it.worst)}))
                };
                group[name] = json!({
                    "peak_per_s": peaks(moments, which)
                        .map(|it| json!({"median": it.median, "worst": it.worst})),
                    "back_50_s": seconds(times(moments, |it| which(it).half)),
                    "back_95_s": seconds(times(moments, |it| which(it).most)),
                });
            }
            group
        };
        let each = |it: &Moment| {
            json!({
                "outage_s": as_seconds(it.outage),
                "policy": it.ours.as_json(),
                "python_socketio": it.theirs.as_json(),
            })
        };
        json!({
            "countdown": group(&self.late),
            "first_attempts": group(&self.early),
            "each": self.early.iter().chain(&self.late).map(each).collect::<Vec<_>>(),
        })
    }

    /// Medians and the worst ones.
    pub fn as_text(&self, name: &str, out: &mut dyn Write) -> io::Result<()> {
        for (moments, when) in [
            (&self.late, "in the countdown"),
            (&self.early, "during the first attempts"),
        ] {
            let (Some(first), Some(last)) = (moments.first(), moments.last()) else {
                continue;
            };
            writeln!(
                out,
                "\n  the server back at {} instants {when}, {:.1} to {:.1} s after the loss:\n",
                moments.len(),
                as_seconds(first.outage),
                as_seconds(last.outage)
            )?;
            writeln!(out, "  {:<34}{name:>22}{:>22}", "", "python-socketio*")?;
            let mut row = |what: &str, of: &dyn Fn(Which) -> Option<String>| {
                let [ours, theirs] = WHICH.map(|(_, which)| of(which).unwrap_or_default());
                writeln!(out, "  {what:<34}{ours:>22}{theirs:>22}")
            };
            row("most attempts in a second, median", &|which| {
                peaks(moments, which).map(|it| thousands(it.median.into()))
            })?;
            row("                           worst", &|which| {
                peaks(moments, which).map(|it| thousands(it.worst.into()))
            })?;
            let said = |it| time(it).map_or("never".into(), |it| format!("{it:.1} s"));
            row("95 % are back after, median", &|which| {
                times(moments, |it| which(it).most).map(|it| said(it.median))
            })?;
            row("                     worst", &|which| {
                times(moments, |it| which(it).most).map(|it| said(it.worst))
            })?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn story() -> Story {
        Story {
            clients: 1,
            outage: 0,
            noticed_within: 1_000,
            capacity: None,
            patience: 0,
            seed: 0,
        }
    }

    #[test]
    fn they_fill_the_countdown_and_what_comes_before() {
        let moments = Moments::new(&Settings::default(), &story(), 5);
        assert_eq!(moments.late, [37_500, 108_500, 179_500, 250_500, 321_500]);
        assert_eq!(moments.early[..2], [1_875, 5_625]);
        assert_eq!(moments.early.last(), Some(&35_625));
    }

    #[test]
    fn a_countdown_without_room_has_one_instant() {
        let settings = Settings {
            cleanup_timeout: 0,
            ..Settings::default()
        };
        assert_eq!(Moments::new(&settings, &story(), 2).late, [37_500, 37_500]);
    }

    #[test]
    fn never_is_the_worst() {
        let load = |most| Load {
            peak: 1,
            half: None,
            most,
        };
        let moments = [Some(3), None, Some(5)].map(|most| Moment {
            outage: 0,
            ours: load(most),
            theirs: load(None),
        });
        let spread = times(&moments, |it| it.ours.most).unwrap();
        assert_eq!((spread.median, time(spread.worst)), (5, None));
    }
}
