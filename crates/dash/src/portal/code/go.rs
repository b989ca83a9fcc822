//! For Go 1.18 and later, with its standard library.

use signalpost_core::sign::Encoding;

use super::{EMPTY_KEY, Part, TIMESTAMP_DIGITS_MAX, TOLERANCE_S, Time, Verification, quoted};

pub(super) fn write(scheme: &Verification) -> String {
    let mut lines = vec![
        "// Package webhooks verifies deliveries of webhooks. Go 1.18 or later; nothing has to be installed."
            .to_owned(),
        "package webhooks\n".to_owned(),
    ];
    lines.push(imports(scheme));
    let mut parameters = "headers http.Header, body []byte, secret string".to_owned();
    if scheme.is_timed() {
        lines.push(format!("const toleranceS = {TOLERANCE_S}\n"));
        parameters.push_str(", now time.Time");
    }
    lines.push("// Verify tells whether a delivery was signed with the webhook's secret.".to_owned());
    lines.push("// body: the bytes as they came, before anything has parsed them.".to_owned());
    lines.push("// secret: as the page of the webhook shows it.".to_owned());
    if scheme.is_timed() {
        lines.push("// now: time.Now(), but for tests.".to_owned());
    }
    lines.push(format!("func Verify({parameters}) bool {{"));
    lines.push(match scheme.key_prefix() {
        Some(prefix) => format!(
            "\tkey, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, {}))\n\tif err != nil {{\n\t\treturn false\n\t}}",
            quoted(prefix)
        ),
        None => "\tkey := []byte(secret)".to_owned(),
    });
    lines.push(format!("\tif len(key) == 0 {{\n\t\treturn false // {EMPTY_KEY}\n\t}}"));
    if let Time::Header(header) = &scheme.time {
        lines.push(format!("\ttimestamp := headers.Get({})", quoted(header)));
        lines.push("\tif isStale(timestamp, now) {\n\t\treturn false\n\t}".to_owned());
    }
    let given = format!("headers.Get({})", quoted(&scheme.header));
    lines.push(match &scheme.separator {
        Some(separator) => {
            format!("\tfor _, given := range strings.Split({given}, {}) {{", quoted(separator))
        }
        None => format!("\tfor _, given := range []string{{{given}}} {{"),
    });
    lines.extend(signature(scheme));
    lines.push("\t\tmac := hmac.New(sha256.New, key)".to_owned());
    lines.extend(scheme.content.iter().map(|part| format!("\t\tmac.Write({})", argument(part))));
    let encoded = match scheme.encoding {
        Encoding::Hex => "hex.EncodeToString(mac.Sum(nil))",
        Encoding::Base64 => "base64.StdEncoding.EncodeToString(mac.Sum(nil))",
    };
    lines.push(format!("\t\texpected := {encoded}"));
    lines.push(
        "\t\tif hmac.Equal([]byte(signature), []byte(expected)) {\n\t\t\treturn true\n\t\t}".to_owned(),
    );
    lines.push("\t}\n\treturn false\n}\n".to_owned());
    if scheme.is_timed() {
        lines.push(is_stale());
    }
    lines.join("\n")
}

/// Those that are used: Go refuses others.
fn imports(scheme: &Verification) -> String {
    let mut names = vec!["crypto/hmac", "crypto/sha256"];
    if scheme.key_prefix().is_some() || scheme.encoding == Encoding::Base64 {
        names.push("encoding/base64");
    }
    if scheme.encoding == Encoding::Hex {
        names.push("encoding/hex");
    }
    names.push("net/http");
    if scheme.is_timed() {
        names.push("strconv");
    }
    if uses_strings(scheme) {
        names.push("strings");
    }
    if scheme.is_timed() {
        names.push("time");
    }
    let names: Vec<String> = names.into_iter().map(|name| format!("\t\"{name}\"\n")).collect();
    format!("import (\n{})\n", names.concat())
}

fn uses_strings(scheme: &Verification) -> bool {
    scheme.key_prefix().is_some()
        || scheme.separator.is_some()
        || !scheme.before.is_empty()
        || matches!(scheme.time, Time::BesideSignature(_))
}

fn signature(scheme: &Verification) -> Vec<String> {
    let mut lines = Vec::new();
    if !scheme.before.is_empty() {
        let before = quoted(&scheme.before);
        lines.push(format!("\t\tif !strings.HasPrefix(given, {before}) {{\n\t\t\tcontinue\n\t\t}}"));
    }
    let rest = format!("given[{}:]", scheme.before.len());
    lines.push(match &scheme.time {
        Time::BesideSignature(between) => format!(
            "\t\ttimestamp, signature, _ := strings.Cut({rest}, {})\n\t\tif isStale(timestamp, now) {{\n\t\t\tcontinue\n\t\t}}",
            quoted(between)
        ),
        Time::Header(_) | Time::NotSigned => format!("\t\tsignature := {rest}"),
    });
    lines
}

fn is_stale() -> String {
    format!(
        "func isStale(timestamp string, now time.Time) bool {{
\tseconds, err := strconv.ParseUint(timestamp, 10, 64)
\tif err != nil || len(timestamp) > {TIMESTAMP_DIGITS_MAX} {{
\t\treturn true
\t}}
\tage := now.Unix() - int64(seconds)
\treturn age > toleranceS || age < -toleranceS
}}
"
    )
}

fn argument(part: &Part) -> String {
    match part {
        Part::Text(text) => format!("[]byte({})", quoted(text)),
        Part::Header(header) => format!("[]byte(headers.Get({}))", quoted(header)),
        Part::Time => "[]byte(timestamp)".to_owned(),
        Part::Body => "body".to_owned(),
    }
}
