//! A server that sends anything: one story of each attempt, with at most one end, and nothing left.
#![no_main]
#![allow(clippy::expect_used)] // a panic is what a fuzz target finds

use libfuzzer_sys::fuzz_target;
use lifeline::link::{Args, Connector, LinkEvent, SocketIo};
use lifeline::settings::{Secret, ServerUrl};
use lifeline_fuzz::frames::Script;
use std::time::{Duration, Instant};
use tokio::sync::mpsc::unbounded_channel;

const TOKEN: &str = "hunter2-hunter2";
/// For a whole attempt.
const TIMEOUT: Duration = Duration::from_millis(300);
/// A connection that stands is ended by us after so long.
const STANDS: Duration = Duration::from_millis(20);
/// Something has been left if a thread is there after so long.
const ENDS: Duration = Duration::from_secs(10);

/// The client library's own panics are a lost line; ours are not to be had.
fn let_the_link_panic() {
    let abort = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        let link = std::thread::current()
            .name()
            .is_some_and(|name| name.starts_with("lifeline-link"));
        if !link {
            abort(info);
        }
    }));
}

fuzz_target!(
    init: let_the_link_panic(),
    |script: Script| {
        let (address, server) = script.serve().expect("a server");
        let url = ServerUrl::parse(&format!("ws://{address}/ws/socket.io/")).expect("a URL");
        let (sink, mut events) = unbounded_channel();
        let auth = serde_json::json!({"token": TOKEN});
        let link = SocketIo::new(url, Secret::new(TOKEN));
        let connection = link.connect(7, auth, TIMEOUT, sink);
        let mut story = Story::default();
        let begun = Instant::now();
        while !story.over && begun.elapsed() < TIMEOUT + STANDS {
            match events.try_recv() {
                Ok((id, event)) => {
                    assert_eq!(id, 7);
                    story.goes_on(event);
                }
                Err(_) if story.connected && server.is_finished() && begun.elapsed() > STANDS => break,
                Err(_) => std::thread::sleep(Duration::from_micros(200)),
            }
        }
        connection.emit("late".into(), Args::default());
        assert!(connection.end(ENDS), "its thread has ended");
        while let Ok((_, event)) = events.try_recv() {
            story.goes_on(event);
        }
        server.join().expect("a server that ends");
    }
);

#[derive(Default)]
struct Story {
    connected: bool,
    over: bool,
}

impl Story {
    fn goes_on(&mut self, event: LinkEvent) {
        assert!(!self.over, "nothing comes after the end: {event:?}");
        let said = format!("{event:?}");
        assert!(
            !said.contains(TOKEN) || matches!(event, LinkEvent::Server(_)),
            "{said}"
        );
        match event {
            LinkEvent::Connected => {
                assert!(!self.connected, "connected twice");
                self.connected = true;
            }
            LinkEvent::Failed(_) => {
                assert!(!self.connected, "failed after it was connected");
                self.over = true;
            }
            LinkEvent::Frozen { .. } => panic!("nobody asks"),
            LinkEvent::Lost { .. } => {
                // A panic of the client library is a loss at any time.
                self.over = true;
            }
            LinkEvent::Server(_) | LinkEvent::Unreadable(_) => {
                assert!(self.connected, "an event before the connection");
            }
        }
    }
}
