//! How far a move is, for whoever looks on.

use signalpost_store_postgres::cells::Step;

use crate::cmd::copies::ProgressLine;
use crate::telemetry::note;

/// A line for each step, and on a terminal how far a table is.
#[derive(Default)]
pub(super) struct Steps {
    at: Option<&'static str>,
    line: Option<ProgressLine>,
}

impl Steps {
    pub(super) fn show(&mut self, step: Step) {
        match step {
            Step::Expecting => self.say("taking the names in the other cell"),
            Step::Marking => self.say("from here on the workspaces are away"),
            Step::Draining => self.say("waiting for attempts in flight"),
            Step::Copying { table, rows } if self.at == Some(table) => {
                let line = self.line.get_or_insert_with(|| ProgressLine::new("copied"));
                line.show_rows(rows, None);
            }
            Step::Copying { table, .. } => {
                self.say(&format!("copying {table}"));
                self.at = Some(table);
            }
            Step::Comparing { table } => self.say(&format!("comparing {table}")),
            Step::Rehearsing => self.say("trying the end"),
            Step::Leaving => self.say("leaving"),
            Step::Showing => self.say("arriving"),
            Step::Confirming => self.say("they are served; handing what is left to retention"),
        }
    }

    fn say(&mut self, sentence: &str) {
        self.end();
        note(&format!("{sentence}\n"));
    }

    pub(super) fn end(&mut self) {
        self.at = None;
        if let Some(line) = self.line.take() {
            line.end();
        }
    }
}
