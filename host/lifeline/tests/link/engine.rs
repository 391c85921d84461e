//! The stand-in engine as a child process.

use serde_json::Value;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};

pub const TOKEN: &str = "a-token-that-nobody-may-see";

pub struct Engine {
    child: Child,
    pub port: u16,
}

impl Engine {
    /// PING every second, and a second to wait for the answer.
    pub fn start() -> Self {
        Engine::start_on(0)
    }

    pub fn start_on(port: u16) -> Self {
        Engine::start_with(port, "1", "1")
    }

    /// With the real one's pings: nothing of what these tests see comes from them.
    pub fn patient() -> Self {
        Engine::start_with(0, "90", "120")
    }

    /// The server of `shapes.py`, which has no controls.
    pub fn of_shapes() -> Self {
        let port = free_port().to_string();
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/link/shapes.py");
        Engine::run(&[script, &port])
    }

    fn start_with(port: u16, interval: &str, limit: &str) -> Self {
        let port = if port == 0 { free_port() } else { port }.to_string();
        Engine::run(&[
            "-m",
            "cr8_engine_stand_in",
            "--test-controls",
            "--launch-mode",
            "remote",
            "--without-browser",
            "--no-welcome",
            "--say-why",
            "--ping-interval",
            interval,
            "--ping-timeout",
            limit,
            "--port",
            &port,
        ])
    }

    fn run(args: &[&str]) -> Self {
        let python = std::env::var("LIFELINE_ENGINE_PYTHON")
            .expect("LIFELINE_ENGINE_PYTHON is not set: run `cargo xtask test link`");
        let mut child = Command::new(python)
            .args(args)
            .env("CR8_ENGINE_TOKEN", TOKEN)
            .stdout(Stdio::piped())
            .spawn()
            .expect("the stand-in engine starts");
        let mut line = String::new();
        let stdout = child.stdout.take().expect("stdout is piped");
        BufReader::new(stdout)
            .read_line(&mut line)
            .expect("the engine says where it listens");
        let listening: Value =
            serde_json::from_str(&line).expect("the engine's first line is JSON");
        let port = listening["port"].as_u64().expect("a port");
        Engine {
            child,
            port: u16::try_from(port).expect("a port"),
        }
    }

    pub fn url(&self) -> String {
        format!("ws://127.0.0.1:{}", self.port)
    }

    /// SIGKILL, SIGTERM, SIGSTOP or SIGCONT.
    pub fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        let status = Command::new("kill")
            .args(["-s", name, &pid])
            .status()
            .expect("kill runs");
        assert!(status.success(), "kill -s {name} {pid}");
    }

    pub fn kill(mut self) -> u16 {
        self.child.kill().expect("killed");
        self.child.wait().expect("reaped");
        self.port
    }

    pub fn post(&self, path: &str, body: &Value) -> Value {
        self.http("POST", path, &body.to_string())
    }

    pub fn status(&self) -> Value {
        self.http("GET", "/status", "")
    }

    fn http(&self, method: &str, path: &str, body: &str) -> Value {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).expect("the engine listens");
        write!(
            stream,
            "{method} {path} HTTP/1.0\r\nHost: engine\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        )
        .expect("sent");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("answered");
        let (head, body) = answer.split_once("\r\n\r\n").expect("an HTTP answer");
        assert!(head.contains(" 200 "), "{method} {path}: {answer}");
        serde_json::from_str(body).expect("JSON")
    }
}

/// One that the system gives to nobody: it is to be free while the server is down, too.
fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(28_000);
    loop {
        let port = NEXT.fetch_add(1, Ordering::Relaxed);
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        // It may have been ended by the test already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
