//! A real `lecternd` on free ports in a state folder of its own, for tests that drive it from outside.
#![allow(dead_code, reason = "each test file uses its part")]

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

/// The sample film, 30 s.
pub const FILM: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../media/vod/samples/big-buck-bunny-480p-30s.mp4"
);

/// Waits this long for what should take seconds: the machines are slow at times.
pub const PATIENCE: Duration = Duration::from_secs(120);

/// A running daemon; killed when dropped.
pub struct Daemon {
    child: Child,
    /// `http://127.0.0.1:PORT`
    pub base: String,
    /// `https://127.0.0.1:PORT`, where it was asked for
    pub https: Option<String>,
    /// The set-up link, as long as no admin exists
    pub setup: Option<String>,
    /// Its state folder
    pub state: PathBuf,
}

impl Daemon {
    /// Starts it and waits until it listens.
    pub fn start(state: &Path) -> Self {
        Self::start_with(state, &["--http", "127.0.0.1:0"])
    }

    /// Starts it with more options of `serve`.
    pub fn start_with(state: &Path, options: &[&str]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_lecternd"));
        command.args(["serve", "--state"]).arg(state).args(options);
        Self::spawn(command, state)
    }

    /// Starts it with its state folder on a disk of its own of so many MiB, which nobody else sees: what is there is found
    /// under [`Self::state`] all the same.
    pub fn start_on_disk_of(state: &Path, mebibytes: u32) -> Self {
        let mut command = Command::new("unshare");
        if !nix::unistd::geteuid().is_root() {
            command.arg("--map-root-user");
        }
        command.args(["--mount", "sh", "-euc"]);
        command.arg("mount -t tmpfs -o size=$1m none \"$2\"; exec \"$3\" serve --state \"$2\" --http 127.0.0.1:0");
        command.args(["sh", &mebibytes.to_string()]).arg(state);
        command.arg(env!("CARGO_BIN_EXE_lecternd"));
        let mut daemon = Self::spawn(command, state);
        let seen = state.strip_prefix("/").unwrap();
        daemon.state = Path::new(&format!("/proc/{}/root", daemon.pid())).join(seen);
        daemon
    }

    fn spawn(mut command: Command, state: &Path) -> Self {
        let log = std::fs::File::options()
            .create(true)
            .append(true)
            .open(state.with_extension("log"))
            .unwrap();
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let listening = lines
            .next()
            .expect("the daemon ended before it listened")
            .unwrap();
        let rest = listening
            .strip_prefix("listening ")
            .unwrap_or_else(|| panic!("not a listening line: {listening}"));
        let address = |door| rest.split(' ').find_map(|part| part.strip_prefix(door));
        let base = format!("http://{}", address("http=").expect("an address for HTTP"));
        let https = address("https=")
            .filter(|address| *address != "-")
            .map(|address| format!("https://{address}"));
        let (sender, receiver) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                let _ = sender.send(line);
            }
        });
        let setup = receiver
            .recv_timeout(Duration::from_millis(300))
            .ok()
            .and_then(|line| line.strip_prefix("setup ").map(ToOwned::to_owned));
        Self {
            child,
            base,
            https,
            setup,
            state: state.to_owned(),
        }
    }

    /// `kill -9`.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Asks it to stop and waits; true when it ended by itself and well.
    #[expect(
        clippy::disallowed_methods,
        reason = "a child that ends is no event here: its state is looked at until the deadline"
    )]
    pub fn stop(mut self) -> bool {
        let pid = nix::unistd::Pid::from_raw(i32::try_from(self.child.id()).unwrap());
        nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGTERM).unwrap();
        let end = Instant::now() + PATIENCE;
        while Instant::now() < end {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.success();
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        false
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Runs a `lecternd` command on its state folder.
    pub fn run(&self, args: &[&str], input: &str) -> Value {
        let (ok, value) = lecternd(&self.state, args, input);
        assert!(ok, "{args:?}: {value}");
        value
    }

    /// A person with these roles and a token of theirs.
    pub fn person(&self, name: &str, roles: &[&str]) -> Client {
        let mut args = vec!["user", "add", name, "--password-stdin"];
        for role in roles {
            args.extend(["--role", role]);
        }
        self.run(&args, "correct horse battery staple\n");
        let token = self.run(&["token", "add", "--user", name], "");
        self.client(Some(token["token"].as_str().unwrap()))
    }

    /// An HTTP client with a bearer token.
    pub fn client(&self, token: Option<&str>) -> Client {
        Client {
            base: self.base.clone(),
            auth: token.map(|token| format!("Bearer {token}")),
            http: http(),
        }
    }

    /// A client with a new LRS credential of all scopes.
    pub fn lrs(&self) -> Client {
        let credential = self.run(
            &["credential", "add", "--name", "test", "--scope", "all"],
            "",
        );
        let pair = format!(
            "{}:{}",
            credential["key"].as_str().unwrap(),
            credential["secret"].as_str().unwrap()
        );
        use base64::Engine;
        let basic = base64::engine::general_purpose::STANDARD.encode(pair);
        Client {
            base: self.base.clone(),
            auth: Some(format!("Basic {basic}")),
            http: http(),
        }
    }

    /// Imports a film through the command and waits until it is ready.
    pub fn import(&self, file: &str, title: &str) -> String {
        let answer = self.run(&["import", file, "--title", title, "--wait"], "");
        answer["id"].as_str().unwrap().to_owned()
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Runs a `lecternd` command with `--json`; whether it ended well and what it printed.
pub fn lecternd(state: &Path, args: &[&str], input: &str) -> (bool, Value) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_lecternd"))
        .arg("--state")
        .arg(state)
        .arg("--json")
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    let output = child.wait_with_output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let value = serde_json::from_str(&text).unwrap_or_else(|_| {
        panic!(
            "{args:?} printed no JSON: {text} {}",
            String::from_utf8_lossy(&output.stderr)
        )
    });
    (output.status.success(), value)
}

fn http() -> reqwest::Client {
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder()
        .timeout(PATIENCE)
        .build()
        .unwrap()
}

/// Speaks to a daemon as one person or credential.
#[derive(Clone)]
pub struct Client {
    /// `http://127.0.0.1:PORT`
    pub base: String,
    /// The Authorization header
    pub auth: Option<String>,
    /// The connection pool
    pub http: reqwest::Client,
}

/// What came back.
pub struct Answer {
    /// HTTP status
    pub status: u16,
    /// HTTP headers
    pub headers: reqwest::header::HeaderMap,
    /// The body
    pub body: Vec<u8>,
}

impl Answer {
    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|_| panic!("no JSON ({}): {}", self.status, self.text()))
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The answer, when its status is this one.
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.text());
        self
    }

    /// A header's text.
    pub fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
    }
}

impl Client {
    /// Any request; `path` may be a path or a whole URL.
    pub async fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Vec<u8>,
    ) -> reqwest::Result<Answer> {
        let url = if path.starts_with("http") {
            path.to_owned()
        } else {
            format!("{}{path}", self.base)
        };
        let mut request = self.http.request(method.parse().unwrap(), url).body(body);
        if let Some(auth) = &self.auth {
            request = request.header("authorization", auth);
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = request.send().await?;
        let status = response.status().as_u16();
        let headers = response.headers().clone();
        Ok(Answer {
            status,
            headers,
            body: response.bytes().await?.to_vec(),
        })
    }

    /// GET
    pub async fn get(&self, path: &str) -> Answer {
        self.send("GET", path, &[], Vec::new()).await.unwrap()
    }

    /// Any method with a JSON body.
    pub async fn json(&self, method: &str, path: &str, body: &Value) -> Answer {
        self.send(
            method,
            path,
            &[("content-type", "application/json")],
            body.to_string().into_bytes(),
        )
        .await
        .unwrap()
    }

    /// An xAPI request.
    pub async fn xapi(
        &self,
        method: &str,
        path: &str,
        body: Option<&Value>,
    ) -> reqwest::Result<Answer> {
        let headers = [
            ("x-experience-api-version", "2.0.0"),
            ("content-type", "application/json"),
        ];
        self.send(
            method,
            path,
            &headers,
            body.map(|body| body.to_string().into_bytes())
                .unwrap_or_default(),
        )
        .await
    }

    /// Uploads a file by tus in pieces, and returns the upload's id.
    pub async fn upload(&self, bytes: &[u8], name: &str) -> String {
        use base64::Engine;
        let metadata = format!(
            "filename {}",
            base64::engine::general_purpose::STANDARD.encode(name)
        );
        let length = bytes.len().to_string();
        let created = self
            .send(
                "POST",
                "/api/v1/uploads",
                &[
                    ("tus-resumable", "1.0.0"),
                    ("upload-length", &length),
                    ("upload-metadata", &metadata),
                ],
                Vec::new(),
            )
            .await
            .unwrap()
            .expect(201);
        let location = created.header("location").to_owned();
        let mut offset = 0;
        for piece in bytes.chunks(1 << 20) {
            let at = offset.to_string();
            let answer = self
                .send(
                    "PATCH",
                    &location,
                    &[
                        ("tus-resumable", "1.0.0"),
                        ("upload-offset", &at),
                        ("content-type", "application/offset+octet-stream"),
                    ],
                    piece.to_vec(),
                )
                .await
                .unwrap()
                .expect(204);
            offset += piece.len();
            assert_eq!(answer.header("upload-offset"), offset.to_string());
        }
        location.rsplit('/').next().unwrap().to_owned()
    }

    /// Uploads and creates a video; its id.
    pub async fn create_video(&self, bytes: &[u8], title: &str) -> String {
        let upload = self.upload(bytes, "film.mp4").await;
        let created = self
            .json(
                "POST",
                "/api/v1/videos",
                &json!({ "title": title, "upload": upload }),
            )
            .await
            .expect(201);
        created.json()["id"].as_str().unwrap().to_owned()
    }

    /// Waits until the newest version is in one of these states.
    pub async fn wait_for(&self, video: &str, states: &[&str]) -> Value {
        let end = Instant::now() + PATIENCE;
        loop {
            let answer = self
                .get(&format!("/api/v1/videos/{video}"))
                .await
                .expect(200)
                .json();
            let state = answer["versions"][0]["state"]
                .as_str()
                .unwrap_or_default()
                .to_owned();
            if states.contains(&state.as_str()) {
                return answer;
            }
            assert!(Instant::now() < end, "{video} stays {state}: {answer}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}
