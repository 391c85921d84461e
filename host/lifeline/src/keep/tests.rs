use super::*;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use tokio::sync::mpsc::unbounded_channel;

fn order(path: &Path) -> Order {
    Order {
        id: 7,
        path: path.to_path_buf(),
        digest: None,
        source: None,
        ledger: Ledger::default(),
        headers: Headers::default(),
        trust: Trust::default(),
        timeout: Duration::from_secs(1),
    }
}

#[test]
fn a_file_is_read_back() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.blend");
    std::fs::write(&path, b"abc").unwrap();
    let (sink, mut events) = unbounded_channel();
    let _keeping = begin(order(&path), sink);
    let Some((7, KeepEvent::Digested(digest))) = events.blocking_recv() else {
        panic!()
    };
    assert_eq!(digest.bytes, 3);
    assert!(digest.sha256.starts_with("ba7816bf"), "{}", digest.sha256);
    assert!(events.blocking_recv().is_none());
}

#[test]
fn a_file_that_was_read_back_is_not_read_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.blend");
    std::fs::write(&path, b"abc").unwrap();
    let given = Digest {
        bytes: 3,
        sha256: "ab".repeat(32),
        seconds: 0.25,
    };
    let order = Order {
        digest: Some(given.clone()),
        ..order(&path)
    };
    let (sink, mut events) = unbounded_channel();
    let _keeping = begin(order, sink);
    let Some((7, KeepEvent::Digested(digest))) = events.blocking_recv() else {
        panic!()
    };
    assert_eq!(digest, given);
    assert!(events.blocking_recv().is_none());
}

#[test]
fn what_was_read_back_is_not_believed_of_another_file_or_of_one_that_is_uploaded() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.blend");
    std::fs::write(&path, b"abc").unwrap();
    let given = |bytes| Digest {
        bytes,
        sha256: "ab".repeat(32),
        seconds: 0.25,
    };
    let another = Order {
        digest: Some(given(4)),
        ..order(&path)
    };
    let uploaded = Order {
        digest: Some(given(3)),
        source: SaveTarget::parse("http://127.0.0.1:9/a")
            .ok()
            .map(|it| Ok(SaveSource::Given(it))),
        ..order(&path)
    };
    for order in [another, uploaded] {
        let (sink, mut events) = unbounded_channel();
        let _keeping = begin(order, sink);
        let Some((7, KeepEvent::Digested(digest))) = events.blocking_recv() else {
            panic!()
        };
        assert_eq!(digest.bytes, 3);
        assert!(digest.sha256.starts_with("ba7816bf"), "{}", digest.sha256);
    }
}

#[test]
fn a_file_that_is_gone_is_unreadable() {
    let folder = tempfile::tempdir().unwrap();
    for path in [
        folder.path().join("none.blend"),
        folder.path().to_path_buf(),
    ] {
        let (sink, mut events) = unbounded_channel();
        let _keeping = begin(order(&path), sink);
        let Some((7, KeepEvent::Unreadable(reason))) = events.blocking_recv() else {
            panic!()
        };
        assert!(reason.contains(&path.display().to_string()), "{reason}");
    }
}

/// Takes one PUT, and calls `begun` before it takes the body.
fn take(stream: TcpStream, begun: impl FnOnce()) -> Vec<u8> {
    let mut reader = BufReader::new(&stream);
    let lines = reader.by_ref().lines().map_while(Result::ok);
    let head: Vec<_> = lines.take_while(|line| !line.is_empty()).collect();
    let length = head
        .iter()
        .find_map(|line| line.strip_prefix("content-length: "));
    begun();
    let mut body = vec![0; length.unwrap().parse().unwrap()];
    reader.read_exact(&mut body).unwrap();
    let mut writer = &stream;
    write!(writer, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").unwrap();
    body
}

#[test]
fn a_file_that_changes_meanwhile_starts_anew() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.blend");
    // More than the system's buffers hold.
    let (before, after) = (vec![1; 32 << 20], vec![2; 32 << 20]);
    std::fs::write(&path, &before).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/f", listener.local_addr().unwrap());
    let target = SaveTarget::parse(&url).unwrap();
    let order = Order {
        source: Some(Ok(SaveSource::Given(target))),
        timeout: Duration::from_secs(60),
        ..order(&path)
    };
    let expected = after.clone();
    let server = thread::spawn(move || {
        take(listener.accept().unwrap().0, || {
            std::fs::OpenOptions::new()
                .write(true)
                .open(&path)
                .unwrap()
                .write_all(&after)
                .unwrap()
        });
        take(listener.accept().unwrap().0, || ())
    });
    let (sink, mut events) = unbounded_channel();
    let _keeping = begin(order, sink);
    let mut sums = Vec::new();
    let uploaded = loop {
        match events.blocking_recv() {
            Some((7, KeepEvent::Digested(digest))) => sums.push(digest.sha256),
            Some((7, KeepEvent::Uploaded(uploaded))) => break uploaded,
            Some((7, KeepEvent::Progress(_))) => {}
            other => panic!("{other:?}"),
        }
    };
    assert_eq!((uploaded.error, uploaded.attempts), (None, 2));
    assert!(server.join().unwrap() == expected);
    assert_eq!(sums.len(), 2, "of what is up, too");
    assert_ne!(sums[0], sums[1]);
}

#[test]
fn without_a_target_that_can_be_used_the_upload_has_failed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.blend");
    std::fs::write(&path, b"abc").unwrap();
    let file = folder.path().join("target");
    std::fs::write(&file, "hunter2").unwrap();
    let missing = Ok(SaveSource::File(folder.path().join("none")));
    for (source, why) in [
        (Err("no save target"), "no save target"),
        (missing, "cannot be read"),
        (Ok(SaveSource::File(file)), "not a URL"),
    ] {
        let order = Order {
            source: Some(source),
            ..order(&path)
        };
        let (sink, mut events) = unbounded_channel();
        let _keeping = begin(order, sink);
        let Some((7, KeepEvent::Digested(_))) = events.blocking_recv() else {
            panic!()
        };
        let Some((7, KeepEvent::Uploaded(uploaded))) = events.blocking_recv() else {
            panic!()
        };
        let error = uploaded.error.unwrap();
        assert!(error.contains(why) && !error.contains("hunter2"), "{error}");
    }
}
