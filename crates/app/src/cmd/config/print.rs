//! `signalpost config print`: the settings in force, each with where it came from. Secrets are never shown.

use serde_json::{Map, Value as Json, json};

use crate::cli::PrintArgs;
use crate::cmd::Failure;
use crate::key_files;
use crate::settings::database::{self, DATABASE_URL};
use crate::settings::environment::Environment;
use crate::settings::layers::{Chosen, Effective, Flags};
use crate::settings::problems::Problems;
use crate::settings::value::Value;
use crate::settings::{effective_tables, from_effective, keys};
use crate::telemetry::say;

pub(super) fn run(args: &PrintArgs) -> Result<(), Failure> {
    let environment = Environment::of_process();
    let effective = gather(&args.settings.0, &environment)?;
    let data = effective.get(keys::DATA).value.as_ref().map(Value::plain).unwrap_or_default();
    let database = database::source(&args.settings.0, &environment)?;
    let mut secrets = Vec::from(key_files::sources(data.as_ref(), &environment, database.as_deref())?);
    secrets.push((DATABASE_URL, database_said(database.as_deref())));
    let text = if args.json { as_json(&effective, &secrets) } else { as_toml(&effective, &secrets) };
    say(&text);
    Ok(())
}

fn database_said(source: Option<&str>) -> String {
    source.map_or_else(
        || "not set: the data lie in the data directory".to_owned(),
        |source| format!("set, from {source}"),
    )
}

/// What cannot be used is not printed as if it were in force.
fn gather(flags: &Flags, environment: &Environment) -> Result<Effective, Failure> {
    let mut problems = Problems::default();
    let effective = Effective::gather(flags, environment, &mut problems);
    from_effective(&effective, &mut problems);
    problems.into_result()?;
    Ok(effective)
}

/// Reads as a configuration file that says the same.
pub(crate) fn as_toml(effective: &Effective, secrets: &[(&str, String)]) -> String {
    let mut text = String::new();
    for (name, source) in secrets {
        text.push_str(&format!("# {name}: {source}\n"));
    }
    let mut section = "";
    for key in keys::ALL {
        let (of, name) = key.name.rsplit_once('.').unwrap_or(("", key.name));
        if of != section {
            text.push_str(&format!("\n[{of}]\n"));
            section = of;
        }
        let Chosen { value, source } = effective.get(key);
        match value {
            Some(value) => text.push_str(&format!("{name} = {}  # from {source}\n", toml(&value.to_json()))),
            None => text.push_str(&format!("# {name} is not set\n")),
        }
    }
    for table in effective_tables(effective) {
        let from = match (table.line, &effective.file) {
            (Some(line), Some(file)) => format!("{file}:{line}"),
            _ => "default".to_owned(),
        };
        text.push_str(&format!("\n[[dialect]]  # from {from}\nshape = {}\n", toml(&table.shape.into())));
        if !table.hosts.is_empty() {
            text.push_str(&format!("hosts = {}\n", toml(&table.hosts.into())));
        }
        for (name, value) in table.values.iter().filter(|(_, value)| !value.is_null()) {
            text.push_str(&format!("{name} = {}\n", toml(value)));
        }
    }
    text
}

/// A value as TOML. JSON's strings are TOML's basic strings, but for one character that TOML wants escaped; its
/// arrays and numbers are TOML's.
fn toml(value: &Json) -> String {
    match value {
        Json::Object(table) => {
            let pairs: Vec<String> = table
                .iter()
                .map(|(key, value)| format!("{} = {}", Json::from(key.as_str()), toml(value)))
                .collect();
            format!("{{ {} }}", pairs.join(", "))
        }
        Json::Array(entries) => {
            let entries: Vec<String> = entries.iter().map(toml).collect();
            format!("[{}]", entries.join(", "))
        }
        plain => plain.to_string().replace('\u{7f}', "\\u007f"),
    }
}

pub(crate) fn as_json(effective: &Effective, secrets: &[(&str, String)]) -> String {
    let settings: Map<String, Json> = keys::ALL
        .iter()
        .map(|key| {
            let Chosen { value, source } = effective.get(key);
            let value = value.as_ref().map(Value::to_json);
            (key.name.to_owned(), json!({"value": value, "from": source.to_string()}))
        })
        .collect();
    let dialects: Vec<Json> = effective_tables(effective)
        .into_iter()
        .map(|table| {
            let from = table.line.zip(effective.file.as_ref());
            let from = from.map_or("default".to_owned(), |(line, file)| format!("{file}:{line}"));
            json!({"shape": table.shape, "hosts": table.hosts, "values": table.values, "from": from})
        })
        .collect();
    let secrets: Map<String, Json> =
        secrets.iter().map(|(name, source)| ((*name).to_owned(), Json::from(source.as_str()))).collect();
    let all = json!({"file": effective.file, "settings": settings, "dialects": dialects, "secrets": secrets});
    format!("{all:#}\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::layers::Flags;

    #[test]
    fn what_is_printed_says_the_same_when_it_is_read() {
        let data = std::env::temp_dir().join("it \"is\" data");
        let data = data.to_str().expect("a temporary directory with a name in UTF-8");
        let flags = Flags { values: [("data", data.to_owned())].into(), ..Flags::default() };
        let environment = Environment::from([
            ("SIGNALPOST_EGRESS_ALLOW", "10.0.0.0/8, ::1"),
            ("SIGNALPOST_RETENTION_EVENTS", "off"),
            ("SIGNALPOST_OPERATOR_KEY", "a key that nobody may see"),
        ]);
        let effective = gather(&flags, &environment).expect("good");
        let secrets = key_files::sources(data.as_ref(), &environment, None).expect("sources");
        let printed = as_toml(&effective, &secrets);
        assert!(
            printed.contains("egress_allow = [\"10.0.0.0/8\", \"::1\"]  # from SIGNALPOST_EGRESS_ALLOW\n")
        );
        assert!(
            printed.contains("# SIGNALPOST_OPERATOR_KEY: set, from SIGNALPOST_OPERATOR_KEY\n"),
            "{printed}"
        );
        let file = signalpost_testkit::TempDir::new().expect("a folder");
        let path = file.path().join("s.toml");
        std::fs::write(&path, &printed).expect("written");
        let flags = Flags { config: Some(path.display().to_string()), ..Flags::default() };
        let again = gather(&flags, &Environment::default()).expect("what was printed is good");
        for key in keys::ALL {
            assert_eq!(again.get(key).value, effective.get(key).value, "{}", key.name);
        }
        let tables = |effective: &Effective| {
            let tables = effective_tables(effective).into_iter();
            tables.map(|table| (table.shape, table.values)).collect::<Vec<_>>()
        };
        assert_eq!(tables(&again), tables(&effective));
        let json: Json = serde_json::from_str(&as_json(&effective, &secrets)).expect("JSON");
        assert_eq!(json["settings"]["data"], json!({"value": data, "from": "--data"}));
        assert_eq!(json["settings"]["tls.public.key"]["value"], Json::Null);
        for text in [printed, json.to_string()] {
            assert!(!text.contains("nobody may see"), "{text}");
        }
    }
}
