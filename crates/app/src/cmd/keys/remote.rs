//! How the commands about operator keys reach a server.
//!
//! Plain HTTP on this machine: an operator key must not cross a network in the clear.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use http::Method;
use serde_json::Value;

use crate::cmd::Failure;
use crate::cmd::http::{Answer, Api};
use crate::key_files;
use crate::settings::environment::Environment;

/// A management call takes milliseconds; this long means that nobody answers.
const PATIENCE: Duration = Duration::from_secs(30);

#[derive(Args, Debug)]
pub(super) struct RemoteArgs {
    /// The server's operator address, on this machine, in plain HTTP. Where it speaks TLS, call /v1/keys with a client
    /// that does.
    #[arg(long, value_name = "ADDR", env = "SIGNALPOST_OPERATOR", default_value = "127.0.0.1:8081",
          value_parser = parse_address)]
    operator: SocketAddr,

    /// Where `operator.key` lies, when SIGNALPOST_OPERATOR_KEY does not hold the key to ask with.
    #[arg(long, value_name = "DIR", env = "SIGNALPOST_DATA", default_value = "./signalpost-data")]
    data: PathBuf,
}

impl RemoteArgs {
    /// Asks the server; a refusal becomes a failure in the server's words.
    pub(super) fn call(&self, method: Method, path: &str, body: Option<&Value>) -> Result<Value, Failure> {
        let key = key_files::existing_operator_key(&self.data, &Environment::of_process())?;
        let api = Api::new(self.operator, "authorization", format!("Bearer {}", key.key.expose_text()));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| Failure::io("cannot make a runtime", error))?;
        let answer =
            runtime.block_on(async { tokio::time::timeout(PATIENCE, api.send(method, path, body)).await });
        let unreachable = |error: String| {
            Failure::new(format!("the server at {} cannot be asked: {error}", self.operator))
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
    let mut address: SocketAddr =
        text.parse().map_err(|_| "must be an address and a port, such as 127.0.0.1:8081".to_owned())?;
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
