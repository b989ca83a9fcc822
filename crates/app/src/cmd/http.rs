//! A caller of our own addresses, for commands: JSON over one fresh connection a request.

use std::net::SocketAddr;

use axum::body::Bytes;
use http::header::{CONTENT_TYPE, HOST};
use http::{Method, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;

use crate::cmd::Failure;

/// One of the two addresses with the credential that opens it.
pub(crate) struct Api {
    address: SocketAddr,
    credential_header: &'static str,
    credential: String,
}

/// What came back; null when it had no body.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) body: Value,
}

impl Api {
    pub(crate) const fn new(
        address: SocketAddr,
        credential_header: &'static str,
        credential: String,
    ) -> Self {
        Self { address, credential_header, credential }
    }

    pub(crate) const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Posts a body and returns the answer's, or says what went wrong.
    pub(crate) async fn post(&self, path: &str, body: &Value) -> Result<Value, Failure> {
        let answer = self.send(Method::POST, path, Some(body)).await;
        let answer = answer.map_err(|error| Failure::new(format!("POST {path}: {error}")))?;
        if answer.status.is_success() {
            return Ok(answer.body);
        }
        Err(Failure::new(format!("POST {path}: {}: {}", answer.status, answer.body)))
    }

    /// One request and its answer, whatever its status.
    pub(crate) async fn send(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Answer, Box<dyn std::error::Error>> {
        let stream = TcpStream::connect(self.address).await?;
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        // The connection's own end is no news: what matters reaches us through the sender.
        tokio::spawn(async move { connection.await.unwrap_or_default() });
        let mut request = http::Request::builder()
            .method(method)
            .uri(path)
            .header(HOST, self.address.to_string())
            .header(self.credential_header, &self.credential);
        let mut bytes = Vec::new();
        if let Some(body) = body {
            request = request.header(CONTENT_TYPE, "application/json");
            serde_json::to_writer(&mut bytes, body)?;
        }
        let answer = sender.send_request(request.body(Full::new(Bytes::from(bytes)))?).await?;
        let status = answer.status();
        let body = answer.into_body().collect().await?.to_bytes();
        let body = if body.is_empty() { Value::Null } else { serde_json::from_slice(&body)? };
        Ok(Answer { status, body })
    }
}
