//! The form of a dialect against its API: what it takes the API takes, and makes the same webhook of. What the API refuses it refuses.

use serde_json::{Value, json};
use signalpost_testkit::{HttpClient, Request};

use super::Stage;
use super::browser::Browser;
use super::webhooks::fill;
use crate::PATIENCE;

/// Cases in which the form is stricter, by dialect: half a login is never sent.
const STRICTER: [(&str, &str); 2] = [("spaaza", "a user alone"), ("spaaza", "a password alone")];

/// A webhook that somebody wants.
#[derive(Clone, Default)]
struct Wish {
    url: String,
    name: Option<String>,
    subject: Option<String>,
    events: Vec<String>,
    filter: Option<String>,
    user: Option<String>,
    password: Option<String>,
}

/// The dialect's way of asking for it.
struct Api {
    dialect: &'static str,
    /// Event types, of which the first is asked for by default.
    types: [&'static str; 2],
    workspace: String,
    credential: Value,
}

const DIALECTS: [(&str, [&str; 2]); 5] = [
    ("native", ["order.*", "user.made"]),
    ("sigmamind", ["conversation_started", "conversation_ended"]),
    ("opentrain", ["proposal.received", "message.received"]),
    ("opentrain-partner", ["contract.started", "contract.ended"]),
    ("spaaza", ["shopper.voucher-issued", "shopper.voucher-claimed"]),
];

impl Api {
    fn new(stage: &mut Stage, (dialect, types): (&'static str, [&'static str; 2])) -> Self {
        let workspace = stage.of_dialect(dialect, &json!({}));
        let path = format!("/v1/workspaces/{workspace}/credentials");
        let credential = match dialect {
            "native" => Value::Null,
            _ => stage.operator.post(&path, &json!({"name": "n"})).unwrap(),
        };
        Self { dialect, types, workspace, credential }
    }

    /// One that every part of the dialect's contract takes.
    fn wish(&self) -> Wish {
        let has_words = self.dialect == "sigmamind";
        let word = |text: &str| has_words.then(|| text.to_owned());
        Wish {
            url: "https://a.example/hook".to_owned(),
            name: word("n"),
            subject: word("agent_1"),
            events: vec![self.types[0].to_owned()],
            ..Wish::default()
        }
    }

    fn secret(&self) -> &str {
        self.credential["secret"].as_str().unwrap_or_default()
    }

    /// Whether the API takes it.
    fn takes(&self, stage: &mut Stage, wish: &Wish) -> bool {
        let mut body = json!({"url": wish.url});
        let mut put = |name: &str, value: &Option<String>| {
            if let Some(value) = value {
                body[name] = json!(value);
            }
        };
        let (of_name, of_subject) =
            if self.dialect == "sigmamind" { ("name", "agentId") } else { ("name", "subject") };
        put(of_name, &wish.name);
        put(of_subject, &wish.subject);
        put("filter", &wish.filter);
        if self.dialect == "spaaza" {
            put("identifier_key", &wish.user);
            put("identifier_secret", &wish.password);
            put("event_name", &wish.events.first().cloned());
        } else if wish.user.is_some() || wish.password.is_some() {
            let login = [("username", &wish.user), ("password", &wish.password)].into_iter();
            body["basic_auth"] = login.filter_map(|(name, text)| Some((name, text.clone()?))).collect();
        }
        let request = match self.dialect {
            "native" => {
                if !wish.events.is_empty() {
                    body["events"] = json!(wish.events);
                }
                let path = format!("/v1/workspaces/{}/webhooks", self.workspace);
                return stage.operator.send(Request::new("POST", &path).json(&body)).unwrap().status == 201;
            }
            "sigmamind" => {
                body["events"] = json!(wish.events);
                Request::new("POST", "/v1/webhooks").header("x-api-key", self.secret())
            }
            "spaaza" => {
                body["chain_id"] = json!(self.workspace);
                body["type"] = json!("https");
                Request::new("POST", "/internal/add-webhook")
                    .header("x-spaaza-session-user-id", &self.credential["user_id"].to_string())
                    .header("x-spaaza-session-key", self.credential["session_key"].as_str().unwrap())
            }
            _ => {
                body["eventTypes"] = json!(wish.events);
                let is_public = self.dialect == "opentrain";
                let path =
                    if is_public { "/api/public/v1/webhooks" } else { "/api/partner/v1/webhook-endpoints" };
                Request::new("POST", path).header("authorization", &format!("Bearer {}", self.secret()))
            }
        };
        let answer = HttpClient::new(stage.server.public(), PATIENCE).send(&request.json(&body)).unwrap();
        assert!(matches!(answer.status, 200 | 201 | 400), "{}: {}", answer.status, answer.text());
        answer.status != 400
    }

    /// Whether the form takes it.
    fn form_takes(&self, root: &mut Browser, wish: &Wish) -> bool {
        let encoded = |text: &str| text.bytes().map(|byte| format!("%{byte:02X}")).collect::<String>();
        let events: Vec<String> = match self.dialect {
            "native" => vec![format!("events={}", encoded(&wish.events.join("\r\n")))],
            "spaaza" => wish.events.iter().map(|name| format!("event={}", encoded(name))).collect(),
            _ => wish.events.iter().map(|name| format!("{}=on", encoded(&format!("event:{name}")))).collect(),
        };
        let texts = [
            ("name", &wish.name),
            ("subject", &wish.subject),
            ("filter", &wish.filter),
            ("user", &wish.user),
            ("password", &wish.password),
        ];
        let texts = texts
            .into_iter()
            .map(|(name, text)| format!("{name}={}", encoded(text.as_deref().unwrap_or_default())));
        let fields: Vec<String> =
            texts.chain(events).chain([format!("url={}", encoded(&wish.url))]).collect();
        let form = format!("/dash/workspaces/{}/webhooks", self.workspace);
        let (status, _, page) = fill(root, &form, &fields.join("&"));
        assert!(matches!(status, 303 | 400), "{status}: {page}");
        status == 303
    }

    /// What was made, which is taken away again.
    fn made(&self, stage: &mut Stage, root: &mut Browser) -> Value {
        let list = stage.operator.get(&format!("/v1/workspaces/{}/webhooks", self.workspace)).unwrap();
        let made = list["data"][0].clone();
        let id = made["id"].as_str().unwrap();
        let delete = format!("/dash/workspaces/{}/webhooks/{id}/delete", self.workspace);
        assert_eq!(fill(root, &delete, &format!("id={id}")).0, 303);
        let parts = ["url", "name", "subject", "events", "filter", "basic_auth"];
        parts.into_iter().map(|part| (part, made[part].clone())).collect()
    }

    /// What is asked for, each in a word.
    fn cases(&self) -> Vec<(String, Wish)> {
        let good = self.wish();
        let mut cases = vec![("as it is".to_owned(), good.clone())];
        let mut case = |label: String, change: &dyn Fn(&mut Wish)| {
            let mut wish = good.clone();
            change(&mut wish);
            cases.push((label, wish));
        };
        let some = |text: &str| Some(text.to_owned());
        for url in [
            "",
            "a.example",
            "ftp://a.example/",
            "http://a.example/",
            "http://localhost/x",
            "http://127.0.0.1:1/",
            "http://10.0.0.1/",
            "https://u@a.example/",
            "https:///x",
            "https://a b/",
            "HTTPS://A.example",
            "https://a.example:0/",
            "https://a.example/\\x",
        ] {
            case(format!("URL {url:?}"), &|wish| wish.url = url.to_owned());
        }
        for chars in [1_000, 1_001, 2_048, 2_049] {
            let start = "https://a.example/";
            let url = format!("{start}{}", "x".repeat(chars - start.len()));
            case(format!("URL of {chars}"), &|wish| wish.url.clone_from(&url));
        }
        for chars in [64, 65, 128, 129, 256, 257, 1_024, 1_025] {
            let text = "é".repeat(chars);
            if self.dialect != "spaaza" {
                case(format!("name of {chars}"), &|wish| wish.name = Some(text.clone()));
                case(format!("subject of {chars}"), &|wish| wish.subject = Some(text.clone()));
            }
            case(format!("user of {chars}"), &|wish| {
                (wish.user, wish.password) = (Some(text.clone()), some("p"))
            });
            case(format!("password of {chars}"), &|wish| {
                (wish.user, wish.password) = (some("u"), Some(text.clone()))
            });
        }
        case("no name".to_owned(), &|wish| wish.name = None);
        case("no subject".to_owned(), &|wish| wish.subject = None);
        if self.dialect != "spaaza" {
            case("a name with a control".to_owned(), &|wish| wish.name = some("a\u{1}b"));
            case("a subject with a control".to_owned(), &|wish| wish.subject = some("a\u{1}b"));
            case("two types".to_owned(), &|wish| wish.events.push(self.types[1].to_owned()));
            case("a type beside an unknown one".to_owned(), &|wish| {
                wish.events.push("no type at all".to_owned())
            });
            case("a type twice".to_owned(), &|wish| wish.events.push(self.types[0].to_owned()));
            case("a type beside all".to_owned(), &|wish| wish.events.push("*".to_owned()));
        }
        case("no types".to_owned(), &|wish| wish.events.clear());
        for event_type in ["*", "order.**", "*.made", "Order paid", "unknown", "a..b"] {
            case(format!("type {event_type:?}"), &|wish| wish.events = vec![event_type.to_owned()]);
        }
        for filter in ["data.a > 1", "// why\ndata.a > 1", "data.a >", "(", "1", "data.a > 1 // why"] {
            case(format!("filter {filter:?}"), &|wish| wish.filter = some(filter));
        }
        for chars in [2_048, 2_049, 4_096, 4_097] {
            let filter = format!("data.a > 1 //{}", "x".repeat(chars - 13));
            case(format!("filter of {chars}"), &|wish| wish.filter = Some(filter.clone()));
        }
        for (label, user, password) in [
            ("a login", Some("u"), Some("p")),
            ("a user alone", Some("u"), None),
            ("a password alone", None, Some("p")),
            ("a colon", Some("a:b"), Some("p:q")),
            ("a control in a user", Some("a\u{1}"), Some("p")),
            ("a control in a password", Some("u"), Some("p\u{1}q")),
            ("spaces in a password", Some("u"), Some(" p ")),
        ] {
            case(label.to_owned(), &|wish| {
                (wish.user, wish.password) = (user.map(str::to_owned), password.map(str::to_owned));
            });
        }
        cases
    }
}

#[test]
fn a_form_takes_what_its_api_takes() {
    let mut stage = Stage::set();
    let mut root = stage.root();
    let mut differ = Vec::new();
    for dialect in DIALECTS {
        let api = Api::new(&mut stage, dialect);
        let (mut taken, mut refused) = (0, 0);
        for (label, wish) in api.cases() {
            let by_api = api.takes(&mut stage, &wish).then(|| api.made(&mut stage, &mut root));
            let by_form = api.form_takes(&mut root, &wish).then(|| api.made(&mut stage, &mut root));
            if by_api.is_some() {
                taken += 1
            } else {
                refused += 1
            }
            let is_stricter = by_api.is_some() && by_form.is_none();
            let may_be = STRICTER.contains(&(api.dialect, label.as_str()));
            if is_stricter != may_be || (!may_be && by_form != by_api) {
                differ.push(format!("{}: {label}: the form {by_form:?}, the API {by_api:?}", api.dialect));
            }
        }
        assert!(taken >= 5 && refused >= 20, "{}: {taken} taken and {refused} refused", api.dialect);
    }
    assert!(differ.is_empty(), "{}", differ.join("\n"));
}
