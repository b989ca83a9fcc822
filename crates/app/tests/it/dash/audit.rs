//! Whatever somebody who operates does is on record, by whichever way they do it.

use serde_json::json;
use signalpost_testkit::Request;

use super::Stage;
use super::browser::Browser;

/// The rows of the record as a page shows them, newest first: who, what and to what, result.
fn rows(browser: &mut Browser, filter: &str) -> Vec<[String; 4]> {
    let text = browser.page(&format!("/dash/audit{filter}"));
    let Some((_, rows)) = text.split_once("<tbody>") else { return Vec::new() };
    let (rows, _) = rows.split_once("</tbody>").unwrap();
    let row = |row: &str| {
        let cells: Vec<String> = row.split("<td").skip(1).map(plain).collect();
        [1, 2, 3, 5].map(|place| cells[place].clone())
    };
    rows.split("<tr>").skip(1).map(row).collect()
}

/// A cell's text.
fn plain(cell: &str) -> String {
    let (_, mut rest) = cell.split_once('>').unwrap();
    let mut text = String::new();
    while let Some((before, after)) = rest.split_once('<') {
        text.push_str(before);
        rest = after.split_once('>').map_or("", |(_, rest)| rest);
    }
    text.trim().to_owned()
}

#[test]
fn what_is_done_by_a_page_is_on_record() {
    let mut stage = Stage::set();
    let webhook = stage.webhook("/200", &json!({}));
    let event = stage.publish(&json!({"secret": "of a customer"}));
    let delivery = stage.delivery(&event, &webhook, 1);
    let (_, secret) = stage.key(&json!({"name": "night shift", "scopes": ["admin"]}));
    let mut night = stage.signed_in(&secret);
    let page = format!("/dash/workspaces/{}/events/{event}", stage.workspace);
    assert!(!night.page(&page).contains("of a customer"), "only who asks for it sees it");
    assert!(night.page(&format!("{page}?data=shown")).contains("of a customer"));
    let proof = night.proof();
    assert_eq!(
        night.post(&format!("/dash/deliveries/{delivery}/resend"), &format!("proof={proof}")).status,
        303
    );
    assert_eq!(night.post("/dash/sign-out", &format!("proof={proof}")).status, 303);
    let mut root = stage.root();
    let seen = rows(&mut root, &format!("?workspace={}", stage.workspace));
    let did = |action: &str, object: &str| {
        seen.iter().any(|[who, did, to, result]| {
            who.starts_with("night shift") && did == action && to == object && result.ends_with("done")
        })
    };
    assert!(did("payload.view", &event) && did("delivery.resend", &delivery), "{seen:?}");
    assert_eq!(seen.iter().filter(|row| row[1] == "payload.view").count(), 1, "{seen:?}");
    let sessions: Vec<String> =
        rows(&mut root, "?action=session").into_iter().map(|row| row[1].clone()).collect();
    assert_eq!(sessions, ["session.open", "session.end", "session.open"]);
    assert_eq!(rows(&mut root, "?action=sess"), Vec::<[String; 4]>::new(), "whole words");
}

#[test]
fn what_is_done_by_the_api_is_on_record_and_what_only_reads_or_publishes_is_not() {
    let mut stage = Stage::set();
    let webhook = stage.webhook("/200", &json!({}));
    let (id, secret) = stage.key(&json!({"name": "tidier", "scopes": ["admin"]}));
    stage.publish(&json!({}));
    let of = format!("/v1/workspaces/{}", stage.workspace);
    stage.operator.get(&format!("{of}/webhooks")).unwrap();
    let mut tidier = signalpost_testkit::Operator::new(stage.server.operator_address(), &secret);
    let gone = tidier.send(Request::new("DELETE", &format!("{of}/webhooks/{webhook}"))).unwrap();
    let not_there = tidier.send(Request::new("DELETE", &format!("{of}/webhooks/{webhook}"))).unwrap();
    assert_eq!([gone.status, not_there.status], [204, 404]);
    let mut root = stage.root();
    let seen = rows(&mut root, "");
    let told: Vec<[&str; 3]> =
        seen.iter().map(|[_, did, to, result]| [did.as_str(), to.as_str(), result.as_str()]).collect();
    let webhooks = format!("{of}/webhooks");
    let deleted = format!("{webhooks}/{webhook}");
    assert_eq!(
        told[..6],
        [
            ["session.open", told[0][1], "● done"],
            ["webhook.delete", &deleted, "‖ refused: 404"],
            ["webhook.delete", &deleted, "● done"],
            ["key.create", "/v1/keys", "● done"],
            ["webhook.create", &webhooks, "● done"],
            ["workspace.create", "/v1/workspaces", "● done"],
        ]
    );
    assert_eq!(told.len(), 6, "{told:?}");
    assert_eq!(seen[1][0], format!("tidier{id}"));
}

#[test]
fn the_record_is_for_those_who_administer_the_whole() {
    let mut stage = Stage::set();
    let bound = json!({"name": "k", "scopes": ["admin"], "workspace": stage.workspace});
    for key in [json!({"name": "k", "scopes": ["read"]}), bound] {
        let (_, secret) = stage.key(&key);
        assert_eq!(stage.signed_in(&secret).get("/dash/audit").status, 403, "{key}");
    }
}
