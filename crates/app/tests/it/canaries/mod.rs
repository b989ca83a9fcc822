//! Secrets of every kind are planted in a real server, everything is done with it that is done with servers, and then they
//! are looked for in all that it said and kept: answers, errors, metrics, logs at the level of traces, database, backups.

mod book;
mod customers;
mod deliveries;
mod house;
mod mistakes;
mod receivers;
mod shell;
mod spellings;

use std::fs;

use serde_json::Value;
use signalpost_testkit::Request;

use book::Expected;
use house::House;
use receivers::Echo;

/// All that may be found, and why. What is not here is a leak, and what is here and not found makes the search doubtful.
const EXPECTED: &[Expected] = &[
    ("making", "webhook secret", "the answer that makes it shows it once"),
    ("making", "webhook secret of a customer", "the answer that makes it shows it once"),
    ("making", "own webhook secret", "the answer to whoever brought it"),
    ("making", "key of the own webhook secret", "the same, decoded"),
    ("making", "rotated webhook secret", "the answer to whoever brought it"),
    ("making", "key of the rotated webhook secret", "the same, decoded"),
    ("making", "minted operator key", "the answer that makes it shows it once"),
    ("making", "API key", "the answer that makes it shows it once"),
    ("making", "token", "the answer that makes it shows it once"),
    ("making", "password of a user", "the answer that makes a user shows it once"),
    ("making", "session key", "the answer that makes a user opens a session"),
    ("repeating", "minted operator key", "an answer is given again under its idempotency key"),
    ("logging in", "session key of a login", "the answer that opens the session"),
    (
        "reading as the contract has it",
        "shared signing key",
        "the vendor's contract shows it whenever it is read",
    ),
    (
        "reading as the contract has it",
        "password at the receiver",
        "the vendor's contract shows it whenever it is read",
    ),
    ("the receiver", "header authorization", "it is sent to the receiver: so the echo was real"),
    ("the receiver", "header x-api-key", "it is sent to the receiver: so the echo was real"),
    ("the receiver", "login at the receiver", "it is sent to the receiver: so the echo was real"),
    ("the receiver", "password at the receiver", "it is sent to the receiver: so the echo was real"),
    ("events", "data of an event", "no secret: it shows that the search sees"),
    ("data directory", "data of an event", "no secret: it shows that the search sees into the database"),
    ("backup", "data of an event", "no secret: it shows that the search sees into the backup"),
    ("backup with keys", "data of an event", "no secret: it shows that the search sees into the backup"),
    ("key files", "master key", "generated into the data directory, readable by its owner alone"),
    ("key files", "bytes of the master key", "the same, decoded"),
    ("key files", "next master key", "put there by the operator"),
    ("backup with keys", "master key", "asked for"),
    ("backup with keys", "bytes of the master key", "the same, decoded"),
];

#[expect(clippy::print_stdout, reason = "docs/proof.md says how to see these figures")]
#[test]
fn no_secret_is_said_or_kept_in_the_clear() {
    let mut house = House::open();
    let echo = Echo::start();
    shell::plant_master_key(&mut house);
    let native = deliveries::run(&mut house, &echo);
    let customers = customers::run(&mut house, &echo, &native);
    mistakes::make(&mut house, &customers.mistaken);
    look_at_lists(&mut house, [&native.workspace, &customers.workspace_of_agents, &customers.mistaken.chain]);
    shell::run(&mut house);
    house.book.say("the receiver", &*echo.heard.lock().unwrap());
    let log = fs::read(house.server.log_path()).unwrap();
    assert!(String::from_utf8_lossy(&log).contains("\"level\":\"DEBUG\""), "the log says all that it can");
    house.book.say("log", log);
    house.book.check(EXPECTED);
    println!("{} secrets in {} bytes", house.book.planted().len(), house.book.bytes());
}

/// What an operator may look at.
fn look_at_lists(house: &mut House, workspaces: [&str; 3]) {
    for workspace in workspaces {
        for list in ["", "/webhooks", "/credentials", "/deliveries"] {
            let path = format!("/v1/workspaces/{workspace}{list}");
            assert_eq!(house.operator("lists", "GET", &path, &Value::Null).status, 200, "{path}");
        }
        house.operator("events", "GET", &format!("/v1/workspaces/{workspace}/events"), &Value::Null);
    }
    for path in ["/v1/workspaces", "/v1/keys", "/v1/storage"] {
        assert_eq!(house.operator("lists", "GET", path, &Value::Null).status, 200, "{path}");
    }
    for path in ["/metrics", "/readyz", "/openapi.json", "/docs"] {
        assert_eq!(house.send_operator("open to all", Request::new("GET", path)).status, 200, "{path}");
    }
}
