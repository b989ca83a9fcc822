//! The configuration file: TOML, of which every key must be known, with the line of each value.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;

use serde_json::{Number, Value as Json};
use signalpost_api::ShapeValues;
use signalpost_core::limits::SETTINGS_FILE_BYTES_MAX;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::keys::{self, Key};
use super::near::near;
use super::problems::Problems;
use super::value::{Kind, Value};

/// What a file says, not yet understood.
#[derive(Debug, Default)]
pub(crate) struct File {
    /// As it was named by whoever started us.
    pub(crate) name: String,
    /// By name of the setting, with the line.
    pub(crate) values: BTreeMap<&'static str, (Value, usize)>,
    pub(crate) dialects: Vec<DialectTable>,
}

/// One `[[dialect]]`.
#[derive(Debug)]
pub(crate) struct DialectTable {
    pub(crate) line: usize,
    pub(crate) values: ShapeValues,
    /// Line of each value.
    pub(crate) lines: BTreeMap<String, usize>,
}

impl DialectTable {
    /// Where a value stands, or else the table.
    pub(crate) fn line_of(&self, key: &str) -> usize {
        self.lines.get(key).copied().unwrap_or(self.line)
    }
}

/// Reads a file. What can be read is returned; the rest is noted.
pub(crate) fn read(path: &Path, problems: &mut Problems) -> File {
    let name = path.display().to_string();
    match read_bounded(path) {
        Ok(text) => parse(&name, &text, problems),
        Err(error) => {
            problems.push(format!("the configuration file {name} cannot be read: {error}"));
            File { name, ..File::default() }
        }
    }
}

/// The text of a file that a person has written, and no more of it than one would write.
pub(crate) fn read_bounded(path: &Path) -> std::io::Result<String> {
    let mut text = String::new();
    let mut bounded = std::fs::File::open(path)?.take(SETTINGS_FILE_BYTES_MAX + 1);
    bounded.read_to_string(&mut text)?;
    if bounded.limit() == 0 {
        let message = format!("it is larger than {SETTINGS_FILE_BYTES_MAX} bytes");
        return Err(std::io::Error::new(std::io::ErrorKind::FileTooLarge, message));
    }
    Ok(text)
}

pub(crate) fn parse(name: &str, text: &str, problems: &mut Problems) -> File {
    let mut file = File { name: name.to_owned(), ..File::default() };
    match DeTable::parse(text) {
        Ok(table) => Reader { text, file: &mut file, problems }.read("", table.get_ref()),
        Err(error) => {
            let line = error.span().map_or(1, |span| line_at(text, span.start));
            problems.push(format!("{name}:{line}: {}", error.message()));
        }
    }
    file
}

struct Reader<'a> {
    text: &'a str,
    file: &'a mut File,
    problems: &'a mut Problems,
}

impl Reader<'_> {
    fn read(&mut self, section: &str, table: &DeTable<'_>) {
        for (key, value) in table {
            let name = format!("{section}{}", key.get_ref());
            let line = line_at(self.text, key.span().start);
            if let Some(known) = keys::ALL.iter().find(|known| known.name == name) {
                match value_of(known.kind, value.get_ref()) {
                    Some(value) => drop(self.file.values.insert(known.name, (value, line))),
                    None => self.say(line, format!("`{name}` must be {}", known.kind.described())),
                }
            } else if name == keys::DIALECT {
                self.read_dialects(value, line);
            } else if let Some(inner) = keys::ALL.iter().find(|known| is_inside(known, &name)) {
                match value.get_ref() {
                    DeValue::Table(table) => self.read(&format!("{name}."), table),
                    _ => self.say(line, format!("`{name}` is a section, for keys such as `{}`", inner.name)),
                }
            } else {
                self.say(line, unknown(&name));
            }
        }
    }

    fn read_dialects(&mut self, value: &Spanned<DeValue<'_>>, line: usize) {
        let DeValue::Array(tables) = value.get_ref() else {
            return self.say(line, "dialects are written as tables that begin with `[[dialect]]`".to_owned());
        };
        for entry in tables {
            let line = line_at(self.text, entry.span().start);
            match entry.get_ref() {
                DeValue::Table(table) => self.read_dialect(table, line),
                _ => self.say(line, "a dialect is a table that begins with `[[dialect]]`".to_owned()),
            }
        }
    }

    fn read_dialect(&mut self, table: &DeTable<'_>, line: usize) {
        let mut dialect = DialectTable { line, values: ShapeValues::new(), lines: BTreeMap::new() };
        for (key, value) in table {
            let (name, line) = (key.get_ref().to_string(), line_at(self.text, key.span().start));
            match json_of(value.get_ref()) {
                Some(value) => {
                    dialect.lines.insert(name.clone(), line);
                    dialect.values.insert(name, value);
                }
                None => self.say(line, format!("`{name}` cannot have a value of this kind")),
            }
        }
        self.file.dialects.push(dialect);
    }

    fn say(&mut self, line: usize, problem: String) {
        self.problems.push(format!("{}:{line}: {problem}", self.file.name));
    }
}

fn is_inside(key: &Key, section: &str) -> bool {
    key.name.strip_prefix(section).is_some_and(|rest| rest.starts_with('.'))
}

/// Why a key is not taken, and which one may have been meant.
fn unknown(name: &str) -> String {
    let last = name.rsplit('.').next().unwrap_or(name);
    if let Some((_, variable)) = keys::SECRETS.iter().find(|(secret, _)| *secret == last) {
        let file = keys::file_variable(variable);
        return format!(
            "`{name}` is a secret and does not belong into this file; set {variable}, or {file} to the path of a \
             file that holds it"
        );
    }
    let names = || keys::ALL.iter().map(|key| key.name).chain([keys::DIALECT]);
    // The right word in the wrong section is meant as well.
    let elsewhere = || names().find(|known| known.rsplit('.').next() == Some(last));
    match near(name, names()).or_else(elsewhere) {
        Some(meant) => format!("unknown key `{name}`; did you mean `{meant}`?"),
        None => format!("unknown key `{name}`"),
    }
}

fn value_of(kind: Kind, value: &DeValue<'_>) -> Option<Value> {
    match (kind, value) {
        (Kind::Text, DeValue::String(text)) => Some(Value::Text(text.to_string())),
        (Kind::List, DeValue::String(text)) => kind.read(text).ok(),
        (Kind::List, DeValue::Array(entries)) => {
            let texts = entries.iter().map(|entry| entry.get_ref().as_str().map(str::to_owned));
            texts.collect::<Option<_>>().map(Value::List)
        }
        (Kind::Switch, DeValue::Boolean(on)) => Some(Value::Switch(*on)),
        (Kind::Number, DeValue::Integer(number)) => {
            u64::from_str_radix(number.as_str(), number.radix()).ok().map(Value::Number)
        }
        _ => None,
    }
}

/// `None` for a date, which no shape has, and for numbers that JSON cannot hold.
fn json_of(value: &DeValue<'_>) -> Option<Json> {
    Some(match value {
        DeValue::String(text) => Json::from(text.as_ref()),
        DeValue::Boolean(value) => Json::from(*value),
        DeValue::Integer(number) => Json::from(i64::from_str_radix(number.as_str(), number.radix()).ok()?),
        DeValue::Float(number) => Json::from(Number::from_f64(number.as_str().parse().ok()?)?),
        DeValue::Array(entries) => {
            Json::Array(entries.iter().map(|entry| json_of(entry.get_ref())).collect::<Option<_>>()?)
        }
        DeValue::Table(table) => {
            let pairs =
                table.iter().map(|(key, value)| Some((key.get_ref().to_string(), json_of(value.get_ref())?)));
            Json::Object(pairs.collect::<Option<_>>()?)
        }
        DeValue::Datetime(_) => return None,
    })
}

/// Lines are counted from 1.
fn line_at(text: &str, byte: usize) -> usize {
    text.as_bytes().iter().take(byte).filter(|byte| **byte == b'\n').count() + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(text: &str) -> Vec<String> {
        let mut problems = Problems::default();
        parse("s.toml", text, &mut problems);
        problems.sentences().to_vec()
    }

    #[test]
    fn values_are_read_with_their_lines() {
        let text = "# ours\npublic = \"0.0.0.0:80\"\negress_allow = [\"10.0.0.0/8\", \"::1\"]\n\n[limits]\n\
                    public_connections = 1_000\n[tls.public]\nkey = 'k.pem'\n[[dialect]]\nshape = \"x\"\n\n\
                    [[dialect]]\nshape = \"y\"\nretry_schedule_s = [1, 2]\n";
        let mut problems = Problems::default();
        let file = parse("s.toml", text, &mut problems);
        assert_eq!(problems.sentences(), [] as [&str; 0]);
        let text = |text: &str| Value::Text(text.to_owned());
        assert_eq!(file.values["public"], (text("0.0.0.0:80"), 2));
        let list = Value::List(vec!["10.0.0.0/8".to_owned(), "::1".to_owned()]);
        assert_eq!(file.values["egress_allow"], (list, 3));
        assert_eq!(file.values["limits.public_connections"], (Value::Number(1_000), 6));
        assert_eq!(file.values["tls.public.key"], (text("k.pem"), 8));
        let lines: Vec<usize> = file.dialects.iter().map(|dialect| dialect.line).collect();
        assert_eq!(lines, [9, 12]);
        assert_eq!(file.dialects[1].lines["retry_schedule_s"], 14);
        assert_eq!(file.dialects[1].values["retry_schedule_s"], serde_json::json!([1, 2]));
    }

    #[test]
    fn whatever_is_not_understood_is_named_with_its_line() {
        for (text, expected) in [
            ("\npubilc = \"a\"\n", "s.toml:2: unknown key `pubilc`; did you mean `public`?"),
            ("[tls]\n[tls.pubic]\n", "s.toml:2: unknown key `tls.pubic`"),
            (
                "certificate = 'x'",
                "s.toml:1: unknown key `certificate`; did you mean `tls.public.certificate`?",
            ),
            (
                "[limits]\nevents = 'x'",
                "s.toml:2: unknown key `limits.events`; did you mean `retention.events`?",
            ),
            ("[[dialects]]\nshape = 'x'", "s.toml:1: unknown key `dialects`; did you mean `dialect`?"),
            ("shards = 4", "s.toml:1: unknown key `shards`"),
            ("tls = 4", "s.toml:1: `tls` is a section, for keys such as `tls.public.certificate`"),
            (
                "[dialect]\nshape = 'x'",
                "s.toml:1: dialects are written as tables that begin with `[[dialect]]`",
            ),
            ("dialect = ['x']", "s.toml:1: a dialect is a table that begins with `[[dialect]]`"),
            ("public = 80", "s.toml:1: `public` must be text in quotes"),
            ("egress_allow = [1]", "s.toml:1: `egress_allow` must be an array of texts, or text with commas"),
            (
                "[limits]\npublic_connections = -1",
                "s.toml:2: `limits.public_connections` must be a whole number",
            ),
            ("[[dialect]]\nsince = 2020-01-01", "s.toml:2: `since` cannot have a value of this kind"),
            (
                "operator_key = 'x'",
                "s.toml:1: `operator_key` is a secret and does not belong into this file; set \
                 SIGNALPOST_OPERATOR_KEY, or SIGNALPOST_OPERATOR_KEY_FILE to the path of a file that holds it",
            ),
        ] {
            assert_eq!(said(text), [expected], "{text}");
        }
        for broken in ["public = ", "public = 'a'\npublic = 'b'", "= 1", "\u{0}"] {
            let said = said(broken);
            assert!(said.len() == 1 && said[0].starts_with("s.toml:"), "{said:?}");
        }
    }
}
