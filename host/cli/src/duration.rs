//! Lengths of time, as people write and read them. Milliseconds.

/// `90s`, `5m`, `1h30m`, `500ms`, `1.5s`; a plain number is seconds.
pub fn parse(text: &str) -> Result<u64, String> {
    let wrong = || format!("{text}: expected a length of time like 90s, 5m, 1h30m or 500ms");
    let mut rest = text.trim();
    if rest.is_empty() {
        return Err(wrong());
    }
    let mut millis = 0_f64;
    while !rest.is_empty() {
        let digits = rest
            .find(|c: char| !c.is_ascii_digit() && c != '.')
            .unwrap_or(rest.len());
        let number: f64 = rest[..digits].parse().map_err(|_| wrong())?;
        rest = &rest[digits..];
        let letters = rest
            .find(|c: char| !c.is_ascii_alphabetic())
            .unwrap_or(rest.len());
        millis += number
            * match &rest[..letters] {
                "ms" => 1.0,
                "s" | "" => 1_000.0,
                "m" | "min" => 60_000.0,
                "h" => 3_600_000.0,
                "d" => 86_400_000.0,
                _ => return Err(wrong()),
            };
        rest = &rest[letters..];
    }
    // The cast saturates.
    Ok(millis.round() as u64)
}

/// `0:34.00`, `5:34.01`, `1:05:34.01`: a point on the time line.
pub fn clock(millis: u64) -> String {
    let (seconds, hundredths) = (millis / 1_000, millis % 1_000 / 10);
    let (minutes, second) = (seconds / 60, seconds % 60);
    match minutes / 60 {
        0 => format!("{minutes}:{second:02}.{hundredths:02}"),
        hours => format!("{hours}:{:02}:{second:02}.{hundredths:02}", minutes % 60),
    }
}

/// `90 s`, `0.5 s`: a length.
pub fn seconds(millis: u64) -> String {
    format!("{} s", millis as f64 / 1_000.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_unit_and_several() {
        for (text, millis) in [
            ("90s", 90_000),
            ("5m", 300_000),
            ("1h30m", 5_400_000),
            ("500ms", 500),
            ("1.5s", 1_500),
            ("7", 7_000),
            ("2d", 172_800_000),
            ("1m30", 90_000),
            ("0", 0),
        ] {
            assert_eq!(parse(text), Ok(millis), "{text}");
        }
        assert_eq!(parse("99999999999999999999d"), Ok(u64::MAX));
    }

    #[test]
    fn what_is_none_is_named() {
        for text in ["", "soon", "5 m", "-1s", "1..5s", "5w", "s", "∞"] {
            let error = parse(text).unwrap_err();
            assert!(error.starts_with(&format!("{text}: expected")), "{error}");
        }
    }

    #[test]
    fn points_in_time() {
        assert_eq!(clock(34_000), "0:34.00");
        assert_eq!(clock(334_010), "5:34.01");
        assert_eq!(clock(3_934_019), "1:05:34.01");
    }
}
