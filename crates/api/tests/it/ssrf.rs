//! The corpus of ways to the inside, as customers' URLs: what no delivery could be sent to in one meaning is refused where it
//! is given, on every dialect and by every call that takes a URL.

use http::Method;
use serde_json::{Value, json};
use signalpost_testkit::{SsrfCase, SsrfVerdict};

use crate::app::App;
use crate::opentrain::Customer as OpenTrain;
use crate::sigmamind::Customer as SigmaMind;
use crate::spaaza::Customer as Spaaza;

const PORT: u16 = 8_443;

#[test]
fn native_webhooks_are_made_for_what_can_be_judged_and_for_nothing_else() {
    let app = App::new();
    let path = format!("/v1/workspaces/{}/webhooks", app.workspace("native"));
    let made = app.operator(Method::POST, &path).json(&json!({"url": "https://x.y"})).send();
    let one = format!("{path}/{}", made.expect(201).text_at("/id"));
    for case in SsrfCase::all() {
        let url = case.url(PORT);
        for (method, path, good) in [(Method::POST, &path, 201), (Method::PATCH, &one, 200)] {
            let answer = app.operator(method.clone(), path).json(&json!({"url": url})).send();
            if case.verdict == SsrfVerdict::Refused {
                assert_eq!(answer.status, 422, "line {}: {method} {url:?}", case.line);
                assert_eq!(answer.pointers(), ["/url"], "line {}", case.line);
            } else {
                assert_eq!(answer.status, good, "line {}: {method} {url:?}: {}", case.line, answer.text());
                assert_eq!(answer.text_at("/url"), url, "line {}: shown as it was given", case.line);
            }
        }
    }
}

/// They may refuse more, such as plain `http`.
#[test]
fn no_dialect_takes_a_url_that_has_two_meanings() {
    let (sigmamind, opentrain, spaaza) = (SigmaMind::new(), OpenTrain::new(), Spaaza::new());
    let with = |url: &str| {
        let url = json!(url);
        let set = |body: &mut Value| body["url"] = url.clone();
        [
            ("sigmamind", sigmamind.create(set)),
            ("opentrain", opentrain.create(set)),
            ("spaaza", spaaza.add(set)),
        ]
    };
    for (dialect, answer) in with("https://example.com/hook") {
        assert!(answer.status.is_success(), "{dialect}: {}", answer.text());
    }
    let refused = SsrfCase::all().into_iter().filter(|case| case.verdict == SsrfVerdict::Refused);
    for case in refused {
        let plain = case.url(PORT);
        for url in [plain.replacen("http://", "https://", 1), plain] {
            for (dialect, answer) in with(&url) {
                let status = answer.status.as_u16();
                assert!([400, 422].contains(&status), "line {}: {dialect} {url:?}: {status}", case.line);
            }
        }
    }
}

/// A gateway hands `Webhook_Signature` to its program by the name of the real one (RFC 3875).
#[test]
fn headers_that_receivers_could_take_for_others_are_refused() {
    let app = App::new();
    let path = format!("/v1/workspaces/{}/webhooks", app.workspace("native"));
    for name in [
        "webhook_signature",
        "Webhook-Id_",
        "WEBHOOK_TIMESTAMP",
        "content_length",
        "Content_Type",
        "transfer_encoding",
        "Proxy_Connection",
        "user_agent",
        "http2_settings",
        ":authority",
        "x:y",
        "x\r\ny",
        "",
    ] {
        let body = json!({"url": "https://x.y", "headers": {name: "v"}});
        let answer = app.operator(Method::POST, &path).json(&body).send();
        assert_eq!(answer.expect(422).pointers().len(), 1, "{name}");
    }
    let body = json!({"url": "https://x.y", "headers": {"x_api_key": "v", "my_webhook-id": "v"}});
    app.operator(Method::POST, &path).json(&body).send().expect(201);
}
