//! Ids that are numbers are given once: however often the server is killed while it gives them, and after a restore of
//! what was backed up before some of them.

use std::collections::BTreeMap;
use std::fs;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};
use signalpost_testkit::{Request, Server, TempDir, wait_for};

use super::{Chain, Session, new_webhook};
use crate::copies::{done, signalpost};
use crate::{PATIENCE, options, start};

const CYCLES: usize = 5;
const CREATORS: usize = 4;
/// Rounds of creating that are acknowledged before the server is killed, in the midst of others.
const ROUNDS: usize = 40;

/// Ids by what they are of.
#[derive(Default)]
struct Given(Mutex<BTreeMap<&'static str, Vec<i64>>>);

impl Given {
    fn note(&self, kind: &'static str, id: &Value) {
        let number = id.as_str().map_or_else(|| id.as_i64(), |text| text.parse().ok());
        let number = number.unwrap_or_else(|| panic!("{id} is no number"));
        self.0.lock().unwrap().entry(kind).or_default().push(number);
    }

    /// All are new, and higher than any before.
    fn check_and_add_to(self, before: &mut BTreeMap<&'static str, i64>) {
        for (kind, mut ids) in self.0.into_inner().unwrap() {
            let count = ids.len();
            ids.sort_unstable();
            ids.dedup();
            assert_eq!(ids.len(), count, "a {kind} id was given twice");
            let highest = before.entry(kind).or_default();
            assert!(ids[0] > *highest, "{kind} {} comes after {highest}", ids[0]);
            *highest = ids[count - 1];
        }
    }
}

/// Creates one of each kind, and deletes what can be, so that the highest number in use is below the highest given.
/// `None` when the server is gone.
fn create_one_each(chain: &Chain, session: &Session, given: &Given) -> Option<()> {
    let mut client = chain.client();
    let mut call = |call: (&str, &str), parameters: &Value| {
        let answer = chain.call(&mut client, session, call, parameters)?;
        assert_eq!(answer.status, 200, "{}", answer.text());
        Some(answer.json()["results"].clone())
    };
    let webhook = call(("POST", "add-webhook"), &new_webhook("https://example.com/hook"))?;
    let webhook = &webhook["webhook"]["id"];
    given.note("webhook", webhook);
    call(("DELETE", "delete-webhook"), &json!({"id": webhook}))?;
    let signature = call(("POST", "add-webhook-signature"), &json!({}))?;
    let signature = &signature["webhook_signature"]["id"];
    given.note("signature", signature);
    call(("DELETE", "delete-webhook-signature"), &json!({"id": signature}))?;
    let mut operator = chain.operator();
    let new_chain = json!({"dialect": "spaaza", "name": "n"});
    let made = operator.send(Request::new("POST", "/v1/workspaces").json(&new_chain)).ok()?;
    assert_eq!(made.status, 201, "{}", made.text());
    given.note("chain", &made.json()["id"]);
    let path = format!("/v1/workspaces/{}", made.json()["id"].as_str()?);
    operator.send(Request::new("DELETE", &path)).ok().map(drop)
}

/// A user, who is gone again at once.
fn create_user(chain: &Chain, given: &Given) {
    let path = format!("/v1/workspaces/{}/credentials", chain.id);
    let mut operator = chain.operator();
    let made = operator.post(&path, &json!({"name": "n"})).unwrap();
    given.note("user", &made["user_id"]);
    let right = made["id"].as_str().unwrap();
    assert_eq!(operator.send(Request::new("DELETE", &format!("{path}/{right}"))).unwrap().status, 204);
}

#[test]
fn no_id_is_given_twice_however_often_the_server_is_killed() {
    let mut server = start(&[]);
    let chain = Chain::new(&server, &json!({}));
    let session = chain.new_user().session;
    let mut highest = BTreeMap::new();
    for _ in 0..CYCLES {
        let (given, rounds) = (Given::default(), AtomicUsize::new(0));
        create_user(&chain, &given);
        std::thread::scope(|scope| {
            for _ in 0..CREATORS {
                scope.spawn(|| {
                    while create_one_each(&chain, &session, &given).is_some() {
                        rounds.fetch_add(1, Ordering::SeqCst);
                    }
                });
            }
            let enough = || rounds.load(Ordering::SeqCst) >= ROUNDS;
            let waited = wait_for("ids to be given", PATIENCE, enough);
            server.kill().unwrap();
            waited.unwrap();
        });
        given.check_and_add_to(&mut highest);
        server.launch().unwrap();
        server.wait_ready(PATIENCE).unwrap();
    }
    assert_eq!(highest.len(), 4);
}

#[test]
fn what_was_given_after_a_backup_is_not_given_again_after_its_restore() {
    let folder = TempDir::new().unwrap();
    let (backup, data) = (folder.path().join("backup"), folder.path().join("data"));
    let server = start(&[]);
    let chain = Chain::new(&server, &json!({}));
    let session = chain.new_user().session;
    let before = Given::default();
    create_one_each(&chain, &session, &before).unwrap();
    done(&signalpost("backup", &[("--data", &server.data()), ("--to", &backup)], &["--with-keys"]));
    for _ in 0..20 {
        create_one_each(&chain, &session, &before).unwrap();
        create_user(&chain, &before);
    }
    let mut highest = BTreeMap::new();
    before.check_and_add_to(&mut highest);

    // The test kit gives its key in the environment, so the backup holds none.
    done(&signalpost("restore", &[("--from", &backup), ("--data", &data)], &[]));
    let mut restored = Server::new(options(&[])).unwrap();
    fs::create_dir_all(restored.data()).unwrap();
    for file in ["signalpost.db", "master.key"] {
        fs::copy(data.join(file), restored.data().join(file)).unwrap();
    }
    restored.launch().unwrap();
    restored.wait_ready(PATIENCE).unwrap();
    let chain = Chain { public: restored.public(), operator: restored.operator_address(), ..chain };
    let after = Given::default();
    create_one_each(&chain, &session, &after).unwrap();
    create_user(&chain, &after);
    after.check_and_add_to(&mut highest);
    assert!(highest.values().all(|id| *id < 1 << 53), "a number of JSON says them exactly: {highest:?}");
}
