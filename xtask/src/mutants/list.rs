//! Reads xtask/mutants.toml: a table for each mutant, with one edit or several.

use toml::{Table, Value};

use super::judge::Judge;
use crate::workspace;

const FILE: &str = "xtask/mutants.toml";

/// A mistake in the source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Mutant {
    pub(super) name: String,
    /// What it breaks, in words.
    pub(super) promise: String,
    pub(super) edits: Vec<Edit>,
    pub(super) judge: Judge,
    /// A piece of what the judge has to say of it: of a finding, or the name of a test that has to fail.
    pub(super) finding: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Edit {
    /// From the root.
    pub(super) file: String,
    /// Stands there exactly once.
    pub(super) find: String,
    pub(super) replace: String,
}

pub(super) fn read() -> Result<Vec<Mutant>, String> {
    let path = workspace::root().join(FILE);
    let text = std::fs::read_to_string(path).map_err(|error| format!("{FILE} cannot be read: {error}"))?;
    parse(&text)
}

fn parse(text: &str) -> Result<Vec<Mutant>, String> {
    let document: Table = text.parse().map_err(|error| format!("{FILE}: {error}"))?;
    let tables = document.get("mutant").and_then(Value::as_array);
    let tables = tables.ok_or_else(|| format!("{FILE} has no [[mutant]]"))?;
    let mut mutants: Vec<Mutant> = Vec::new();
    for (place, table) in tables.iter().enumerate() {
        let name =
            text_of(table, "name").map_err(|error| format!("{FILE}, mutant {}: {error}", place + 1))?;
        let mutant = mutant(table, &name).map_err(|error| format!("{FILE}, `{name}`: {error}"))?;
        if mutants.iter().any(|known| known.name == name) {
            return Err(format!("{FILE} has two mutants called `{name}`"));
        }
        mutants.push(mutant);
    }
    Ok(mutants)
}

fn mutant(table: &Value, name: &str) -> Result<Mutant, String> {
    let edits = match table.get("edit").and_then(Value::as_array) {
        Some(edits) => edits.iter().map(edit).collect::<Result<_, _>>()?,
        None => vec![edit(table)?],
    };
    let budget = match table.get("budget").map(Value::as_integer) {
        None => None,
        Some(budget) => {
            let budget = budget.and_then(|budget| u32::try_from(budget).ok());
            Some(budget.ok_or("`budget` is not a number of worlds or kills")?)
        }
    };
    let judge = Judge::parse(&text_of(table, "judge")?, budget)?;
    let (promise, finding) = (text_of(table, "promise")?, text_of(table, "finding")?);
    if finding.trim().is_empty() {
        return Err("`finding` is empty, so that anything would do".to_owned());
    }
    Ok(Mutant { name: name.to_owned(), promise, edits, judge, finding })
}

fn edit(table: &Value) -> Result<Edit, String> {
    let edit = Edit {
        file: text_of(table, "file")?,
        find: text_of(table, "find")?,
        replace: text_of(table, "replace")?,
    };
    if edit.find == edit.replace { Err("it changes nothing".to_owned()) } else { Ok(edit) }
}

fn text_of(table: &Value, key: &str) -> Result<String, String> {
    let text = table.get(key).and_then(Value::as_str);
    text.map(str::to_owned).ok_or_else(|| format!("`{key}` is missing"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: &str = "[[mutant]]\nname = 'a'\npromise = 'p'\njudge = 'sim'\nfinding = 'w'\nfile = 'f'\nfind = 'x'\nreplace = 'y'\n";

    #[test]
    fn mutants_have_one_edit_or_several() {
        let one = parse(ONE).expect("a good file");
        assert_eq!(one[0].edits, [Edit { file: "f".into(), find: "x".into(), replace: "y".into() }]);
        let edit = "[[mutant.edit]]\nfile = 'f'\nfind = 'x'\nreplace = ''\n";
        let several = format!(
            "[[mutant]]\nname = 'b'\npromise = 'p'\njudge = 'tests -p core'\nfinding = 'w'\n{edit}{edit}"
        );
        assert_eq!(parse(&several).expect("a good file")[0].edits.len(), 2);
    }

    #[test]
    fn what_is_missing_or_twice_is_told_by_name() {
        let error = parse(&format!("{ONE}{ONE}")).expect_err("twice");
        assert!(error.contains("two mutants called `a`"), "{error}");
        let error = parse(&ONE.replace("judge = 'sim'\n", "")).expect_err("no judge");
        assert!(error.contains("`a`") && error.contains("`judge`"), "{error}");
        assert!(parse(&ONE.replace("'y'", "'x'")).is_err(), "it changes nothing");
        assert!(parse(&ONE.replace("'sim'", "'nobody'")).is_err());
        assert!(parse(&ONE.replace("finding = 'w'\n", "")).is_err(), "any failure would do");
        assert!(parse(&ONE.replace("'w'", "' '")).is_err(), "any failure would do");
    }

    #[test]
    fn the_list_is_good_and_fits_the_source() {
        for mutant in read().expect("it is good") {
            for edit in &mutant.edits {
                let text =
                    std::fs::read_to_string(workspace::root().join(&edit.file)).expect("the file is there");
                assert_eq!(text.matches(&edit.find).count(), 1, "{}: {:?}", mutant.name, edit.find);
            }
        }
    }
}
