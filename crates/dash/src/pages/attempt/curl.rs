//! A request as a command that sends it once more, from anywhere.

use std::borrow::Cow;
use std::fmt::Write as _;

/// Larger bodies are not put into a command.
const BODY_BYTES_MAX: usize = 8 * 1024;

/// `None` for a body that a command line does not carry: too large, or no text.
pub(super) fn curl(url: &str, headers: &[(String, String)], body: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(body).ok().filter(|text| text.len() <= BODY_BYTES_MAX)?;
    let mut command = format!("curl -sS -i -X POST {}", quoted(url));
    for (name, value) in headers {
        write!(command, " \\\n  -H {}", quoted(&format!("{name}: {value}"))).expect("a text takes all");
    }
    write!(command, " \\\n  --data-binary {}", quoted(text)).expect("a text takes all");
    Some(command)
}

/// As a POSIX shell reads it, byte for byte.
fn quoted(text: &str) -> Cow<'_, str> {
    Cow::Owned(format!("'{}'", text.replace('\'', r"'\''")))
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    #[test]
    fn a_shell_reads_what_was_sent() {
        let body = "{\"a\": \"it's $HOME `id` \\\\ \n !\"}";
        let headers = [("x-sig".to_owned(), "v1,a'b \"c\" $(id)".to_owned())];
        let command = curl("https://a.example/?x=1&y='", &headers, body.as_bytes()).expect("a short text");
        let told = command.replacen("curl", "printf '%s\\n'", 1);
        let said = Command::new("sh").arg("-c").arg(told).output().expect("there is a shell");
        let said = String::from_utf8(said.stdout).expect("a text");
        let expected = format!(
            "-sS\n-i\n-X\nPOST\nhttps://a.example/?x=1&y='\n-H\nx-sig: v1,a'b \"c\" $(id)\n--data-binary\n{body}\n"
        );
        assert_eq!(said, expected);
    }

    #[test]
    fn what_no_command_carries_is_no_command() {
        assert_eq!(curl("u", &[], &[0xff]), None);
        assert_eq!(curl("u", &[], &[b'a'; BODY_BYTES_MAX + 1]), None);
    }
}
