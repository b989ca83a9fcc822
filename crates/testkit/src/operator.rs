//! The operator API as a caller sees it: JSON in, JSON out, a sentence when it was refused.

use std::net::SocketAddr;
use std::time::Duration;

use serde_json::Value;

use crate::client::{HttpClient, Request, Response};

const TIMEOUT: Duration = Duration::from_secs(30);

pub struct Operator {
    client: HttpClient,
    authorization: String,
}

impl Operator {
    /// `key` is the operator key, or one minted from it.
    pub fn new(address: SocketAddr, key: &str) -> Self {
        Self { client: HttpClient::new(address, TIMEOUT), authorization: format!("Bearer {key}") }
    }

    /// Sends a request with our key. The error tells that no answer came.
    pub fn send(&mut self, request: Request) -> Result<Response, String> {
        let request = request.header("authorization", &self.authorization);
        let sent = self.client.send(&request);
        sent.map_err(|error| format!("{} {} was not answered: {error}", request.method, request.path))
    }

    pub fn get(&mut self, path: &str) -> Result<Value, String> {
        let response = self.send(Request::new("GET", path))?;
        require(&response, path, &[200])
    }

    /// Posts and expects 200, 201 or 202.
    pub fn post(&mut self, path: &str, body: &Value) -> Result<Value, String> {
        let response = self.send(Request::new("POST", path).json(body))?;
        require(&response, path, &[200, 201, 202])
    }

    /// `POST /v1/workspaces`; returns the id.
    pub fn create_workspace(&mut self, body: &Value) -> Result<String, String> {
        let workspace = self.post("/v1/workspaces", body)?;
        text_of(&workspace, "id")
    }

    /// A customer's credential; returns its secret.
    pub fn create_credential(&mut self, workspace: &str) -> Result<String, String> {
        let path = format!("/v1/workspaces/{workspace}/credentials");
        let credential = self.post(&path, &serde_json::json!({"name": "testkit"}))?;
        text_of(&credential, "secret")
    }

    /// A native webhook; returns id and secret.
    pub fn create_webhook(&mut self, workspace: &str, body: &Value) -> Result<(String, String), String> {
        let webhook = self.post(&format!("/v1/workspaces/{workspace}/webhooks"), body)?;
        Ok((text_of(&webhook, "id")?, text_of(&webhook, "secret")?))
    }

    /// Publishes; returns `{id, sequence, deliveries}`.
    pub fn publish(&mut self, workspace: &str, event: &Value) -> Result<Value, String> {
        self.post(&format!("/v1/workspaces/{workspace}/events"), event)
    }
}

fn require(response: &Response, path: &str, statuses: &[u16]) -> Result<Value, String> {
    if statuses.contains(&response.status) {
        return Ok(response.json());
    }
    Err(format!("{path} was answered with {}: {}", response.status, response.text()))
}

fn text_of(object: &Value, field: &str) -> Result<String, String> {
    let text = object[field].as_str().map(str::to_owned);
    text.ok_or_else(|| format!("the answer has no text `{field}`: {object}"))
}
