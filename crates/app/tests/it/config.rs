//! Settings as an operator meets them: checked, printed, obeyed, refused.

use std::process::{Command, Output};

use serde_json::json;
use signalpost_testkit::{HttpClient, Request, Server, TempDir};

use crate::{PATIENCE, options};

/// Runs a command with nothing of ours in its environment but this.
fn run(arguments: &[&str], environment: &[(&str, &str)]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_signalpost"));
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("SIGNALPOST_"))
    {
        command.env_remove(name);
    }
    command.args(arguments).envs(environment.iter().copied()).output().unwrap()
}

fn written(folder: &TempDir, text: &str) -> String {
    let path = folder.path().join("signalpost.toml");
    std::fs::write(&path, text).unwrap();
    path.display().to_string()
}

#[test]
fn a_configuration_is_checked_without_starting_anything() {
    let folder = TempDir::new().unwrap();
    let data = folder.path().join("data");
    let file = written(&folder, &format!("data = {:?}\n[retention]\nevents = '90d'\n", data));
    let good = run(&["config", "check", "--config", &file], &[]);
    assert!(good.status.success(), "{good:?}");
    assert!(!data.exists(), "nothing was made");

    let file = written(&folder, "publik = '1'\n[tls.public]\ncertificate = 'a'\nkey = 'b'\n");
    let bad = run(&["config", "check"], &[("SIGNALPOST_CONFIG", &file), ("SIGNALPOST_OPERATOR", "x")]);
    assert_eq!(bad.status.code(), Some(1));
    let said = String::from_utf8(bad.stderr).unwrap();
    for part in [
        &format!("{file}:1: unknown key `publik`; did you mean `public`?"),
        "SIGNALPOST_OPERATOR: `x` is not an address",
    ] {
        assert!(said.contains(part), "{said}");
    }
    let file = written(&folder, "[tls.public]\ncertificate = 'nowhere.pem'\nkey = 'b'\n");
    let bad = run(&["config", "check", "--config", &file], &[]);
    assert_eq!(bad.status.code(), Some(1));
    assert!(String::from_utf8(bad.stderr).unwrap().contains("nowhere.pem cannot be read"));
    let gone = run(&["serve", "--config", "/nonexistent/a.toml"], &[]);
    assert!(String::from_utf8(gone.stderr).unwrap().contains("/nonexistent/a.toml cannot be read"));
}

#[test]
fn what_is_printed_can_be_checked_and_shows_no_secret() {
    let folder = TempDir::new().unwrap();
    let secret = "a-secret-that-nobody-may-see";
    let environment = [("SIGNALPOST_OPERATOR_KEY", secret), ("SIGNALPOST_RETENTION_BYTES", "1TiB")];
    let data = folder.path().join("data").display().to_string();
    let printed = run(&["config", "print", "--data", &data, "--public-connections", "9"], &environment);
    assert!(printed.status.success(), "{printed:?}");
    let text = String::from_utf8(printed.stdout).unwrap();
    assert!(text.contains("bytes = \"1TiB\"  # from SIGNALPOST_RETENTION_BYTES\n"), "{text}");
    assert!(text.contains("public_connections = 9  # from --public-connections\n"), "{text}");
    let file = written(&folder, &text);
    assert!(run(&["config", "check", "--config", &file], &[]).status.success());
    let json = run(&["config", "print", "--json", "--config", &file], &environment);
    let json: serde_json::Value = serde_json::from_slice(&json.stdout).unwrap();
    assert_eq!(json["settings"]["data"]["value"], json!(data));
    assert_eq!(json["settings"]["retention.bytes"]["from"], json!("SIGNALPOST_RETENTION_BYTES"));
    assert_eq!(json["secrets"]["SIGNALPOST_OPERATOR_KEY"], json!("set, from SIGNALPOST_OPERATOR_KEY"));
    assert!(!text.contains(secret) && !json.to_string().contains(secret));
}

#[test]
fn a_platform_serves_a_shape_under_its_own_names() {
    let folder = TempDir::new().unwrap();
    let file = written(
        &folder,
        "[[dialect]]\nshape = 'sigmamind'\nname = 'acme'\nbase_path = '/acme/v1'\napi_key_header = 'X-Acme'\n\
         api_key_prefix = 'acme_'\n",
    );
    let server = Server::start(options(&["--config", &file]), PATIENCE).unwrap();
    let mut operator = server.operator();
    let workspace = operator.create_workspace(&json!({"dialect": "acme", "name": "a"})).unwrap();
    let key = operator.create_credential(&workspace).unwrap();
    assert!(key.starts_with("acme_"));
    let mut customer = HttpClient::new(server.public(), PATIENCE);
    let list = Request::new("GET", "/acme/v1/webhooks").header("x-acme", &key);
    assert_eq!(customer.send(&list).unwrap().status, 200);
    assert_eq!(customer.send(&Request::new("GET", "/v1/webhooks")).unwrap().status, 404, "not listed");
}

#[test]
fn a_database_whose_master_key_is_gone_does_not_start() {
    let mut server = Server::start(options(&[]), PATIENCE).unwrap();
    assert!(server.stop(PATIENCE).unwrap().success());
    let key = server.data().join("master.key");
    let kept = std::fs::read(&key).unwrap();
    std::fs::remove_file(&key).unwrap();
    server.launch().unwrap();
    let error = server.wait_ready(PATIENCE).unwrap_err();
    assert!(error.contains("holds a database but no master key"), "{error}");
    assert!(!key.exists(), "no new key was made");
    server.kill().unwrap();
    std::fs::write(&key, kept).unwrap();
    server.launch().unwrap();
    server.wait_ready(PATIENCE).unwrap();
}

#[test]
fn keys_come_from_files_that_variables_name() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("master");
    std::fs::write(&path, format!("{}\n", "ab".repeat(32))).unwrap();
    let mut given = options(&[]);
    given.environment = vec![("SIGNALPOST_MASTER_KEY_FILE".to_owned(), path.display().to_string())];
    let server = Server::start(given.clone(), PATIENCE).unwrap();
    assert!(!server.data().join("master.key").exists(), "none was made");
    given.environment.push(("SIGNALPOST_MASTER_KEY".to_owned(), "ab".repeat(32)));
    let error = Server::start(given, PATIENCE).map(drop).unwrap_err();
    assert!(error.contains("both SIGNALPOST_MASTER_KEY and SIGNALPOST_MASTER_KEY_FILE are set"), "{error}");
}

/// Whoever runs its server from a file need not say again where its data is and where it listens.
#[test]
fn every_command_about_a_server_reads_its_file() {
    let server = Server::start(options(&[]), PATIENCE).unwrap();
    let folder = TempDir::new().unwrap();
    let (data, operator) = (server.data().display().to_string(), server.operator_address().to_string());
    let file = written(&folder, &format!("data = {data:?}\noperator = {operator:?}\n"));
    let backup = folder.path().join("backup").display().to_string();
    let key = [("SIGNALPOST_OPERATOR_KEY", server.operator_key())];
    for command in [
        &["backup", "--to", backup.as_str()][..],
        &["db", "check", "--json"],
        &["keys", "list"],
        &["keys", "list", "--operator", operator.as_str(), "--data", "/nonexistent"],
    ] {
        let done = run(&[command, &["--config", &file]].concat(), &key);
        assert!(done.status.success(), "{command:?}: {}", String::from_utf8_lossy(&done.stderr));
    }
    let elsewhere = ["db", "check", "--data", "/nonexistent", "--config", &file];
    assert!(!run(&elsewhere, &[]).status.success(), "a flag wins over the file");
    let secured =
        written(&folder, &format!("data = {data:?}\n[tls.operator]\ncertificate = 'a'\nkey = 'b'\n"));
    let refused = run(&["keys", "list", "--config", &secured], &key);
    assert!(String::from_utf8(refused.stderr).unwrap().contains("speaks TLS"), "said plainly");
}
