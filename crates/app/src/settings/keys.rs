//! Every setting in one table: its name in the file, its variable, its flag, its default and its meaning.
//!
//! The command line, the reader of the file, `config print` and the test of `docs/configuration.md` are all made
//! from it, so that a setting is added here and read in `convert.rs`, and nowhere else.

use super::value::Kind;

/// One setting.
#[derive(Debug)]
pub(crate) struct Key {
    /// Name in the file; sections are joined by dots.
    pub(crate) name: &'static str,
    pub(crate) variable: &'static str,
    /// Without the dashes.
    pub(crate) flag: &'static str,
    pub(crate) kind: Kind,
    /// What stands for the value in a help text.
    pub(crate) placeholder: &'static str,
    /// As a flag would give it; `None` leaves the setting out.
    pub(crate) default: Option<&'static str>,
    /// Sentences for the help and the documentation.
    pub(crate) meaning: &'static str,
}

macro_rules! keys {
    ($($constant:ident = $name:literal, $variable:literal, $flag:literal, $kind:ident, $placeholder:literal,
       $default:expr, $meaning:literal;)*) => {
        $(pub(crate) const $constant: &Key = &Key {
            name: $name,
            variable: $variable,
            flag: $flag,
            kind: Kind::$kind,
            placeholder: $placeholder,
            default: $default,
            meaning: $meaning,
        };)*
        /// All of them, in the order in which they are shown; those of one section stand together.
        pub(crate) const ALL: &[&Key] = &[$($constant),*];
    };
}

keys! {
    DATA = "data", "SIGNALPOST_DATA", "data", Text, "DIR", Some("./signalpost-data"),
        "Where the database and the generated keys lie. Made if missing, readable by you alone.";
    PUBLIC = "public", "SIGNALPOST_PUBLIC", "public", Text, "ADDR", Some("127.0.0.1:8080"),
        "Address for customers: the dialects' APIs and the portal, and nothing else.";
    OPERATOR = "operator", "SIGNALPOST_OPERATOR", "operator", Text, "ADDR", Some("127.0.0.1:8081"),
        "Address for you: publishing, administration, health and metrics. Keep it off the internet.";
    ROLE = "role", "SIGNALPOST_ROLE", "role", Text, "ROLE", Some("all"),
        "Which part of the work this process takes, where several share a PostgreSQL database: `all`, `api` (takes every \
         call and delivers nothing) or `worker` (delivers; no public address, and nothing but health, metrics and \
         `/v1/cluster` at the operator address).";
    NEW_WORKSPACES = "new_workspaces", "SIGNALPOST_NEW_WORKSPACES", "new-workspaces", Number, "CELL", None,
        "The cell in which a workspace is made that names none, where the installation is divided into several databases; the \
         first of them without it.";
    EGRESS_ALLOW = "egress_allow", "SIGNALPOST_EGRESS_ALLOW", "egress-allow", List, "CIDR,…", Some(""),
        "Ranges that webhooks may reach although they are not on the public internet. Without it loopback, private, \
         link-local and all other special addresses are refused, by whatever name or spelling they are reached. \
         Example: 10.20.0.0/16,fd12::/32.";
    TRUSTED_PROXIES = "trusted_proxies", "SIGNALPOST_TRUSTED_PROXIES", "trusted-proxies", List, "CIDR,…", Some(""),
        "Ranges of the proxies whose X-Forwarded-For is believed. The caller's address is then the right-most entry \
         that is not such a proxy. From anybody else the header means nothing.";
    LOG = "log", "SIGNALPOST_LOG", "log", Text, "FILTER", Some("info"),
        "Which log lines are written, for example `debug` or `signalpost_engine=debug,info`.";
    PUBLIC_CERTIFICATE = "tls.public.certificate", "SIGNALPOST_PUBLIC_TLS_CERT", "public-tls-cert", Text, "FILE", None,
        "Certificate chain of the public address, PEM, the server's own first. With its key the address speaks TLS \
         1.2 and 1.3 only; changed files are taken up within seconds, and at SIGHUP.";
    PUBLIC_KEY = "tls.public.key", "SIGNALPOST_PUBLIC_TLS_KEY", "public-tls-key", Text, "FILE", None,
        "Private key of that certificate, PEM (PKCS#8, PKCS#1 or SEC1).";
    OPERATOR_CERTIFICATE = "tls.operator.certificate", "SIGNALPOST_OPERATOR_TLS_CERT", "operator-tls-cert", Text,
        "FILE", None, "The same for the operator address.";
    OPERATOR_KEY = "tls.operator.key", "SIGNALPOST_OPERATOR_TLS_KEY", "operator-tls-key", Text, "FILE", None,
        "The same for the operator address.";
    PORTAL_ENABLED = "portal.enabled", "SIGNALPOST_PORTAL", "portal", Switch, "BOOL", Some("true"),
        "Whether the customers' portal is served, at `/portal` of the public address. Nobody gets in without a link.";
    PORTAL_URL = "portal.url", "SIGNALPOST_PORTAL_URL", "portal-url", Text, "URL", None,
        "Where customers reach the public address, for example `https://hooks.example.com`: links to the portal begin with it. \
         Without it they begin with the address that the process listens at.";
    PORTAL_FRAMES = "portal.frame_ancestors", "SIGNALPOST_PORTAL_FRAME_ANCESTORS", "portal-frame-ancestors", List,
        "ORIGIN,…", Some(""), "Sites that may show the portal inside a page of theirs, for example `https://app.example.com`.";
    PORTAL_NAME = "portal.name", "SIGNALPOST_PORTAL_NAME", "portal-name", Text, "NAME", Some("Webhooks"),
        "What the portal is called.";
    PORTAL_LOGO = "portal.logo", "SIGNALPOST_PORTAL_LOGO", "portal-logo", Text, "FILE", None,
        "A picture in the place of the name, SVG or PNG, 256 KiB at most; read at the start.";
    PORTAL_ACCENT = "portal.accent", "SIGNALPOST_PORTAL_ACCENT", "portal-accent", Text, "COLOUR", None,
        "Colour of links and buttons, such as `#1a5fb4`; it must be readable on the light background.";
    PORTAL_ACCENT_DARK = "portal.accent_dark", "SIGNALPOST_PORTAL_ACCENT_DARK", "portal-accent-dark", Text, "COLOUR", None,
        "The same for who has the dark appearance.";
    RETENTION_EVENTS = "retention.events", "SIGNALPOST_RETENTION_EVENTS", "retention-events", Text, "AGE", Some("30d"),
        "How long an event is kept with its deliveries and attempts: a number with s, m, h or d, or `off`. What is \
         still pending is kept in any case.";
    RETENTION_PAYLOADS = "retention.payloads", "SIGNALPOST_RETENTION_PAYLOADS", "retention-payloads", Text, "AGE",
        Some("30d"), "How long payloads are kept; they may go before the record that they were sent.";
    RETENTION_BYTES = "retention.bytes", "SIGNALPOST_RETENTION_BYTES", "retention-bytes", Text, "BYTES", Some("50GiB"),
        "Bytes stored, the oldest events going first: a number with KiB, MiB, GiB or TiB, or `off`.";
    PUBLIC_CONNECTIONS = "limits.public_connections", "SIGNALPOST_LIMITS_PUBLIC_CONNECTIONS", "public-connections",
        Number, "N", Some("8192"), "Connections to the public address at once; more wait in the system's queue.";
    OPERATOR_CONNECTIONS = "limits.operator_connections", "SIGNALPOST_LIMITS_OPERATOR_CONNECTIONS",
        "operator-connections", Number, "N", Some("2048"),
        "The same for the operator address, counted apart: customers cannot use up what operating needs. Beyond it \
         callers are turned away (503).";
    HEAD_TIMEOUT = "limits.head_timeout", "SIGNALPOST_LIMITS_HEAD_TIMEOUT", "head-timeout", Text, "TIME", Some("10s"),
        "Time for a TLS handshake, and for the head of a connection's first request.";
    BODY_TIMEOUT = "limits.body_timeout", "SIGNALPOST_LIMITS_BODY_TIMEOUT", "body-timeout", Text, "TIME", Some("30s"),
        "Time for a request's body as a whole; beyond, the call is answered 408.";
    BODY_SILENCE = "limits.body_silence", "SIGNALPOST_LIMITS_BODY_SILENCE", "body-silence", Text, "TIME", Some("10s"),
        "Time for which a body may stand still before that.";
    STALL_TIMEOUT = "limits.stall_timeout", "SIGNALPOST_LIMITS_STALL_TIMEOUT", "stall-timeout", Text, "TIME",
        Some("30s"), "Time in which a caller must take 64 KiB of an answer that waits for it, or is cut off.";
}

/// The name of the tables that list dialects.
pub(crate) const DIALECT: &str = "dialect";

/// Where a configuration file is named; it is no key of the file itself.
pub(crate) const CONFIG_VARIABLE: &str = "SIGNALPOST_CONFIG";
pub(crate) const CONFIG_FLAG: &str = "config";

/// What must never stand in a configuration file, which is copied, printed and kept in repositories: its name
/// there, and its variable. Each variable can also name a file: with `_FILE` at its end.
pub(crate) const SECRETS: [(&str, &str); 3] = [
    ("operator_key", "SIGNALPOST_OPERATOR_KEY"),
    ("master_key", "SIGNALPOST_MASTER_KEY"),
    ("database_url", "SIGNALPOST_DATABASE_URL"),
];

/// The variable that names a file with the value of another one.
pub(crate) fn file_variable(variable: &str) -> String {
    format!("{variable}_FILE")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_told_apart_and_sections_stand_together() {
        let section = |key: &Key| key.name.rsplit_once('.').map_or("", |(section, _)| section).to_owned();
        let mut sections: Vec<String> = ALL.iter().map(|key| section(key)).collect();
        sections.dedup();
        let count = sections.len();
        sections.sort();
        sections.dedup();
        assert_eq!(sections.len(), count, "a section that is split");
        for (position, key) in ALL.iter().enumerate() {
            for other in &ALL[..position] {
                assert!(key.name != other.name && key.variable != other.variable && key.flag != other.flag);
            }
            assert!(key.variable.starts_with("SIGNALPOST_") && key.flag != CONFIG_FLAG);
            assert!(key.meaning.ends_with('.'), "{}", key.name);
        }
    }

    /// A setting as `docs/configuration.md` shows it.
    fn row(key: &Key) -> String {
        let default = match key.default {
            None | Some("") => "none".to_owned(),
            Some(default) => format!("`{default}`"),
        };
        let Key { name, flag, variable, meaning, .. } = key;
        format!("| `{name}` | `--{flag}` | `{variable}` | {default} | {meaning} |")
    }

    #[test]
    fn the_documentation_has_every_setting_and_no_other() {
        let document = include_str!("../../../../docs/configuration.md");
        let (_, settings) = document.split_once("## Settings").expect("a part about settings");
        let (settings, rest) = settings.split_once("## Secrets").expect("a part about secrets");
        let (_, dialects) = rest.split_once("## Dialects").expect("a part about dialects");
        let written: Vec<&str> = settings.lines().filter(|line| line.starts_with("| `")).collect();
        let rows: Vec<String> = ALL.iter().map(|key| row(key)).collect();
        assert_eq!(written, rows, "the table should read\n{}", rows.join("\n"));
        for shape in signalpost_api::built_in_shapes() {
            let rows = shape.defaults.iter().map(|(key, value)| match value {
                serde_json::Value::Null => format!("| `{key}` | none |"),
                value => format!("| `{key}` | `{value}` |").replace(env!("CARGO_PKG_VERSION"), "<version>"),
            });
            let table = rows.collect::<Vec<_>>().join("\n");
            assert!(dialects.contains(&table), "the shape {} should read\n{table}", shape.name);
        }
    }
}
