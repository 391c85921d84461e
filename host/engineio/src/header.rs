//! Names for headers, which nobody sends: the request is not ours to make.

/// A header's value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeaderValue(());

impl From<String> for HeaderValue {
    fn from(_: String) -> Self {
        HeaderValue(())
    }
}

impl From<&str> for HeaderValue {
    fn from(_: &str) -> Self {
        HeaderValue(())
    }
}

/// Headers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HeaderMap(());

impl HeaderMap {
    /// Forgets it.
    pub fn insert(&mut self, _name: String, _value: HeaderValue) -> Option<HeaderValue> {
        None
    }
}
