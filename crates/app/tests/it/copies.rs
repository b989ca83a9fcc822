//! `backup` and `restore` as an operator runs them: what becomes of keys.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::{Value, json};
use signalpost_testkit::{HttpClient, Request, Server, TempDir};

use crate::{PATIENCE, options, start};

pub(crate) fn signalpost(command: &str, arguments: &[(&str, &Path)], flags: &[&str]) -> Output {
    let mut process = Command::new(env!("CARGO_BIN_EXE_signalpost"));
    process.arg(command);
    for (flag, path) in arguments {
        process.arg(flag).arg(path);
    }
    process.args(flags).env_remove("SIGNALPOST_OPERATOR_KEY").env_remove("SIGNALPOST_MASTER_KEY");
    process.output().unwrap()
}

#[track_caller]
pub(crate) fn done(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout.clone()).unwrap()
}

#[track_caller]
fn refused(output: &Output) -> String {
    assert!(!output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// A backup with its keys of a server that has a workspace with a credential; gives the credential's secret.
fn backed_up(folder: &Path) -> String {
    let server = start(&[]);
    let mut operator = server.operator();
    let workspace = operator.create_workspace(&json!({"dialect": "sigmamind", "name": "a"})).unwrap();
    let credential = operator.create_credential(&workspace).unwrap();
    // The test kit gives its key in the environment, so it is in no file.
    fs::write(server.data().join("operator.key"), "an operator key of the test\n").unwrap();
    done(&signalpost("backup", &[("--data", &server.data()), ("--to", folder)], &["--with-keys"]));
    credential
}

#[test]
fn a_key_that_lies_ready_is_equal_or_stops_the_restore_before_it_begins() {
    let folder = TempDir::new().unwrap();
    let (backup, data) = (folder.path().join("backup"), folder.path().join("data"));
    backed_up(&backup);
    let arguments: [(&str, &Path); 2] = [("--from", &backup), ("--data", &data)];
    fs::create_dir(&data).unwrap();
    fs::write(data.join("master.key"), "another").unwrap();
    let said = refused(&signalpost("restore", &arguments, &[]));
    assert!(said.contains("master.key in") && said.contains("is not the one in"), "{said}");
    let left: Vec<_> = fs::read_dir(&data).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["master.key"], "nothing was begun");
    fs::copy(backup.join("master.key"), data.join("master.key")).unwrap();
    let report: Value = serde_json::from_str(&done(&signalpost("restore", &arguments, &["--json"]))).unwrap();
    assert_eq!(report["keys"], json!(["operator.key", "master.key"]));
    assert_eq!(report["sequences_advanced_by"], 1 << 20);
    for key in ["operator.key", "master.key"] {
        assert_eq!(fs::read(data.join(key)).unwrap(), fs::read(backup.join(key)).unwrap());
    }
    let manifest = fs::read_to_string(backup.join("manifest.json")).unwrap();
    let mut old: Value = serde_json::from_str(&manifest).unwrap();
    old["created_at"] = json!("2020-01-01T00:00:00.000Z");
    fs::write(backup.join("manifest.json"), old.to_string()).unwrap();
    let later = folder.path().join("later");
    let report = done(&signalpost("restore", &[("--from", &backup), ("--data", &later)], &["--json"]));
    let report: Value = serde_json::from_str(&report).unwrap();
    let years = 5 * 365 * 24 * 3_600;
    assert!(report["sequences_advanced_by"].as_i64() > Some(years * 100_000), "as old as it is: {report}");
    let again = refused(&signalpost("backup", &[("--data", &data), ("--to", &backup)], &["--with-keys"]));
    assert!(again.contains("is not empty"), "{again}");
}

#[test]
fn a_restore_can_revoke_every_key_that_was_made_before() {
    let folder = TempDir::new().unwrap();
    let backup = folder.path().join("backup");
    let credential = backed_up(&backup);
    let opens = |data: &Path| {
        let mut server = Server::new(options(&[])).unwrap();
        fs::create_dir_all(server.data()).unwrap();
        for file in ["signalpost.db", "master.key"] {
            fs::copy(data.join(file), server.data().join(file)).unwrap();
        }
        server.launch().unwrap();
        server.wait_ready(PATIENCE).unwrap();
        let request = Request::new("GET", "/v1/webhooks").header("x-api-key", &credential);
        HttpClient::new(server.public(), PATIENCE).send(&request).unwrap().status
    };
    let restore =
        |data: &Path, flags: &[&str]| signalpost("restore", &[("--from", &backup), ("--data", data)], flags);
    let (as_it_was, revoked) = (folder.path().join("one"), folder.path().join("two"));
    let said = done(&restore(&as_it_was, &[]));
    assert!(said.contains("1 credentials of customers and 0 users are as they were then"), "{said}");
    assert_eq!(opens(&as_it_was), 200);
    let said = done(&restore(&revoked, &["--revoke-keys"]));
    assert!(said.contains("1 credentials of customers and 0 users were revoked"), "{said}");
    assert!(!revoked.join("operator.key").exists() && revoked.join("master.key").exists());
    assert_eq!(opens(&revoked), 401);
    let ready = folder.path().join("three");
    fs::create_dir(&ready).unwrap();
    fs::copy(backup.join("operator.key"), ready.join("operator.key")).unwrap();
    let said = refused(&restore(&ready, &["--revoke-keys"]));
    assert!(said.contains("is the backup's, which is to be revoked"), "{said}");
}
