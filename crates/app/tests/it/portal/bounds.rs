//! What a customer may not do to others: fill what is the installation's, keep others of the same workspace out, or learn who operates.

use serde_json::json;
use signalpost_testkit::{HttpClient, Request};

use super::{Stage, asks_for_a_link};
use crate::PATIENCE;
use crate::dash::browser::form_of;

/// Each look at data leaves an entry of the record, which is the installation's.
#[test]
fn what_customers_do_cannot_fill_the_record() {
    let mut stage = Stage::set();
    let mut customer = stage.customer(&json!({"rights": "read"}));
    let looked = stage.path(&format!("/events/{}?data=shown", stage.event));
    // The allowance grows again all the while, so how many it takes depends on how fast they come.
    let mut statuses = (0..5_000).map(|_| customer.get(&looked).status);
    assert_eq!(statuses.find(|status| *status != 200), Some(429));
    assert_eq!(customer.get(&stage.path("/events")).status, 200, "what leaves no entry is read on");
    let other = stage.other.clone();
    let event = json!({"type": "a", "data": {"n": 1}});
    let event = stage.operator.publish(&other, &event).unwrap()["id"].as_str().unwrap().to_owned();
    let way = stage.way(&other, &json!({}));
    let mut stranger = stage.browser();
    assert_eq!(stranger.get(&way).status, 303);
    let looked = format!("/portal/workspaces/{other}/events/{event}?data=shown");
    assert_eq!(stranger.get(&looked).status, 200, "those of another workspace go on");
}

#[test]
fn the_record_says_by_which_link_somebody_came_and_what_it_let_them_do() {
    let mut stage = Stage::set();
    let workspace = stage.workspace.clone();
    let link = stage.link(&workspace, &json!({"rights": "read"}));
    let way = format!("/portal/open?link={}", link["token"].as_str().unwrap());
    assert_eq!(stage.browser().get(&way).status, 303);
    let found = stage.operator.get("/v1/audit?action=portal_session.open").unwrap();
    let detail = found["data"][0]["detail"].as_str().unwrap();
    let begins = format!("by the link {} (read), made at 2", link["id"].as_str().unwrap());
    assert!(detail.starts_with(&begins), "{detail}");
}

/// An address may hold a token, and the record outlives the webhook and its workspace.
#[test]
fn the_record_holds_no_more_than_the_origin_of_an_address() {
    let mut stage = Stage::set();
    let mut customer = stage.customer(&json!({}));
    let form =
        format!("proof={}&url=https%3A%2F%2Fx.example%2Ftoken&all=on", customer.proof_on(&stage.path("")));
    let made = customer.post(&stage.path("/webhooks"), &form);
    assert_eq!(made.status, 303, "{}", made.text());
    let found = stage.operator.get("/v1/audit?action=webhook.create").unwrap();
    assert_eq!(found["data"][0]["object"], "https://x.example", "{found}");
}

#[test]
fn customers_are_told_no_names_of_those_who_operate() {
    let mut stage = Stage::set();
    let made = stage.operator.post("/v1/keys", &json!({"name": "night shift", "scopes": ["admin"]})).unwrap();
    let (id, secret) = (made["id"].as_str().unwrap(), made["secret"].as_str().unwrap());
    let path = format!("/v1/workspaces/{}/webhooks/{}", stage.workspace, stage.webhook);
    let delete = Request::new("DELETE", &path).header("authorization", &format!("Bearer {secret}"));
    let mut client = HttpClient::new(stage.server.operator_address(), PATIENCE);
    assert_eq!(client.send(&delete).unwrap().status, 204);
    let event = stage.operator.publish(&stage.workspace, &json!({"type": "a", "data": {}})).unwrap();
    let mut customer = stage.customer(&json!({}));
    let page = customer.page(&stage.path(&format!("/events/{}", event["id"].as_str().unwrap())));
    assert!(page.contains("had been deleted before") && page.contains("by operator."), "{page}");
    assert!(!page.contains(id), "{page}");
}

#[test]
fn a_portal_is_found_behind_a_proxy_that_asks_by_another_name() {
    let mut stage = Stage::with(&["--portal-url", "http://hooks.example.com"]);
    let mut customer = stage.customer(&json!({}));
    let page = stage.path("");
    let form = format!("proof={}&on=on", customer.proof_on(&page));
    let switch = form_of(&stage.path(&format!("/webhooks/{}/test", stage.webhook)), &form);
    let refused = customer.send(switch.clone().header("origin", "http://other.example.com"));
    assert_eq!(refused.status, 403);
    let taken = customer.send(switch.header("origin", "http://hooks.example.com"));
    assert!(!matches!(taken.status, 401 | 403), "{}: {}", taken.status, taken.text());
}

/// The product on the same site has cookies of its own, which may hold anything.
#[test]
fn cookies_of_others_hide_no_session() {
    let mut stage = Stage::set();
    let mut customer = stage.customer(&json!({}));
    let own = customer.cookie.take().unwrap();
    customer.cookie = Some(format!("name=Zoë; x; {own}"));
    assert_eq!(customer.get(&stage.path("")).status, 200);
    customer.cookie = Some(format!("x{own}; signalpost_portal2=a"));
    assert!(asks_for_a_link(&customer.get(&stage.path(""))));
}
