use super::body::CHUNK;
use super::*;
use crate::keep::digest;
use crate::settings::Parts;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;

const SIGNATURE: &str = "X-Signature=abcdef";

/// Takes one connection for each answer; what came in the bodies.
fn serve(answers: Vec<&'static str>) -> (Secret, thread::JoinHandle<Vec<Vec<u8>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/f?{SIGNATURE}", listener.local_addr().unwrap());
    let thread = thread::spawn(move || {
        let serve = |answer| one(&listener.accept().unwrap().0, answer);
        answers.into_iter().map(serve).collect()
    });
    (Secret::new(url), thread)
}

fn one(stream: &TcpStream, answer: &str) -> Vec<u8> {
    let mut reader = BufReader::new(stream);
    let mut length = 0;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        if let Some(value) = line.to_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        if line.trim().is_empty() {
            break;
        }
    }
    if answer == "cut" {
        return Vec::new();
    }
    if let Some(early) = answer.strip_prefix("early ") {
        let mut writer = stream;
        write!(writer, "HTTP/1.1 {early}\r\nContent-Length: 0\r\n\r\n").unwrap();
        // What lies in the system's buffers is not what the server has taken.
        thread::sleep(Duration::from_millis(300));
        return Vec::new();
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    let mut writer = stream;
    let (head, said) = answer.split_once("\r\n\r\n").unwrap_or((answer, ""));
    let length = said.len();
    write!(
        writer,
        "HTTP/1.1 {head}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{said}"
    )
    .unwrap();
    body
}

fn send(content: &[u8], url: &Secret, seconds: u64) -> Result<u32, (u32, UploadError)> {
    let target = SaveTarget::Whole(url.clone());
    let (requests, result) = send_to(content, &target, &Ledger::default(), seconds, &|_| {});
    match result {
        Ok(multipart) => {
            assert_eq!(multipart, None);
            Ok(requests)
        }
        Err(error) => Err((requests, error)),
    }
}

fn send_to(
    content: &[u8],
    target: &SaveTarget,
    ledger: &Ledger,
    seconds: u64,
    tell: &impl Fn(Progress),
) -> Outcome {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(content).unwrap();
    let never = AtomicBool::new(false);
    let content = digest::read(&mut file, Some(target.part_size()), &never);
    let what = What {
        file: &file,
        content: &content.unwrap().unwrap(),
        target,
        headers: &Headers::parse("x-ms-blob-type: BlockBlob; content-type: text/plain").unwrap(),
        trust: &Trust::default(),
        ledger,
    };
    super::send(&what, Duration::from_secs(seconds), &never, tell)
}

#[test]
fn what_a_store_asks_for_again_is_sent_again() {
    let slow = "400 Bad Request\r\n\r\n<Error><Code>RequestTimeout</Code></Error>";
    let (url, server) = serve(vec![slow, "200 OK"]);
    assert_eq!(send(b"work", &url, 20), Ok(2));
    server.join().unwrap();
}

#[test]
fn the_stores_own_words_are_told() {
    let expired = "403 Forbidden\r\n\r\n<Error><Code>AccessDenied</Code>\
                   <Message>Request has expired: abcdef</Message></Error>";
    let (url, server) = serve(vec![expired]);
    let (_, error) = send(b"work", &url, 20).unwrap_err();
    let said = "the upload was refused with status 403: AccessDenied, Request has expired: ***";
    assert_eq!(error.to_string(), said);
    server.join().unwrap();
}

#[test]
fn a_success_counts_after_the_last_byte_alone() {
    // More than the system's buffers hold, and less.
    for size in [32 << 20, 900 << 10, 1] {
        let content = vec![7; size];
        let (url, server) = serve(vec!["early 200 OK", "200 OK"]);
        assert_eq!(send(&content, &url, 60), Ok(2), "{size}");
        assert!(server.join().unwrap()[1] == content);
    }
}

#[test]
fn a_sum_can_confirm_an_answer_that_came_early() {
    let early = "early 200 OK\r\nETag: \"67e92c8765a9bc7fb2d335c459de9eb5\"";
    let (url, server) = serve(vec![early]);
    assert_eq!(send(b"work", &url, 20), Ok(1));
    server.join().unwrap();
}

#[test]
fn what_the_store_has_must_be_what_was_sent() {
    let other = "200 OK\r\nETag: \"00000000000000000000000000000000\"";
    // Of "work".
    let right = "200 OK\r\nETag: \"67e92c8765a9bc7fb2d335c459de9eb5\"";
    let (url, server) = serve(vec![other, right]);
    assert_eq!(send(b"work", &url, 20), Ok(2));
    server.join().unwrap();
    let (url, server) = serve(vec![other, other]);
    assert_eq!(
        send(b"work", &url, 20),
        Err((2, UploadError::Damaged("ETag")))
    );
    server.join().unwrap();
}

#[test]
fn headers_are_sent_and_replace_ours() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = Secret::new(format!("http://{}/f", listener.local_addr().unwrap()));
    let server = thread::spawn(move || {
        let (stream, _) = listener.accept().unwrap();
        let mut reader = BufReader::new(&stream);
        let lines = reader.by_ref().lines().map_while(Result::ok);
        let head: Vec<String> = lines.take_while(|line| !line.is_empty()).collect();
        reader.read_exact(&mut [0; 4]).unwrap();
        write!(&stream, "HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n").unwrap();
        head
    });
    assert_eq!(send(b"work", &url, 20), Ok(1));
    let head = server.join().unwrap();
    assert!(
        head.contains(&"x-ms-blob-type: BlockBlob".into()),
        "{head:?}"
    );
    let types = head.iter().filter(|line| line.starts_with("content-type"));
    assert_eq!(types.collect::<Vec<_>>(), ["content-type: text/plain"]);
}

#[test]
fn all_of_the_file_arrives_with_its_length() {
    let (url, server) = serve(vec!["200 OK"]);
    let content = vec![7; CHUNK * 2 + 5];
    assert_eq!(send(&content, &url, 20), Ok(1));
    assert_eq!(server.join().unwrap(), [content]);
}

#[test]
fn the_second_address_takes_it_when_the_first_swallows_everything() {
    let (url, server) = serve(vec!["200 OK"]);
    let good = Url::parse(url.reveal())
        .unwrap()
        .socket_addrs(|| None)
        .unwrap();
    let hole = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let hole = hole.block_on(crate::net::BlackHole::at("127.0.0.8:0".parse().unwrap()));
    crate::net::pretend("upload.test", vec![hole.address, good[0]]);
    let url = Secret::new(format!("http://upload.test/f?{SIGNATURE}"));
    assert_eq!(send(b"work", &url, 5), Ok(1));
    assert_eq!(server.join().unwrap(), [b"work"]);
}

#[test]
fn what_may_change_is_tried_again() {
    let (url, server) = serve(vec!["503 Busy", "cut", "204 Taken"]);
    assert_eq!(send(b"work", &url, 20), Ok(3));
    assert_eq!(server.join().unwrap()[2], b"work");
}

#[test]
fn a_refusal_is_final_and_keeps_the_secret() {
    let elsewhere = "303 Elsewhere\r\nLocation: http://127.0.0.1:1/";
    for answer in ["403 Expired", elsewhere] {
        let (url, server) = serve(vec![answer]);
        let (attempts, error) = send(b"work", &url, 3).unwrap_err();
        assert_eq!(attempts, 1);
        assert!(matches!(error, UploadError::Refused(..)), "{error}");
        server.join().unwrap();
    }
}

#[test]
fn a_server_that_is_not_there_is_given_up_in_the_end_without_the_url() {
    let port = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let url = Secret::new(format!("http://127.0.0.1:{port}/f?{SIGNATURE}"));
    let told = std::cell::RefCell::new(Vec::new());
    let target = SaveTarget::Whole(url);
    let (attempts, result) = send_to(b"work", &target, &Ledger::default(), 1, &|it| {
        told.borrow_mut().push(it);
    });
    let error = result.unwrap_err();
    assert!(attempts >= 1);
    let last = told.borrow().last().copied();
    assert_eq!(last.map(|it| (it.total, it.attempt)), Some((4, attempts)));
    let text = error.to_string();
    assert!(text.contains("given up after 1 s"), "{text}");
    assert!(
        !text.contains("abcdef") && !format!("{error:?}").contains("abcdef"),
        "{text}"
    );
}

/// One address for all parts, of four bytes each: they come one after the other.
fn parts(url: &Secret, number: usize, completed: bool) -> SaveTarget {
    SaveTarget::Parts(Parts {
        part_size: 4,
        part_urls: vec![url.clone(); number],
        complete_url: completed.then(|| url.clone()),
        abort_url: None,
        key: Some("works/job.blend".into()),
        upload_id: Some("u-1".into()),
    })
}

/// Of "work".
const OF_WORK: &str = "200 OK\r\nETag: \"67e92c8765a9bc7fb2d335c459de9eb5\"";

#[test]
fn what_is_up_stays_up_and_only_what_has_changed_goes_again() {
    let ledger = Ledger::default();
    let (url, server) = serve(vec![OF_WORK, OF_WORK, "403 Expired"]);
    let target = parts(&url, 3, false);
    let (requests, result) = send_to(b"workworkwork", &target, &ledger, 20, &|_| {});
    assert!(
        matches!(result, Err(UploadError::Refused(403, _))),
        "{result:?}"
    );
    assert_eq!(requests, 3);
    server.join().unwrap();
    // Its URLs were renewed; the upload is the same.
    let (url, server) = serve(vec!["200 OK\r\nETag: \"x\""]);
    let target = parts(&url, 3, false);
    let told = std::cell::Cell::new(0);
    let (requests, result) = send_to(b"workworkWORK", &target, &ledger, 20, &|it| {
        told.set(it.sent)
    });
    assert_eq!((requests, told.get()), (1, 12));
    assert_eq!(server.join().unwrap(), [b"WORK"]);
    let multipart = result.unwrap().unwrap();
    assert_eq!(multipart.key.as_deref(), Some("works/job.blend"));
    let etags: Vec<_> = multipart
        .parts
        .iter()
        .map(|it| (it.number, it.etag.as_str()))
        .collect();
    let work = "\"67e92c8765a9bc7fb2d335c459de9eb5\"";
    assert_eq!(etags, [(1, work), (2, work), (3, "\"x\"")]);
}

#[test]
fn each_part_must_be_what_was_sent() {
    let other = "200 OK\r\nETag: \"00000000000000000000000000000000\"";
    let (url, server) = serve(vec![other, other]);
    let (_, result) = send_to(
        b"work",
        &parts(&url, 1, false),
        &Ledger::default(),
        20,
        &|_| {},
    );
    assert_eq!(result, Err(UploadError::Damaged("ETag")));
    server.join().unwrap();
    let (url, server) = serve(vec!["200 OK"]);
    let (_, result) = send_to(
        b"work",
        &parts(&url, 1, false),
        &Ledger::default(),
        20,
        &|_| {},
    );
    assert_eq!(result, Err(UploadError::NoTag(1)));
    server.join().unwrap();
}

#[test]
fn a_file_is_made_of_the_parts_once() {
    let failed = "200 OK\r\n\r\n<Error><Code>InternalError</Code></Error>";
    let made = "200 OK\r\n\r\n<CompleteMultipartUploadResult></CompleteMultipartUploadResult>";
    let (url, server) = serve(vec![OF_WORK, failed, made]);
    let (target, ledger) = (parts(&url, 2, true), Ledger::default());
    let (requests, result) = send_to(b"work", &target, &ledger, 20, &|_| {});
    assert_eq!((requests, result), (3, Ok(None)));
    let bodies = server.join().unwrap();
    let xml = String::from_utf8_lossy(&bodies[2]);
    assert!(
        xml.contains("<PartNumber>1</PartNumber><ETag>\"67e9"),
        "{xml}"
    );
    // The same again is there; another one has no place any more.
    assert_eq!(
        send_to(b"work", &target, &ledger, 20, &|_| {}),
        (0, Ok(None))
    );
    let (_, result) = send_to(b"WORK", &target, &ledger, 20, &|_| {});
    assert_eq!(result, Err(UploadError::Spent));
}

#[test]
fn more_than_there_is_room_for_is_not_begun() {
    let url = Secret::new("http://127.0.0.1:9/f");
    let (requests, result) = send_to(
        b"workwork1",
        &parts(&url, 2, true),
        &Ledger::default(),
        20,
        &|_| {},
    );
    assert_eq!((requests, result), (0, Err(UploadError::NoRoom(9, 8))));
}

#[test]
fn a_file_that_is_not_what_it_was_is_not_taken_for_it() {
    for late in [&b"WORK"[..], b"wo"] {
        let (url, server) = serve(vec!["200 OK"]);
        let target = parts(&url, 1, false);
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(b"work").unwrap();
        let never = AtomicBool::new(false);
        let content = digest::read(&mut file, Some(4), &never).unwrap().unwrap();
        file.set_len(0).unwrap();
        std::io::Seek::rewind(&mut file).unwrap();
        file.write_all(late).unwrap();
        let what = What {
            file: &file,
            content: &content,
            target: &target,
            headers: &Headers::default(),
            trust: &Trust::default(),
            ledger: &Ledger::default(),
        };
        let (_, result) = super::send(&what, Duration::from_secs(20), &never, &|_| {});
        assert_eq!(result, Err(UploadError::Changed));
        drop(server); // of the short one it hears no end
    }
}

#[test]
fn a_refusal_that_comes_before_the_file_is_taken_is_heard() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = Secret::new(format!("http://{}/f", listener.local_addr().unwrap()));
    let server = thread::spawn(move || {
        let (stream, _) = listener.accept().unwrap();
        let mut head = [0; 100];
        (&stream).read_exact(&mut head).unwrap();
        write!(
            &stream,
            "HTTP/1.1 413 Too large\r\nContent-Length: 0\r\n\r\n"
        )
        .unwrap();
        // Closed with what lies unread, it is a reset.
    });
    let (attempts, error) = send(&vec![7; 32 << 20], &url, 20).unwrap_err();
    assert_eq!(
        (attempts, error),
        (1, UploadError::Refused(413, String::new()))
    );
    server.join().unwrap();
}
