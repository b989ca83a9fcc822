//! The Spaaza dialect under callers, deliveries and kills that race, with the real binary.

mod ids;
mod login;
mod signing;

use std::net::SocketAddr;

use serde_json::{Value, json};
use signalpost_testkit::{HttpClient, Operator, Request, Response, Server};

use crate::PATIENCE;

const EVENT_TYPE: &str = "shopper.voucher-issued";

/// A session as its user shows it.
#[derive(Clone, Debug)]
struct Session {
    user_id: Value,
    key: String,
}

/// A user with all rights on a chain, and the session that came with them.
struct User {
    username: String,
    password: String,
    session: Session,
}

/// A chain of a server that can be killed meanwhile: it is known by its addresses only.
#[derive(Clone)]
struct Chain {
    public: SocketAddr,
    operator: SocketAddr,
    operator_key: String,
    id: String,
}

impl Chain {
    fn new(server: &Server, policy: &Value) -> Self {
        let body = json!({"dialect": "spaaza", "name": "A", "policy": policy});
        let id = server.operator().create_workspace(&body).unwrap();
        let operator_key = server.operator_key().to_owned();
        Self { public: server.public(), operator: server.operator_address(), operator_key, id }
    }

    fn operator(&self) -> Operator {
        Operator::new(self.operator, &self.operator_key)
    }

    fn client(&self) -> HttpClient {
        HttpClient::new(self.public, PATIENCE)
    }

    fn new_user(&self) -> User {
        let path = format!("/v1/workspaces/{}/credentials", self.id);
        let made = self.operator().post(&path, &json!({"name": "n"})).unwrap();
        let text = |name: &str| made[name].as_str().unwrap_or_else(|| panic!("no {name}: {made}")).to_owned();
        let session = Session { user_id: made["user_id"].clone(), key: text("session_key") };
        User { username: text("username"), password: text("password"), session }
    }

    /// A call with these parameters and the chain's id; no answer when the server is gone.
    fn call(
        &self,
        client: &mut HttpClient,
        session: &Session,
        (method, name): (&str, &str),
        parameters: &Value,
    ) -> Option<Response> {
        let mut parameters = parameters.clone();
        parameters["chain_id"] = json!(self.id);
        let request = Request::new(method, &format!("/internal/{name}"))
            .header("x-spaaza-session-user-id", &session.user_id.to_string())
            .header("x-spaaza-session-key", &session.key)
            .json(&parameters);
        client.send(&request).ok()
    }

    /// A call that must succeed; its results.
    fn done(&self, session: &Session, call: (&str, &str), parameters: &Value) -> Value {
        let answer = self.call(&mut self.client(), session, call, parameters).unwrap();
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.json()["results"].clone()
    }

    fn new_signature(&self, session: &Session) -> Value {
        self.done(session, ("POST", "add-webhook-signature"), &json!({}))["webhook_signature"]["id"].clone()
    }

    /// Whether a session opens the chain, by the status that it gets.
    fn status(&self, client: &mut HttpClient, session: &Session) -> u16 {
        self.call(client, session, ("GET", "get-webhooks"), &json!({})).unwrap().status
    }

    fn login(&self, user: &User) -> Session {
        let body = json!({"username": user.username, "password": user.password});
        let answer = self.client().send(&Request::new("POST", "/auth/login").json(&body)).unwrap();
        assert_eq!(answer.status, 200, "{}", answer.text());
        let info = answer.json()["results"]["session_info"].clone();
        let key = info["session_key"].as_str().unwrap_or_else(|| panic!("{info}")).to_owned();
        Session { user_id: info["session_user_id"].clone(), key }
    }

    fn publish(&self, count: usize) {
        let event = json!({"type": EVENT_TYPE, "id": "voucher1", "data": {"voucher_id": 1}});
        let path = format!("/v1/workspaces/{}/events/batch", self.id);
        self.operator().post(&path, &Value::Array(vec![event; count])).unwrap();
    }
}

fn new_webhook(url: &str) -> Value {
    json!({"event_name": EVENT_TYPE, "type": "https", "url": url})
}
