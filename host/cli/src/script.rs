//! The words that make up a scenario: `3x10s/5s`, `0s..400s`, `50s=5m`.

use crate::duration;
use lifeline_simulate::timeline::Saves;

/// `FROM..TO`
pub fn range(text: &str) -> Result<(u64, u64), String> {
    let wrong = || format!("{text}: expected FROM..TO, like 0s..400s");
    let (from, to) = text.split_once("..").ok_or_else(wrong)?;
    let (from, to) = (duration::parse(from)?, duration::parse(to)?);
    if from < to {
        Ok((from, to))
    } else {
        Err(wrong())
    }
}

/// `AT=VALUE`, both lengths of time.
pub fn at(text: &str) -> Result<(u64, u64), String> {
    let (at, value) = at_text(text)?;
    Ok((at, duration::parse(&value)?))
}

/// `AT=VALUE`
pub fn at_text(text: &str) -> Result<(u64, String), String> {
    let (at, value) = text
        .split_once('=')
        .ok_or_else(|| format!("{text}: expected AT=VALUE, like 50s=5m"))?;
    Ok((duration::parse(at)?, value.to_string()))
}

/// `COUNTxDOWN/UP`: so many times, away for so long and back for so long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flap {
    count: u64,
    down: u64,
    up: u64,
}

impl Flap {
    pub fn parse(text: &str) -> Result<Self, String> {
        let wrong = || format!("{text}: expected COUNTxDOWN/UP, like 3x10s/5s");
        let (count, times) = text.split_once('x').ok_or_else(wrong)?;
        let (down, up) = times.split_once('/').ok_or_else(wrong)?;
        let count = count.trim().parse().map_err(|_| wrong())?;
        if !(1..=1_000).contains(&count) {
            return Err(format!("{text}: expected a count from 1 to 1000"));
        }
        let flap = Flap {
            count,
            down: duration::parse(down)?,
            up: duration::parse(up)?,
        };
        if flap.down == 0 || flap.up == 0 {
            return Err(wrong());
        }
        Ok(flap)
    }

    /// When the server is away because of it, and where it ends.
    pub fn away(&self) -> (Vec<(u64, u64)>, u64) {
        let round = self.down.saturating_add(self.up);
        let away = (0..self.count)
            .map(|number| {
                let from = round.saturating_mul(number);
                (from, from.saturating_add(self.down))
            })
            .collect();
        (away, round.saturating_mul(self.count))
    }
}

/// `in-place`, `all`, or how many.
pub fn saves(text: &str) -> Result<Saves, String> {
    match text {
        "in-place" => Ok(Saves::FailInPlace),
        "all" => Ok(Saves::Fail),
        _ => text
            .parse()
            .map(Saves::FailFirst)
            .map_err(|_| format!("{text}: expected in-place, all or a number")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_be_written() {
        assert_eq!(range("0s..400s"), Ok((0, 400_000)));
        assert_eq!(at("50s=5m"), Ok((50_000, 300_000)));
        assert_eq!(saves("3"), Ok(Saves::FailFirst(3)));
        let (away, end) = Flap::parse("3x10s/5s").unwrap().away();
        assert_eq!(away, [(0, 10_000), (15_000, 25_000), (30_000, 40_000)]);
        assert_eq!(end, 45_000);
    }

    #[test]
    fn what_cannot() {
        for text in ["5s", "5s..1s", "1s..1s", "a..b"] {
            range(text).unwrap_err();
        }
        for text in ["3", "x1s/1s", "0x1s/1s", "3x1s", "3x0s/1s", "2000x1s/1s"] {
            Flap::parse(text).unwrap_err();
        }
    }
}
