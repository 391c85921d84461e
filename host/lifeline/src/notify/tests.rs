//! The notifier with a webhook that answers as it is told.

use super::message::tests::notification;
use super::*;
use crate::net::{BlackHole, pretend};
use serde_json::Value;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use tokio::runtime::Builder;
use url::Url;

const SIGNATURE: &str = "abcdef";

/// One request: its headers (in lower case), and its body.
type Request = (String, Value);

/// Takes one connection for each answer; what came.
fn serve(answers: Vec<&'static str>) -> (Secret, thread::JoinHandle<Vec<Request>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = url(listener.local_addr().unwrap().port());
    let thread = thread::spawn(move || {
        let serve = |answer| one(&listener.accept().unwrap().0, answer);
        answers.into_iter().map(serve).collect()
    });
    (url, thread)
}

fn url(port: u16) -> Secret {
    Secret::new(format!("http://127.0.0.1:{port}/hook?token={SIGNATURE}"))
}

fn one(stream: &TcpStream, answer: &str) -> Request {
    let mut reader = BufReader::new(stream);
    let mut headers = String::new();
    while !headers.ends_with("\r\n\r\n") {
        reader.read_line(&mut headers).unwrap();
    }
    let headers = headers.to_lowercase();
    let (_, rest) = headers.split_once("content-length:").unwrap();
    let length = rest.lines().next().unwrap().trim().parse().unwrap();
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    if answer != "cut" {
        let mut writer = stream;
        let rest = "Content-Length: 0\r\nConnection: close\r\n\r\n";
        write!(writer, "HTTP/1.1 {answer}\r\n{rest}").unwrap();
    }
    (headers, serde_json::from_slice(&body).unwrap())
}

/// A notifier, and what it complains of.
fn notifier(url: Secret, seconds: u64) -> (Notifier, Receiver<String>) {
    let (say, complaints): (Sender<String>, _) = channel();
    let complain = move |line: LogLine| {
        assert_eq!(line.event, "notification-failed");
        assert!(!format!("{line:?}").contains(SIGNATURE), "{line:?}");
        say.send(line.message).unwrap();
    };
    let notifier = Notifier::new(
        url,
        Trust::default(),
        Duration::from_secs(seconds),
        complain,
    );
    (notifier, complaints)
}

fn in_a_while() -> Instant {
    Instant::now() + Duration::from_secs(60)
}

#[test]
fn the_second_address_takes_it_when_the_first_swallows_everything() {
    let (url, server) = serve(vec!["200 OK"]);
    let good = Url::parse(url.reveal()).unwrap();
    let hole = Builder::new_current_thread().enable_all().build().unwrap();
    let hole = hole.block_on(BlackHole::at("127.0.0.9:0".parse().unwrap()));
    let good = good.socket_addrs(|| None).unwrap()[0];
    pretend("hook.test", vec![hole.address, good]);
    let url = Secret::new(format!("http://hook.test/hook?token={SIGNATURE}"));
    let (notifier, complaints) = notifier(url, 5);
    notifier.send(notification(About::Warn, 1));
    notifier.wait(in_a_while());
    assert_eq!(complaints.try_recv().ok(), None);
    assert_eq!(server.join().unwrap().len(), 1);
}

#[test]
fn notifications_arrive_in_order_as_json() {
    let (url, server) = serve(vec!["200 OK"; 3]);
    let (notifier, complaints) = notifier(url, 60);
    for sequence in 1..4 {
        notifier.send(notification(About::Warn, sequence));
    }
    notifier.wait(in_a_while());
    assert!(!notifier.is_busy());
    let came = server.join().unwrap();
    let (headers, first) = &came[0];
    assert!(headers.contains("content-type: application/json"));
    let key = format!("idempotency-key: {}-1", "ab".repeat(16));
    assert!(headers.contains(&key), "{headers}");
    let sent = serde_json::to_value(notification(About::Warn, 1)).unwrap();
    assert_eq!(*first, sent);
    let order: Vec<_> = came.iter().map(|(_, it)| it["sequence"].as_u64()).collect();
    assert_eq!(order, [Some(1), Some(2), Some(3)]);
    assert!(complaints.try_recv().is_err());
}

#[test]
fn what_may_change_is_tried_again() {
    let busy = "429 Too Many\r\nRetry-After: 1";
    let (url, server) = serve(vec!["503 Busy", "cut", busy, "204 Taken", "200 OK"]);
    let (notifier, complaints) = notifier(url, 60);
    let begun = Instant::now();
    notifier.send(notification(About::Saved, 1));
    notifier.send(notification(About::Saved, 2));
    notifier.wait(in_a_while());
    let came = server.join().unwrap();
    let order: Vec<_> = came.iter().map(|(_, it)| it["sequence"].as_u64()).collect();
    assert_eq!(order, [1, 1, 1, 1, 2].map(Some));
    // 0.5 and 1 s by itself, then 2 s, which is longer than what was asked for.
    assert!(begun.elapsed() >= Duration::from_millis(3_500));
    assert!(complaints.try_recv().is_err());
}

#[test]
fn a_refusal_is_final_and_keeps_the_secret() {
    let elsewhere = "307 Elsewhere\r\nLocation: http://127.0.0.1:1/";
    let (url, server) = serve(vec!["403 Forbidden", elsewhere, "200 OK"]);
    let (notifier, complaints) = notifier(url, 60);
    for sequence in 1..4 {
        notifier.send(notification(About::Failed, sequence));
    }
    notifier.wait(in_a_while());
    assert_eq!(server.join().unwrap().len(), 3, "the next one is sent");
    let said: Vec<_> = complaints.try_iter().collect();
    assert_eq!(
        said,
        [403, 307].map(|status| format!(
            "The notification \"failed\" was not delivered: it was refused with status {status}"
        ))
    );
}

#[test]
fn nobody_waits_for_longer_than_there_is() {
    let (url, server) = serve(vec!["429 Too Many\r\nRetry-After: 3600"]);
    let (notifier, complaints) = notifier(url, 60);
    let begun = Instant::now();
    notifier.send(notification(About::Warn, 1));
    notifier.wait(in_a_while());
    server.join().unwrap();
    assert!(begun.elapsed() < Duration::from_secs(30));
    let said = complaints.try_recv().unwrap();
    assert!(said.ends_with("the last attempt: it was answered with status 429"));
}

#[test]
fn a_webhook_that_is_not_there_is_given_up_without_its_url() {
    let port = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let (notifier, complaints) = notifier(url(port), 1);
    notifier.send(notification(About::Warn, 1));
    notifier.wait(in_a_while());
    let said = complaints.try_recv().unwrap();
    assert!(said.contains("there was no more time"), "{said}");
    assert!(said.contains("onnection refused"), "{said}");
    assert!(!said.contains(SIGNATURE), "{said}");
}

#[test]
fn whoever_waits_for_a_webhook_that_does_not_answer_goes_on_in_time() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let (notifier, complaints) = notifier(url(port), 2);
    notifier.send(notification(About::Warn, 1));
    let (_held, _) = listener.accept().unwrap();
    notifier.send(notification(About::Saved, 2));
    let until = Instant::now() + Duration::from_millis(200);
    notifier.finish_by(until);
    notifier.wait(until);
    assert!(Instant::now() >= until);
    assert!(notifier.is_busy(), "the request goes on, to its own end");
    notifier.wait(in_a_while());
    let said: Vec<_> = complaints.try_iter().collect();
    assert_eq!(said.len(), 2);
    assert!(said[1].contains("\"saved\""), "{said:?}");
    listener.set_nonblocking(true).unwrap();
    assert!(listener.accept().is_err(), "the second one was not begun");
}
