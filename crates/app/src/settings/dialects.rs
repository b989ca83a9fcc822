//! Which dialects are served: all built-in shapes, or those that `[[dialect]]` tables list. The native one always.

use serde_json::Value as Json;
use signalpost_api::dialect::{check_base_paths, native};
use signalpost_api::{Dialect, Shape, ShapeValues, built_in_dialects, built_in_shapes};

use super::file::DialectTable;
use super::layers::Effective;
use super::near::near;
use super::problems::Problems;

/// The key of a table that names its shape; all others are the shape's own.
pub(crate) const SHAPE: &str = "shape";

/// One dialect with all its values, written out.
pub(crate) struct EffectiveTable {
    pub(crate) shape: String,
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
    let (shape, changes) = shape_of(file, table)?;
    shape.dialect(&changes).map_err(|error| {
        let key = error.key.as_deref();
        let line = key.and_then(|key| table.lines.get(key)).unwrap_or(&table.line);
        let known = shape.defaults.keys().map(String::as_str).chain([SHAPE]);
        match key.filter(|key| !shape.defaults.contains_key(*key)).map(|key| (key, near(key, known))) {
            Some((key, Some(meant))) => {
                format!("{file}:{line}: unknown key `{key}`; did you mean `{meant}`?")
            }
            Some((key, None)) => format!("{file}:{line}: unknown key `{key}` of the shape `{}`", shape.name),
            None => format!("{file}:{line}: {error}"),
        }
    })
}

/// The shape of a table and what it changes of it.
fn shape_of(file: &str, table: &DialectTable) -> Result<(Shape, ShapeValues), String> {
    let known = || built_in_shapes().into_iter().map(|shape| shape.name).collect::<Vec<_>>().join(", ");
    let mut changes = table.values.clone();
    let named = changes.remove(SHAPE);
    let Some(Json::String(name)) = named else {
        return Err(format!("{file}:{}: a dialect needs a `{SHAPE}`; there are {}", table.line, known()));
    };
    match built_in_shapes().into_iter().find(|shape| shape.name == name) {
        Some(shape) => Ok((shape, changes)),
        None => {
            let line = table.lines.get(SHAPE).unwrap_or(&table.line);
            Err(format!("{file}:{line}: there is no shape `{name}`; there are {}", known()))
        }
    }
}

/// What is served to customers with all values, for whoever wants to see them. Tables that cannot be used are left
/// out; reading the settings has named them.
pub(crate) fn effective_tables(effective: &Effective) -> Vec<EffectiveTable> {
    if effective.dialects.is_empty() {
        let table = |shape: Shape| EffectiveTable { shape: shape.name, values: shape.defaults, line: None };
        return built_in_shapes().into_iter().map(table).collect();
    }
    let file = effective.file.as_deref().unwrap_or_default();
    let tables = effective.dialects.iter().filter_map(|table| {
        let (shape, changes) = shape_of(file, table).ok()?;
        let values = shape.values(&changes).ok()?;
        Some(EffectiveTable { shape: shape.name, values, line: Some(table.line) })
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
