//! Customers of each dialect, who do what its own API would let them do.

use serde_json::{Value, json};
use signalpost_testkit::{Answer, Receiver, Request, wait_for};

use super::Stage;
use crate::PATIENCE;
use crate::dash::browser::Browser;

/// What a dialect's customers may do with a webhook that is there.
struct Dialect {
    name: &'static str,
    /// What a webhook is made with beside the URL.
    fields: &'static str,
    changes: bool,
    switches: bool,
    sees_secret_again: bool,
}

const DIALECTS: [Dialect; 4] = [
    Dialect { name: "native", fields: "", changes: true, switches: true, sees_secret_again: true },
    Dialect {
        name: "sigmamind",
        fields: "name=n&subject=agent_1&event%3Aconversation_ended=on",
        changes: true,
        switches: true,
        sees_secret_again: false,
    },
    Dialect {
        name: "opentrain",
        fields: "event%3Aproposal.received=on",
        changes: false,
        switches: false,
        sees_secret_again: false,
    },
    Dialect {
        name: "opentrain-partner",
        fields: "event%3Acontract.started=on",
        changes: true,
        switches: true,
        sees_secret_again: false,
    },
];

/// A customer in a workspace of their own.
struct Customer {
    workspace: String,
    browser: Browser,
}

impl Customer {
    fn of(stage: &mut Stage, dialect: &str) -> Self {
        let workspace =
            stage.operator.create_workspace(&json!({"dialect": dialect, "name": dialect})).unwrap();
        let (way, mut browser) = (stage.way(&workspace, &json!({})), stage.browser());
        assert_eq!(browser.get(&way).status, 303);
        Self { workspace, browser }
    }

    fn path(&self, below: &str) -> String {
        format!("/portal/workspaces/{}{below}", self.workspace)
    }

    /// Sends a form; the status, where it leads, and the page.
    fn fill(&mut self, path: &str, fields: &str) -> (u16, String, String) {
        let proof = self.browser.proof_on(&self.path(""));
        let answered = self.browser.post(path, &format!("proof={proof}&{fields}"));
        let to = answered.header("location").unwrap_or_default().to_owned();
        (answered.status, to, answered.text())
    }

    /// Makes a webhook; the page that the form leads to, and what it shows.
    fn make(&mut self, stage: &mut Stage, url: &str, fields: &str) -> (String, String) {
        let url: String = url.bytes().map(|byte| format!("%{byte:02X}")).collect();
        let form = self.path("/webhooks");
        let (status, _, page) = self.fill(&form, &format!("url={url}&{fields}"));
        assert!(matches!(status, 200 | 303), "{status}: {page}");
        let list = stage.operator.get(&format!("/v1/workspaces/{}/webhooks", self.workspace)).unwrap();
        let id = list["data"][0]["id"].as_str().expect("a webhook").to_owned();
        (self.path(&format!("/webhooks/{id}")), page)
    }
}

fn receiver(status: u16) -> Receiver {
    Receiver::start(std::sync::Arc::new(move |_| Answer::status(status))).unwrap()
}

#[test]
fn customers_keep_to_their_dialect() {
    let mut stage = Stage::set();
    for dialect in &DIALECTS {
        let name = dialect.name;
        let mut customer = Customer::of(&mut stage, name);
        let (own, _) = customer.make(&mut stage, "https://a.example/", dialect.fields);
        let page = customer.browser.page(&own);
        assert_eq!(page.contains(">Change</a>"), dialect.changes, "{name}: {page}");
        assert_eq!(page.contains("Switch off"), dialect.switches, "{name}: {page}");
        assert_eq!(page.contains("Show it"), dialect.sees_secret_again, "{name}: {page}");
        let edit = format!("{own}/edit");
        let change = format!("url=https%3A%2F%2Fb.example%2F&{}&was%3Asubject=agent_1", dialect.fields);
        assert_eq!(customer.browser.get(&edit).status == 200, dialect.changes, "{name}");
        for (form, fields, may) in [
            ("edit", change.as_str(), dialect.changes),
            ("switch", "to=off", dialect.switches),
            ("switch", "to=on", dialect.switches),
            ("secret", "", dialect.sees_secret_again),
            ("secret/rotate", "overlap_s=0", dialect.sees_secret_again),
            ("secret/revoke-previous", "", dialect.sees_secret_again),
        ] {
            let (status, _, page) = customer.fill(&format!("{own}/{form}"), fields);
            assert_eq!(matches!(status, 200 | 303), may, "{name}: {form} {fields}: {status}: {page}");
            assert!(may || status == 403, "{name}: {form} {fields}: {status}");
        }
        let (status, ..) =
            customer.fill(&format!("{own}/delete"), &format!("id={}", own.rsplit('/').next().unwrap()));
        assert_eq!(status, 303, "{name}: everybody deletes");
    }
}

/// Where a secret is seen once, that is when its webhook is made.
#[test]
fn a_secret_that_is_seen_once_is_seen_when_it_is_made() {
    let mut stage = Stage::set();
    let receiver = receiver(200);
    for dialect in &DIALECTS {
        let mut customer = Customer::of(&mut stage, dialect.name);
        let (own, page) = customer.make(&mut stage, &receiver.url("/hook"), dialect.fields);
        let is_shown = page.contains("It is shown this once");
        assert_eq!(is_shown, !dialect.sees_secret_again, "{}: {page}", dialect.name);
        let shown =
            page.split_once("<p class=\"secret\">").map(|(_, rest)| rest.split_once("</p>").unwrap().0);
        assert_eq!(shown.is_some(), is_shown, "{}", dialect.name);
        assert!(!customer.browser.page(&own).contains("class=\"secret\""), "{}", dialect.name);
    }
}

/// The documents say that a webhook which was switched off cannot be switched on again.
#[test]
fn a_webhook_that_nobody_switches_stays_off() {
    let mut stage = Stage::set();
    let receiver = receiver(500);
    let mut customer = Customer::of(&mut stage, "opentrain");
    let (own, _) = customer.make(&mut stage, &receiver.url("/hook"), "event%3Aproposal.received=on");
    let data = json!({"proposalId": "p", "jobId": "j"});
    let event = json!({"type": "proposal.received", "resourceId": "r", "data": data});
    let batch = Value::Array(vec![event; 10]);
    stage.operator.post(&format!("/v1/workspaces/{}/events/batch", customer.workspace), &batch).unwrap();
    let off = || customer.browser.page(&own).contains("disabled: failing");
    wait_for("the webhook to be switched off", PATIENCE, off).unwrap();
    let page = customer.browser.page(&own);
    assert!(page.contains("It stays off: make another") && !page.contains("Switch on"), "{page}");
    assert_eq!(customer.fill(&format!("{own}/switch"), "to=on").0, 403);
    assert!(customer.browser.page(&own).contains("disabled: failing"));
}

#[test]
fn the_agent_of_a_webhook_stays() {
    let mut stage = Stage::set();
    let mut customer = Customer::of(&mut stage, "sigmamind");
    let (own, _) = customer.make(&mut stage, "https://a.example/", DIALECTS[1].fields);
    let edit = format!("{own}/edit");
    let page = customer.browser.page(&edit);
    assert!(page.contains("<code>agent_1</code>") && !page.contains("name=\"subject\""), "{page}");
    let (status, _, page) = customer.fill(&edit, "subject=agent_2&was%3Asubject=agent_1");
    assert!(status == 400 && page.contains("cannot be changed."), "{status}: {page}");
    assert!(page.contains("<code>agent_1</code>"), "{page}");
    assert_eq!(customer.fill(&edit, "name=another&event%3Aconversation_ended=on").0, 303);
    let page = customer.browser.page(&own);
    assert!(page.contains("agent_1") && page.contains("another"), "{page}");
}

/// An operator who takes a feature away closes every door to it.
#[test]
fn webhooks_are_closed_without_their_feature() {
    let mut stage = Stage::set();
    let mut customer = Customer::of(&mut stage, "opentrain-partner");
    let (own, _) = customer.make(&mut stage, "https://a.example/", DIALECTS[3].fields);
    let path = format!("/v1/workspaces/{}", customer.workspace);
    let taken = stage.operator.send(Request::new("PATCH", &path).json(&json!({"features": []}))).unwrap();
    assert_eq!(taken.status, 200, "{}", taken.text());
    let page = customer.browser.page(&own);
    for word in [">Change<", "Switch off", "Send a test event", ">Delete<"] {
        assert!(!page.contains(word), "{word}");
    }
    for read in ["edit", "delete", "test"] {
        assert_eq!(customer.browser.get(&format!("{own}/{read}")).status, 403, "{read}");
    }
    let webhook = own.rsplit('/').next().unwrap().to_owned();
    for (form, fields) in [
        ("edit", "url=https%3A%2F%2Fb.example%2F"),
        ("delete", &format!("id={webhook}")),
        ("test", "type=contract.started&data=%7B%7D"),
        ("switch", "to=off"),
        ("release", "order=oldest_first"),
        ("secret", ""),
        ("secret/rotate", ""),
        ("secret/revoke-previous", ""),
    ] {
        let (status, _, page) = customer.fill(&format!("{own}/{form}"), fields);
        assert!(status == 403 && page.contains("does not have the feature"), "{form}: {status}: {page}");
    }
}

/// A customer sees whether requests are signed, and has them signed with a key of the workspace.
#[test]
fn a_webhook_is_signed_with_a_key_that_its_customer_makes() {
    let mut stage = Stage::set();
    let receiver = receiver(200);
    let mut customer = Customer::of(&mut stage, "spaaza");
    let fields = "event=shopper.voucher-issued";
    let (own, _) = customer.make(&mut stage, &receiver.url("/hook"), fields);
    let page = customer.browser.page(&own);
    assert!(page.contains("<dt>Signed with</dt><dd>nothing</dd>") && !page.contains("Show it"), "{page}");
    assert_eq!(customer.fill(&format!("{own}/secret"), "").0, 409, "there is nothing to see");
    let secret_on = |page: &str| {
        let (_, rest) = page.split_once("<p class=\"secret\">").unwrap_or_else(|| panic!("{page}"));
        let (_, rest) = rest.split_once(" title=\"").unwrap_or_else(|| panic!("{page}"));
        rest.split('"').next().unwrap().to_owned()
    };
    let (status, _, page) = customer.fill(&format!("{own}/secret/rotate"), "");
    assert_eq!(status, 200, "{page}");
    let first = secret_on(&page);
    assert!(first.len() == 32 && first.bytes().all(|byte| byte.is_ascii_hexdigit()), "{first}");
    let page = customer.browser.page(&own);
    assert!(page.contains("<dt>Signed with</dt><dd>key ") && !page.contains(&first), "{page}");
    assert_eq!(secret_on(&customer.fill(&format!("{own}/secret"), "").2), first);
    let second = secret_on(&customer.fill(&format!("{own}/secret/rotate"), "").2);
    assert_ne!(second, first);
    assert_eq!(secret_on(&customer.fill(&format!("{own}/secret"), "").2), second);
    let edit = customer.browser.page(&format!("{own}/edit"));
    assert_eq!(edit.matches("<option value=\"").count(), 3, "none, and both keys: {edit}");
    let done: Vec<String> =
        stage.record().into_iter().map(|[_, action, result]| format!("{action} {result}")).collect();
    for act in ["signing_key.create done", "webhook.update done", "signing_key.view done"] {
        assert!(done.iter().any(|known| known == act), "{act}: {done:?}");
    }
    let catalogue = customer.browser.page("/portal/catalogue");
    assert!(catalogue.contains("with the key that the webhook refers to"), "{catalogue}");
    let way = stage.way(&customer.workspace, &json!({"rights": "read"}));
    let mut reader = stage.browser();
    assert_eq!(reader.get(&way).status, 303);
    let page = reader.page(&own);
    assert!(page.contains("<dd>key ") && !page.contains("Show it") && !page.contains("Sign with"), "{page}");
    let proof = reader.proof_on(&own);
    for form in ["secret", "secret/rotate"] {
        assert_eq!(reader.post(&format!("{own}/{form}"), &format!("proof={proof}")).status, 403, "{form}");
    }
}

/// The bodies as they arrive, and no data of which nobody has said what it is.
#[test]
fn the_catalogue_shows_what_arrives() {
    let mut stage = Stage::set();
    let bodies = |page: &str| -> Vec<Value> {
        let parts = page.split("<pre class=\"body\"").skip(1).map(|part| part.split_once('>').unwrap().1);
        let texts = parts.map(|part| part.split_once("</pre>").unwrap().0.replace("&quot;", "\""));
        texts.filter_map(|text| serde_json::from_str(&text).ok()).collect()
    };
    for (dialect, events, data, members) in [
        ("native", 1, json!({}), &["type", "timestamp", "data"][..]),
        (
            "sigmamind",
            3,
            json!({}),
            &["eventId", "event", "timestamp", "workspaceId", "webhookId", "agentId", "data"],
        ),
        (
            "opentrain",
            8,
            json!({"proposalId": "example", "jobId": "example"}),
            &["id", "type", "apiVersion", "createdAt", "resourceId", "jobId", "data"],
        ),
        ("spaaza", 10, json!({}), &["id", "type", "chain_id", "created", "data"]),
    ] {
        let mut customer = Customer::of(&mut stage, dialect);
        let page = customer.browser.page("/portal/catalogue");
        let shown = bodies(&page);
        assert_eq!(shown.len(), events, "{dialect}: {page}");
        for member in members {
            assert!(shown.iter().all(|body| body.get(member).is_some()), "{dialect}: {member}: {shown:?}");
        }
        assert_eq!(shown[0].as_object().unwrap().len(), members.len(), "{dialect}");
        assert_eq!(shown[0]["data"], data, "{dialect}");
        assert!(!page.contains("hello"), "{dialect}: nobody has said that");
        let alone = page.contains("its data alone");
        assert_eq!(alone, dialect == "spaaza", "{dialect}: receipts have no envelope");
    }
}
