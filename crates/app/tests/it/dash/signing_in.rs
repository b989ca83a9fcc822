//! Who gets in, how far, and for how long.

use serde_json::json;
use signalpost_testkit::Request;

use super::Stage;
use super::browser::{Browser, form_of};

/// Pages, with the workspace in the place of `{}`.
const PAGES: [&str; 7] = [
    "/dash",
    "/dash/workspaces",
    "/dash/workspaces/{}",
    "/dash/workspaces/{}/events",
    "/dash/workspaces/{}/deliveries",
    "/dash/find?q=x",
    "/dash/there-is-no-such-page",
];

#[test]
fn nobody_sees_a_page_without_a_session_and_everybody_comes_back_to_it_with_one() {
    let stage = Stage::set();
    let mut nobody = Browser::new(stage.server.operator_address());
    let tokens = [None, Some("sps_".to_owned() + &"a".repeat(40)), Some("x".to_owned())];
    for token in tokens {
        nobody.cookie = token.map(|token| format!("signalpost_session={token}"));
        for page in PAGES {
            let answered = nobody.get(&page.replace("{}", &stage.workspace));
            assert_eq!(answered.status, 303, "{page}");
            assert!(answered.header("location").unwrap().starts_with("/dash/sign-in?next=%2Fdash"), "{page}");
        }
        let answered = nobody.post("/dash/sign-out", "proof=x");
        assert_eq!((answered.status, answered.header("location")), (303, Some("/dash/sign-in")));
    }
    let deep = format!("/dash/workspaces/{}/deliveries?status=failed", stage.workspace);
    let form =
        format!("key={}&next={}", stage.server.operator_key(), deep.replace('?', "%3F").replace('=', "%3D"));
    let answered = nobody.post("/dash/sign-in", &form);
    assert_eq!(answered.header("location"), Some(deep.as_str()));
    let elsewhere = format!("key={}&next=%2F%2Fevil.example", stage.server.operator_key());
    assert_eq!(nobody.post("/dash/sign-in", &elsewhere).header("location"), Some("/dash"));
}

#[test]
fn a_wrong_key_opens_nothing_and_many_of_them_are_not_listened_to() {
    let mut stage = Stage::set();
    let (_, publisher) = stage.key(&json!({"name": "p", "scopes": ["publish"]}));
    let mut browser = Browser::new(stage.server.operator_address());
    for key in ["", "wrong", "spo_0000000000000000000000000000000000000000"] {
        let answered = browser.post("/dash/sign-in", &format!("key={key}"));
        assert_eq!((answered.status, answered.header("set-cookie")), (401, None), "{key:?}");
    }
    let answered = browser.post("/dash/sign-in", &format!("key={publisher}"));
    assert_eq!((answered.status, answered.header("set-cookie")), (403, None));
    assert!(answered.text().contains("may only publish"));
    assert!(browser.post("/dash/sign-in", "").status >= 400);
    // The allowance grows again all the while, so how many it takes depends on how fast they come.
    let mut statuses = (0..5_000).map(|_| browser.post("/dash/sign-in", "key=wrong").status);
    assert_eq!(statuses.find(|status| *status != 401), Some(429));
    // The right one opens all the same.
    browser.sign_in(stage.server.operator_key());
}

#[test]
fn a_cookie_is_worth_nothing_after_its_owner_has_signed_out() {
    let stage = Stage::set();
    let mut owner = Browser::new(stage.server.operator_address());
    let answered = owner.post("/dash/sign-in", &format!("key={}", stage.server.operator_key()));
    let set = answered.header("set-cookie").unwrap();
    for part in ["HttpOnly", "SameSite=Lax", "Path=/dash", "Max-Age=43200"] {
        assert!(set.contains(part), "{set}");
    }
    assert!(!set.contains("Secure"), "it would be of no use without TLS");
    let by_tls = form_of("/dash/sign-in", &format!("key={}", stage.server.operator_key()));
    let by_tls = by_tls.header("origin", &format!("https://{}", stage.server.operator_address()));
    let answered = Browser::new(stage.server.operator_address()).send(by_tls);
    assert!(answered.header("set-cookie").unwrap().ends_with("; Secure"));
    let mut thief = Browser::new(stage.server.operator_address());
    thief.cookie.clone_from(&owner.cookie);
    assert_eq!(thief.get("/dash").status, 200);
    // It is no key of the API.
    let token = owner.cookie.as_deref().unwrap().split_once('=').unwrap().1.to_owned();
    let api = Request::new("GET", "/v1/workspaces").header("authorization", &format!("Bearer {token}"));
    assert_eq!(thief.send(api).status, 401);
    let proof = owner.proof();
    assert_eq!(owner.post("/dash/sign-out", &format!("proof={proof}")).status, 303);
    assert_eq!(thief.get("/dash").status, 303);
}

#[test]
fn sessions_end_with_the_key_that_opened_them() {
    let mut stage = Stage::set();
    let (id, secret) = stage.key(&json!({"name": "night shift", "scopes": ["admin"]}));
    let mut browser = stage.signed_in(&secret);
    assert!(browser.page("/dash").contains("night shift · admin"));
    let revoked = stage.operator.send(Request::new("DELETE", &format!("/v1/keys/{id}"))).unwrap();
    assert_eq!(revoked.status, 204);
    assert_eq!(browser.get("/dash").status, 303);
}

#[test]
fn who_is_bound_to_a_workspace_knows_of_no_other() {
    let mut stage = Stage::set();
    let other = stage.operator.create_workspace(&json!({"dialect": "native", "name": "Other"})).unwrap();
    let webhook = stage.webhook("/200", &json!({}));
    let event = stage.publish(&json!({}));
    let delivery = stage.delivery(&event, &webhook, 1);
    let (_, secret) = stage.key(&json!({"name": "k", "scopes": ["read"], "workspace": other}));
    let mut browser = stage.signed_in(&secret);
    for page in &PAGES[2..5] {
        assert_eq!(browser.get(&page.replace("{}", &stage.workspace)).status, 404, "{page}");
        assert_eq!(browser.get(&page.replace("{}", &other)).status, 200, "{page}");
    }
    assert_eq!(browser.get(&format!("/dash/deliveries/{delivery}")).status, 404);
    let found = browser.page(&format!("/dash/find?q={delivery}"));
    assert!(found.contains("Nothing here has the id"));
    let list = browser.page("/dash/workspaces");
    assert!(list.contains("Other") && !list.contains("Acme"));
    assert!(!browser.page("/dash/find?q=acme").contains(&stage.workspace));
    assert!(!browser.page("/dash").contains("Database"), "that is about the whole");
}

#[test]
fn who_only_looks_changes_nothing() {
    let mut stage = Stage::set();
    let webhook = stage.webhook("/200", &json!({}));
    let event = stage.publish(&json!({}));
    let delivery = stage.delivery(&event, &webhook, 1);
    let (_, secret) = stage.key(&json!({"name": "k", "scopes": ["read"]}));
    let mut viewer = stage.signed_in(&secret);
    let page = format!("/dash/deliveries/{delivery}");
    assert!(!viewer.page(&page).contains("Send again"));
    let proof = viewer.proof();
    let answered = viewer.post(&format!("{page}/resend"), &format!("proof={proof}"));
    assert_eq!(answered.status, 403);
    assert!(answered.text().contains("looks and changes nothing"));
    assert_eq!(steps(&mut stage, &delivery), 1);
}

#[test]
fn only_forms_of_our_own_pages_do_anything() {
    let mut stage = Stage::set();
    let webhook = stage.webhook("/200", &json!({}));
    let event = stage.publish(&json!({}));
    let delivery = stage.delivery(&event, &webhook, 1);
    let mut browser = stage.root();
    let (proof, path) = (browser.proof(), format!("/dash/deliveries/{delivery}/resend"));
    let of_another = stage.root().proof();
    for form in ["".to_owned(), "proof=".to_owned(), format!("proof={of_another}"), "x=1".to_owned()] {
        assert!([400, 403, 422].contains(&browser.post(&path, &form).status), "{form:?}");
    }
    let good = form_of(&path, &format!("proof={proof}"));
    for origin in ["https://evil.example", "null"] {
        assert_eq!(browser.send(good.clone().header("origin", origin)).status, 403, "{origin}");
    }
    assert_eq!(browser.get(&path).status, 405, "a link sends nothing");
    assert_eq!(steps(&mut stage, &delivery), 1);
    let own = format!("http://{}", stage.server.operator_address());
    let answered = browser.send(good.header("origin", &own));
    assert_eq!(
        (answered.status, answered.header("location")),
        (303, Some(format!("/dash/deliveries/{delivery}").as_str()))
    );
    stage.delivery(&event, &webhook, 2);
}

/// Steps of a delivery's history: attempts and what was asked for once more.
fn steps(stage: &mut Stage, delivery: &str) -> usize {
    let found = stage.operator.get(&format!("/v1/deliveries/{delivery}")).unwrap();
    found["attempts"].as_array().unwrap().len()
}
