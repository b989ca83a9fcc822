//! How far a move is, for whoever looks on.

use signalpost_store::transfer::{Doing, Progress};

use crate::cmd::copies::ProgressLine;
use crate::telemetry::note;

/// A line for each table with rows, and on a terminal how far it is.
#[derive(Default)]
pub(super) struct Steps {
    at: Option<(Doing, &'static str)>,
    line: Option<ProgressLine>,
}

impl Steps {
    pub(super) fn show(&mut self, progress: Progress) {
        let Progress { doing, table, rows, rows_in_all } = progress;
        if self.at.replace((doing, table)) != Some((doing, table)) {
            self.end();
            let verb = match doing {
                Doing::Copying => "copying",
                Doing::Verifying => "comparing",
            };
            match rows_in_all {
                Some(0) => {}
                Some(rows_in_all) => note(&format!("{verb} {table}, {rows_in_all} rows\n")),
                None => note(&format!("{verb} {table}\n")),
            }
        } else {
            let line = self.line.get_or_insert_with(|| ProgressLine::new("copied"));
            line.show_rows(rows, rows_in_all);
        }
    }

    pub(super) fn end(&mut self) {
        if let Some(line) = self.line.take() {
            line.end();
        }
    }
}
