//! The binary as an operator uses it: on data at rest, beside a running node, and with mistakes.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

struct Desk(TempDir);

impl Desk {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }
    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }
    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_hubbub"));
        command.args(arguments).current_dir(self.0.path()).stdin(Stdio::null());
        command.env("HUBBUB_NODE_DATA_DIR", self.path("data")).env("HUBBUB_NODE_DRAIN_MS", "1");
        command.env("HUBBUB_LISTEN_HTTP", "127.0.0.1:0").env("HUBBUB_LISTEN_ADMIN", "127.0.0.1:0");
        command
    }
    fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }
    fn json(&self, arguments: &[&str]) -> Value {
        let output = self.run(&[&["--json"], arguments].concat());
        assert!(output.status.success(), "{output:?}");
        serde_json::from_slice(&output.stdout).unwrap()
    }
    /// The sentence of a refusal.
    fn refusal(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        let text = String::from_utf8(output.stderr).unwrap();
        assert_eq!(text.lines().count(), 1, "{text}");
        text.strip_prefix("hubbub: ").unwrap().trim_end().to_owned()
    }
}

/// A node that serves; ended when it is dropped.
struct Running {
    child: Child,
    http: String,
    admin: String,
}

impl Running {
    fn start(desk: &Desk) -> Self {
        let mut child = desk.command(&["serve"]).stderr(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map(Result::unwrap);
        let serving = lines.by_ref().find(|line| line.contains("\"serving\"")).unwrap();
        // Somebody has to go on reading, else the node's log blocks it.
        std::thread::spawn(move || lines.for_each(drop));
        let serving: Value = serde_json::from_str(&serving).unwrap();
        let address = |name: &str| serving[name].as_str().unwrap().trim_start_matches("http://").to_owned();
        Self { http: address("address"), admin: address("admin"), child }
    }
    fn get(&self, address: &str, path: &str, token: &str) -> String {
        let mut stream = TcpStream::connect(address).unwrap();
        write!(stream, "GET {path} HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {token}\r\nconnection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }
    fn log_in(&self, name: &str, password: &str) -> String {
        let body = serde_json::json!({ "name": name, "password": password, "device": uuid::Uuid::nil(), "label": "" }).to_string();
        let mut stream = TcpStream::connect(&self.http).unwrap();
        write!(stream, "POST /v1/auth/login HTTP/1.1\r\nhost: {}\r\nhubbub-client: native\r\nconnection: close\r\n", self.http).unwrap();
        write!(stream, "content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}", body.len()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }
    /// Tells it to go, as an init system does.
    fn stop(mut self) -> Option<i32> {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
        self.child.wait().unwrap().code()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn accounts_and_rooms_are_made_on_data_at_rest_and_seen_by_the_node_that_starts_later() {
    let desk = Desk::new();
    let ada = desk.json(&["user", "add", "ada", "--display", "Ada"]);
    assert_eq!((&ada["admin"], ada["password"].as_str().unwrap().len()), (&Value::Bool(true), 20));
    std::fs::write(desk.path("password"), "a long enough one\n").unwrap();
    assert!(desk.json(&["user", "add", "bob", "--password-file", "password"]).get("password").is_none());
    let room = desk.json(&["room", "create", "Tea", "--owner", "ada", "--member", "bob"]);
    assert_eq!(desk.json(&["room", "list"])["rooms"][0]["room"], room["room"]);

    let node = Running::start(&desk);
    let users = desk.json(&["user", "list"]);
    assert_eq!(users["users"].as_array().unwrap().len(), 2);
    let token = desk.json(&["token", "bob"]);
    let rooms = node.get(&node.http, "/v1/rooms", token["access"].as_str().unwrap());
    assert!(rooms.contains(room["room"].as_str().unwrap()), "{rooms}");
    assert_eq!(node.stop(), Some(0));
}

#[test]
fn data_at_rest_is_for_its_owner_alone() {
    let desk = Desk::new();
    desk.json(&["user", "add", "ada"]);
    for folder in ["data", "data/store"] {
        let mode = std::fs::metadata(desk.path(folder)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o700, "{folder} holds keys and password hashes");
    }
}

#[test]
fn where_no_data_is_nothing_is_listed_or_saved_and_none_is_begun() {
    let desk = Desk::new();
    let room = uuid::Uuid::nil().to_string();
    for order in
        [&["user", "list"][..], &["room", "list"], &["backup", "saved"], &["export", &room], &["token", "ada"], &["keys", "rotate"]]
    {
        assert!(desk.refusal(order).starts_with("there is no data in"), "{order:?}");
        assert!(!desk.path("data").exists() && !desk.path("saved").exists(), "{order:?}");
    }
    desk.json(&["user", "add", "ada"]);
    desk.json(&["backup", "saved"]);
}

#[test]
fn orders_go_to_the_running_node_over_a_socket_that_only_its_user_can_open() {
    let desk = Desk::new();
    let node = Running::start(&desk);
    let mode = |name: &str| std::fs::metadata(desk.path(name)).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode("data/admin"), mode("data/admin/socket")), (0o700, 0o600));

    desk.json(&["user", "add", "ada"]);
    let token = desk.json(&["token", "ada"]);
    let access = token["access"].as_str().unwrap();
    desk.json(&["keys", "rotate"]);
    assert!(node.get(&node.http, "/v1/me", access).starts_with("HTTP/1.1 200"), "what the old key signed goes on");
    desk.json(&["user", "password", "ada"]);
    assert!(node.get(&node.http, "/v1/me", access).contains("login_revoked"));
    desk.json(&["log", "debug"]);
    assert!(node.get(&node.admin, "/log", "").contains("debug"));
    assert_eq!(desk.refusal(&["user", "add", "ADA"]), "that name is taken");
    let invited = desk.json(&["user", "invite", "--uses", "3", "--note", "the team"]);
    assert!(invited["code"].as_str().unwrap().starts_with("hi_") && invited["invite"]["uses_max"] == 3, "{invited}");
    let again = desk.json(&["token", "ada"])["access"].as_str().unwrap().to_owned();
    desk.json(&["user", "disable", "ada"]);
    assert!(node.get(&node.http, "/v1/me", &again).contains("login_revoked"));
    assert!(desk.refusal(&["token", "ada"]).starts_with("this account is disabled"));
    for order in [&["user", "disable", "nobody"], &["user", "enable", "nobody"], &["user", "password", "nobody"]] {
        assert_eq!(desk.refusal(order), "there is no user \"nobody\": `hubbub user list` names them", "{order:?}");
    }
    desk.json(&["user", "enable", "ada"]);
    desk.json(&["token", "ada"]);
    assert!(desk.refusal(&["log", "loud"]).starts_with("\"loud\" is no log level"));
}

#[test]
fn a_backup_of_a_running_node_is_restored_into_empty_data_only() {
    let desk = Desk::new();
    let node = Running::start(&desk);
    desk.json(&["user", "add", "ada"]);
    desk.json(&["backup", "saved"]);
    assert!(desk.refusal(&["restore", "saved"]).contains("a node runs on"));
    node.stop();
    assert!(desk.refusal(&["restore", "saved"]).contains("not empty"), "what is there stays");
    std::fs::rename(desk.path("data"), desk.path("gone")).unwrap();
    desk.json(&["restore", "saved"]);
    assert_eq!(desk.json(&["user", "list"])["users"][0]["name"], "ada");
}

#[test]
fn a_second_node_on_the_same_data_is_told_who_has_it() {
    let desk = Desk::new();
    let node = Running::start(&desk);
    let refusal = desk.refusal_of_serve();
    assert!(refusal.contains("in use by process") && refusal.contains(&node.child.id().to_string()), "{refusal}");
}

impl Desk {
    fn refusal_of_serve(&self) -> String {
        let output = self.run(&["serve"]);
        assert_eq!(output.status.code(), Some(1));
        String::from_utf8(output.stderr).unwrap()
    }
}

#[test]
fn the_operators_port_answers_probes_and_metrics() {
    let desk = Desk::new();
    let node = Running::start(&desk);
    for path in ["/livez", "/readyz", "/startupz", "/version"] {
        assert!(node.get(&node.admin, path, "").starts_with("HTTP/1.1 200"), "{path}");
    }
    node.get(&node.http, "/v1/me", "");
    assert!(node.get(&node.admin, "/metrics", "").contains("hubbub_http_request_seconds_bucket"));
}

#[test]
fn mistakes_are_told_in_one_sentence() {
    let desk = Desk::new();
    std::fs::write(desk.path("hubbub.toml"), "[limits]\nheart_beat_ms = 1\n").unwrap();
    let refusal = desk.refusal(&["config", "check"]);
    assert_eq!(refusal, "hubbub.toml:2: there is no key of [limits] named \"heart_beat_ms\": did you mean \"heartbeat_ms\"?");
    for (text, start) in [
        ("[log]\nlevel = \"loud\"\n", "\"loud\" is no log level"),
        ("[node]\nweb_dir = \"nowhere\"\n", "node.web_dir: there is no folder nowhere"),
        ("[listen]\ntls_cert = \"a.pem\"\n", "tls_key"),
    ] {
        std::fs::write(desk.path("hubbub.toml"), text).unwrap();
        let refusal = desk.refusal(&["config", "check"]);
        assert!(refusal.contains(start), "{refusal}");
    }
    std::fs::remove_file(desk.path("hubbub.toml")).unwrap();
    assert!(desk.refusal(&["--config", "none.toml", "serve"]).starts_with("the configuration none.toml cannot be read"));
    desk.json(&["user", "add", "ada"]);
    assert_eq!(desk.refusal(&["token", "nobody"]), "there is no user named \"nobody\"");
    assert!(desk.refusal(&["log", "debug"]).starts_with("no node runs on"));
    assert_eq!(desk.run(&["sevre"]).status.code(), Some(2));
    let output = desk.run(&["--json", "token", "nobody"]);
    let error: Value = serde_json::from_slice(&output.stderr).unwrap();
    assert_eq!(error["error"]["code"], "not_found");
}

#[test]
fn many_people_are_added_from_a_file_or_stdin_once_and_signed_in() {
    let desk = Desk::new();
    let node = Running::start(&desk);
    desk.json(&["user", "add", "ada"]);
    // More than one order takes.
    let names: String = (0..600).map(|n| format!("person{n}\n")).collect();
    std::fs::write(desk.path("people"), names + "{\"name\": \"bob\", \"display\": \"Bob B.\"}\nADA\n").unwrap();
    let lines = |output: &Output| -> Vec<Value> {
        assert!(output.status.success(), "{output:?}");
        output
            .stdout
            .split(|byte| *byte == b'\n')
            .filter(|line| !line.is_empty())
            .map(|line| serde_json::from_slice(line).unwrap())
            .collect()
    };
    let first = lines(&desk.run(&["user", "add-all", "people", "--tokens", "--label", "test"]));
    assert_eq!(first.len(), 602);
    assert!(first[..601].iter().all(|person| person["made"] == true));
    assert_eq!((&first[601]["name"], &first[601]["made"]), (&Value::from("ada"), &Value::Bool(false)));
    let token = |person: &Value| person["access"].as_str().unwrap().to_owned();
    assert!(node.get(&node.http, "/v1/me", &token(&first[600])).contains("Bob B."));
    assert!(node.get(&node.http, "/v1/devices", &token(&first[0])).contains("\"test\""));

    let mut again = desk.command(&["user", "add-all", "-"]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    again.stdin.take().unwrap().write_all(b"bob\n").unwrap();
    let again = lines(&again.wait_with_output().unwrap());
    assert_eq!((&again[0]["id"], &again[0]["made"]), (&first[600]["id"], &Value::Bool(false)));
    assert!(again[0].get("access").is_none(), "tokens have to be asked for");
    assert_eq!(node.stop(), Some(0));
}

#[test]
fn a_bad_line_of_a_file_of_people_is_named_and_everybody_before_it_is_there() {
    let desk = Desk::new();
    std::fs::write(desk.path("people"), "ada\nb@d\ncleo\n").unwrap();
    let refusal = desk.refusal(&["user", "add-all", "people"]);
    assert!(refusal.contains("line 2") && refusal.contains("a user name is made of"), "{refusal}");
    assert_eq!(desk.json(&["user", "list"])["users"].as_array().unwrap().len(), 1);
    assert!(desk.refusal(&["user", "add-all", "nowhere"]).starts_with("nowhere cannot be read"));
}

#[test]
fn nobody_signs_in_with_a_password_to_an_account_that_was_added_without_one() {
    let desk = Desk::new();
    std::fs::write(desk.path("people"), "ada\n").unwrap();
    desk.run(&["user", "add-all", "people"]);
    let first = desk.json(&["user", "add", "bob"]);
    assert_eq!(first["admin"], true, "an account that nobody can sign in to administers nothing");
    let node = Running::start(&desk);
    for password in ["", "password", "ada"] {
        assert!(node.log_in("ada", password).contains("wrong_password"));
    }
}

#[test]
fn a_node_is_a_group_of_one_from_its_first_start_and_itself_ever_after() {
    let desk = Desk::new();
    desk.json(&["cluster", "init"]);
    assert!(desk.refusal(&["cluster", "init"]).contains("has a group's authority already"));
    let key = std::fs::read(desk.path("data/cluster/authority.key")).unwrap();
    let mut version = 0;
    for _ in 0..2 {
        let running = Running::start(&desk);
        let status = desk.json(&["cluster", "status"])["status"].take();
        let node = &status["nodes"][0];
        assert_eq!((&status["node"], &status["leader"], &status["slots"]), (&1.into(), &1.into(), &256.into()));
        assert_eq!((&node["status"], &node["votes"], &node["slots"]), (&"active".into(), &true.into(), &256.into()));
        assert!(status["version"].as_u64().unwrap() > version, "each process of a node is known by another entry");
        version = status["version"].as_u64().unwrap();
        let text = String::from_utf8(desk.run(&["cluster", "status"]).stdout).unwrap();
        assert!(text.contains("leads") && text.contains("256 slots, 0 of them moving"), "{text}");
        assert!(desk.refusal(&["cluster", "token"]).contains("has a store of its own"));
        assert!(desk.refusal(&["cluster", "drain", "1"]).contains("no other node"));
        assert!(desk.refusal(&["cluster", "remove", "9"]).contains("there is no node 9"));
        drop(running);
    }
    assert_eq!(std::fs::read(desk.path("data/cluster/authority.key")).unwrap(), key);
}

#[test]
fn a_node_that_may_not_join_is_told_why_in_one_sentence() {
    let desk = Desk::new();
    assert!(desk.refusal(&["cluster", "status"]).contains("no node runs on"));
    let last = |output: Output| String::from_utf8(output.stderr).unwrap().lines().last().unwrap().to_owned();
    let refused = |token: &str| {
        std::fs::write(desk.path("token"), token).unwrap();
        let output = desk.run(&["serve", "--join", "127.0.0.1:1", "--token-file", "token"]);
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        last(output)
    };
    assert!(refused("let me in").contains("this is no token to join by"));
    let token = format!("hubbub-join 127.0.0.1:1 {} {}\n", "00".repeat(32), "11".repeat(32));
    let told = refused(&token);
    assert!(told.contains("this one has a store of its own") && !told.contains("1111"), "{told}");
    assert!(!desk.path("data/cluster").exists(), "it may still begin a group of its own");
    assert!(last(desk.command(&["serve"]).env("HUBBUB_CLUSTER_JOIN", "127.0.0.1:1").output().unwrap()).contains("needs a token"));
    assert!(desk.refusal(&["serve", "--token-file", "nowhere"]).contains("the token in nowhere cannot be read"));
    let listen = desk.command(&["config", "check"]).env("HUBBUB_CLUSTER_LISTEN", "here").output().unwrap();
    assert!(last(listen).contains("is no address and port"));
}
