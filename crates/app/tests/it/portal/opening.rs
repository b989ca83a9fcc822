//! Who gets in, how far, and for how long.

use serde_json::json;
use signalpost_testkit::{Request, wait_for};

use super::{Stage, asks_for_a_link};
use crate::PATIENCE;
use crate::dash::browser::Browser;

#[test]
fn a_link_leads_to_the_pages_of_its_workspace_and_stands_in_no_address() {
    let mut stage = Stage::set();
    let workspace = stage.workspace.clone();
    let link = stage.link(&workspace, &json!({"name": "ann@example.com", "session_s": 600}));
    let begin = format!("http://{}/portal/open?link=spl_", stage.public());
    assert!(link["url"].as_str().unwrap().starts_with(&begin), "{link}");
    let mut browser = stage.browser();
    let answered = browser.get(&format!("/portal/open?link={}", link["token"].as_str().unwrap()));
    assert_eq!((answered.status, answered.header("location")), (303, Some("/portal")));
    assert_eq!(answered.header("referrer-policy"), Some("no-referrer"));
    assert_eq!(answered.header("cache-control"), Some("no-store"));
    let set = answered.header("set-cookie").unwrap();
    let (_, attributes) = set.split_once("; ").unwrap();
    assert!(set.starts_with("signalpost_portal=spp_"), "{set}");
    assert_eq!(attributes, "Path=/portal; HttpOnly; SameSite=Lax; Max-Age=600");
    let start = browser.get("/portal");
    assert_eq!((start.status, start.header("location")), (303, Some(stage.path("").as_str())));
    let (event, delivery) =
        (format!("/events/{}", stage.event), format!("/portal/deliveries/{}", stage.delivery));
    let webhook = format!("/webhooks/{}", stage.webhook);
    let below = ["", "/events", "/deliveries", "/replays", "/webhooks", &event, &webhook];
    let pages = below.map(|below| stage.path(below));
    for page in pages.iter().map(String::as_str).chain([delivery.as_str(), "/portal/catalogue"]) {
        let text = browser.page(page);
        assert!(text.contains("ann@example.com · manages"), "{page}");
        assert!(!text.contains("\"/dash") && !text.contains("spl_") && !text.contains("spp_"), "{page}");
        assert!(!text.contains("Workspaces") && !text.contains(&stage.other), "{page}");
    }
    assert_eq!(stage.record(), [["ann@example.com", "portal_session.open", "done"].map(str::to_owned)]);
}

#[test]
fn nobody_sees_a_page_without_a_session() {
    let stage = Stage::set();
    let mut nobody = stage.browser();
    let tokens = [None, Some("spp_".to_owned() + &"a".repeat(40)), Some("x".to_owned())];
    for token in tokens {
        nobody.cookie = token.map(|token| format!("signalpost_portal={token}"));
        for page in ["/portal", "/portal/catalogue", "/portal/find?q=x", "/portal/nowhere", &stage.path("")] {
            assert!(asks_for_a_link(&nobody.get(page)), "{page}");
        }
        assert!(asks_for_a_link(&nobody.post("/portal/sign-out", "proof=x")));
        assert!(asks_for_a_link(&nobody.post(&stage.path("/webhooks"), "proof=x")));
    }
}

#[test]
fn a_link_that_is_none_has_expired_or_was_changed_opens_nothing() {
    let mut stage = Stage::set();
    let (workspace, other) = (stage.workspace.clone(), stage.other.clone());
    let mut browser = stage.browser();
    let brief = stage.way(&other, &json!({"expires_in_s": 1}));
    let expired = || {
        let answered = browser.get(&brief);
        asks_for_a_link(&answered) && answered.text().contains("The link has expired")
    };
    wait_for("the link to expire", PATIENCE, expired).unwrap();
    let way = stage.way(&workspace, &json!({}));
    let (rest, last) = way.split_at(way.len() - 1);
    let other_last = if last == "A" { "B" } else { "A" };
    let mut nobody = stage.browser();
    let changed = [
        format!("{rest}{other_last}"),
        rest.to_owned(),
        way.replace("spl_", "spp_"),
        "/portal/open?link=".to_owned(),
        "/portal/open".to_owned(),
    ];
    for changed in changed {
        let answered = nobody.get(&changed);
        assert!(asks_for_a_link(&answered) && answered.header("set-cookie").is_none(), "{changed}");
        assert!(!answered.text().contains("expired"), "{changed}");
    }
    assert_eq!(nobody.get(&way).status, 303, "it was good");
}

/// A message with the link is looked at by programs that want to preview what is behind it.
#[test]
fn who_looks_at_a_link_without_following_it_opens_nothing() {
    let mut stage = Stage::set();
    let workspace = stage.workspace.clone();
    let way = stage.way(&workspace, &json!({}));
    let mut browser = stage.browser();
    let looked = browser.send(Request::new("HEAD", &way));
    assert_eq!((looked.status, looked.header("set-cookie"), looked.body.len()), (204, None, 0));
    let twice = browser.get(&format!("{way}&link=spl_AAAA"));
    assert_eq!((twice.status, twice.header("set-cookie")), (400, None));
    assert!(twice.text().contains("duplicate field `link`"), "{}", twice.text());
    assert_eq!(stage.record(), [] as [[String; 3]; 0], "nobody came in");
    assert_eq!(browser.get(&way).status, 303, "it was good");
}

/// The allowance grows again all the while, so how many it takes depends on how fast they come.
#[test]
fn who_guesses_many_links_is_not_listened_to() {
    let mut stage = Stage::set();
    let mut customer = stage.customer(&json!({}));
    let mut guesser = stage.browser();
    let mut statuses = (0..5_000).map(|_| guesser.get("/portal/open?link=spl_AAAA").status);
    assert_eq!(statuses.find(|status| *status != 401), Some(429));
    assert_eq!(customer.get(&stage.path("")).status, 200, "who is there stays");
    let workspace = stage.workspace.clone();
    let way = stage.way(&workspace, &json!({}));
    assert_eq!(guesser.get(&way).status, 303, "a link that is one of ours opens from the same address");
}

/// Each time leaves a session and an entry of the record.
#[test]
fn a_link_that_is_followed_too_often_has_to_wait() {
    let mut stage = Stage::set();
    let workspace = stage.workspace.clone();
    let way = stage.way(&workspace, &json!({}));
    let mut browser = stage.browser();
    let mut answers = (0..5_000).map(|_| browser.get(&way));
    let refused = answers.find(|answer| answer.status != 303).expect("at some time it is too often");
    assert_eq!((refused.status, refused.header("referrer-policy")), (429, Some("no-referrer")));
    let way = stage.way(&workspace, &json!({}));
    assert_eq!(stage.browser().get(&way).status, 303, "another link to the same portal opens");
}

#[test]
fn a_cookie_is_worth_nothing_after_its_owner_has_signed_out() {
    let mut stage = Stage::set();
    let mut owner = stage.customer(&json!({"name": "ann"}));
    let mut thief = stage.browser();
    thief.cookie.clone_from(&owner.cookie);
    let page = stage.path("");
    assert_eq!(thief.get(&page).status, 200);
    let proof = owner.proof_on(&page);
    let gone = owner.post("/portal/sign-out", &format!("proof={proof}"));
    assert_eq!(gone.status, 200);
    assert!(gone.text().contains("You have left"));
    assert!(gone.header("set-cookie").unwrap().starts_with("signalpost_portal=; Path=/portal; HttpOnly"));
    assert!(gone.header("set-cookie").unwrap().ends_with("; Max-Age=0"));
    assert!(asks_for_a_link(&thief.get(&page)));
    let [ended, opened] =
        ["end", "open"].map(|what| ["ann", &format!("portal_session.{what}"), "done"].map(str::to_owned));
    assert_eq!(stage.record(), [ended, opened]);
}

#[test]
fn sessions_end_when_all_are_ended_and_with_their_workspace() {
    let mut stage = Stage::set();
    let page = stage.path("");
    let mut customer = stage.customer(&json!({}));
    let workspace = stage.workspace.clone();
    let way = stage.way(&workspace, &json!({}));
    stage.end_all();
    assert!(asks_for_a_link(&customer.get(&page)));
    assert!(asks_for_a_link(&customer.get(&way)), "it was made before");
    let mut customer = stage.customer(&json!({}));
    let proof = customer.proof_on(&page);
    let way = stage.way(&workspace, &json!({}));
    let path = format!("/v1/workspaces/{workspace}");
    assert_eq!(stage.operator.send(Request::new("DELETE", &path)).unwrap().status, 204);
    assert!(asks_for_a_link(&customer.get(&page)));
    assert!(asks_for_a_link(&customer.post("/portal/sign-out", &format!("proof={proof}"))));
    assert!(asks_for_a_link(&stage.browser().get(&way)));
}

#[test]
fn each_door_has_keys_of_its_own() {
    let mut stage = Stage::set();
    let customer = stage.customer(&json!({}));
    let token = customer.cookie.as_deref().unwrap().split_once('=').unwrap().1.to_owned();
    let mut operator = Browser::new(stage.server.operator_address());
    operator.sign_in(stage.server.operator_key());
    let operators = operator.cookie.as_deref().unwrap().split_once('=').unwrap().1.to_owned();
    let page = stage.path("");
    // Each token, under each name, at the other door.
    for name in ["signalpost_portal", "signalpost_session"] {
        let mut at_portal = stage.browser();
        at_portal.cookie = Some(format!("{name}={operators}"));
        assert!(asks_for_a_link(&at_portal.get(&page)), "{name}");
        let mut at_desk = Browser::new(stage.server.operator_address());
        at_desk.cookie = Some(format!("{name}={token}"));
        assert_eq!(at_desk.get("/dash/workspaces").status, 303, "{name}");
    }
    // Nor is it a key of any API, nor does one door lead to the pages of the other.
    let bearer = format!("Bearer {token}");
    let api = Request::new("GET", "/v1/workspaces").header("authorization", &bearer);
    assert_eq!(Browser::new(stage.server.operator_address()).send(api).status, 401);
    for path in ["/dash", "/dash/sign-in", "/metrics", "/docs", "/openapi.json"] {
        let mut browser = stage.browser();
        browser.cookie.clone_from(&customer.cookie);
        assert_eq!(browser.get(path).status, 404, "{path}");
        assert_eq!(Browser::new(stage.server.operator_address()).get("/portal").status, 404);
    }
    for page in ["/portal/audit", "/portal/operators", "/portal/workspaces", "/portal/sign-in"] {
        let mut browser = stage.browser();
        browser.cookie.clone_from(&customer.cookie);
        assert_eq!(browser.get(page).status, 404, "{page}");
    }
}
