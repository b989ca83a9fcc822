//! Which dialects are served: all built-in shapes, or those that `[[dialect]]` tables list. The native one always.

use serde_json::Value as Json;
use signalpost_api::dialect::{check_base_paths, native};
use signalpost_api::{Dialect, Shape, ShapeValues, built_in_dialects, built_in_shapes};

use super::file::DialectTable;
use super::layers::Effective;
use super::near::near;
use super::problems::Problems;

/// The keys of a table that name its shape and its hosts; all others are the shape's own.
pub(crate) const SHAPE: &str = "shape";
pub(crate) const HOSTS: &str = "hosts";

/// One dialect with all its values, written out.
pub(crate) struct EffectiveTable {
    pub(crate) shape: String,
    /// Empty when it is served wherever no dialect names the host.
    pub(crate) hosts: Vec<String>,
    pub(crate) values: ShapeValues,
    /// The line of its table in the file, `None` when no file lists dialects.
    pub(crate) line: Option<usize>,
}

/// `None` only when a problem was noted.
pub(super) fn read(effective: &Effective, problems: &mut Problems) -> Option<Vec<Dialect>> {
    if effective.dialects.is_empty() {
        return Some(built_in_dialects());
    }
    let file = effective.file.as_deref().unwrap_or_default();
    let mut dialects = vec![native::dialect()];
    for table in &effective.dialects {
        dialects.extend(problems.keep(read_one(file, table)));
    }
    if dialects.len() <= effective.dialects.len() {
        return None;
    }
    let line = effective.dialects[0].line;
    problems.keep(check_base_paths(&dialects).map_err(|problem| format!("{file}:{line}: {problem}")))?;
    Some(dialects)
}

fn read_one(file: &str, table: &DialectTable) -> Result<Dialect, String> {
    let Written { shape, hosts, changes } = written(file, table)?;
    let dialect = shape.dialect(&changes).map_err(|error| {
        let key = error.key.as_deref();
        let line = key.and_then(|key| table.lines.get(key)).unwrap_or(&table.line);
        let known = shape.defaults.keys().map(String::as_str).chain([SHAPE, HOSTS]);
        match key.filter(|key| !shape.defaults.contains_key(*key)).map(|key| (key, near(key, known))) {
            Some((key, Some(meant))) => {
                format!("{file}:{line}: unknown key `{key}`; did you mean `{meant}`?")
            }
            Some((key, None)) => format!("{file}:{line}: unknown key `{key}` of the shape `{}`", shape.name),
            None => format!("{file}:{line}: {error}"),
        }
    })?;
    let at_hosts = dialect.at_hosts(hosts.iter().map(String::as_str));
    at_hosts.map_err(|problem| format!("{file}:{}: `{HOSTS}`: {problem}", table.line_of(HOSTS)))
}

/// What a table says.
struct Written {
    shape: Shape,
    hosts: Vec<String>,
    /// What it changes of its shape.
    changes: ShapeValues,
}

fn written(file: &str, table: &DialectTable) -> Result<Written, String> {
    let known = || built_in_shapes().into_iter().map(|shape| shape.name).collect::<Vec<_>>().join(", ");
    let mut changes = table.values.clone();
    let named = changes.remove(SHAPE);
    let Some(Json::String(name)) = named else {
        return Err(format!("{file}:{}: a dialect needs a `{SHAPE}`; there are {}", table.line, known()));
    };
    let Some(shape) = built_in_shapes().into_iter().find(|shape| shape.name == name) else {
        let line = table.line_of(SHAPE);
        return Err(format!("{file}:{line}: there is no shape `{name}`; there are {}", known()));
    };
    let hosts = changes.remove(HOSTS).map_or(Some(Vec::new()), |hosts| serde_json::from_value(hosts).ok());
    let no_list = || format!("{file}:{}: `{HOSTS}`: must be a list of texts", table.line_of(HOSTS));
    Ok(Written { shape, hosts: hosts.ok_or_else(no_list)?, changes })
}

/// What is served to customers with all values, for whoever wants to see them. Tables that cannot be used are left
/// out; reading the settings has named them.
pub(crate) fn effective_tables(effective: &Effective) -> Vec<EffectiveTable> {
    if effective.dialects.is_empty() {
        let table = |shape: Shape| {
            let (shape, values) = (shape.name, shape.defaults);
            EffectiveTable { shape, hosts: Vec::new(), values, line: None }
        };
        return built_in_shapes().into_iter().map(table).collect();
    }
    let file = effective.file.as_deref().unwrap_or_default();
    let tables = effective.dialects.iter().filter_map(|table| {
        let Written { shape, hosts, changes } = written(file, table).ok()?;
        let values = shape.values(&changes).ok()?;
        Some(EffectiveTable { shape: shape.name, hosts, values, line: Some(table.line) })
    });
    tables.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::environment::Environment;
    use crate::settings::file;
    use crate::settings::layers::Flags;

    /// The names that are served, or what is wrong. `SHAPE` in the text stands for the first built-in shape.
    fn served(text: &str) -> Result<Vec<String>, Vec<String>> {
        let text = text.replace("SHAPE", &built_in_shapes()[0].name);
        let mut problems = Problems::default();
        let file = file::parse("s.toml", &text, &mut problems);
        let effective = Effective::lay(&Flags::default(), &Environment::default(), Some(file), &mut problems);
        let dialects = read(&effective, &mut problems);
        match problems.sentences() {
            [] => Ok(dialects.expect("no problem").into_iter().map(|dialect| dialect.name).collect()),
            sentences => Err(sentences.to_vec()),
        }
    }

    #[test]
    fn without_a_table_all_are_served_and_with_any_only_those_listed() {
        let all = built_in_dialects().into_iter().map(|dialect| dialect.name).collect::<Vec<_>>();
        assert_eq!(served(""), Ok(all));
        let acme = "[[dialect]]\nshape = 'SHAPE'\nname = 'acme'\nbase_path = '/acme/v1'\n";
        assert_eq!(served(acme), Ok(vec!["native".to_owned(), "acme".to_owned()]));
        let both = format!("{acme}[[dialect]]\nshape = 'SHAPE'\n");
        assert_eq!(served(&both).map(|names| names.len()), Ok(3));
    }

    #[test]
    fn mistakes_are_named_at_their_line() {
        let known = built_in_shapes().into_iter().map(|shape| shape.name).collect::<Vec<_>>().join(", ");
        for (text, expected) in [
            ("[[dialect]]\nname = 'x'", format!("s.toml:1: a dialect needs a `shape`; there are {known}")),
            ("[[dialect]]\nshape = 'nope'", format!("s.toml:2: there is no shape `nope`; there are {known}")),
            (
                "[[dialect]]\nshape = 'SHAPE'\nbase_pth = '/x'",
                "s.toml:3: unknown key `base_pth`; did you mean `base_path`?".to_owned(),
            ),
            (
                "[[dialect]]\nshape = 'SHAPE'\n\ntimeout_ms = 1",
                "s.toml:4: `timeout_ms`: must be from 100 to 60000".to_owned(),
            ),
            (
                "[[dialect]]\nshape = 'SHAPE'\nname = 'native'",
                "s.toml:1: two dialects are called `native`".to_owned(),
            ),
            (
                "[[dialect]]\nshape = 'SHAPE'\nhosts = 'a'",
                "s.toml:3: `hosts`: must be a list of texts".to_owned(),
            ),
            (
                "[[dialect]]\nshape = 'SHAPE'\nhosts = ['a:80']",
                "s.toml:3: `hosts`: `a:80` is not a host such as `hooks.acme.example`".to_owned(),
            ),
            (
                "[[dialect]]\nshape = 'SHAPE'\nbase_path = 'v1'",
                format!(
                    "s.toml:1: dialect `{}`: `v1` is not a base path such as `/v1`",
                    built_in_shapes()[0].name
                ),
            ),
        ] {
            assert_eq!(served(text), Err(vec![expected]), "{text}");
        }
    }

    #[test]
    fn at_hosts_of_their_own_two_stand_at_one_path() {
        let table =
            |name: &str, hosts: &str| format!("[[dialect]]\nshape = 'SHAPE'\nname = '{name}'\n{hosts}\n");
        let (a, b) = ("hosts = ['a.example', 'www.a.example']", "hosts = ['b.example']");
        for (one, other, good) in [(a, b, true), (a, "", true), ("", "", false), (a, a, false)] {
            let text = format!("{}{}", table("x", one), table("y", other));
            assert_eq!(served(&text).is_ok(), good, "{text}");
        }
    }

    #[test]
    fn what_is_served_can_be_written_out() {
        let mut problems = Problems::default();
        let shape = built_in_shapes()[0].name.clone();
        let file =
            file::parse("s.toml", &format!("[[dialect]]\nshape = '{shape}'\nname = 'a'"), &mut problems);
        let effective = Effective::lay(&Flags::default(), &Environment::default(), Some(file), &mut problems);
        let tables = effective_tables(&effective);
        assert_eq!((tables.len(), tables[0].line), (1, Some(1)));
        assert_eq!(tables[0].values["name"], "a");
        assert_eq!(tables[0].values.len(), built_in_shapes()[0].defaults.len());
    }
}
