//! When a request is made again.

use hyper::StatusCode;
use std::time::Duration;

/// The pauses between requests that are made again: half a second, then twice as long each time, up
/// to half a minute.
pub(crate) struct Pauses(Duration);

impl Pauses {
    /// The first one comes next.
    pub fn new() -> Self {
        Pauses(Duration::from_millis(500))
    }

    /// The next one.
    pub fn next(&mut self) -> Duration {
        let longer = (self.0 * 2).min(Duration::from_secs(30));
        std::mem::replace(&mut self.0, longer)
    }
}

/// Whether the same request may be answered in another way later.
pub(crate) fn may_change(status: StatusCode) -> bool {
    let later = [StatusCode::REQUEST_TIMEOUT, StatusCode::TOO_MANY_REQUESTS];
    status.is_server_error() || later.contains(&status)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_up_to_half_a_minute() {
        let mut pauses = Pauses::new();
        let seconds: Vec<f64> = (0..8).map(|_| pauses.next().as_secs_f64()).collect();
        assert_eq!(seconds, [0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0]);
    }

    #[test]
    fn what_may_be_answered_otherwise_later() {
        let later = [408, 429, 500, 502, 503, 504];
        let never = [200, 301, 400, 401, 403, 404, 413];
        let of = |status| may_change(StatusCode::from_u16(status).unwrap());
        assert!(later.into_iter().all(of));
        assert!(!never.into_iter().any(of));
    }
}
