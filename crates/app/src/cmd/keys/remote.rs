//! How the commands about operator keys reach a server.
//!
//! Plain HTTP on this machine: an operator key must not cross a network in the clear.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use clap::Args;
use http::Method;
use serde_json::Value;

use crate::cmd::Failure;
use crate::cmd::http::{Answer, Api};
use crate::cmd::place::PlaceArgs;
use crate::key_files;
use crate::settings::environment::Environment;
use crate::settings::{DoorSettings, Settings};

/// A management call takes milliseconds; this long means that nobody answers.
const PATIENCE: Duration = Duration::from_secs(30);

#[derive(Args, Debug)]
pub(super) struct RemoteArgs {
    /// The server's operator address, on this machine, in plain HTTP. Where it speaks TLS, call /v1/keys with a client
    /// that does [default: 127.0.0.1:8081] [env: SIGNALPOST_OPERATOR] [file: operator].
    #[arg(long, value_name = "ADDR", value_parser = parse_address)]
    operator: Option<SocketAddr>,

    #[command(flatten)]
    place: PlaceArgs,
}

impl RemoteArgs {
    /// Asks the server; a refusal becomes a failure in the server's words.
    pub(super) fn call(&self, method: Method, path: &str, body: Option<&Value>) -> Result<Value, Failure> {
        let settings = self.place.settings()?;
        let key = key_files::existing_operator_key(&settings.data, &Environment::of_process())?;
        let operator = self.address(&settings)?;
        let api = Api::new(operator, "authorization", format!("Bearer {}", key.key.expose_text()));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| Failure::io("cannot make a runtime", error))?;
        let answer =
            runtime.block_on(async { tokio::time::timeout(PATIENCE, api.send(method, path, body)).await });
        let unreachable = |error: String| {
            Failure::new(format!("the server at {operator} cannot be asked: {error}"))
                .hint(
                    "Is it running? Name its operator address with --operator ADDR. One that speaks TLS is not asked by \
                     this command: call its /v1/keys with curl or another client that does.",
                )
        };
        match answer {
            Err(_) => Err(unreachable(format!("no answer in {} s", PATIENCE.as_secs()))),
            Ok(Err(error)) => Err(unreachable(error.to_string())),
            Ok(Ok(Answer { status, body })) if status.is_success() => Ok(body),
            Ok(Ok(Answer { status, body })) => Err(refused(status.as_u16(), &body, &key.source)),
        }
    }

    /// As given, else where the server of these settings listens.
    fn address(&self, settings: &Settings) -> Result<SocketAddr, Failure> {
        if let Some(given) = self.operator {
            return Ok(given);
        }
        let DoorSettings { address, tls, .. } = &settings.operator;
        if tls.is_some() {
            return Err(Failure::new(
                "the server's operator address speaks TLS, which this command does not",
            )
            .hint("Call its /v1/keys with curl or another client that does."));
        }
        on_this_machine(*address)
            .map_err(|problem| Failure::new(format!("the server's operator address {address} {problem}")))
    }
}

fn refused(status: u16, problem: &Value, key_source: &str) -> Failure {
    let detail = problem.get("detail").and_then(Value::as_str).unwrap_or("no reason given");
    let failure = Failure::new(format!("the server refused ({status}): {detail}"));
    match status {
        401 | 403 => failure.hint(format!("The key that was used is from {key_source}.")),
        _ => failure,
    }
}

/// `HOST:PORT`, with `http://` before it or without. An address that listens everywhere is asked on this machine.
fn parse_address(text: &str) -> Result<SocketAddr, String> {
    if text.starts_with("https://") {
        return Err(
            "this command speaks plain HTTP on this machine only; over a network use the API with a client \
                    that speaks TLS"
                .to_owned(),
        );
    }
    let text = text.strip_prefix("http://").unwrap_or(text).trim_end_matches('/');
    let text = text.replacen("localhost:", "127.0.0.1:", 1);
    let address: SocketAddr =
        text.parse().map_err(|_| "must be an address and a port, such as 127.0.0.1:8081".to_owned())?;
    on_this_machine(address)
}

fn on_this_machine(mut address: SocketAddr) -> Result<SocketAddr, String> {
    if address.ip().is_unspecified() {
        let own: IpAddr =
            if address.is_ipv4() { Ipv4Addr::LOCALHOST.into() } else { Ipv6Addr::LOCALHOST.into() };
        address.set_ip(own);
    }
    if address.ip().is_loopback() {
        return Ok(address);
    }
    Err("is not on this machine, and an operator key must not cross a network in the clear".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_on_this_machine() {
        let table = [
            ("127.0.0.1:8081", "127.0.0.1:8081"),
            ("http://127.0.0.1:8081/", "127.0.0.1:8081"),
            ("http://localhost:1", "127.0.0.1:1"),
            ("0.0.0.0:8081", "127.0.0.1:8081"),
            ("[::]:8081", "[::1]:8081"),
        ];
        for (text, address) in table {
            assert_eq!(parse_address(text).map(|address| address.to_string()).as_deref(), Ok(address));
        }
        for bad in ["https://127.0.0.1:8081", "192.0.2.1:8081", "127.0.0.1", "example.com:80", ""] {
            assert!(parse_address(bad).is_err(), "{bad}");
        }
    }
}
