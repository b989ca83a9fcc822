//! What has happened of late, from the roll-ups: in numbers, in charts, and in the table that the charts show.

use std::collections::BTreeMap;

use maud::{Markup, html};
use signalpost_core::error::Error;
use signalpost_core::figures::{Figures, FiguresOf, HOUR_MS, MINUTE_MS};
use signalpost_core::limits::{FIGURES_INTERVAL, FIGURES_WEBHOOKS_INTERVAL};
use signalpost_core::time::Timestamp;
use signalpost_engine::{Engine, FailingWebhook};

use crate::look::chart::{Chart, Form, Mark, Series};
use crate::look::numbers::{count, counted};
use crate::look::time::span;
use crate::visit::Visit;

/// Columns of a chart of the installation, a minute each: two hours.
const MINUTES: i64 = 120;
/// Of a workspace, an hour each: two days.
const HOURS: i64 = 48;
const DAY_MS: i64 = 24 * HOUR_MS;
/// Of webhooks that fail.
const FAILING: usize = 10;

/// Figures of a while, in columns without a gap.
pub(crate) struct Late {
    of: FiguresOf,
    times: Vec<Timestamp>,
    columns: Vec<Figures>,
    /// Of the last hour, or for hours of the last day.
    sum: Figures,
}

impl Late {
    /// `sums` says how many of the last columns are added up: what is over, and what is not over yet.
    async fn read(
        engine: &Engine,
        of: FiguresOf,
        now: Timestamp,
        columns: i64,
        sums: i64,
    ) -> Result<Self, Error> {
        let until = of.at(now).at.plus_ms(of.step_ms());
        let from = until.plus_ms(-columns * of.step_ms());
        let found: BTreeMap<Timestamp, Figures> =
            engine.figures(of, from, until).await?.into_iter().collect();
        let times: Vec<Timestamp> = (0..columns).map(|column| from.plus_ms(column * of.step_ms())).collect();
        let columns: Vec<Figures> =
            times.iter().map(|at| found.get(at).copied().unwrap_or_default()).collect();
        let mut sum = Figures::default();
        let summed = usize::try_from(sums).unwrap_or(0);
        columns.iter().rev().take(summed).for_each(|figures| sum.add(figures));
        Ok(Self { of, times, columns, sum })
    }

    pub(crate) async fn of_installation(engine: &Engine, now: Timestamp) -> Result<Self, Error> {
        Self::read(engine, FiguresOf::Installation, now, MINUTES, 60).await
    }

    /// What several cells did together. All were read at the same instant.
    pub(crate) fn together(cells: &[Self]) -> Self {
        let first = cells.first().expect("an installation has a cell");
        let mut all = Self { times: first.times.clone(), columns: first.columns.clone(), ..*first };
        for cell in &cells[1..] {
            all.sum.add(&cell.sum);
            all.columns.iter_mut().zip(&cell.columns).for_each(|(column, figures)| column.add(figures));
        }
        all
    }

    /// Of a workspace or a webhook.
    pub(crate) async fn of_day(engine: &Engine, of: FiguresOf, now: Timestamp) -> Result<Self, Error> {
        Self::read(engine, of, now, HOURS, 24).await
    }

    /// `99.8 % of 1,204 attempts`, or that there was none.
    pub(crate) fn success(&self) -> String {
        match self.sum.success_permille() {
            None => "no attempts".to_owned(),
            Some(permille) => {
                format!(
                    "{}.{} % of {}",
                    permille / 10,
                    permille % 10,
                    counted(self.sum.attempts(), "attempt")
                )
            }
        }
    }

    /// The sums in words.
    pub(crate) fn facts(&self) -> Markup {
        let latency = |percent| self.sum.latency.percentile_ms(percent).map_or_else(|| "–".to_owned(), span);
        html! {
            dl.facts {
                div { dt { "Events" } dd { (self.pace(self.sum.events)) } }
                div { dt { "Deliveries" } dd { (self.pace(self.sum.delivered)) } }
                div { dt { "Success" } dd { (self.success()) } }
                div { dt { "Accepted to delivered, p50 / p99" } dd { (latency(50)) " / " (latency(99)) } }
                div { dt { "Failed for good" } dd { (count(self.sum.failed)) } }
                div { dt { "Dropped with their webhooks" } dd { (count(self.sum.dropped)) } }
            }
        }
    }

    /// `12.5 a minute` of the installation, `1,204` of what is counted by hours.
    fn pace(&self, number: u64) -> String {
        match self.of {
            FiguresOf::Installation => format!("{}.{} a minute", count(number / 60), number % 60 / 6),
            FiguresOf::Workspace(_) | FiguresOf::Webhook(..) => count(number),
        }
    }

    /// The charts, each with an id that begins so, and their numbers.
    pub(crate) fn charts(&self, id: &str) -> Markup {
        let is_all = self.of == FiguresOf::Installation;
        html! {
            div.charts {
                (self.deliveries(&format!("{id}d")).draw())
                (self.latency(&format!("{id}l")).draw())
                @if is_all { (self.backlog(&format!("{id}b")).draw()) }
            }
            p.muted { "The times are UTC; what has just happened is counted within " (self.delay_s()) " seconds." }
            (self.table())
        }
    }

    /// How long what happens may take to get here.
    const fn delay_s(&self) -> u64 {
        match self.of {
            FiguresOf::Installation | FiguresOf::Workspace(_) => FIGURES_INTERVAL.as_secs(),
            FiguresOf::Webhook(..) => FIGURES_WEBHOOKS_INTERVAL.as_secs(),
        }
    }

    fn deliveries<'a>(&'a self, id: &'a str) -> Chart<'a> {
        let of = |name, mark, number: fn(&Figures) -> u64| Series {
            name,
            mark,
            values: self.columns.iter().map(|figures| Some(number(figures))).collect(),
        };
        let title =
            if self.of == FiguresOf::Installation { "Deliveries per minute" } else { "Deliveries per hour" };
        let series = vec![
            of("delivered", Mark::Ok, |figures| figures.delivered),
            of("retrying", Mark::Info, |figures| figures.retries),
            of("failed", Mark::Bad, |figures| figures.failed),
            of("dropped", Mark::Muted, |figures| figures.dropped),
        ];
        self.chart(id, title, Form::Stacked, count, series)
    }

    fn latency<'a>(&'a self, id: &'a str) -> Chart<'a> {
        let of = |name, mark, percent| Series {
            name,
            mark,
            values: self.columns.iter().map(|figures| figures.latency.percentile_ms(percent)).collect(),
        };
        let series = vec![of("p50", Mark::Ok, 50), of("p99", Mark::Bad, 99)];
        self.chart(id, "From accepted to delivered", Form::Lines, span, series)
    }

    fn backlog<'a>(&'a self, id: &'a str) -> Chart<'a> {
        let values = self.columns.iter().map(|figures| Some(figures.oldest_due_ms)).collect();
        let series = vec![Series { name: "oldest delivery that is due", mark: Mark::Info, values }];
        self.chart(id, "Age of the backlog", Form::Lines, span, series)
    }

    fn chart<'a>(
        &'a self,
        id: &'a str,
        title: &'a str,
        form: Form,
        value: fn(u64) -> String,
        series: Vec<Series>,
    ) -> Chart<'a> {
        Chart { id, title, form, times: &self.times, time: self.time(), value, series }
    }

    /// How an instant stands on the axis, in UTC: the day as well where there is more than one.
    fn time(&self) -> fn(Timestamp) -> String {
        match self.of {
            FiguresOf::Installation => |at| at.to_rfc3339_s()[11..16].to_owned(),
            FiguresOf::Workspace(_) | FiguresOf::Webhook(..) => {
                |at| at.to_rfc3339_s()[5..16].replace('T', " ")
            }
        }
    }

    /// What the charts show, newest first; columns in which nothing happened are left out.
    fn table(&self) -> Markup {
        let is_all = self.of == FiguresOf::Installation;
        let latency = |figures: &Figures, percent| {
            figures.latency.percentile_ms(percent).map_or_else(|| "–".to_owned(), span)
        };
        let rows: Vec<_> =
            self.times.iter().zip(&self.columns).rev().filter(|(_, figures)| !figures.is_nothing()).collect();
        html! {
            details {
                summary { "The same in numbers" }
                @if rows.is_empty() { p.empty { "Nothing was counted in this time." } } @else {
                    div.wide { table {
                        thead { tr {
                            th scope="col" { "From (UTC)" }
                            @for name in ["Delivered", "Retrying", "Failed", "Dropped", "p50", "p99"] { th.number scope="col" { (name) } }
                            @if is_all { th.number scope="col" { "Backlog" } }
                        } }
                        tbody {
                            @for (at, figures) in rows {
                                tr {
                                    td { ((self.time())(*at)) }
                                    @for number in [figures.delivered, figures.retries, figures.failed, figures.dropped] { td.number { (count(number)) } }
                                    @for percent in [50, 99] { td.number { (latency(figures, percent)) } }
                                    @if is_all { td.number { (span(figures.oldest_due_ms)) } }
                                }
                            }
                        }
                    } }
                }
            }
        }
    }
}

/// Webhooks to which most attempts failed within a day, as far as the visitor may know of them.
pub(crate) async fn failing(visit: &Visit, engine: &Engine) -> Result<Markup, Error> {
    let since = visit.now.plus_ms(MINUTE_MS - DAY_MS);
    let found = engine.top_failing(visit.who.bound_to(), since, FAILING).await?;
    Ok(html! {
        h2 { "Webhooks that failed most " small { "in the last 24 hours" } }
        @if found.is_empty() { p.empty { "No attempt failed." } } @else {
            div.wide { table {
                thead { tr { th scope="col" { "Webhook" } th scope="col" { "Workspace" } th.number scope="col" { "Failed" } th.number scope="col" { "Succeeded" } } }
                tbody { @for webhook in &found { (row(visit, webhook)) } }
            } }
        }
    })
}

fn row(visit: &Visit, found: &FailingWebhook) -> Markup {
    let FailingWebhook { workspace, webhook, url, attempts_failed, attempts_succeeded } = found;
    html! {
        tr {
            td.url { a href=(visit.paths.webhook(workspace, webhook)) { (url) } }
            td { a href=(visit.paths.workspace(workspace)) { code { (workspace) } } }
            td.number { (count(*attempts_failed)) }
            td.number { (count(*attempts_succeeded)) }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_attempt_is_no_attempts() {
        let of = |succeeded, failed| {
            let sum =
                Figures { attempts_succeeded: succeeded, attempts_failed: failed, ..Figures::default() };
            Late { of: FiguresOf::Installation, times: Vec::new(), columns: Vec::new(), sum }.success()
        };
        assert_eq!(
            [of(0, 0), of(1, 0), of(1_201, 3)],
            ["no attempts", "100.0 % of 1 attempt", "99.7 % of 1,204 attempts"]
        );
    }
}
