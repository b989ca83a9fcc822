//! The demo's own caller: JSON over one fresh connection a request.

use std::net::SocketAddr;

use axum::body::Bytes;
use http::header::{CONTENT_TYPE, HOST};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;

use crate::cmd::Failure;

/// One of the two addresses with the credential that opens it.
pub(super) struct Api {
    address: SocketAddr,
    credential_header: &'static str,
    credential: String,
}

impl Api {
    pub(super) const fn new(
        address: SocketAddr,
        credential_header: &'static str,
        credential: String,
    ) -> Self {
        Self { address, credential_header, credential }
    }

    pub(super) const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Posts a body and returns the answer's, or says what went wrong.
    pub(super) async fn post(&self, path: &str, body: &Value) -> Result<Value, Failure> {
        self.exchange(path, body).await.map_err(|error| Failure::new(format!("POST {path}: {error}")))
    }

    async fn exchange(&self, path: &str, body: &Value) -> Result<Value, Box<dyn std::error::Error>> {
        let stream = TcpStream::connect(self.address).await?;
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        // The connection's own end is no news: what matters reaches us through the sender.
        tokio::spawn(async move { connection.await.unwrap_or_default() });
        let request = http::Request::post(path)
            .header(HOST, self.address.to_string())
            .header(CONTENT_TYPE, "application/json")
            .header(self.credential_header, &self.credential)
            .body(Full::new(Bytes::from(serde_json::to_vec(body)?)))?;
        let answer = sender.send_request(request).await?;
        let status = answer.status();
        let body = answer.into_body().collect().await?.to_bytes();
        if status.is_success() {
            return Ok(serde_json::from_slice(&body)?);
        }
        Err(format!("{status}: {}", String::from_utf8_lossy(&body)).into())
    }
}
