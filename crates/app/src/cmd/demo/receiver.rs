//! The demo's receiver: what a customer would write. It runs as a process of its own and shares no code with the
//! engine: the standard library's sockets, its own reading of HTTP, and another HMAC implementation.
//!
//! It says its URL, then answers each secret it is told with `trusted`, then one line for each request.

use std::io::{BufRead, BufReader, Error, Read, Write, stdin};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};

use aws_lc_rs::hmac;
use serde_json::Value;

use crate::cmd::Failure;
use crate::telemetry::say;

const BODY_BYTES_MAX: usize = 1024 * 1024;

type Secrets = Arc<Mutex<Vec<String>>>;

pub(crate) fn run() -> Result<(), Failure> {
    let listener = TcpListener::bind("127.0.0.1:0").map_err(|error| Failure::io("cannot listen", error))?;
    let address = listener.local_addr().map_err(|error| Failure::io("cannot listen", error))?;
    say(&format!("http://{address}\n"));
    let secrets = Secrets::default();
    let trusted = Arc::clone(&secrets);
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let secrets = Arc::clone(&secrets);
            // A caller that breaks off is its own business.
            std::thread::spawn(move || serve(stream, &secrets).unwrap_or_default());
        }
    });
    // Our input ends with the process that started us, and so do we.
    for secret in stdin().lines().map_while(Result::ok) {
        trusted.lock().unwrap_or_else(PoisonError::into_inner).push(secret);
        say("trusted\n");
    }
    Ok(())
}

fn serve(stream: TcpStream, secrets: &Secrets) -> Result<(), Error> {
    let mut reader = BufReader::new(stream);
    loop {
        let mut request_line = String::new();
        if reader.read_line(&mut request_line)? == 0 {
            return Ok(());
        }
        let (length, signature) = read_headers(&mut reader)?;
        let mut body = vec![0; length.min(BODY_BYTES_MAX)];
        reader.read_exact(&mut body)?;
        let verified = verifies(&body, &signature, secrets);
        report(&body, &signature, if verified { "verified" } else { "refused" });
        let status = if verified { "200 OK" } else { "401 Unauthorized" };
        write!(reader.get_mut(), "HTTP/1.1 {status}\r\nContent-Length: 2\r\n\r\nok")?;
    }
}

/// The two headers that matter: the body's length and the signature.
fn read_headers(reader: &mut impl BufRead) -> Result<(usize, String), Error> {
    let (mut length, mut signature) = (0, String::new());
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let Some((name, value)) = line.split_once(':') else { return Ok((length, signature)) };
        match name.to_ascii_lowercase().as_str() {
            "content-length" => length = value.trim().parse().map_err(Error::other)?,
            "x-sigmamind-signature" => signature = value.trim().to_owned(),
            _ => {}
        }
    }
}

/// Lower-case hexadecimal HMAC-SHA256 over the raw body, keyed with the secret's text.
fn verifies(body: &[u8], signature: &str, secrets: &Secrets) -> bool {
    let bytes: Option<Vec<u8>> = (0..signature.len())
        .step_by(2)
        .map(|at| signature.get(at..at + 2).and_then(|pair| u8::from_str_radix(pair, 16).ok()))
        .collect();
    let Some(tag) = bytes else { return false };
    let secrets = secrets.lock().unwrap_or_else(PoisonError::into_inner);
    secrets.iter().any(|secret| {
        let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
        hmac::verify(&key, body, &tag).is_ok()
    })
}

fn report(body: &[u8], signature: &str, verdict: &str) {
    let event: Value = serde_json::from_slice(body).unwrap_or_default();
    let text =
        |field: &str| event.get(field).and_then(Value::as_str).unwrap_or("?").replace(['\t', '\n'], " ");
    say(&format!("{verdict}\t{}\t{}\tX-SigmaMind-Signature: {signature}\n", text("event"), text("eventId")));
}
