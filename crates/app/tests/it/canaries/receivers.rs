//! Receivers that say again what they were sent, each in its own spelling, or what they were told to keep to themselves.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use signalpost_testkit::{Answer, Ending, Receiver, Recorded};

/// What is said at the end of a long answer is cut off there.
const KEPT_BYTES: usize = 4 * 1024;

/// Paths and what is special about them.
pub(super) const PATHS: [&str; 9] =
    ["/plain", "/ok", "/json", "/form", "/html", "/redirect", "/cut", "/settings", "/reset"];

pub(super) struct Echo {
    receiver: Receiver,
    /// All that came.
    pub(super) heard: Arc<Mutex<String>>,
    /// What the receiver's own settings say, by the URL's path and query.
    settings: Arc<Mutex<BTreeMap<String, String>>>,
}

impl Echo {
    pub(super) fn start() -> Self {
        let heard = Arc::new(Mutex::new(String::new()));
        let settings: Arc<Mutex<BTreeMap<String, String>>> = Arc::default();
        let (listening, known) = (Arc::clone(&heard), Arc::clone(&settings));
        let handler = move |request: Recorded| {
            let lines = lines(&request);
            listening.lock().unwrap().push_str(&lines);
            let settings = known.lock().unwrap().get(&request.path).cloned();
            answer(&request, &lines, settings.unwrap_or_default())
        };
        let receiver = Receiver::start(Arc::new(handler)).unwrap();
        Self { receiver, heard, settings }
    }

    pub(super) fn url(&self, path: &str) -> String {
        self.receiver.url(path)
    }

    /// Who stands behind a URL learns its secret, as is needed to verify signatures.
    pub(super) fn learn(&self, url: &str, secret: &str) {
        let path = url.find("//").and_then(|at| url[at + 2..].find('/').map(|slash| &url[at + 2 + slash..]));
        let mut settings = self.settings.lock().unwrap();
        let known = settings.entry(path.unwrap_or_default().to_owned()).or_default();
        known.push_str(&format!("WEBHOOK_SECRET={secret}\n"));
    }
}

fn lines(request: &Recorded) -> String {
    request.headers.iter().map(|(name, value)| format!("{name}: {value}\n")).collect()
}

fn answer(request: &Recorded, lines: &str, settings: String) -> Answer {
    let said = |status: u16, text: String| Answer { body: text.into_bytes(), ..Answer::status(status) };
    let header = |name: &str| request.header(name).unwrap_or_default();
    let path = request.path.split('?').next().unwrap_or_default();
    match path {
        // Little of a success is kept: what matters comes first.
        "/ok" => said(200, format!("{} {}", header("authorization"), header("x-api-key"))),
        "/json" => said(500, serde_json::to_string(&request.headers).unwrap()),
        "/form" => said(422, escaped(lines)),
        "/html" => said(500, format!("<pre>{}</pre>", in_html(lines))),
        "/redirect" => {
            let to = format!(
                "https://x.example/?k={}&a={}",
                header("x-api-key"),
                escaped(header("authorization"))
            );
            said(302, String::new()).header("location", &to)
        }
        "/cut" => {
            let filler = ".".repeat(KEPT_BYTES - header("authorization").len() * 3 / 4);
            said(500, format!("{filler}{}", header("authorization")))
        }
        "/settings" => said(500, settings),
        "/reset" => Answer::status(200).ending(Ending::CloseUnanswered),
        _ => said(400, lines.to_owned()),
    }
}

fn escaped(text: &str) -> String {
    let spell = |byte: u8| {
        if byte.is_ascii_alphanumeric() { char::from(byte).to_string() } else { format!("%{byte:02X}") }
    };
    text.bytes().map(spell).collect()
}

fn in_html(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
        .replace('\'', "&#39;")
}
