//! A time line as a few lines of text: a column stands for a stretch of time.

use crate::duration::clock;
use lifeline_simulate::timeline::{Timeline, What};

/// The name of a row, and its space.
const LABEL: usize = 10;
const NARROWEST: usize = 40;
const USUAL: usize = 100;

/// Of the terminal, as far as the environment says.
pub fn width() -> usize {
    let columns = std::env::var("COLUMNS").ok();
    let columns = columns.and_then(|text| text.trim().parse().ok());
    columns.unwrap_or(USUAL).clamp(NARROWEST, 400) - 2
}

/// Of a phase, and what the legend says.
const PHASES: [(&str, char, &str); 6] = [
    ("connected", '·', "connected"),
    ("reconnecting", '░', "reconnecting"),
    ("counting-down", '▒', "counting down"),
    ("held", 'H', "held"),
    ("saving", '█', "saving"),
    ("quitting", '█', "quitting"),
];

/// No line is wider than `width` characters.
pub fn draw(timeline: &Timeline, width: usize) -> Vec<String> {
    let columns = width.saturating_sub(LABEL).max(10);
    let whole = timeline.until.max(1);
    let column = |at: u64| {
        let at = u128::from(at.min(whole)) * columns as u128 / u128::from(whole);
        usize::try_from(at).unwrap_or(columns).min(columns - 1)
    };
    let mut phases = vec![' '; columns];
    for span in &timeline.spans {
        let mark = PHASES
            .iter()
            .find(|(name, ..)| *name == span.phase)
            .map_or('?', |(_, mark, _)| *mark);
        phases[column(span.from)..=column(span.to)].fill(mark);
    }
    let mut rows = [("attempts", ' '), ("warnings", ' '), ("actions", ' ')]
        .map(|(name, empty)| (name, vec![empty; columns]));
    for entry in &timeline.entries {
        let at = column(entry.at);
        match entry.what {
            What::Attempt { accepted: true } => rows[0].1[at] = '+',
            What::Attempt { accepted: false } => rows[0].1[at] = '|',
            What::Countdown(_) | What::Warn(_) => rows[1].1[at] = '!',
            What::Saved { ok: true, .. } => rows[2].1[at] = 'S',
            What::Saved { ok: false, .. } => rows[2].1[at] = 'f',
            What::Request(_) => rows[2].1[at] = 'r',
            // Beside the save, not over it.
            What::Closed => {
                let free = if rows[2].1[at] == ' ' { at } else { at - 1 };
                let save = rows[2].1[at];
                rows[2].1[free] = save;
                rows[2].1[at] = 'X';
            }
            _ => {}
        }
    }
    let line = |name: &str, cells: &[char]| {
        let cells: String = cells.iter().collect();
        format!("{name:<LABEL$}{cells}").trim_end().to_string()
    };
    let mut lines = vec![line("phase", &phases)];
    lines.extend(rows.iter().map(|(name, cells)| line(name, cells)));
    lines.push(axis(timeline.until, columns));
    lines.push(String::new());
    lines.extend(wrapped(&legend(timeline), width));
    lines
}

/// Of the phases only those that there are.
fn legend(timeline: &Timeline) -> Vec<String> {
    let known = PHASES
        .iter()
        .filter(|(name, ..)| timeline.spans.iter().any(|span| span.phase == *name))
        .map(|(_, mark, name)| format!("{mark} {name}"));
    let marks = [
        "| refused",
        "+ accepted",
        "! warning",
        "S saved",
        "X closed",
    ];
    known.chain(marks.map(String::from)).collect()
}

fn axis(until: u64, columns: usize) -> String {
    let (begin, middle, end) = (clock(0), clock(until / 2), clock(until));
    let room = columns.saturating_sub(begin.len() + middle.len() + end.len());
    let gap = |width: usize| " ".repeat(width.max(1));
    let (first, second) = (room / 2, room - room / 2);
    format!(
        "{}{begin}{}{middle}{}{end}",
        " ".repeat(LABEL),
        gap(first),
        gap(second)
    )
}

fn wrapped(words: &[String], width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in words {
        let last = lines.last().map_or(0, |line| line.chars().count());
        if last > 0 && last + 3 + word.chars().count() > width {
            lines.push(String::new());
        }
        if let Some(line) = lines.last_mut() {
            if !line.is_empty() {
                line.push_str("   ");
            }
            line.push_str(word);
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use lifeline_simulate::timeline::{Ending, Entry, Span};

    fn timeline() -> Timeline {
        let span = |phase: &str, from, to| Span {
            phase: phase.into(),
            from,
            to,
        };
        let entry = |at, what| Entry { at, what };
        Timeline {
            entries: vec![
                entry(10_000, What::Attempt { accepted: false }),
                entry(50_000, What::Warn(50.0)),
                entry(
                    100_000,
                    What::Saved {
                        place: lifeline::contract::Place::InPlace,
                        ok: true,
                    },
                ),
                entry(100_000, What::Closed),
            ],
            spans: vec![
                span("reconnecting", 0, 40_000),
                span("counting-down", 40_000, 100_000),
            ],
            ending: Ending::Closed(100_000),
            until: 100_000,
        }
    }

    #[test]
    fn each_thing_stands_where_it_happens() {
        let lines = draw(&timeline(), LABEL + 20);
        assert_eq!(lines[0], "phase     ░░░░░░░░▒▒▒▒▒▒▒▒▒▒▒▒");
        assert_eq!(lines[1], "attempts    |");
        assert_eq!(lines[2], "warnings            !");
        assert_eq!(lines[3], "actions                     SX");
    }

    #[test]
    fn no_line_is_too_wide() {
        for width in [40, 60, 100] {
            for line in draw(&timeline(), width) {
                assert!(line.chars().count() <= width, "{line}");
            }
        }
    }

    #[test]
    fn an_empty_time_line_is_drawn_too() {
        let empty = Timeline {
            entries: vec![],
            spans: vec![],
            ending: Ending::Open("connected".into()),
            until: 0,
        };
        assert_eq!(draw(&empty, 60)[0], "phase");
    }
}
