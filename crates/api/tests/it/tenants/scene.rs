//! Tenants that have one of everything, made through the API as anybody makes it.

use std::collections::BTreeMap;

use http::Method;
use serde_json::{Value, json};

use super::calls::{Slot, Values};
use crate::app::{App, Call};

/// What a tenant can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Workspace,
    Webhook,
    Event,
    Delivery,
    Credential,
    Key,
    User,
    Signature,
    Replay,
}

/// A tenant of a dialect, and by what its people call.
pub(super) struct Tenant {
    pub(super) dialect: &'static str,
    /// Stands in everything that the tenant wrote.
    pub(super) tag: &'static str,
    pub(super) ids: BTreeMap<Kind, String>,
    /// The secret of an operator key that is bound to the workspace and may do everything.
    pub(super) key: String,
    /// Of whoever calls the dialect's own side; native workspaces have none.
    pub(super) customer: Option<Credential>,
}

/// A customer's credential: a session takes two texts.
#[derive(Clone, Debug)]
pub(super) struct Credential {
    pub(super) id: String,
    pub(super) secret: String,
    pub(super) user: String,
}

impl Credential {
    /// In the headers of every dialect: each reads its own.
    pub(super) fn sign<'a>(&self, call: Call<'a>) -> Call<'a> {
        call.header("authorization", &format!("Bearer {}", self.secret))
            .key(&self.secret)
            .header("x-spaaza-session-user-id", &self.user)
            .header("x-spaaza-session-key", &self.secret)
    }
}

/// What is published, and which webhook wants it.
struct Words {
    webhook: Value,
    event: Value,
}

/// # Panics
/// For a dialect of which nobody has said how its customers make a webhook: say it here.
fn words(dialect: &str, tag: &str) -> Words {
    let url = format!("https://{tag}.example/hooks");
    let (webhook, event) = match dialect {
        "native" => (json!({"url": url, "name": tag}), json!({"type": "order.paid", "data": {"from": tag}})),
        "sigmamind" => (
            json!({"name": tag, "agentId": "D5D0p7TUs66TTAEAx", "url": url, "events": ["conversation_ended"]}),
            json!({"type": "conversation_ended", "subject": "D5D0p7TUs66TTAEAx", "data": {"from": tag}}),
        ),
        "opentrain" => (
            json!({"url": url, "eventTypes": ["message.received"]}),
            json!({"type": "message.received", "resourceId": tag, "jobId": "j",
                   "data": {"conversationId": tag, "messageId": 1}}),
        ),
        "opentrain-partner" => (
            json!({"url": url, "eventTypes": ["contract.started"]}),
            json!({"type": "contract.started", "resourceId": tag, "data": {"from": tag}}),
        ),
        "spaaza" => (
            json!({"event_name": "shopper.voucher-issued", "type": "https", "url": url}),
            json!({"type": "shopper.voucher-issued", "id": "voucher1", "data": {"from": tag}}),
        ),
        other => panic!("nobody has said what the customers of {other} do"),
    };
    Words { webhook, event }
}

/// A workspace with one of everything that its dialect knows.
pub(super) fn tenant(app: &App, dialect: &'static str, tag: &'static str) -> Tenant {
    let made =
        app.operator(Method::POST, "/v1/workspaces").json(&json!({"dialect": dialect, "name": tag})).send();
    let workspace = made.expect(201).text_at("/id");
    let (key_id, key) = app.minted(&json!({"name": tag, "scopes": ["admin"], "workspace": workspace}));
    let customer = (dialect != "native").then(|| credential(app, &workspace, &json!({"name": tag})));
    let mut ids = BTreeMap::from([(Kind::Workspace, workspace.clone()), (Kind::Key, key_id)]);
    if let Some(customer) = &customer {
        ids.insert(Kind::Credential, customer.id.clone());
        if dialect == "spaaza" {
            ids.insert(Kind::User, customer.user.clone());
        }
    }
    let mut tenant = Tenant { dialect, tag, ids, key, customer };
    tenant.make_webhook(app, words(dialect, tag).webhook);
    let event = app.publish(&workspace, &words(dialect, tag).event);
    assert_eq!(event.json()["deliveries"], 1, "{}", event.text());
    tenant.ids.insert(Kind::Event, event.text_at("/id"));
    for (kind, list) in [(Kind::Webhook, "webhooks"), (Kind::Delivery, "deliveries")] {
        let list = app.operator(Method::GET, &format!("/v1/workspaces/{workspace}/{list}")).send();
        tenant.ids.insert(kind, list.expect(200).text_at("/data/0/id"));
    }
    let path = format!("/v1/workspaces/{workspace}/webhooks/{}/replays", tenant.ids[&Kind::Webhook]);
    let replay = json!({"which": "all", "since": "2026-05-05T00:00:00Z"});
    let made = app.operator(Method::POST, &path).json(&replay).send();
    tenant.ids.insert(Kind::Replay, made.expect(202).text_at("/id"));
    tenant
}

/// A new credential of a workspace.
pub(super) fn credential(app: &App, workspace: &str, new: &Value) -> Credential {
    let made =
        app.operator(Method::POST, &format!("/v1/workspaces/{workspace}/credentials")).json(new).send();
    let user = made.expect(201).json()["user_id"].as_u64().map(|id| id.to_string());
    Credential {
        id: made.text_at("/id"),
        secret: made.text_at("/secret"),
        user: user.unwrap_or_else(|| "none".to_owned()),
    }
}

impl Tenant {
    pub(super) fn workspace(&self) -> &str {
        &self.ids[&Kind::Workspace]
    }

    /// What the tenant has in the slots of these kinds; `None` when it has not all of them.
    pub(super) fn values<'a>(&self, slots: impl IntoIterator<Item = &'a Slot>) -> Option<Values> {
        let value = |slot: &Slot| Some((slot.name.clone(), self.ids.get(&slot.kind)?.clone()));
        slots.into_iter().map(value).collect()
    }

    fn make_webhook(&mut self, app: &App, mut webhook: Value) {
        let workspace = self.workspace().to_owned();
        let Some(customer) = self.customer.clone() else {
            let path = format!("/v1/workspaces/{workspace}/webhooks");
            app.operator(Method::POST, &path).json(&webhook).send().expect(201);
            return;
        };
        let post = |path: &str, body: &Value| customer.sign(app.public(Method::POST, path)).json(body).send();
        let made = match self.dialect {
            "sigmamind" => post("/v1/webhooks", &webhook),
            "opentrain" => post("/api/public/v1/webhooks", &webhook),
            "opentrain-partner" => post("/api/partner/v1/webhook-endpoints", &webhook),
            _ => {
                let chain: u64 = workspace.parse().unwrap();
                let made = post("/internal/add-webhook-signature", &json!({"chain_id": chain}));
                let signature = made.expect(200).json()["results"]["webhook_signature"]["id"].clone();
                self.ids.insert(Kind::Signature, signature.to_string());
                webhook["chain_id"] = json!(chain);
                webhook["webhook_signature_id"] = signature;
                post("/internal/add-webhook", &webhook)
            }
        };
        assert!(made.status.is_success(), "{}", made.text());
    }
}

/// An id of the same form that nobody has.
pub(super) fn nobodys(id: &str) -> String {
    if id.bytes().all(|byte| byte.is_ascii_digit()) {
        return "987654321".to_owned();
    }
    let (start, last) = id.split_at(id.len() - 1);
    format!("{start}{}", if last == "7" { '8' } else { '7' })
}
