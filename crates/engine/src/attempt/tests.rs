//! What an attempt sends, and what is kept of it.

use super::*;
use crate::hand_clock::HandClock;
use std::cell::{Cell, RefCell};
use std::time::Duration;

use futures_util::FutureExt;
use signalpost_core::ceilings::Ceilings;
use signalpost_core::event::{EventContent, Sequence};
use signalpost_core::health::{DisableRule, Health, ReleaseOrder};
use signalpost_core::id::{DeliveryId, EventId, WebhookId};
use signalpost_core::lane_group::{GroupEpoch, LaneGroup};
use signalpost_core::policy::{DeliveryPolicy, RetrySchedule};
use signalpost_core::ports::Clock;
use signalpost_core::ports::LocalBoxFuture;
use signalpost_core::profile::{
    EventIdRule, FeedRule, IdForm, PauseRule, Profile, SecretForm, SelectionRule, SigningRule, SubjectRule,
};
use signalpost_core::retention::RetentionDefault;
use signalpost_core::secret::Secret;
use signalpost_core::sign::{Encoding, KeyForm, SignatureRecipe};
use signalpost_core::target_url::TargetUrl;
use signalpost_core::time::Monotonic;
use signalpost_store::Ownership;

struct Sent(RefCell<u32>);

impl Transport for Sent {
    /// Says again what was sent.
    fn send(&self, request: OutboundRequest) -> LocalBoxFuture<'static, Exchange> {
        *self.0.borrow_mut() += 1;
        let answer = Bytes::copy_from_slice(request.secret_headers[0].1.expose());
        Box::pin(std::future::ready(Exchange { answer, ..not_sent("the test sends nothing") }))
    }
}

pub(crate) fn profile() -> Profile {
    let form = || IdForm::random("", 16);
    let text = |template| Template::text(template).expect("a good template");
    let (key, encoding) = (KeyForm::Text, Encoding::Hex);
    let signature = Arc::new(SignatureRecipe {
        header: "x-signature".into(),
        value: text("${signature}"),
        content: text("${body}"),
        key,
        encoding,
        separator: None,
    });
    let policy = DeliveryPolicy {
        retry: RetrySchedule::default(),
        timeout: Duration::from_secs(1),
        disable: DisableRule::default(),
        hold: None,
        release: ReleaseOrder::default(),
    };
    Profile {
        name: "test".to_owned(),
        workspace_id: form(),
        webhook_id: form(),
        credential: None,
        login: None,
        secret: SecretForm::Alphanumeric { length: 32 },
        signing: SigningRule::OwnSecret,
        features: Vec::new(),
        scopes: Vec::new(),
        catalogue: None,
        selection: SelectionRule::Patterns,
        subject: SubjectRule::Optional,
        event_id: EventIdRule::Unique,
        webhooks_max: None,
        pause: PauseRule::Drops,
        attributes: Vec::new(),
        feed: FeedRule::Absent,
        retention: RetentionDefault::Server,
        webhook_form: signalpost_core::webhook_form::WebhookForm::plain(),
        farewell: None,
        delivery: DeliveryProfile {
            body: text("x"),
            headers: Vec::new(),
            reserved_prefixes: Vec::new(),
            signature,
            policy,
        },
    }
}

fn secret_header() -> (Arc<str>, Secret) {
    ("x-api-key".into(), Secret::from_text("canary"))
}

fn config(superseded: bool) -> Rc<LaneConfig> {
    let profile = profile();
    let url = Arc::new(TargetUrl::parse("https://example.com/").expect("a good URL"));
    let (name, value) = secret_header();
    let masking = Masking::of(std::iter::empty(), std::iter::once((&*name, &value)));
    Rc::new(LaneConfig {
        workspace: WorkspaceId::from_raw(1),
        webhook_public_id: "wh".to_owned(),
        workspace_public_id: "ws".to_owned(),
        policy: profile.delivery.policy.clone(),
        ceilings: Ceilings::default(),
        profile: Arc::new(profile),
        target: Ok(Target {
            url,
            signer: None,
            headers: [secret_header()].into(),
            left_out: Vec::new(),
            masking,
        }),
        cut_upto: None,
        health: Health::default(),
        concurrency: None,
        superseded: Cell::new(superseded),
    })
}

/// A receiver may answer with what it was sent, or point there.
#[test]
fn what_a_receiver_says_again_is_masked() {
    let spoken = |detail: &str, answer: &'static [u8]| Exchange {
        detail: detail.to_owned(),
        answer: Bytes::from_static(answer),
        ..not_sent("x")
    };
    let (secret, (_, value)) = (Secret::from_text("whsec_AAAA"), secret_header());
    let masking = Masking::of(std::iter::once(&secret), std::iter::once(("x-api-key", &value)));
    let shown = |exchange| {
        let Exchange { detail, answer, .. } = shown_exchange(exchange, &masking);
        (detail, answer)
    };
    let harmless = spoken("Redirects are not followed.", b"{\"error\":\"\xff\"}");
    assert_eq!(shown(harmless.clone()), (harmless.detail, harmless.answer));
    let again = spoken("this one pointed to https://x.y/?key=canary", b"\xffx-api-key: canary, whsec_AAAA");
    let masked =
        ("this one pointed to https://x.y/?key=***".to_owned(), b"\xffx-api-key: ***, ***".as_slice().into());
    assert_eq!(shown(again), masked);
}

fn event() -> Arc<Event> {
    let content = EventContent {
        producer_id: None,
        event_type: "a.b".to_owned(),
        subject: None,
        time: Timestamp::default(),
        attributes: Vec::new(),
        data: Bytes::from_static(b"1"),
        ordering_key: None,
    };
    let (id, workspace) = (EventId::from_raw(1), WorkspaceId::from_raw(1));
    Arc::new(Event {
        id,
        workspace,
        sequence: Sequence(1),
        content,
        targets: Vec::new(),
        accepted_at: Timestamp::default(),
        payload_removed_at: None,
    })
}

#[test]
fn a_planned_attempt_begins_only_under_the_present_configuration() {
    let id = DeliveryId { event: EventId::from_raw(1), webhook: WebhookId::from_raw(1) };
    let due = Due { id, due_at: Timestamp::default(), born: Sequence(1), steps: 0, tries: 0, order: None };
    for (superseded, requests) in [(false, 1), (true, 0)] {
        let permit = permit(&Arc::default(), id.webhook);
        let transport = Rc::new(Sent(RefCell::new(0)));
        let shared: Rc<dyn Transport> = Rc::clone(&transport) as Rc<dyn Transport>;
        let attempt = run(config(superseded), permit, event(), due, Timestamp::default(), shared);
        let ended = attempt.now_or_never().expect("nothing is waited for");
        assert_eq!((ended.is_err(), *transport.0.borrow()), (superseded, requests));
        let (recorded, answer) =
            ended.map(|ended| (ended.request_headers, ended.exchange.answer)).unwrap_or_default();
        assert_eq!(answer, if superseded { "" } else { MASKED });
        let masked = [("x-api-key".into(), MASKED.to_owned())];
        assert_eq!(recorded, &masked[..usize::try_from(requests).expect("one at most")]);
    }
}

fn permit(ownership: &Arc<Ownership>, webhook: WebhookId) -> Permit {
    let clock: Arc<dyn Clock> = Arc::new(HandClock::default());
    Permit::of(ownership, &clock, webhook).expect("it is ours")
}

#[test]
fn a_planned_attempt_begins_only_while_its_webhook_is_ours() {
    let id = DeliveryId { event: EventId::from_raw(1), webhook: WebhookId::from_raw(1) };
    let due = Due { id, due_at: Timestamp::default(), born: Sequence(1), steps: 0, tries: 0, order: None };
    let group = LaneGroup::of(id.webhook);
    let losses: [fn(&Ownership, LaneGroup); 3] = [
        Ownership::lose,
        |ownership, group| ownership.take(group, GroupEpoch::numbered(2).expect("not zero")),
        |ownership, _| ownership.trust_until(Monotonic::from_us(0)),
    ];
    for lose in losses {
        let (transport, ownership) = (Rc::new(Sent(RefCell::new(0))), Arc::default());
        let permit = permit(&ownership, id.webhook);
        lose(&ownership, group);
        let attempt =
            run(config(false), permit, event(), due, Timestamp::default(), Rc::clone(&transport) as _);
        assert!(attempt.now_or_never().expect("nothing is waited for").is_err());
        assert_eq!(*transport.0.borrow(), 0);
    }
}

/// A header of the profile may carry the signature too.
#[test]
fn what_has_no_secret_is_sent_without_anything_of_a_signature() {
    let text = |template| Template::text(template).expect("a good template");
    let mut delivery = profile().delivery;
    delivery.headers =
        vec![("x-kept".into(), text("${delivery.id}")), ("x-copy".into(), text("is ${signature}"))];
    let event = event();
    let scope = Scope {
        event: &event,
        workspace: "ws",
        webhook: "wh",
        delivery: "dlv",
        attempt_at: Timestamp::default(),
        body: b"{\"a\":1}",
        signature: "",
    };
    let sent = |signer: Option<&Signer>| {
        let headers = headers(&delivery, signer, scope).into_iter();
        headers.map(|(name, value)| format!("{name}: {value}")).collect::<Vec<_>>()
    };
    assert_eq!(sent(None), ["x-kept: dlv"]);
    let signer = Signer::new(delivery.signature.clone(), &Secret::from_text("hush")).expect("a good secret");
    // HMAC-SHA256 of {"a":1} under `hush`, computed apart.
    let hex = "dfe62afd3a708ea27b217b8cabc11f103edbfb2d176e892a38a2d475a803c4c2";
    let expected = ["x-kept: dlv".to_owned(), format!("x-copy: is {hex}"), format!("x-signature: {hex}")];
    assert_eq!(sent(Some(&signer)), expected);
}
