//! What an operator does at a shell, and what lies on the disk meanwhile and afterwards.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;
use signalpost_testkit::TempDir;

use super::house::{House, OPERATOR_KEY};
use crate::PATIENCE;

const COMMANDS: &str = "commands";
const SHORT_KEY: &str = "canary-short";
const BAD_MASTER_KEY: &str = "canary-no-master-key-18c5f2";
const DATABASE_PASSWORD: &str = "canary-database-password-b2e7";
/// A command and its environment.
type Refused<'a> = (&'a [&'a str], &'a [(&'a str, &'a str)]);

/// Takes the place of the generated one.
const NEXT_MASTER_KEY: &str = "c0ffee00c0ffee11c0ffee22c0ffee33c0ffee44c0ffee55c0ffee66c0ffee77";

/// The key that was generated at the first start, as text and as bytes.
pub(super) fn plant_master_key(house: &mut House) {
    let text = fs::read_to_string(house.server.data().join("master.key")).unwrap();
    let text = text.trim();
    let digits: Vec<char> = text.chars().collect();
    let byte = |pair: &[char]| u8::from_str_radix(&pair.iter().collect::<String>(), 16).unwrap();
    house.book.plant("master key", text);
    house.book.plant("bytes of the master key", digits.chunks(2).map(byte).collect::<Vec<u8>>());
    house.book.plant("next master key", NEXT_MASTER_KEY);
}

pub(super) fn run(house: &mut House) {
    let folder = TempDir::new().unwrap();
    for (name, secret) in [
        ("short operator key", SHORT_KEY),
        ("bad master key", BAD_MASTER_KEY),
        ("database password", DATABASE_PASSWORD),
    ] {
        house.book.plant(name, secret);
    }
    while_it_runs(house, folder.path());
    look_at_files(house, "data directory");
    assert!(house.server.stop(PATIENCE).unwrap().success());
    look_at_files(house, "data directory");
    mistakes(house);
    seal_anew(house);
    look_at_files(house, "data directory");
}

fn while_it_runs(house: &mut House, folder: &Path) {
    let operator = house.server.operator_address().to_string();
    for (place, to, flags) in [("backup", "one", &[][..]), ("backup with keys", "two", &["--with-keys"])] {
        let to = folder.join(to);
        let arguments = ["backup", "--to", to.to_str().unwrap(), "--json"];
        done(house, &[&arguments[..], flags].concat(), &[]);
        for file in files(&to) {
            house.book.say(place, fs::read(file).unwrap());
        }
    }
    let of_server = ["--operator", &operator];
    for command in [&["keys", "list"][..], &["keys", "list", "--json"], &["keys", "revoke", "opk_none"]] {
        let output = signalpost(house, &[command, &of_server].concat(), &[]);
        tell(house, &output);
    }
    for command in
        [&["config", "print"][..], &["config", "print", "--json"], &["config", "check"], &["db", "check"]]
    {
        done(house, command, &[]);
    }
}

/// Secrets that cannot be used are refused, and not printed.
fn mistakes(house: &mut House) {
    // Nobody listens there.
    let url = format!("postgres://signalpost:{DATABASE_PASSWORD}@localhost:1/x");
    let other = format!("mysql://signalpost:{DATABASE_PASSWORD}@localhost/x");
    let refused: [Refused<'_>; 8] = [
        (&["config", "check"], &[("SIGNALPOST_OPERATOR_KEY", SHORT_KEY)]),
        (&["serve", "--log", "trace"], &[("SIGNALPOST_MASTER_KEY", BAD_MASTER_KEY)]),
        (&["config", "check"], &[("SIGNALPOST_MASTER_KEY", BAD_MASTER_KEY)]),
        (&["config", "check"], &[("SIGNALPOST_DATABASE_URL", &other)]),
        (&["serve", "--log", "trace"], &[("SIGNALPOST_DATABASE_URL", &url)]),
        (&["keys", "rewrap"], &[("SIGNALPOST_DATABASE_URL", &url)]),
        (&["serve", "--database-url", &url], &[]),
        (&["serve", "--log", "trace"], &[("SIGNALPOST_MASTER_KEY", NEXT_MASTER_KEY)]),
    ];
    for (command, environment) in refused {
        let output = signalpost(house, command, environment);
        tell(house, &output);
        assert!(!output.status.success(), "{command:?}");
    }
    for command in [&["config", "print"][..], &["config", "print", "--json"]] {
        let output = signalpost(house, command, &[("SIGNALPOST_DATABASE_URL", &url)]);
        tell(house, &output);
    }
}

/// The master key is changed, and the server goes on with the new one.
fn seal_anew(house: &mut House) {
    let key_file = house.server.data().join("master.key");
    let before = fs::read_to_string(&key_file).unwrap();
    let ring = format!("2:{NEXT_MASTER_KEY},{}", before.trim());
    done(house, &["keys", "rewrap", "--json"], &[("SIGNALPOST_MASTER_KEY", &ring)]);
    fs::write(&key_file, format!("2:{NEXT_MASTER_KEY}\n")).unwrap();
    house.server.launch().unwrap();
    house.server.wait_ready(PATIENCE).unwrap();
    house.operator("lists", "GET", "/v1/workspaces", &Value::Null);
    house.server.kill().unwrap();
}

/// Key files apart, for nobody else may read them.
fn look_at_files(house: &mut House, place: &'static str) {
    for file in files(&house.server.data()) {
        let is_key = file.extension().is_some_and(|extension| extension == "key");
        let mode = fs::metadata(&file).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{}", file.display());
        house.book.say(if is_key { "key files" } else { place }, fs::read(file).unwrap());
    }
}

fn files(folder: &Path) -> Vec<std::path::PathBuf> {
    let files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(files.iter().any(|file| file.ends_with("signalpost.db")), "{files:?}");
    files
}

fn signalpost(house: &House, arguments: &[&str], environment: &[(&str, &str)]) -> Output {
    let mut process = Command::new(env!("CARGO_BIN_EXE_signalpost"));
    process.args(arguments).env("SIGNALPOST_OPERATOR_KEY", OPERATOR_KEY);
    process.env("SIGNALPOST_DATA", house.server.data()).env_remove("SIGNALPOST_MASTER_KEY");
    process.envs(environment.iter().copied()).output().unwrap()
}

#[track_caller]
fn done(house: &mut House, arguments: &[&str], environment: &[(&str, &str)]) {
    let output = signalpost(house, arguments, environment);
    tell(house, &output);
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
}

fn tell(house: &mut House, output: &Output) {
    house.book.say(COMMANDS, &output.stdout);
    house.book.say(COMMANDS, &output.stderr);
}
