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

/// Control characters, and those that turn the direction of writing.
fn is_harmful(it: char) -> bool {
    it.is_control()
        || matches!(it, '\u{200e}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}
