//! For Python 3.9 and later, with its standard library.

use signalpost_core::sign::Encoding;

use super::{EMPTY_KEY, Part, TIMESTAMP_DIGITS_MAX, TOLERANCE_S, Time, Verification, quoted};

pub(super) fn write(scheme: &Verification) -> String {
    let needs_base64 = scheme.key_prefix().is_some() || scheme.encoding == Encoding::Base64;
    let mut code =
        "\"\"\"Verifies deliveries of webhooks. Python 3.9 or later; nothing has to be installed.\"\"\"\n"
            .to_owned();
    if needs_base64 {
        code.push_str("import base64\n");
    }
    code.push_str("import hashlib\nimport hmac\n");
    if scheme.is_timed() {
        code.push_str(&format!("import re\nimport time\n\nTOLERANCE_S = {TOLERANCE_S}\n"));
    }
    let now = if scheme.is_timed() { ", now=None" } else { "" };
    code.push_str(&format!(
        "\n\ndef verify(headers, body, secret{now}):\n    \
         \"\"\"Whether a delivery was signed with the webhook's secret.\n\n    \
         headers: names in lower case with their values. body: the bytes as they came,\n    \
         before anything has parsed them. secret: as the page of the webhook shows it.\n    \"\"\"\n"
    ));
    code.push_str(&body(scheme));
    code
}

fn body(scheme: &Verification) -> String {
    let mut lines = Vec::new();
    lines.push(match scheme.key_prefix() {
        Some(prefix) => format!(
            "    try:\n        key = base64.b64decode((secret or \"\").removeprefix({}), validate=True)\n    \
             except ValueError:\n        return False",
            quoted(prefix)
        ),
        None => "    key = (secret or \"\").encode()".to_owned(),
    });
    lines.push(format!("    if not key:\n        return False  # {EMPTY_KEY}"));
    if scheme.is_timed() {
        lines.push("    now = time.time() if now is None else now".to_owned());
    }
    if let Time::Header(header) = &scheme.time {
        lines.push(format!("    timestamp = headers.get({}, \"\")", quoted(header)));
        lines.push(format!("    if {}:\n        return False", is_stale()));
    }
    let given = format!("headers.get({}, \"\")", quoted(&scheme.header));
    lines.push(match &scheme.separator {
        Some(separator) => format!("    for given in {given}.split({}):", quoted(separator)),
        None => format!("    for given in [{given}]:"),
    });
    lines.push(format!("        if not given.startswith({}):\n            continue", quoted(&scheme.before)));
    let rest = format!("given[{}:]", scheme.before.len());
    lines.push(match &scheme.time {
        Time::BesideSignature(between) => format!(
            "        timestamp, _, signature = {rest}.partition({})\n        if {}:\n            continue",
            quoted(between),
            is_stale()
        ),
        Time::Header(_) | Time::NotSigned => format!("        signature = {rest}"),
    });
    let parts: Vec<String> = scheme.content.iter().map(part).collect();
    lines.push(format!("        content = {}", parts.join(" + ")));
    let mac = "hmac.new(key, content, hashlib.sha256)";
    lines.push(match scheme.encoding {
        Encoding::Hex => format!("        expected = {mac}.hexdigest().encode()"),
        Encoding::Base64 => format!("        expected = base64.b64encode({mac}.digest())"),
    });
    lines.push(
        "        if hmac.compare_digest(signature.encode(), expected):\n            return True".to_owned(),
    );
    lines.push("    return False\n".to_owned());
    lines.join("\n")
}

fn is_stale() -> String {
    format!(
        "not re.fullmatch(\"[0-9]{{1,{TIMESTAMP_DIGITS_MAX}}}\", timestamp) or abs(now - int(timestamp)) > TOLERANCE_S"
    )
}

fn part(part: &Part) -> String {
    match part {
        Part::Text(text) => format!("b{}", quoted(text)),
        Part::Header(header) => format!("headers.get({}, \"\").encode()", quoted(header)),
        Part::Time => "timestamp.encode()".to_owned(),
        Part::Body => "body".to_owned(),
    }
}
