//! Headers that are set for requests. Their values are secrets.

use hyper::header::{
    CONNECTION, CONTENT_LENGTH, HOST, HeaderMap, HeaderName, HeaderValue, SEC_WEBSOCKET_KEY,
    SEC_WEBSOCKET_VERSION, TRANSFER_ENCODING, UPGRADE,
};

/// What the request decides itself.
const OURS: [HeaderName; 7] = [
    CONNECTION,
    CONTENT_LENGTH,
    HOST,
    SEC_WEBSOCKET_KEY,
    SEC_WEBSOCKET_VERSION,
    TRANSFER_ENCODING,
    UPGRADE,
];

/// Checked headers. Their `Debug` hides the values.
#[derive(Clone, Debug, Default)]
pub struct Headers(pub HeaderMap);

impl Headers {
    /// `Name: value`, several of them separated by semicolons or ends of lines. A fault repeats nothing.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut headers = HeaderMap::new();
        let parts = text.split(['\n', ';']).map(str::trim);
        for part in parts.filter(|part| !part.is_empty()) {
            let (name, value) = part.split_once(':').ok_or("expected Name: value")?;
            let name = HeaderName::try_from(name.trim())
                .map_err(|_| "a name has letters that no header's name may have")?;
            let mut value = HeaderValue::try_from(value.trim())
                .map_err(|_| format!("the value of {name} has letters that no header may have"))?;
            if OURS.contains(&name) {
                return Err(format!("{name} is not to be set: the request has its own"));
            }
            value.set_sensitive(true);
            headers.append(name, value);
        }
        Ok(Headers(headers))
    }

    /// What must be seen nowhere.
    pub fn values(&self) -> impl Iterator<Item = &str> {
        self.0.values().filter_map(|value| value.to_str().ok())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_are_separated_by_semicolons_or_ends_of_lines() {
        let text = "x-ms-blob-type: BlockBlob; Authorization:Bearer a:b\r\nX-A: 1\n";
        let headers = Headers::parse(text).unwrap();
        let values: Vec<_> = headers.values().collect();
        assert_eq!(values, ["BlockBlob", "Bearer a:b", "1"]);
        let shown = format!("{headers:?}");
        assert!(!shown.contains("Bearer"), "{shown}");
        assert!(Headers::parse(" ").unwrap().0.is_empty());
    }

    #[test]
    fn a_fault_says_what_was_expected_and_repeats_no_value() {
        let fault = |text: &str| Headers::parse(text).unwrap_err();
        assert_eq!(fault("hunter2"), "expected Name: value");
        assert!(fault("a b: hunter2").starts_with("a name has letters"));
        assert!(fault("x-a: hunter2\u{1}").starts_with("the value of x-a has"));
        assert!(fault("Content-Length: 3").contains("is not to be set"));
    }
}
