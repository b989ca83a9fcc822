//! Accounts of those who operate.

use serde_json::json;

use super::Stage;
use super::browser::Browser;

/// Makes an account and gives its id and password.
fn account(root: &mut Browser, name: &str, role: &str) -> (String, String) {
    let proof = root.proof();
    let made = root.post("/dash/operators", &format!("proof={proof}&username={name}&role={role}"));
    assert_eq!(made.status, 200, "{}", made.text());
    (id_of(root, name), password_on(&made.text()))
}

pub(super) fn password_on(page: &str) -> String {
    let (_, after) = page.split_once("is shown this once: <code>").expect("a password is shown");
    after.split('<').next().unwrap().to_owned()
}

/// Somebody with an account of this role, with the browser of the admin who made it.
pub(super) fn signed_in_as(stage: &Stage, role: &str) -> (Browser, Browser) {
    let mut root = stage.root();
    let (_, password) = account(&mut root, role, role);
    let (status, browser) = try_signing_in(stage, role, &password);
    assert_eq!(status, 303);
    (root, browser)
}

fn id_of(root: &mut Browser, name: &str) -> String {
    let page = root.page("/dash/operators");
    let row = page.split("<tr>").find(|row| row.contains(&format!("<td>{name}</td>"))).unwrap().to_owned();
    let (_, after) = row.split_once("/dash/operators/").unwrap();
    after.split('/').next().unwrap().to_owned()
}

pub(super) fn try_signing_in(stage: &Stage, name: &str, password: &str) -> (u16, Browser) {
    let mut browser = Browser::new(stage.server.operator_address());
    let answered = browser.post("/dash/sign-in", &format!("name={name}&key={password}"));
    (answered.status, browser)
}

#[test]
fn support_acts_and_does_not_see_what_customers_are_sent() {
    let mut stage = Stage::set();
    let webhook = stage.webhook("/500", &json!({}));
    let event = stage.publish(&json!({"secret": "of a customer"}));
    let delivery = stage.delivery(&event, &webhook, 1);
    let mut root = stage.root();
    let (_, password) = account(&mut root, "kim", "support");
    let (status, mut kim) = try_signing_in(&stage, "kim", &password);
    assert_eq!(status, 303);
    assert!(kim.page("/dash").contains("kim · support"));
    let page = kim.page(&format!("/dash/workspaces/{}/events/{event}?data=shown", stage.workspace));
    assert!(!page.contains("of a customer") && page.contains("does not see"));
    let page = kim.page(&format!("/dash/deliveries/{delivery}"));
    assert!(!page.contains("alert(") && page.contains("does not see it"), "{page}");
    let proof = kim.proof();
    assert_eq!(
        kim.post(&format!("/dash/deliveries/{delivery}/resend"), &format!("proof={proof}")).status,
        303
    );
    for page in ["/dash/operators", "/dash/audit"] {
        assert_eq!(kim.get(page).status, 403, "{page}");
    }
    assert_eq!(kim.post("/dash/operators", &format!("proof={proof}&username=x&role=admin")).status, 403);
    let record = root.page("/dash/audit?action=delivery");
    assert!(record.contains("<td>kim</td>"), "{record}");
}

#[test]
fn sessions_end_with_a_new_role_a_new_password_and_the_account() {
    let stage = Stage::set();
    let mut root = stage.root();
    let (id, password) = account(&mut root, "kim", "viewer");
    let proof = format!("proof={}", root.proof());
    let own = format!("/dash/operators/{id}");
    let (_, mut kim) = try_signing_in(&stage, "kim", &password);
    assert_eq!(root.post(&format!("{own}/role"), &format!("{proof}&role=admin")).status, 303);
    assert_eq!(kim.get("/dash").status, 303);
    let (_, mut kim) = try_signing_in(&stage, "kim", &password);
    assert!(kim.page("/dash").contains("kim · admin"));
    let renewed = root.post(&format!("{own}/password"), &proof);
    let next = password_on(&renewed.text());
    assert_eq!(kim.get("/dash").status, 303);
    assert_eq!(try_signing_in(&stage, "kim", &password).0, 401);
    let (status, mut kim) = try_signing_in(&stage, "kim", &next);
    assert_eq!(status, 303);
    assert_eq!(root.post(&format!("{own}/delete"), &proof).status, 303);
    assert_eq!(kim.get("/dash").status, 303);
    assert_eq!(try_signing_in(&stage, "kim", &next).0, 401);
    assert_eq!(root.post(&format!("{own}/delete"), &proof).status, 404);
}

#[test]
fn what_is_wrong_with_an_account_is_said_and_nothing_is_made() {
    let stage = Stage::set();
    let mut root = stage.root();
    let (id, password) = account(&mut root, "kim", "viewer");
    let proof = format!("proof={}", root.proof());
    let wrong = [("kim", "admin", "taken"), ("", "admin", "characters"), ("lee", "king", "must be viewer")];
    for (name, role, words) in wrong {
        let answered = root.post("/dash/operators", &format!("{proof}&username={name}&role={role}"));
        let page = answered.text();
        assert!(answered.status == 400 && page.contains(words), "{name}, {role}: {page}");
        assert!(page.contains(&format!("name=\"username\" value=\"{name}\"")), "nothing is lost: {page}");
    }
    assert_eq!(root.post(&format!("/dash/operators/{id}/role"), &format!("{proof}&role=king")).status, 400);
    assert_eq!(root.post("/dash/operators/nobody/delete", &proof).status, 404);
    let page = root.page("/dash/operators");
    assert_eq!(page.matches("/delete\"").count(), 1, "{page}");
    for (name, key) in
        [("kim", "wrong"), ("nobody", &*password), ("", &*password), ("kim", stage.server.operator_key())]
    {
        assert_eq!(try_signing_in(&stage, name, key).0, 401, "{name}");
    }
}
