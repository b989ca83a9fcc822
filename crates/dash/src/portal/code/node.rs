//! For Node.js 18 and later, with what it brings along.

use signalpost_core::sign::Encoding;

use super::{EMPTY_KEY, Part, TIMESTAMP_DIGITS_MAX, TOLERANCE_S, Time, Verification, quoted};

pub(super) fn write(scheme: &Verification) -> String {
    let mut lines = vec![
        "// Verifies deliveries of webhooks. Node.js 18 or later; nothing has to be installed.".to_owned(),
        "const { createHmac, timingSafeEqual } = require(\"node:crypto\");\n".to_owned(),
    ];
    let mut parameters = "headers, body, secret".to_owned();
    if scheme.is_timed() {
        lines.push(format!("const TOLERANCE_S = {TOLERANCE_S};\n"));
        parameters.push_str(", now = Date.now() / 1000");
    }
    lines.push("// Whether a delivery was signed with the webhook's secret.".to_owned());
    lines
        .push("// headers: names in lower case with their values, as `request.headers` has them.".to_owned());
    lines.push("// body: a Buffer of the bytes as they came, before anything has parsed them.".to_owned());
    lines.push("// secret: as the page of the webhook shows it.".to_owned());
    lines.push(format!("function verify({parameters}) {{"));
    lines.extend(key(scheme));
    if let Time::Header(header) = &scheme.time {
        lines.push(format!("  const timestamp = headers[{}] ?? \"\";", quoted(header)));
        lines.push(format!("  if ({}) return false;", is_stale()));
    }
    let given = format!("headers[{}] ?? \"\"", quoted(&scheme.header));
    lines.push(match &scheme.separator {
        Some(separator) => format!("  for (const given of ({given}).split({})) {{", quoted(separator)),
        None => format!("  for (const given of [{given}]) {{"),
    });
    lines.push(format!("    if (!given.startsWith({})) continue;", quoted(&scheme.before)));
    lines.push(match &scheme.time {
        Time::BesideSignature(between) => format!(
            "    const [timestamp, ...rest] = given.slice({}).split({between});\n    \
             const signature = rest.join({between});\n    if ({}) continue;",
            scheme.before.len(),
            is_stale(),
            between = quoted(between)
        ),
        Time::Header(_) | Time::NotSigned => {
            format!("    const signature = given.slice({});", scheme.before.len())
        }
    });
    lines.push("    const mac = createHmac(\"sha256\", key);".to_owned());
    lines.extend(scheme.content.iter().map(|part| format!("    mac.update({});", argument(part))));
    let encoding = match scheme.encoding {
        Encoding::Hex => "hex",
        Encoding::Base64 => "base64",
    };
    lines.push(format!("    const expected = Buffer.from(mac.digest(\"{encoding}\"));"));
    lines.push("    const candidate = Buffer.from(signature);".to_owned());
    lines.push(
        "    if (candidate.length === expected.length && timingSafeEqual(candidate, expected)) return true;"
            .to_owned(),
    );
    lines.push("  }\n  return false;\n}\n\nmodule.exports = { verify };\n".to_owned());
    lines.join("\n")
}

/// Node reads base64 as far as it can; only what reads the same when it is written again was base64.
fn key(scheme: &Verification) -> Vec<String> {
    let Some(prefix) = scheme.key_prefix() else {
        return vec![
            "  const key = Buffer.from(secret ?? \"\");".to_owned(),
            format!("  if (key.length === 0) return false; // {EMPTY_KEY}"),
        ];
    };
    vec![
        format!("  const encoded = (secret ?? \"\").replace(/^{prefix}/, \"\");"),
        "  const key = Buffer.from(encoded, \"base64\");".to_owned(),
        format!("  if (key.length === 0) return false; // {EMPTY_KEY}"),
        "  if (key.toString(\"base64\") !== encoded) return false; // It is no base64.".to_owned(),
    ]
}

fn is_stale() -> String {
    format!(
        "!/^[0-9]{{1,{TIMESTAMP_DIGITS_MAX}}}$/.test(timestamp) || Math.abs(now - Number(timestamp)) > TOLERANCE_S"
    )
}

fn argument(part: &Part) -> String {
    match part {
        Part::Text(text) => quoted(text),
        Part::Header(header) => format!("headers[{}] ?? \"\"", quoted(header)),
        Part::Time => "timestamp".to_owned(),
        Part::Body => "body".to_owned(),
    }
}
