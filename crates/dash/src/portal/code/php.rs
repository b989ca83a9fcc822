//! For PHP 8 and later, with its standard extensions.

use signalpost_core::sign::Encoding;

use super::{Part, TOLERANCE_S, Time, Verification};

pub(super) fn write(scheme: &Verification) -> String {
    let mut lines = vec![
        "<?php\n// Verifies deliveries of webhooks. PHP 8 or later; nothing has to be installed.\n"
            .to_owned(),
    ];
    let mut parameters = "array $headers, string $body, string $secret".to_owned();
    if scheme.is_timed() {
        lines.push(format!("const TOLERANCE_S = {TOLERANCE_S};\n"));
        parameters.push_str(", ?int $now = null");
    }
    lines.push("// Whether a delivery was signed with the webhook's secret.".to_owned());
    lines.push("// $headers: names in lower case with their values.".to_owned());
    lines.push(
        "// $body: as it came, before anything has parsed it: file_get_contents('php://input').".to_owned(),
    );
    lines.push("// $secret: as the page of the webhook shows it.".to_owned());
    lines.push(format!("function verify({parameters}): bool\n{{"));
    lines.push(match scheme.key_prefix() {
        Some(prefix) => format!("    $key = base64_decode(substr($secret, {}));", prefix.len()),
        None => "    $key = $secret;".to_owned(),
    });
    if scheme.is_timed() {
        lines.push("    $now ??= time();".to_owned());
    }
    if let Time::Header(header) = &scheme.time {
        lines.push(format!("    $timestamp = $headers[{}] ?? '';", quoted(header)));
        lines.push(format!("    if ({}) {{\n        return false;\n    }}", is_stale()));
    }
    let given = format!("$headers[{}] ?? ''", quoted(&scheme.header));
    lines.push(match &scheme.separator {
        Some(separator) => format!("    foreach (explode({}, {given}) as $given) {{", quoted(separator)),
        None => format!("    foreach ([{given}] as $given) {{"),
    });
    lines.push(format!(
        "        if (!str_starts_with($given, {})) {{\n            continue;\n        }}",
        quoted(&scheme.before)
    ));
    let rest = format!("substr($given, {})", scheme.before.len());
    lines.push(match &scheme.time {
        Time::BesideSignature(between) => format!(
            "        [$timestamp, $signature] = explode({}, {rest}, 2) + ['', ''];\n        if ({}) {{\n            \
             continue;\n        }}",
            quoted(between),
            is_stale()
        ),
        Time::Header(_) | Time::NotSigned => format!("        $signature = {rest};"),
    });
    let parts: Vec<String> = scheme.content.iter().map(part).collect();
    lines.push(format!("        $content = {};", parts.join(" . ")));
    lines.push(match scheme.encoding {
        Encoding::Hex => "        $expected = hash_hmac('sha256', $content, $key);".to_owned(),
        Encoding::Base64 => {
            "        $expected = base64_encode(hash_hmac('sha256', $content, $key, true));".to_owned()
        }
    });
    lines.push(
        "        if (hash_equals($expected, $signature)) {\n            return true;\n        }".to_owned(),
    );
    lines.push("    }\n    return false;\n}\n".to_owned());
    lines.join("\n")
}

const fn is_stale() -> &'static str {
    "!ctype_digit($timestamp) || abs($now - (int) $timestamp) > TOLERANCE_S"
}

/// In single quotes, where nothing but these two means something.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'"))
}

fn part(part: &Part) -> String {
    match part {
        Part::Text(text) => quoted(text),
        Part::Header(header) => format!("($headers[{}] ?? '')", quoted(header)),
        Part::Time => "$timestamp".to_owned(),
        Part::Body => "$body".to_owned(),
    }
}
