//! Webhooks that are made, changed, switched, tested and deleted on pages, by the rules of each dialect.

use serde_json::{Value, json};

use super::Stage;
use super::browser::Browser;
use crate::PATIENCE;

/// Sends a form of a page with the proof of the session.
pub(super) fn fill(browser: &mut Browser, path: &str, fields: &str) -> (u16, String, String) {
    let proof = browser.proof();
    let answered = browser.post(path, &format!("proof={proof}&{fields}"));
    let to = answered.header("location").unwrap_or_default().to_owned();
    (answered.status, to, answered.text())
}

impl Stage {
    pub(super) fn shown(&mut self, workspace: &str, webhook: &str) -> Value {
        self.operator.get(&format!("/v1/workspaces/{workspace}/webhooks/{webhook}")).unwrap()
    }

    pub(super) fn of_dialect(&mut self, dialect: &str, more: &Value) -> String {
        let mut body = json!({"dialect": dialect, "name": dialect});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        self.operator.create_workspace(&body).unwrap()
    }
}

pub(super) fn last(path: &str) -> String {
    path.rsplit('/').next().unwrap().to_owned()
}

/// What is wrong with the first field of which something is, as it is said there, and as it is listed above the form.
fn said_of_a_field(page: &str) -> (&str, &str) {
    let between = |begin, end| page.split_once(begin).and_then(|(_, rest)| rest.split_once(end)).unwrap().0;
    let (_, listed) = between("<li><a href=\"#f-", "</a>").split_once("\">").unwrap();
    (between("<span class=\"wrong\">", ". </span>"), listed)
}

#[test]
fn each_dialect_has_its_own_form_and_refuses_at_the_field() {
    let mut stage = Stage::set();
    let mut root = stage.root();
    // What is asked for, what is good, and what is refused with which words.
    let table = [
        (
            "native",
            json!({}),
            &["Name", "Subject", "Filter", "Password"][..],
            "url=https%3A%2F%2Fa.example%2F&events=order.*%2Cuser.made&name=n&filter=data.a+%3E+1",
            &[
                ("url=ftp%3A%2F%2Fa", "url"),
                ("url=https%3A%2F%2Fa.example&filter=%28", "Filter: "),
                ("url=https%3A%2F%2Fa.example&events=order.*%0D%0A*", "must stand alone"),
                ("url=https%3A%2F%2Fa.example&events=order+paid", "Event types: "),
                ("url=", "is required"),
            ][..],
        ),
        (
            "sigmamind",
            json!({}),
            &["Agent", "Name"][..],
            "url=https%3A%2F%2Fa.example%2F&name=n&subject=agent_1&event%3Aconversation_ended=on",
            &[
                ("url=https%3A%2F%2Fa.example%2F&name=n&event%3Aconversation_ended=on", "is required"),
                ("url=https%3A%2F%2Fa.example%2F&name=n&subject=a", "at least one event type"),
            ][..],
        ),
        (
            "opentrain",
            json!({}),
            &["Event types"][..],
            "url=https%3A%2F%2Fa.example%2F&event%3Aproposal.received=on",
            &[("url=http%3A%2F%2Fa.example%2F&event%3Aproposal.received=on", "must begin with https")][..],
        ),
        (
            "spaaza",
            json!({"id": "77"}),
            &["Signed with", "Filter"][..],
            "url=https%3A%2F%2Fa.example%2F&event=shopper.voucher-issued",
            &[("url=https%3A%2F%2Fa.example%2F&user=a%3Ab&event=shopper.voucher-issued", "colon")][..],
        ),
    ];
    for (dialect, more, labels, good, wrong) in table {
        let workspace = stage.of_dialect(dialect, &more);
        let form = format!("/dash/workspaces/{workspace}/webhooks");
        let page = root.page(&form);
        assert!(labels.iter().all(|label| page.contains(label)), "{dialect}: {page}");
        assert_eq!(page.contains("name=\"password\""), ["native", "spaaza"].contains(&dialect), "{dialect}");
        for (fields, words) in wrong {
            let (status, _, page) = fill(&mut root, &form, fields);
            assert_eq!(status, 400, "{dialect}: {fields}");
            assert!(
                page.contains(words) && page.contains("Nothing was changed"),
                "{dialect}: {fields}: {page}"
            );
            let (at_field, listed) = said_of_a_field(&page);
            assert_eq!(at_field, listed, "{dialect}: {fields}");
            assert!(!fields.contains("a.example") || page.contains("://a.example"), "what was typed is kept");
        }
        let (status, to, page) = fill(&mut root, &form, good);
        assert_eq!(status, 303, "{dialect}: {page}");
        let made = stage.shown(&workspace, &last(&to));
        assert_eq!(made["url"], "https://a.example/", "{dialect}");
        assert!(root.page(&to).contains("https://a.example/"), "{dialect}");
        let list = stage.operator.get(&format!("/v1/workspaces/{workspace}/webhooks")).unwrap();
        assert_eq!(list["data"].as_array().unwrap().len(), 1, "{dialect}: what was refused made nothing");
    }
}

#[test]
fn a_change_keeps_what_the_form_does_not_show() {
    let mut stage = Stage::set();
    let login = json!({"username": "u", "password": "secret-pass"});
    let webhook =
        stage.webhook("/200", &json!({"headers": {"x-a": "b"}, "basic_auth": login, "subject": "s"}));
    let workspace = stage.workspace.clone();
    let mut root = stage.root();
    let edit = format!("/dash/workspaces/{workspace}/webhooks/{webhook}/edit");
    assert!(!root.page(&edit).contains("secret-pass"));
    let before = stage.shown(&workspace, &webhook);
    let (status, ..) = fill(
        &mut root,
        &edit,
        "url=https%3A%2F%2Fb.example%2F&was%3Auser=u&user=u&password=&events=&name=new&subject=s",
    );
    assert_eq!(status, 303);
    let after = stage.shown(&workspace, &webhook);
    assert_eq!((&after["url"], &after["name"]), (&json!("https://b.example/"), &json!("new")));
    for same in ["headers", "basic_auth", "subject", "events", "status"] {
        assert_eq!(after[same], before[same], "{same}");
    }
    let (status, ..) =
        fill(&mut root, &edit, "url=https%3A%2F%2Fb.example%2F&name=&subject=&events=&user=&password=");
    assert_eq!(status, 303);
    let bare = stage.shown(&workspace, &webhook);
    assert!(bare["basic_auth"].is_null() && bare["subject"].is_null() && bare["name"].is_null(), "{bare}");
}

/// The fields of a page's form as a browser sends them when nobody touches them, in order.
fn untouched(page: &str) -> Vec<(String, String)> {
    let (_, form) = page.split_once("<form class=\"sheet\"").expect("a form");
    let (form, _) = form.split_once("</form>").expect("its end");
    let plain = |text: &str| {
        text.replace("&quot;", "\"").replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
    };
    let attribute = |tag: &str, name: &str| {
        let (_, rest) = tag.split_once(&format!(" {name}=\""))?;
        Some(plain(rest.split_once('"')?.0))
    };
    let mut fields = Vec::new();
    for tag in form.split('<').filter(|tag| tag.starts_with("input") || tag.starts_with("textarea")) {
        let (inside, text) = tag.split_once('>').unwrap();
        let Some(name) = attribute(inside, "name").filter(|name| name != "proof") else { continue };
        let value = match tag.strip_prefix("textarea") {
            Some(_) => plain(text.strip_prefix('\n').unwrap_or(text)),
            None => attribute(inside, "value").unwrap_or_default(),
        };
        fields.push((name, value.replace('\n', "\r\n")));
    }
    fields
}

fn sent(fields: &[(String, String)]) -> String {
    let encoded = |text: &str| text.bytes().map(|byte| format!("%{byte:02X}")).collect::<String>();
    fields
        .iter()
        .map(|(name, value)| format!("{}={}", encoded(name), encoded(value)))
        .collect::<Vec<_>>()
        .join("&")
}

#[test]
fn saving_a_form_changes_what_was_touched_and_nothing_else() {
    let mut stage = Stage::set();
    let filter = "// two lines\n  data.a > 1 && \"b\" != \"<c>\"  ";
    let login = json!({"username": "u", "password": "secret-pass"});
    let webhook = stage.webhook(
        "/200",
        &json!({"filter": filter, "name": " a name ", "events": ["order.*", "user.made"], "basic_auth": login}),
    );
    let workspace = stage.workspace.clone();
    let before = stage.shown(&workspace, &webhook);
    assert_eq!(before["filter"], filter);
    let mut root = stage.root();
    let edit = format!("/dash/workspaces/{workspace}/webhooks/{webhook}/edit");
    let mut form = untouched(&root.page(&edit));
    assert_eq!(fill(&mut root, &edit, &sent(&form)).0, 303);
    let same = |stage: &mut Stage| {
        let mut shown = stage.shown(&workspace, &webhook);
        shown["updated_at"] = before["updated_at"].clone();
        shown
    };
    assert_eq!(same(&mut stage), before);
    // Somebody else changes what this form shows, and does not touch.
    let path = format!("/v1/workspaces/{workspace}/webhooks/{webhook}");
    let change = json!({"events": ["invoice.*"], "name": "another"});
    let patch = signalpost_testkit::Request::new("PATCH", &path).json(&change);
    assert_eq!(stage.operator.send(patch).unwrap().status, 200);
    form.iter_mut().find(|(name, _)| name == "subject").expect("a subject").1 = "s".to_owned();
    assert_eq!(fill(&mut root, &edit, &sent(&form)).0, 303);
    let after = stage.shown(&workspace, &webhook);
    assert_eq!((&after["events"], &after["name"]), (&change["events"], &change["name"]));
    assert_eq!((&after["subject"], &after["filter"]), (&json!("s"), &json!(filter)));
    assert_eq!(after["basic_auth"], before["basic_auth"]);
    // What was refused is still compared with what was shown first.
    let mut form = untouched(&root.page(&edit));
    form.iter_mut().find(|(name, _)| name == "filter").expect("a filter").1 = "data.a >\r\n 2 +".to_owned();
    let (status, _, page) = fill(&mut root, &edit, &sent(&form));
    assert_eq!(status, 400);
    let mut again = untouched(&page);
    again.iter_mut().find(|(name, _)| name == "filter").expect("a filter").1 = "data.a >\r\n 2".to_owned();
    assert_eq!(fill(&mut root, &edit, &sent(&again)).0, 303);
    assert_eq!(stage.shown(&workspace, &webhook)["filter"], "data.a >\n 2");
}

#[test]
fn a_webhook_is_switched_off_and_on_and_deleted_when_its_id_was_typed() {
    let mut stage = Stage::set();
    let webhook = stage.webhook("/200", &json!({}));
    let workspace = stage.workspace.clone();
    let mut root = stage.root();
    let own = format!("/dash/workspaces/{workspace}/webhooks/{webhook}");
    for (to, status) in [("off", "disabled"), ("on", "active")] {
        assert_eq!(fill(&mut root, &format!("{own}/switch"), &format!("to={to}")).0, 303);
        assert_eq!(stage.shown(&workspace, &webhook)["status"], status);
    }
    assert_eq!(fill(&mut root, &format!("{own}/switch"), "to=away").0, 400);
    let page = root.page(&format!("{own}/delete"));
    assert!(page.contains("0 deliveries that are pending"), "{page}");
    let (status, _, page) = fill(&mut root, &format!("{own}/delete"), "id=another");
    assert!(status == 400 && page.contains("is not the id of this webhook"), "{status}: {page}");
    assert_eq!(stage.shown(&workspace, &webhook)["status"], "active");
    assert_eq!(fill(&mut root, &format!("{own}/delete"), &format!("id={webhook}")).0, 303);
    assert_eq!(root.get(&own).status, 404);
}

#[test]
fn a_secret_is_seen_and_replaced_on_record_by_who_administers() {
    let mut stage = Stage::set();
    let body = json!({"url": stage.receiver.url("/200")});
    let (webhook, secret) = stage.operator.create_webhook(&stage.workspace, &body).unwrap();
    let own = format!("/dash/workspaces/{}/webhooks/{webhook}", stage.workspace);
    let mut root = stage.root();
    assert!(!root.page(&own).contains(&secret));
    let (status, _, page) = fill(&mut root, &format!("{own}/secret"), "");
    assert!(status == 200 && page.contains(&secret));
    let (status, _, page) = fill(&mut root, &format!("{own}/secret/rotate"), "overlap_s=3600");
    assert!(status == 200 && page.contains("whsec_") && !page.contains(&secret), "{page}");
    assert!(root.page(&own).contains("One before it signs as well"));
    assert_eq!(fill(&mut root, &format!("{own}/secret/revoke-previous"), "").0, 303);
    assert!(!root.page(&own).contains("One before it signs as well"));
    for wrong in ["overlap_s=", "overlap_s=x", "overlap_s=99999999999"] {
        assert_eq!(fill(&mut root, &format!("{own}/secret/rotate"), wrong).0, 400, "{wrong}");
    }
    let record = root.page("/dash/audit");
    for action in ["webhook_secret.view", "webhook_secret.rotate", "webhook_previous_secrets.revoke"] {
        assert!(record.contains(action), "{action}");
    }
}

/// Each that changes or shows something, as far as its path and fields go.
const DEEDS: [(&str, &str); 11] = [
    ("webhooks", "url=https%3A%2F%2Fa.example%2F"),
    ("webhooks/{}/edit", "url=https%3A%2F%2Fa.example%2F"),
    ("webhooks/{}/delete", "id={}"),
    ("webhooks/{}/switch", "to=off"),
    ("webhooks/{}/secret", ""),
    ("webhooks/{}/secret/rotate", "overlap_s=0"),
    ("webhooks/{}/secret/revoke-previous", ""),
    ("webhooks/{}/test", "type=a&data=1"),
    ("webhooks/{}/release", "order=skip"),
    ("webhooks/{}/replay", "which=all&since=1m&per_second=1"),
    ("replays/rpl_x/start", ""),
];
/// How many of them only who administers does.
const ADMINS: usize = 7;

#[test]
fn roles_do_what_they_are_for_and_no_more() {
    let mut stage = Stage::set();
    let webhook = stage.webhook("/200", &json!({}));
    let other = stage.operator.create_workspace(&json!({"dialect": "native", "name": "Other"})).unwrap();
    let workspace = stage.workspace.clone();
    let (_, viewer) = stage.key(&json!({"name": "v", "scopes": ["read"]}));
    let (_, bound) = stage.key(&json!({"name": "b", "scopes": ["admin"], "workspace": other}));
    let (_, mut support) = super::operators::signed_in_as(&stage, "support");
    let before = stage.shown(&workspace, &webhook);
    let mut browsers = [stage.signed_in(&viewer), stage.signed_in(&bound)];
    for (number, (path, fields)) in DEEDS.iter().enumerate() {
        let path = format!("/dash/workspaces/{workspace}/{}", path.replace("{}", &webhook));
        let fields = fields.replace("{}", &webhook);
        let statuses = browsers.each_mut().map(|browser| fill(browser, &path, &fields).0);
        assert_eq!(statuses, [403, 404], "{path}");
        if number < ADMINS {
            assert_eq!(fill(&mut support, &path, &fields).0, 403, "{path}");
        }
    }
    let page = format!("/dash/workspaces/{workspace}/webhooks/{webhook}");
    let (seen, by_support) = (browsers[0].page(&page), support.page(&page));
    assert!(
        !seen.contains("<button class=\"quiet\">Switch off")
            && !seen.contains("Show it")
            && !seen.contains("Replay<")
    );
    assert!(by_support.contains("Send a test event") && !by_support.contains("Switch off"));
    assert_eq!(stage.shown(&workspace, &webhook), before);
}

#[test]
fn a_test_event_leads_to_its_delivery() {
    let mut stage = Stage::set();
    let webhook = stage.webhook("/200", &json!({"events": ["never.sent"]}));
    let mut root = stage.root();
    let form = format!("/dash/workspaces/{}/webhooks/{webhook}/test", stage.workspace);
    assert!(root.page(&form).contains("never.sent"), "a type that the webhook wants is proposed");
    for (fields, words) in
        [("type=a&data=%7B", "must be JSON"), ("type=a+b&data=1", "type"), ("type=a&data=", "must be JSON")]
    {
        let (status, _, page) = fill(&mut root, &form, fields);
        assert!(status == 400 && page.contains(words), "{fields}: {page}");
    }
    let (status, to, _) = fill(&mut root, &form, "type=anything.else&data=%7B%22a%22%3A+1%7D");
    assert_eq!(status, 303);
    let arrived = || root.page(&to).contains("That delivered it");
    signalpost_testkit::wait_for("the test to arrive", PATIENCE, arrived).unwrap();
    assert!(root.page(&to).contains("anything.else"));
}

#[test]
fn a_replay_is_counted_before_it_is_started_and_followed_to_its_end() {
    let mut stage = Stage::set();
    let webhook = stage.webhook("/400", &json!({}));
    let events: Vec<String> = (0..3).map(|number| stage.publish(&json!({"number": number}))).collect();
    for event in &events {
        stage.delivery(event, &webhook, 1);
    }
    let workspace = stage.workspace.clone();
    let mut root = stage.root();
    let form = format!("/dash/workspaces/{workspace}/webhooks/{webhook}/replay");
    for (fields, words) in [
        ("which=all&since=1d&per_second=x", "must be a whole number"),
        ("which=all&since=1m&per_second=0", "must be from 1"),
        ("which=none&since=1m&per_second=1", "one of the list"),
        ("which=all&since=1m&until=1h&per_second=1", "must lie before"),
        ("which=all&since=1d&until=x&per_second=1", "and before: "),
    ] {
        let (status, _, page) = fill(&mut root, &form, fields);
        assert!(status == 400 && page.contains(words), "{fields}: {page}");
        let (at_field, listed) = said_of_a_field(&page);
        assert_eq!(at_field, listed, "{fields}");
    }
    // Pending ones are not replayed: a pause by its owner ends them.
    fill(&mut root, &format!("/dash/workspaces/{workspace}/webhooks/{webhook}/switch"), "to=off&drop=yes");
    fill(&mut root, &format!("/dash/workspaces/{workspace}/webhooks/{webhook}/switch"), "to=on");
    let (status, replay, page) = fill(&mut root, &form, "which=all&since=1h&per_second=100&types=");
    assert_eq!(status, 303, "{page}");
    let mut text = String::new();
    let planned = || {
        text = root.page(&replay);
        text.contains("wait for you to start") || text.contains("nothing to send")
    };
    signalpost_testkit::wait_for("the plan", PATIENCE, planned).unwrap();
    assert_eq!(fill(&mut root, &format!("{replay}/dance"), "").0, 404);
    assert_eq!(fill(&mut root, &format!("{replay}/pause"), "").0, 409, "it has not been started");
    assert!(text.contains("3 deliveries fit"), "{text}");
    assert_eq!(fill(&mut root, &format!("{replay}/start"), "").0, 303);
    let done = || root.page(&replay).contains("It has gone through its plan");
    signalpost_testkit::wait_for("the replay", PATIENCE, done).unwrap();
    assert!(root.page(&format!("/dash/workspaces/{workspace}/replays")).contains("done"));
    let record = root.page("/dash/audit");
    assert!(record.contains("replay.create") && record.contains("replay.start"));
}
