//! What somebody else has written, as it may be shown.

/// An error with its causes, on one line of bounded length.
pub(crate) fn one_line(error: &wasmtime::Error) -> String {
    let text: Vec<String> = error.chain().map(|cause| cause.to_string()).collect();
    told(&text.join(": "), 400)
}

/// What somebody else has written, as it may go into logs, panels and terminals: of bounded length,
/// and without control characters.
pub fn told(text: &str, limit: usize) -> String {
    let bounded: String = text.chars().take(limit + 1).collect();
    let mut text = bounded.replace(is_harmful, " ");
    if text.len() > limit {
        let end = (0..=limit)
            .rev()
            .find(|&at| text.is_char_boundary(at))
            .unwrap_or(0);
        text.truncate(end);
        text.push('…');
    }
    text
}

/// Control characters, ends of lines, and those that turn the direction of writing.
fn is_harmful(it: char) -> bool {
    it.is_control()
        || matches!(it, '\u{200e}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::told;

    #[test]
    fn what_is_told_is_one_line_of_bounded_length() {
        let harmful = "\u{1b}[2J\n\r\t\0\u{7f}\u{9b}\u{85}\u{2028}\u{2029}\u{202e}\u{2066}\u{200f}";
        assert_eq!(told(harmful, 400), " [2J".to_owned() + &" ".repeat(12));
        for limit in 0..20 {
            let long = told(&"é💥a".repeat(1_000_000), limit);
            assert!(
                long.len() <= limit + '…'.len_utf8() && long.ends_with('…'),
                "{long}"
            );
        }
    }
}
