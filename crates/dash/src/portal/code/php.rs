//! For PHP 8 and later, with its standard extensions.

use signalpost_core::sign::Encoding;

use super::{EMPTY_KEY, Part, TIMESTAMP_DIGITS_MAX, TOLERANCE_S, Time, Verification};

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
    lines.push("// $headers: names with their values, as getallheaders() has them.".to_owned());
    lines.push(
        "// $body: as it came, before anything has parsed it: file_get_contents('php://input').".to_owned(),
    );
    lines.push("// $secret: as the page of the webhook shows it.".to_owned());
    lines.push(format!("function verify({parameters}): bool\n{{"));
    lines.push("    $headers = array_change_key_case($headers); // To lower case.".to_owned());
    lines.extend(key(scheme));
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

/// PHP overlooks spaces and a lack of padding; only what reads the same when it is written again was base64.
fn key(scheme: &Verification) -> Vec<String> {
    let empty = format!("    if ($key === '') {{\n        return false; // {EMPTY_KEY}\n    }}");
    let Some(prefix) = scheme.key_prefix() else {
        return vec!["    $key = $secret;".to_owned(), empty];
    };
    vec![
        format!(
            "    $encoded = str_starts_with($secret, {}) ? substr($secret, {}) : $secret;",
            quoted(prefix),
            prefix.len()
        ),
        "    $key = (string) base64_decode($encoded, true);".to_owned(),
        empty,
        "    if (base64_encode($key) !== $encoded) {\n        return false; // It is no base64.\n    }"
            .to_owned(),
    ]
}

fn is_stale() -> String {
    format!(
        "!preg_match('/^[0-9]{{1,{TIMESTAMP_DIGITS_MAX}}}$/D', $timestamp) || abs($now - (int) $timestamp) > TOLERANCE_S"
    )
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
