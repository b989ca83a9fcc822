//! For Rust, with the crates that are common for it.

use signalpost_core::sign::Encoding;

use super::{EMPTY_KEY, Part, TIMESTAMP_DIGITS_MAX, TOLERANCE_S, Time, Verification, quoted};

pub(super) fn write(scheme: &Verification) -> String {
    let needs_base64 = scheme.key_prefix().is_some() || scheme.encoding == Encoding::Base64;
    let mut lines = Vec::new();
    let crates = if needs_base64 {
        "`base64` 0.23, `hmac` 0.13 and `sha2` 0.11"
    } else {
        "`hmac` 0.13 and `sha2` 0.11"
    };
    lines.push(format!("//! Verifies deliveries of webhooks, with the crates {crates}.\n"));
    lines.push("use std::collections::HashMap;\n".to_owned());
    if needs_base64 {
        lines.push("use base64::Engine as _;\nuse base64::engine::general_purpose::STANDARD;".to_owned());
    }
    lines.push("use hmac::{Hmac, KeyInit, Mac};\nuse sha2::Sha256;\n".to_owned());
    let mut parameters = "headers: &HashMap<String, String>, body: &[u8], secret: &str".to_owned();
    if scheme.is_timed() {
        lines.push(format!("const TOLERANCE_S: u64 = {TOLERANCE_S};\n"));
        parameters.push_str(", now_s: u64");
    }
    lines.push("/// Whether a delivery was signed with the webhook's secret.".to_owned());
    lines.push("///".to_owned());
    lines.push("/// `headers`: names in lower case with their values. `body`: the bytes as they came, before anything has".to_owned());
    lines.push("/// parsed them. `secret`: as the page of the webhook shows it.".to_owned());
    if scheme.is_timed() {
        lines.push("/// `now_s`: the time, in seconds since 1970.".to_owned());
    }
    lines.push(format!("pub fn verify({parameters}) -> bool {{"));
    lines.push("    let header = |name: &str| headers.get(name).map_or(\"\", String::as_str);".to_owned());
    lines.push(match scheme.key_prefix() {
        Some(prefix) => format!(
            "    let key = secret.strip_prefix({}).unwrap_or(secret);\n    let Ok(key) = STANDARD.decode(key) else {{ return false }};",
            quoted(prefix)
        ),
        None => "    let key = secret.as_bytes();".to_owned(),
    });
    lines.push(format!("    if key.is_empty() {{\n        return false; // {EMPTY_KEY}\n    }}"));
    if let Time::Header(name) = &scheme.time {
        lines.push(format!("    let timestamp = header({});", quoted(name)));
        lines.push("    if is_stale(timestamp, now_s) {\n        return false;\n    }".to_owned());
    }
    lines.push(matching(scheme));
    lines.push("}\n".to_owned());
    if scheme.is_timed() {
        lines.push(is_stale());
    }
    if scheme.encoding == Encoding::Hex {
        lines.push(UNHEX.to_owned());
    }
    lines.join("\n")
}

fn matching(scheme: &Verification) -> String {
    let mut lines = vec!["    let matches = |given: &str| -> Option<()> {".to_owned()];
    let given = match scheme.before.as_str() {
        "" => "given".to_owned(),
        before => format!("given.strip_prefix({})?", quoted(before)),
    };
    lines.push(match &scheme.time {
        Time::BesideSignature(between) => format!(
            "        let (timestamp, signature) = {given}.split_once({})?;\n        if is_stale(timestamp, now_s) {{\n            \
             return None;\n        }}",
            quoted(between)
        ),
        Time::Header(_) | Time::NotSigned => format!("        let signature = {given};"),
    });
    lines.push(match scheme.encoding {
        Encoding::Hex => "        let signature = unhex(signature)?;".to_owned(),
        Encoding::Base64 => "        let signature = STANDARD.decode(signature).ok()?;".to_owned(),
    });
    let key = if scheme.key_prefix().is_some() { "&key" } else { "key" };
    lines.push(format!("        let mut mac = Hmac::<Sha256>::new_from_slice({key}).ok()?;"));
    lines.extend(scheme.content.iter().map(|part| format!("        mac.update({});", argument(part))));
    lines.push("        // In a time that tells nothing of where they differ.".to_owned());
    lines.push("        mac.verify_slice(&signature).ok()\n    };".to_owned());
    let header = format!("header({})", quoted(&scheme.header));
    lines.push(match &scheme.separator {
        Some(separator) => {
            format!("    {header}.split({}).any(|given| matches(given).is_some())", quoted(separator))
        }
        None => format!("    matches({header}).is_some()"),
    });
    lines.join("\n")
}

fn is_stale() -> String {
    format!(
        "fn is_stale(timestamp: &str, now_s: u64) -> bool {{
    let is_number = timestamp.len() <= {TIMESTAMP_DIGITS_MAX} && timestamp.bytes().all(|byte| byte.is_ascii_digit());
    !is_number || !timestamp.parse().is_ok_and(|seconds: u64| now_s.abs_diff(seconds) <= TOLERANCE_S)
}}
"
    )
}

const UNHEX: &str = "fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits = (0..text.len()).step_by(2);
    digits.map(|at| u8::from_str_radix(text.get(at..at + 2)?, 16).ok()).collect()
}
";

fn argument(part: &Part) -> String {
    match part {
        Part::Text(text) => format!("b{}", quoted(text)),
        Part::Header(name) => format!("header({}).as_bytes()", quoted(name)),
        Part::Time => "timestamp.as_bytes()".to_owned(),
        Part::Body => "body".to_owned(),
    }
}
