//! How a portal looks, and who may show it.

use std::fs;

use serde_json::json;
use signalpost_testkit::{Response, TempDir};

use super::Stage;

const DRAWING: &str = "<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script><rect/></svg>";

fn policy(answered: &Response) -> String {
    answered.header("content-security-policy").unwrap().to_owned()
}

/// What stands between a text and the next quotation mark.
fn after<'t>(text: &'t str, begin: &str) -> &'t str {
    text.split_once(begin).unwrap().1.split('"').next().unwrap()
}

#[test]
fn without_a_setting_nobody_shows_it_in_a_frame() {
    let mut stage = Stage::set();
    let mut customer = stage.customer(&json!({}));
    let answered = customer.get(&stage.path(""));
    assert!(policy(&answered).ends_with("frame-ancestors 'none'"));
    for (name, value) in [
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "same-origin"),
        ("cache-control", "no-store"),
    ] {
        assert_eq!(answered.header(name), Some(value));
    }
    let text = answered.text();
    assert!(text.contains("· Webhooks</title>") && !text.contains("style="), "{text}");
    let nobody = stage.browser().get("/portal");
    assert!(policy(&nobody).ends_with("frame-ancestors 'none'"));
}

#[test]
fn a_portal_has_the_name_the_colours_and_the_logo_of_its_product() {
    let directory = TempDir::new().unwrap();
    let logo = directory.path().join("logo.svg");
    fs::write(&logo, DRAWING).unwrap();
    let mut stage = Stage::with(&[
        "--portal-name",
        "Acme & Co",
        "--portal-logo",
        logo.to_str().unwrap(),
        "--portal-accent",
        "#7a1fa2",
        "--portal-url",
        "https://hooks.example.com",
        "--portal-frame-ancestors",
        "https://app.example.com,https://example.org:8443",
    ]);
    let workspace = stage.workspace.clone();
    let link = stage.link(&workspace, &json!({}));
    assert!(link["url"].as_str().unwrap().starts_with("https://hooks.example.com/portal/open?link=spl_"));
    let mut browser = stage.browser();
    let opened = browser.get(&format!("/portal/open?link={}", link["token"].as_str().unwrap()));
    let set = opened.header("set-cookie").unwrap();
    assert!(
        set.contains("; Path=/portal; HttpOnly; Secure; SameSite=None; Partitioned; Max-Age=28800"),
        "{set}"
    );
    let page = browser.get(&stage.path(""));
    let framed = "frame-ancestors https://app.example.com https://example.org:8443";
    assert!(policy(&page).ends_with(framed), "{}", policy(&page));
    let text = page.text();
    assert!(text.contains("· Acme &amp; Co</title>") && text.contains("alt=\"Acme &amp; Co\""));

    let picture = browser.get(after(&text, "class=\"logo\" src=\""));
    assert_eq!((picture.status, picture.text().as_str()), (200, DRAWING));
    assert_eq!(picture.header("content-type"), Some("image/svg+xml"));
    assert_eq!(picture.header("x-content-type-options"), Some("nosniff"));
    assert_eq!(policy(&picture), "default-src 'none'; style-src 'unsafe-inline'; sandbox");
    let colours = text.split("rel=\"stylesheet\" href=\"").nth(2).unwrap().split('"').next().unwrap();
    let sheet = browser.get(colours);
    assert_eq!(sheet.text(), ":root { --accent: light-dark(#7a1fa2, #8ab4f8); }\n");
    assert_eq!(sheet.header("content-type"), Some("text/css; charset=utf-8"));
    assert_eq!(browser.get("/portal/assets/logo.svg").status, 404);
}

#[test]
fn the_navigation_says_where_one_is() {
    let mut stage = Stage::set();
    let mut customer = stage.customer(&json!({}));
    let webhook = stage.path(&format!("/webhooks/{}", stage.webhook));
    let table = [
        (stage.path(""), "page\">Webhooks"),
        (stage.path("/webhooks"), "true\">Webhooks"),
        (webhook, "true\">Webhooks"),
        (stage.path("/events"), "page\">Events"),
        (stage.path(&format!("/events/{}", stage.event)), "true\">Events"),
        (stage.path("/deliveries?status=failed"), "page\">Deliveries"),
        (stage.path("/replays"), "page\">Replays"),
        ("/portal/catalogue".to_owned(), "page\">Catalogue"),
    ];
    for (path, current) in table {
        let text = customer.get(&path).text();
        let (navigation, _) = text.split_once("</nav>").unwrap();
        let places: Vec<&str> = navigation.split("aria-current=\"").skip(1).collect();
        assert_eq!(places.len(), 1, "{path}: {places:?}");
        assert!(places[0].starts_with(&format!("{current}</a>")), "{path}: {places:?}");
    }
}

#[test]
fn a_portal_that_is_switched_off_is_not_there() {
    let server = crate::start(&["--portal", "false"]);
    let mut operator = server.operator();
    let workspace = operator.create_workspace(&json!({"dialect": "native", "name": "Acme"})).unwrap();
    let mut browser = crate::dash::browser::Browser::new(server.public());
    for path in ["/portal", "/portal/open?link=spl_AAAA", "/portal/assets/x"] {
        assert_eq!(browser.get(path).status, 404, "{path}");
    }
    let path = format!("/v1/workspaces/{workspace}/portal-links");
    let mut request =
        signalpost_testkit::Request::new("POST", &path).header("content-type", "application/json");
    request.body = b"{}".to_vec();
    let refused = operator.send(request).unwrap();
    assert_eq!(refused.status, 409);
    assert!(refused.text().contains("switched off"), "{}", refused.text());
}
