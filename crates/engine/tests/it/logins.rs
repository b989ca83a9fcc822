//! Logins at receivers: sent as HTTP Basic, and seen by nobody else.

use signalpost_core::basic_auth::{Login, LoginChange};
use signalpost_core::custom_header::{HeadersChange, MASKED};
use signalpost_core::delivery::Step;
use signalpost_core::error::{Error, ErrorCode};
use signalpost_core::profile::PauseRule;
use signalpost_core::secret::Secret;
use signalpost_core::target_url::TargetUrl;
use signalpost_core::webhook::Webhook;
use signalpost_engine::webhooks::{NewWebhook, WebhookChange};

use crate::rig::Rig;

const AUTHORIZATION: &str = "authorization";

fn change(rig: &mut Rig, webhook: &str, change: WebhookChange) -> Result<Webhook, Error> {
    rig.call(async |engine, view| engine.update_webhook(&view, webhook, change).await)
}

fn login(user: Option<Option<&str>>, password: Option<Option<&str>>) -> WebhookChange {
    let user = user.map(|user| user.map(str::to_owned));
    let password = password.map(|password| password.map(Secret::from_text));
    WebhookChange { login: LoginChange { user, password }, ..WebhookChange::default() }
}

fn header(value: Option<&str>) -> WebhookChange {
    let merged = vec![("Authorization".to_owned(), value.map(Secret::from_text))];
    WebhookChange { headers: Some(HeadersChange::Merge(merged)), ..WebhookChange::default() }
}

#[test]
fn a_login_is_sent_if_and_only_if_it_is_whole() {
    let mut rig = Rig::new(PauseRule::Drops, None);
    rig.receiver.status.set(Some(204));
    let webhook = rig.webhook();
    let steps = [
        (login(Some(Some("Aladdin")), None), None),
        (login(None, Some(Some("open sesame"))), Some("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==")),
        (login(None, None), Some("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==")),
        (login(Some(Some("test")), Some(Some("123\u{a3}"))), Some("Basic dGVzdDoxMjPCow==")),
        (login(None, Some(None)), None),
        (login(Some(None), None), None),
    ];
    for (step, sent) in steps {
        change(&mut rig, &webhook, step).expect("it is permitted");
        rig.publish(1);
        assert_eq!(rig.receiver.take(AUTHORIZATION), [sent.map(str::to_owned)]);
    }
}

#[test]
fn a_password_is_shown_to_those_alone_who_ask_for_it() {
    const CANARY: &str = "canary-7d31";
    let mut rig = Rig::new(PauseRule::Drops, None);
    rig.receiver.status.set(Some(204));
    let url = TargetUrl::parse("https://example.com/").expect("a good URL");
    let login = Login { user: Some("ann".to_owned()), password: Some(Secret::from_text(CANARY)) };
    let new = NewWebhook { login, ..NewWebhook::to(url) };
    let made = rig.call(async |engine, view| engine.create_webhook(&view, new, None).await);
    let webhook = made.expect("a webhook").now().expect("not a repetition").webhook;
    rig.publish(1);
    assert_eq!(rig.receiver.take(AUTHORIZATION), [Some("Basic YW5uOmNhbmFyeS03ZDMx".to_owned())]);
    let delivery = rig.deliveries()[0].id.to_public();
    let record = rig.call(async |engine, _| engine.delivery(&delivery).await).expect("it exists").record;
    let [Step::Attempted(attempt)] = &record.steps[..] else { panic!("one attempt") };
    assert!(attempt.request_headers.contains(&(AUTHORIZATION.to_owned(), MASKED.to_owned())));
    let shown = format!("{webhook:?} {record:?} {:?}", rig.look(&webhook.public_id));
    assert!(!shown.contains(CANARY) && !shown.contains("YW5u"), "{shown}");
    let revealed = rig.engine.reveal_login_password(&webhook).expect("it opens").expect("it has one");
    assert_eq!(revealed.expose_text(), CANARY);
    let other = Webhook { workspace: signalpost_core::id::WorkspaceId::from_raw(9), ..webhook };
    let moved = rig.engine.reveal_login_password(&other).expect_err("sealed in its place");
    assert_eq!(moved.code, ErrorCode::Unavailable);
}

#[test]
fn a_login_and_a_header_of_the_same_meaning_exclude_one_another() {
    let mut rig = Rig::new(PauseRule::Drops, None);
    let webhook = rig.webhook();
    let whole = || login(Some(Some("u")), Some(Some("p")));
    let refused = |result: Result<Webhook, Error>| {
        let error = result.expect_err("two authorizations");
        assert_eq!(
            (error.code, error.fields[0].field.as_str()),
            (ErrorCode::Invalid, "headers/authorization")
        );
    };
    change(&mut rig, &webhook, header(Some("Bearer x"))).expect("it stands alone");
    refused(change(&mut rig, &webhook, whole()));
    change(&mut rig, &webhook, login(Some(Some("u")), None)).expect("a part is no authorization");
    refused(change(&mut rig, &webhook, login(None, Some(Some("p")))));
    let swap = WebhookChange { headers: header(None).headers, ..whole() };
    change(&mut rig, &webhook, swap).expect("one goes and the other comes");
    refused(change(&mut rig, &webhook, header(Some("Bearer x"))));
    let url = TargetUrl::parse("https://example.com/").expect("a good URL");
    let both = NewWebhook {
        headers: vec![("authorization".to_owned(), Secret::from_text("x"))],
        login: Login { user: Some("u".to_owned()), password: Some(Secret::from_text("p")) },
        ..NewWebhook::to(url)
    };
    let made = rig.call(async |engine, view| engine.create_webhook(&view, both, None).await);
    refused(made.map(|_| unreachable!("it is refused")));
}

#[test]
fn what_cannot_be_sent_is_refused_part_by_part() {
    let mut rig = Rig::new(PauseRule::Drops, None);
    let webhook = rig.webhook();
    let long = "p".repeat(257);
    let bad = login(Some(Some("a:b")), Some(Some(&long)));
    let error = change(&mut rig, &webhook, bad).expect_err("both parts are bad");
    let fields: Vec<&str> = error.fields.iter().map(|field| field.field.as_str()).collect();
    assert_eq!(fields, ["login/user", "login/password"]);
    assert!(error.fields[0].message.contains("colon"), "{error}");
    assert_eq!(rig.look(&webhook).login, Login::none());
}
