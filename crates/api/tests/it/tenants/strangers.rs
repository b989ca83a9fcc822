//! Callers who may not: without a credential, with one that is damaged, ended, or made for somewhere else, or with too few
//! rights. All who have none that is good are told the same, and nobody changes anything.

use http::Method;
use serde_json::json;

use super::calls::{self, Operation, Side};
use super::scene::{Credential, Tenant, credential, nobodys, tenant};
use super::{DIALECTS, seen, snapshot};
use crate::app::{App, Call, OPERATOR_KEY};

const A_SECOND_LATER: &str = "2026-05-05T10:06:47.150Z";

/// A call as somebody who may not make it.
struct Stranger {
    what: &'static str,
    credential: Credential,
}

/// The first request of an operation with what the tenant has; `None` when the dialect has it not.
fn own_call<'a>(app: &'a App, tenant: &Tenant, operation: &Operation) -> Option<Call<'a>> {
    let carrier = operation.carriers().into_iter().next()?;
    Some(operation.call(app, &carrier, &tenant.values(operation.needed(&carrier))?))
}

/// Operations of one side that are not open to everybody.
fn guarded(side: &Side) -> Vec<Operation> {
    let all = calls::all(&App::new()).into_iter();
    all.filter(|operation| operation.side == *side && !operation.is_open).collect()
}

fn strangers_of(app: &App, own: &Tenant, elsewhere: &Tenant) -> Vec<Stranger> {
    let good = own.customer.clone().unwrap();
    let of = |what, secret: &str| Stranger {
        what,
        credential: Credential { secret: secret.to_owned(), ..good.clone() },
    };
    let revoked = credential(app, own.workspace(), &json!({"name": "revoked"}));
    let path = format!("/v1/workspaces/{}/credentials/{}", own.workspace(), revoked.id);
    app.operator(Method::DELETE, &path).send().expect(204);
    let expired = credential(app, own.workspace(), &json!({"name": "x", "expires_at": A_SECOND_LATER}));
    let foreign = elsewhere.customer.as_ref().map_or(elsewhere.key.as_str(), |customer| &customer.secret);
    vec![
        of("a damaged one", &nobodys(&good.secret)),
        of("half of one", &good.secret[..good.secret.len() / 2]),
        of("one with more behind it", &format!("{}0", good.secret)),
        of("one of another dialect", foreign),
        of("an operator key", &own.key),
        Stranger { what: "a revoked one", credential: revoked },
        Stranger { what: "an expired one", credential: expired },
    ]
}

#[expect(clippy::print_stdout, reason = "docs/proof.md says how to see these figures")]
#[test]
fn whoever_has_no_good_credential_of_a_dialect_is_told_one_thing_and_changes_nothing() {
    let mut requests = 0;
    for (dialect, elsewhere) in DIALECTS.into_iter().filter(|(dialect, _)| *dialect != "native") {
        let app = App::new();
        let (own, elsewhere) = (tenant(&app, dialect, "tenant-a"), tenant(&app, elsewhere, "tenant-b"));
        let strangers = strangers_of(&app, &own, &elsewhere);
        app.clock.advance_ms(1_001);
        for operation in guarded(&Side::Public(dialect.to_owned())) {
            let call = || own_call(&app, &own, &operation).expect("it has all that its calls name");
            requests += all_are_refused(&app, &operation, &strangers, call);
            let good = own.customer.as_ref().unwrap().sign(call()).send();
            assert_ne!(good.status, 401, "{}: {}", operation.path, good.text());
        }
    }
    assert!(requests > 150, "{requests}");
    println!("{requests} requests of strangers to dialects");
}

#[expect(clippy::print_stdout, reason = "docs/proof.md says how to see these figures")]
#[test]
fn whoever_has_no_good_operator_key_is_told_one_thing_and_changes_nothing() {
    let app = App::new();
    let (own, customers) = (tenant(&app, "native", "tenant-a"), tenant(&app, "spaaza", "tenant-b"));
    let (revoked, revoked_key) = app.minted(&json!({"scopes": ["admin"]}));
    app.operator(Method::DELETE, &format!("/v1/keys/{revoked}")).send().expect(204);
    let (_, expired) = app.minted(&json!({"scopes": ["admin"], "expires_at": A_SECOND_LATER}));
    app.clock.advance_ms(1_001);
    let customer = customers.customer.clone().unwrap();
    let of = |what, secret: &str| {
        let credential = Credential { secret: secret.to_owned(), ..customer.clone() };
        Stranger { what, credential }
    };
    let strangers = [
        of("a damaged one", &nobodys(&own.key)),
        of("half of one", &own.key[..own.key.len() / 2]),
        of("the installation's but for a character", &nobodys(OPERATOR_KEY)),
        of("a customer's", &customer.secret),
        of("a revoked one", &revoked_key),
        of("an expired one", &expired),
    ];
    let mut requests = 0;
    for operation in guarded(&Side::Operator) {
        // Else so many wrong keys of one address are told to come back later.
        app.clock.advance_ms(60_000);
        // Native workspaces have no credentials.
        let call = || own_call(&app, &own, &operation).or_else(|| own_call(&app, &customers, &operation));
        let call = || call().expect("one of them has what it names");
        requests += all_are_refused(&app, &operation, &strangers, call);
        let good = call().header("authorization", &format!("Bearer {OPERATOR_KEY}")).send();
        assert_ne!(good.status, 401, "{}: {}", operation.path, good.text());
    }
    assert!(requests > 150, "{requests}");
    println!("{requests} requests of strangers to the operator's side");
}

/// How many requests were made.
fn all_are_refused<'a>(
    app: &App,
    operation: &Operation,
    strangers: &[Stranger],
    call: impl Fn() -> Call<'a>,
) -> usize {
    let before = snapshot(app);
    let nobody = call().send();
    assert_eq!(nobody.status, 401, "{}: {}", operation.path, nobody.text());
    for Stranger { what, credential } in strangers {
        let answer = credential.sign(call()).send();
        assert_eq!(seen(&answer, &[]), seen(&nobody, &[]), "{} with {what}", operation.path);
    }
    assert_eq!(before.difference(&snapshot(app)), None, "{}", operation.path);
    strangers.len() + 1
}

/// A key of the third dialect has every right in its workspace.
#[test]
fn too_few_rights_change_nothing() {
    let few = [
        ("opentrain", json!({"scopes": ["proposals:read"]})),
        ("opentrain-partner", json!({"scopes": ["contracts:read"]})),
        ("spaaza", json!({"rights": ["read"]})),
    ];
    for (dialect, rights) in few {
        let app = App::new();
        let own = tenant(&app, dialect, "tenant-a");
        let weak = credential(&app, own.workspace(), &rights);
        let mut refused = 0;
        for operation in guarded(&Side::Public(dialect.to_owned())) {
            let before = snapshot(&app);
            let answer = weak.sign(own_call(&app, &own, &operation).unwrap()).send();
            assert!(
                answer.status == 403 || !operation.changes() && answer.status == 200,
                "{} {}: {}",
                operation.method,
                operation.path,
                answer.text()
            );
            refused += usize::from(answer.status == 403);
            assert_eq!(before.difference(&snapshot(&app)), None, "{}", operation.path);
        }
        assert!(refused >= 4, "{dialect}: {refused}");
    }
}

/// What proxies and frameworks take for another method is nothing here.
#[test]
fn a_look_stays_a_look_whatever_its_headers_call_it() {
    for (dialect, _) in DIALECTS {
        let app = App::new();
        let own = tenant(&app, dialect, "tenant-a");
        let side = if dialect == "native" { Side::Operator } else { Side::Public(dialect.to_owned()) };
        for operation in guarded(&side).into_iter().filter(|operation| !operation.changes()) {
            let Some(call) = own_call(&app, &own, &operation) else { continue };
            let sign = |call| match &own.customer {
                Some(customer) => customer.sign(call),
                None => Call::header(call, "authorization", &format!("Bearer {OPERATOR_KEY}")),
            };
            let plain = sign(call).send();
            let before = snapshot(&app);
            for name in ["x-http-method-override", "x-method-override", "x-http-method"] {
                let answer = sign(own_call(&app, &own, &operation).unwrap()).header(name, "DELETE").send();
                assert_eq!(seen(&answer, &[]), seen(&plain, &[]), "{} with {name}", operation.path);
            }
            assert_eq!(before.difference(&snapshot(&app)), None, "{}", operation.path);
        }
    }
}

/// One tenant's idempotency key says nothing about another's.
#[test]
fn a_call_is_no_repetition_of_another_tenants() {
    let mut tried = 0;
    for operation in guarded(&Side::Operator).into_iter().filter(|operation| operation.is_idempotent) {
        let app = App::new();
        let tenants = ["tenant-a", "tenant-b"].map(|tag| tenant(&app, "native", tag));
        for (tenant, other) in [(&tenants[0], "tenant-b"), (&tenants[1], "tenant-a")] {
            let call = own_call(&app, tenant, &operation).expect("native tenants have it");
            let call = call.header("idempotency-key", "the-same-of-both");
            let answer = call.header("authorization", &format!("Bearer {}", tenant.key)).send();
            assert_eq!(answer.header("idempotency-replayed"), "", "{}: {}", operation.path, answer.text());
            assert!(!answer.text().contains(other), "{}: {}", operation.path, answer.text());
            tried += 1;
        }
    }
    assert!(tried > 12, "{tried}");
}
