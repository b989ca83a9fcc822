//! Small charts over time, drawn by the server: zero-based, with labelled axes, and readable without colour. What they show stands
//! in a table as well.

use maud::{Markup, html};
use signalpost_core::time::Timestamp;

/// Of the drawing, in its own units.
const WIDTH: u64 = 640;
const HEIGHT: u64 = 150;
const LEFT: u64 = 72;
const TOP: u64 = 10;
const BOTTOM: u64 = HEIGHT - 24;
const PLOT_WIDTH: u64 = WIDTH - LEFT - 8;
const PLOT_HEIGHT: u64 = BOTTOM - TOP;
/// Labels of the axis of time.
const TIMES: usize = 5;

/// How one of several things is told from the others: by its colour, and by how it is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mark {
    Ok,
    Info,
    Bad,
    Muted,
}

impl Mark {
    /// The class of its colour, which is that of the pill.
    const fn class(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Info => "info",
            Self::Bad => "bad",
            Self::Muted => "muted",
        }
    }

    /// What is drawn over the colour of an area, in a square of 6 by 6.
    const fn pattern(self) -> Option<&'static str> {
        match self {
            Self::Ok => None,
            Self::Info => Some("M0 6 6 0"),
            Self::Bad => Some("M0 0 6 6M0 6 6 0"),
            Self::Muted => Some("M0 3 6 3"),
        }
    }

    /// Lengths of the dashes of a line and of what is between them.
    const fn dashes(self) -> Option<&'static str> {
        match self {
            Self::Ok | Self::Info => None,
            Self::Bad => Some("5 3"),
            Self::Muted => Some("1 3"),
        }
    }
}

/// One of several things over time.
pub(crate) struct Series {
    pub(crate) name: &'static str,
    pub(crate) mark: Mark,
    /// One for each instant; `None` where there is none to show.
    pub(crate) values: Vec<Option<u64>>,
}

/// How the things are drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// One on the other, the first at the bottom.
    Stacked,
    /// Each by itself.
    Lines,
}

pub(crate) struct Chart<'a> {
    /// Its own on the page, of letters and digits.
    pub(crate) id: &'a str,
    pub(crate) title: &'a str,
    pub(crate) form: Form,
    /// Beginnings of the columns, evenly apart.
    pub(crate) times: &'a [Timestamp],
    /// An instant on the axis of time.
    pub(crate) time: fn(Timestamp) -> String,
    /// A value on its axis.
    pub(crate) value: fn(u64) -> String,
    pub(crate) series: Vec<Series>,
}

impl Chart<'_> {
    pub(crate) fn draw(&self) -> Markup {
        let highest = self.highest();
        let top = rounded_up(highest);
        let said = format!("{}: {} at most", self.title, (self.value)(highest));
        html! {
            figure.chart {
                figcaption {
                    b { (self.title) } " "
                    span.legend { @for series in &self.series { (self.key(series)) } }
                }
                svg viewBox={ "0 0 " (WIDTH) " " (HEIGHT) } role="img" aria-label=(said) {
                    (self.patterns())
                    (self.axes(top))
                    @match self.form {
                        Form::Stacked => (self.areas(top)),
                        Form::Lines => { @for series in &self.series { (self.line(series, top)) } }
                    }
                }
            }
        }
    }

    /// What the axis must have room for.
    fn highest(&self) -> u64 {
        let of_column = |column: usize| {
            let values = self.series.iter().filter_map(|series| series.values.get(column).copied().flatten());
            match self.form {
                Form::Stacked => values.fold(0, u64::saturating_add),
                Form::Lines => values.max().unwrap_or(0),
            }
        };
        (0..self.times.len()).map(of_column).max().unwrap_or(0)
    }

    /// One line of the legend, drawn as the thing is.
    fn key(&self, series: &Series) -> Markup {
        let fill = self.fill(series.mark);
        html! {
            span {
                svg.key viewBox="0 0 20 12" aria-hidden="true" {
                    @match self.form {
                        Form::Stacked => { rect class=(series.mark.class()) x="0" y="0" width="20" height="12" {} @if let Some(fill) = &fill { rect x="0" y="0" width="20" height="12" fill=(fill) {} } }
                        Form::Lines => { line class=(series.mark.class()) x1="0" y1="6" x2="20" y2="6" stroke-dasharray=[series.mark.dashes()] {} }
                    }
                }
                " " (series.name)
            }
            " "
        }
    }

    fn fill(&self, mark: Mark) -> Option<String> {
        mark.pattern().map(|_| format!("url(#{}-{})", self.id, mark.class()))
    }

    fn patterns(&self) -> Markup {
        let drawn = self.series.iter().filter(|_| self.form == Form::Stacked);
        let patterns: Vec<_> =
            drawn.filter_map(|series| Some((series.mark, series.mark.pattern()?))).collect();
        html! {
            @if !patterns.is_empty() {
                defs {
                    @for (mark, path) in &patterns {
                        pattern id={ (self.id) "-" (mark.class()) } width="6" height="6" patternUnits="userSpaceOnUse" { path.over d=(path) {} }
                    }
                }
            }
        }
    }

    /// Values at the left, with a line through the drawing for each; times below.
    fn axes(&self, top: u64) -> Markup {
        let last = self.times.len().saturating_sub(1);
        let step = last.div_ceil(TIMES).max(1);
        html! {
            @for value in ticks(top) {
                @let y = BOTTOM - height(value, top);
                line.grid x1=(LEFT) y1=(y) x2=(LEFT + PLOT_WIDTH) y2=(y) {}
                text x=(LEFT - 6) y=(y + 4) text-anchor="end" { ((self.value)(value)) }
            }
            @for (column, at) in self.times.iter().enumerate().step_by(step) {
                text x=(self.x(column)) y=(HEIGHT - 6) { ((self.time)(*at)) }
            }
        }
    }

    /// One path for each thing, with a bar for each column: an element for each bar would be half of the page.
    fn areas(&self, top: u64) -> Markup {
        let mut bases = vec![BOTTOM; self.times.len()];
        let bars: Vec<String> = self.series.iter().map(|series| self.bars(series, top, &mut bases)).collect();
        html! {
            @for (series, bars) in self.series.iter().zip(&bars).filter(|(_, bars)| !bars.is_empty()) {
                path class=(series.mark.class()) d=(bars) {}
                @if let Some(fill) = self.fill(series.mark) { path d=(bars) fill=(fill) {} }
            }
        }
    }

    /// Each stands on what is below it, and leaves there what stands on it.
    fn bars(&self, series: &Series, top: u64, bases: &mut [u64]) -> String {
        let width = (PLOT_WIDTH / (self.times.len() as u64).max(1)).max(1);
        let width = width - u64::from(width > 3);
        let mut bars = String::new();
        for (column, base) in bases.iter_mut().enumerate() {
            let value = series.values.get(column).copied().flatten().unwrap_or(0);
            if value > 0 {
                // Something is never drawn as nothing.
                let high = height(value, top).max(1).min(*base - TOP);
                *base -= high;
                let (x, y) = (self.x(column), *base);
                bars.push_str(&format!("M{x} {y}h{width}v{high}h-{width}z"));
            }
        }
        bars
    }

    /// A stretch for each run of instants that have a value; one by itself is a dot.
    fn line(&self, series: &Series, top: u64) -> Markup {
        let points: Vec<Option<(u64, u64)>> = series
            .values
            .iter()
            .enumerate()
            .map(|(column, value)| value.map(|value| (self.x(column), BOTTOM - height(value, top))))
            .collect();
        let class = series.mark.class();
        html! {
            @for run in points.split(Option::is_none) {
                @match run {
                    [] => {}
                    [Some((x, y))] => circle class=(class) cx=(x) cy=(y) r="2" {},
                    run => polyline class=(class) points=(path(run)) stroke-dasharray=[series.mark.dashes()] {},
                }
            }
        }
    }

    fn x(&self, column: usize) -> u64 {
        LEFT + PLOT_WIDTH * column as u64 / (self.times.len() as u64).max(1)
    }
}

fn path(run: &[Option<(u64, u64)>]) -> String {
    let points: Vec<String> = run.iter().flatten().map(|(x, y)| format!("{x},{y}")).collect();
    points.join(" ")
}

/// How far a value lies above zero.
fn height(value: u64, top: u64) -> u64 {
    let height = u128::from(value) * u128::from(PLOT_HEIGHT) / u128::from(top.max(1));
    u64::try_from(height).unwrap_or(PLOT_HEIGHT).min(PLOT_HEIGHT)
}

/// One, two or five, with noughts: as much as the value or more. The end of the axis.
fn rounded_up(value: u64) -> u64 {
    let mut unit = 1_u64;
    loop {
        for times in [1, 2, 5] {
            match unit.checked_mul(times) {
                Some(top) if top >= value => return top,
                Some(_) => {}
                None => return u64::MAX,
            }
        }
        let Some(next) = unit.checked_mul(10) else { return u64::MAX };
        unit = next;
    }
}

/// Zero, the end, and what lies in the middle where it is a whole number.
fn ticks(top: u64) -> Vec<u64> {
    if top.is_multiple_of(2) { vec![0, top / 2, top] } else { vec![0, top] }
}

#[cfg(test)]
mod tests;
