//! A way on which an attempt needs longer than is set.

use super::*;
use crate::link::{LinkEvent, Sink};

/// Answers after so many seconds, and is known to be slow.
struct Slow(u64, Arc<Mutex<Vec<Instant>>>);

impl Connector for Slow {
    fn connect(&self, id: u64, _: Value, _: Duration, sink: Sink) -> Box<dyn Connection> {
        self.1.lock().unwrap().push(Instant::now());
        let after = Duration::from_secs(self.0);
        let answer = tokio::spawn(async move {
            sleep(after).await;
            // The driver may have given it up, and does not listen.
            let _ = sink.send((id, LinkEvent::Connected));
        });
        Box::new(Dialled(answer))
    }

    fn needs(&self, timeout: Duration) -> Duration {
        timeout.max(Duration::from_secs(self.0 + 1))
    }
}

struct Dialled(tokio::task::JoinHandle<()>);

impl Connection for Dialled {
    fn emit(&self, _: String, _: Args) {}

    fn answer(&self, _: u64, _: Args) {}

    fn end(self: Box<Self>, _: Duration) -> bool {
        true
    }
}

impl Drop for Dialled {
    fn drop(&mut self) {
        self.0.abort();
    }
}

#[tokio::test(start_paused = true)]
async fn an_attempt_is_not_given_up_for_the_next_one_before_its_time() {
    let attempts = Arc::new(Mutex::new(Vec::new()));
    let shared = shared();
    let (_commands, mut inbox) = unbounded_channel();
    let driver = Driver::new(
        Arc::new(Slow(40, Arc::clone(&attempts))),
        Arc::new(World::default()),
        resolve(&[]),
        Arc::clone(&shared),
        FirstPolicy::default(),
    )
    .unwrap();
    tokio::spawn(async move { driver.run(&mut inbox).await });
    sleep(Duration::from_secs(39)).await;
    assert_eq!(attempts.lock().unwrap().len(), 1);
    sleep(Duration::from_secs(2)).await;
    assert!(shared.snapshot().connected);
}
