//! For Node.js 18 and later, with what it brings along.

use signalpost_core::sign::Encoding;

use super::{Part, TOLERANCE_S, Time, Verification, quoted};

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
    lines.push(match scheme.key_prefix() {
        Some(prefix) => format!("  const key = Buffer.from(secret.slice({}), \"base64\");", prefix.len()),
        None => "  const key = secret;".to_owned(),
    });
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
            "    const [timestamp, signature = \"\"] = given.slice({}).split({});\n    if ({}) continue;",
            scheme.before.len(),
            quoted(between),
            is_stale()
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

const fn is_stale() -> &'static str {
    "!/^\\d+$/.test(timestamp) || Math.abs(now - Number(timestamp)) > TOLERANCE_S"
}

fn argument(part: &Part) -> String {
    match part {
        Part::Text(text) => quoted(text),
        Part::Header(header) => format!("headers[{}] ?? \"\"", quoted(header)),
        Part::Time => "timestamp".to_owned(),
        Part::Body => "body".to_owned(),
    }
}
