//! What python-socketio's own client does, for comparison: `AsyncClient._handle_reconnect` of
//! python-socketio 5.18.
//!
//! Without a limit on its attempts: with the usual five, none of the clients would be back after an
//! outage of more than 35 s.

use super::FleetError;
use super::algorithm::{Algorithm, Client, Next, chances};
use lifeline_contract::types::Settings;

/// Its `randomization_factor`, in milliseconds: it is added, not multiplied.
const RANDOMIZATION: f64 = 500.0;

/// With the delays of the settings.
#[derive(Clone, Copy, Debug)]
pub struct SocketIoAlgorithm {
    delay: f64,
    delay_max: f64,
}

impl SocketIoAlgorithm {
    /// `reconnection_delay` and `reconnection_delay_max` as the settings have them.
    pub fn new(settings: &Settings) -> Self {
        SocketIoAlgorithm {
            delay: settings.retry_delay as f64,
            delay_max: settings.retry_delay_max as f64,
        }
    }
}

impl Algorithm for SocketIoAlgorithm {
    type Client = SocketIoClient;
    type Worker = ();

    fn worker(&self) -> Result<(), FleetError> {
        Ok(())
    }

    fn client(&self, seed: u64, number: u32) -> SocketIoClient {
        SocketIoClient {
            rng: chances(seed, number),
            current_delay: self.delay,
            delay_max: self.delay_max,
        }
    }
}

/// One of its clients.
pub struct SocketIoClient {
    rng: fastrand::Rng,
    current_delay: f64,
    delay_max: f64,
}

impl SocketIoClient {
    fn next(&mut self, now: u64) -> Next {
        let mut delay = self.current_delay;
        self.current_delay *= 2.0;
        if delay > self.delay_max {
            delay = self.delay_max;
        }
        delay += RANDOMIZATION * (2.0 * self.rng.f64() - 1.0);
        // The cast saturates; a wait of less than nothing ends at once.
        Next::Attempt(now.saturating_add(delay.round() as u64))
    }
}

impl Client for SocketIoClient {
    type Worker = ();

    fn pick(&mut self, most: u64) -> u64 {
        self.rng.u64(..=most)
    }

    fn lost(&mut self, _: &mut (), now: u64) -> Result<Next, FleetError> {
        Ok(self.next(now))
    }

    fn failed(&mut self, _: &mut (), now: u64) -> Result<Next, FleetError> {
        Ok(self.next(now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lifeline_contract::types::Settings;

    #[test]
    fn the_delays_double_up_to_the_cap_and_jitter_is_added_after_it() {
        let settings = Settings::default();
        let algorithm = SocketIoAlgorithm::new(&settings);
        for number in 0..100 {
            let mut client = algorithm.client(3, number);
            let mut now = 0;
            for expected in [2_000, 4_000, 8_000, 10_000, 10_000] {
                let Next::Attempt(at) = client.next(now) else {
                    panic!()
                };
                let delay = at - now;
                assert!(delay.abs_diff(expected) <= 500, "{delay} for {expected}");
                now = at;
            }
        }
    }
}
