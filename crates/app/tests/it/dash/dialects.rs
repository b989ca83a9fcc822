//! Pages of webhooks in every dialect: what each offers, and that it does no more.

use std::io::Write;
use std::net::TcpStream;

use serde_json::json;
use signalpost_testkit::wait_for;

use super::Stage;
use super::browser::Browser;
use super::webhooks::fill;
use crate::PATIENCE;

/// Every dialect, with what makes a webhook of it beside the URL.
const DIALECTS: [(&str, &str); 5] = [
    ("native", "events="),
    ("sigmamind", "name=n&subject=agent_1&event%3Aconversation_ended=on"),
    ("opentrain", "event%3Aproposal.received=on"),
    ("opentrain-partner", "event%3Acontract.started=on"),
    ("spaaza", "event=shopper.voucher-issued"),
];

fn encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

/// What stands between the two, as a browser reads it.
fn between(page: &str, before: &str, after: &str) -> String {
    let (_, rest) = page.split_once(before).unwrap_or_else(|| panic!("no {before}: {page}"));
    let (found, _) = rest.split_once(after).unwrap_or_else(|| panic!("no {after}: {page}"));
    found.replace("&quot;", "\"").replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
}

impl Stage {
    /// Makes a webhook to a path of the receiver by the form; gives the address of its page.
    fn made(&mut self, root: &mut Browser, workspace: &str, fields: &str, path: &str) -> String {
        let form = format!("/dash/workspaces/{workspace}/webhooks");
        let fields = format!("url={}&{fields}", encoded(&self.receiver.url(path)));
        let (status, to, page) = fill(root, &form, &fields);
        assert_eq!(status, 303, "{fields}: {page}");
        to
    }
}

/// The form is sent as it is shown.
#[test]
fn a_test_event_arrives_in_every_dialect() {
    let mut stage = Stage::set();
    let mut root = stage.root();
    for (dialect, fields) in DIALECTS {
        let workspace = stage.of_dialect(dialect, &json!({}));
        let own = stage.made(&mut root, &workspace, fields, "/200");
        let form = format!("{own}/test");
        let page = root.page(&form);
        let data = between(&page, "<textarea id=\"f-data\"", "</textarea>");
        let (_, data) = data.split_once('>').unwrap();
        let event_type = match page.contains("<select id=\"f-type\"") {
            true => between(&page, "<option value=\"", "\" selected>").rsplit('"').next().unwrap().to_owned(),
            false => "test.event".to_owned(),
        };
        let (status, to, page) = fill(&mut root, &form, &format!("type={event_type}&data={}", encoded(data)));
        assert_eq!(status, 303, "{dialect}: {page}");
        let arrived = || root.page(&to).contains("That delivered it");
        wait_for(&format!("the test event of {dialect}"), PATIENCE, arrived).unwrap();
    }
}

#[test]
fn a_test_event_may_be_as_large_as_a_published_one() {
    const EVENT_BYTES_MAX: usize = 1024 * 1024;
    let mut stage = Stage::set();
    let webhook = stage.webhook("/200", &json!({}));
    let mut root = stage.root();
    let form = format!("/dash/workspaces/{}/webhooks/{webhook}/test", stage.workspace);
    let of = |bytes: usize| format!("type=a&data=%22{}%22", "%41".repeat(bytes - 2));
    let (status, to, page) = fill(&mut root, &form, &of(EVENT_BYTES_MAX));
    assert_eq!(status, 303, "{page}");
    let arrived = || root.page(&to).contains("That delivered it");
    wait_for("the large test event", PATIENCE, arrived).unwrap();
    let (status, _, page) = fill(&mut root, &form, &of(EVENT_BYTES_MAX + 1));
    assert!(status == 400 && page.contains("must be at most"), "{status}");
    let edit = format!("/dash/workspaces/{}/webhooks/{webhook}/edit", stage.workspace);
    assert_eq!(fill(&mut root, &edit, &format!("name={}", "n".repeat(70_000))).0, 413, "others stay small");
}

/// A refusal gives the form back with what was typed, and says what has no field there.
#[test]
fn a_test_event_that_is_refused_is_not_lost() {
    let mut stage = Stage::set();
    let mut root = stage.root();
    let workspace = stage.of_dialect("opentrain", &json!({}));
    let own = stage.made(&mut root, &workspace, "event%3Aproposal.received=on", "/200");
    let typed = "type=proposal.received&data=%7B%22mine%22%3A1%7D";
    let (status, _, page) = fill(&mut root, &format!("{own}/test"), typed);
    assert!(status == 400 && page.contains("&quot;mine&quot;") && page.contains("is required"), "{page}");
    let webhook = stage.webhook("/200", &json!({"active": false}));
    let form = format!("/dash/workspaces/{}/webhooks/{webhook}/test", stage.workspace);
    let (status, _, page) = fill(&mut root, &form, "type=a&data=%7B%22mine%22%3A1%7D");
    assert!(status == 409 && page.contains("&quot;mine&quot;"), "{status}: {page}");
}

/// A request of the others carries one signature, so a secret that was replaced signs nothing any more.
#[test]
fn only_where_requests_carry_two_signatures_an_old_secret_signs_as_well() {
    let mut stage = Stage::set();
    let mut root = stage.root();
    for (dialect, fields) in DIALECTS.into_iter().filter(|(dialect, _)| *dialect != "spaaza") {
        let workspace = stage.of_dialect(dialect, &json!({}));
        let own = stage.made(&mut root, &workspace, fields, "/200");
        let overlaps = dialect == "native";
        assert_eq!(root.page(&own).contains("signs as well"), overlaps, "{dialect}");
        assert_eq!(root.page(&own).contains("must take the new one at once"), !overlaps, "{dialect}");
        let rotate = format!("{own}/secret/rotate");
        let promised = fill(&mut root, &rotate, "overlap_s=3600").0;
        assert_eq!(promised, if overlaps { 200 } else { 400 }, "{dialect}");
        let at_once = if overlaps { "overlap_s=0" } else { "" };
        let (status, _, page) = fill(&mut root, &rotate, at_once);
        assert_eq!(status, 200, "{dialect}: {page}");
        let promises = root.page(&own).contains("One before it signs as well");
        assert_eq!(promises, overlaps, "{dialect}");
    }
}

/// What a contract keeps its customers from, operators do not do on its pages either; but they see and replace secrets.
#[test]
fn operators_keep_to_the_dialect_but_for_secrets() {
    let mut stage = Stage::set();
    let mut root = stage.root();
    let workspace = stage.of_dialect("opentrain", &json!({}));
    let own = stage.made(&mut root, &workspace, "event%3Aproposal.received=on", "/200");
    let page = root.page(&own);
    assert!(
        !page.contains("Switch off") && !page.contains(">Change</a>") && page.contains("Show it"),
        "{page}"
    );
    assert_eq!(root.get(&format!("{own}/edit")).status, 403);
    for (form, fields, expected) in [
        ("edit", "url=https%3A%2F%2Fb.example%2F", 403),
        ("switch", "to=off", 403),
        ("secret", "", 200),
        ("secret/rotate", "", 200),
    ] {
        assert_eq!(fill(&mut root, &format!("{own}/{form}"), fields).0, expected, "{form}");
    }
}

/// Where a pause drops what is pending, it is told how much before anything is dropped.
#[test]
fn nothing_is_dropped_before_it_was_told_how_much() {
    let mut stage = Stage::set();
    let mut root = stage.root();
    let webhook = stage.webhook("/500", &json!({}));
    for number in 0..3 {
        let event = stage.publish(&json!({"number": number}));
        stage.delivery(&event, &webhook, 1);
    }
    let workspace = stage.workspace.clone();
    let own = format!("/dash/workspaces/{workspace}/webhooks/{webhook}");
    assert!(root.page(&format!("{own}/delete")).contains("Switched off instead, it drops the same"));
    let (status, _, page) = fill(&mut root, &format!("{own}/switch"), "to=off");
    assert!(status == 200 && page.contains("3 deliveries that are pending are"), "{status}: {page}");
    assert_eq!(stage.shown(&workspace, &webhook)["status"], "active");
    assert!(root.page(&own).contains("retrying<"), "nothing was dropped");
    assert!(page.contains("name=\"drop\" value=\"yes\""), "{page}");
    assert_eq!(fill(&mut root, &format!("{own}/switch"), "to=off&drop=yes").0, 303);
    assert_eq!(stage.shown(&workspace, &webhook)["status"], "disabled");
    let workspace = stage.of_dialect("opentrain-partner", &json!({}));
    let own = stage.made(&mut root, &workspace, "event%3Acontract.started=on", "/500");
    let event = json!({"type": "contract.started", "resourceId": "r", "data": {}});
    stage.operator.publish(&workspace, &event).unwrap();
    let waits = || root.page(&own).contains("retrying<");
    wait_for("the delivery to wait", PATIENCE, waits).unwrap();
    assert!(root.page(&format!("{own}/delete")).contains("what is pending waits"));
    assert_eq!(fill(&mut root, &format!("{own}/switch"), "to=off").0, 303, "nothing would be dropped");
}

/// A page does not carry a password, so after a refusal there must not be a webhook without a login that was to have one.
#[test]
fn a_login_is_whole_or_refused() {
    let stage = Stage::set();
    let mut root = stage.root();
    let form = format!("/dash/workspaces/{}/webhooks", stage.workspace);
    assert!(!root.page(&form).contains("it stays as it is"));
    let url = "url=https%3A%2F%2Fa.example%2F&events=";
    let (status, _, page) = fill(&mut root, &form, "url=&user=u&password=secret-pass");
    assert!(status == 400 && page.contains("must be typed again") && !page.contains("secret-pass"), "{page}");
    for (fields, words) in [
        ("user=u&password=", "is required with this user name"),
        ("user=&password=p", "is required with a password"),
    ] {
        let (status, _, page) = fill(&mut root, &form, &format!("{url}&{fields}"));
        assert!(status == 400 && page.contains(words), "{fields}: {page}");
        assert_eq!(page.contains("typed again"), fields.contains("=p"), "{fields}");
    }
    let (status, to, _) = fill(&mut root, &form, &format!("{url}&user=u&password=p"));
    assert_eq!(status, 303);
    let edit = format!("{to}/edit");
    assert!(root.page(&edit).contains("it stays as it is"));
    let (status, _, page) = fill(&mut root, &edit, "was%3Auser=u&user=other&password=");
    assert!(status == 400 && page.contains("is required with this user name"), "{status}: {page}");
    assert_eq!(fill(&mut root, &edit, "was%3Auser=u&user=u&password=").0, 303);
    assert_eq!(fill(&mut root, &edit, "was%3Auser=u&user=other&password=q").0, 303);
}

/// Forms that may be large are held in memory whole, so there are so many at once; small ones always find their way.
#[test]
fn large_test_events_have_so_many_places() {
    let mut stage = Stage::set();
    let webhook = stage.webhook("/200", &json!({}));
    let mut root = stage.root();
    let form = format!("/dash/workspaces/{}/webhooks/{webhook}/test", stage.workspace);
    let begun = |cookie: &str| {
        let mut stream = TcpStream::connect(stage.server.operator_address()).unwrap();
        let head = format!(
            "POST {form} HTTP/1.1\r\nhost: x\r\ncookie: {cookie}\r\ncontent-type: application/x-www-form-urlencoded\r\n\
             content-length: 100000\r\n\r\nproof="
        );
        stream.write_all(head.as_bytes()).unwrap();
        stream
    };
    let cookie = root.cookie.clone().unwrap();
    let streams: Vec<TcpStream> = (0..16).map(|_| begun(&cookie)).collect();
    let large = format!("type=a&data=%22{}%22", "a".repeat(70_000));
    let mut refused = String::new();
    let full = || {
        let (status, _, page) = fill(&mut root, &form, &large);
        refused = page;
        status == 503
    };
    wait_for("all places to be taken", PATIENCE, full).unwrap();
    assert!(refused.contains("Too many large forms"), "{refused}");
    assert_eq!(fill(&mut root, &form, "type=a&data=1").0, 303, "a small one needs no place");
    drop(streams);
    let again = || fill(&mut root, &form, &large).0 == 303;
    wait_for("a place to be free again", PATIENCE, again).unwrap();
}
