//! The report as a picture: one file that needs nothing else, readable on a light and on a dark page.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::super::phase::{Curve, Figures};
use super::{Report, ScenarioReport, VERSION};

const WIDTH: f64 = 1_120.0;
const HEAD_HEIGHT: f64 = 84.0;
const BLOCK_HEIGHT: f64 = 330.0;
const PANEL_TOP: f64 = 66.0;
const PANEL_HEIGHT: f64 = 190.0;
/// Left edge and width of the three panels.
const LATENCY: (f64, f64) = (64.0, 360.0);
const TIMELINE: (f64, f64) = (500.0, 260.0);
const CPU: (f64, f64) = (830.0, 260.0);
/// Quantiles are drawn by how often a factor of ten fits into what is above them: 90 % at one, 99.99 % at four.
const DECADES: f64 = 4.0;
const COLOURS: usize = 6;
/// Room for one phase's bars of all three processes.
const ROW_HEIGHT: f64 = 92.0;
/// CPU below this is not drawn.
const US_SHOWN_MIN: f64 = 0.1;

const STYLE: &str = "\
svg{--page:#fff;--ink:#1d2733;--soft:#67727e;--grid:#dfe4ea;--c0:#2f6fb3;--c1:#d4772a;--c2:#2f9468;--c3:#8a5fc4;\
--c4:#b8495f;--c5:#7d8894;background:var(--page);font:12px system-ui,sans-serif}\
@media(prefers-color-scheme:dark){svg{--page:#14191f;--ink:#e3e9ef;--soft:#96a1ad;--grid:#2c353f;--c0:#6aa9e9;\
--c1:#eda05e;--c2:#63c49a;--c3:#b795ea;--c4:#e58497;--c5:#8d99a6}}\
text{fill:var(--ink)}.soft{fill:var(--soft);font-size:11px}.end{text-anchor:end}.mid{text-anchor:middle}\
.title{font-size:17px;font-weight:600}.name{font-size:14px;font-weight:600}.void{fill:var(--c4);font-weight:600}\
.grid{stroke:var(--grid);fill:none}.line{fill:none;stroke-width:1.8;stroke-linejoin:round}";

impl Report {
    pub(in super::super) fn to_svg(&self) -> String {
        let height = HEAD_HEIGHT + BLOCK_HEIGHT * self.scenarios.len() as f64;
        let mut svg = Svg(format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDTH}\" height=\"{height}\" viewBox=\"0 0 {WIDTH} \
             {height}\" role=\"img\">\n<title>signalpost bench</title>\n<style>{STYLE}</style>\n<rect \
             width=\"100%\" height=\"100%\" fill=\"var(--page)\"/>\n"
        ));
        let machine = &self.machine;
        svg.text(24.0, 34.0, "title", &format!("signalpost bench, version {VERSION}"));
        let facts = format!(
            "{}, {} cores, Linux {}, data on {}; load average before {:.2}",
            machine.cpu, machine.cores, machine.kernel, machine.filesystem, machine.load_average
        );
        svg.text(24.0, 54.0, "soft", &facts);
        svg.text(24.0, 71.0, "void", &self.warnings.join("; "));
        for (position, scenario) in self.scenarios.iter().enumerate() {
            let top = HEAD_HEIGHT + BLOCK_HEIGHT * position as f64;
            block(&mut svg, scenario, top);
        }
        svg.0.push_str("</svg>\n");
        svg.0
    }
}

fn block(svg: &mut Svg, scenario: &ScenarioReport, top: f64) {
    svg.line([24.0, top], [WIDTH - 24.0, top]);
    svg.text(24.0, top + 24.0, "name", scenario.name);
    svg.text(110.0, top + 24.0, "soft", scenario.what);
    if !scenario.mismatches.is_empty() {
        svg.text(24.0, top + 42.0, "void", "VOID: the ledger does not agree");
    }
    latency(svg, &scenario.phases, top + PANEL_TOP);
    timeline(svg, &scenario.phases, top + PANEL_TOP);
    cpu(svg, &scenario.phases, top + PANEL_TOP);
}

fn latency(svg: &mut Svg, phases: &[Figures], top: f64) {
    let (left, width) = LATENCY;
    svg.text(left, top - 10.0, "soft", "latency from the scheduled moment, ms");
    let Some(latency) = phases.iter().rev().find_map(|phase| phase.latency.as_ref()) else {
        return svg.text(left, top + 20.0, "soft", "not measured here");
    };
    let curves = [("to the publisher's answer", &latency.answer), ("to the receiver", &latency.arrival)];
    let values =
        curves.iter().flat_map(|(_, curve)| curve.points.iter()).map(|(_, ms)| ms.max(0.001).log10());
    let (low, high) =
        values.fold((f64::MAX, f64::MIN), |(low, high), value| (low.min(value), high.max(value)));
    let (low, high) = (low.floor(), high.ceil().max(low.floor() + 1.0));
    let y = |ms: f64| top + PANEL_HEIGHT * (1.0 - (ms.max(0.001).log10() - low) / (high - low));
    let x = |quantile: f64| left + width * (-(1.0 - quantile).max(1e-9).log10()).min(DECADES) / DECADES;
    let mut decade = low;
    while decade <= high {
        let ms = 10_f64.powf(decade);
        svg.line([left, y(ms)], [left + width, y(ms)]);
        svg.text(left - 6.0, y(ms) + 4.0, "soft end", &format!("{ms}"));
        decade += 1.0;
    }
    for (quantile, name) in
        [(0.0, "0"), (0.5, "50"), (0.9, "90"), (0.99, "99"), (0.999, "99.9"), (0.9999, "99.99 %")]
    {
        svg.line([x(quantile), top], [x(quantile), top + PANEL_HEIGHT]);
        svg.text(x(quantile), top + PANEL_HEIGHT + 16.0, "soft mid", name);
    }
    for (colour, (name, curve)) in curves.into_iter().enumerate() {
        let points = below_the_end(curve).map(|(quantile, ms)| [x(quantile), y(ms)]);
        svg.polyline(points, colour);
        svg.key(left + 170.0 * colour as f64, top + PANEL_HEIGHT + 36.0, colour, name);
    }
}

/// The points that the picture has room for; the maximum stands in the tables.
fn below_the_end(curve: &Curve) -> impl Iterator<Item = (f64, f64)> + '_ {
    curve.points.iter().copied().filter(|(quantile, _)| *quantile < 1.0)
}

fn timeline(svg: &mut Svg, phases: &[Figures], top: f64) {
    let (left, width) = TIMELINE;
    svg.text(left, top - 10.0, "soft", "deliveries per second over time");
    let highest = phases.iter().flat_map(|phase| &phase.timeline).copied().fold(1.0, f64::max);
    let seconds = |phase: &Figures| phase.timeline.len() as f64 * phase.timeline_step_s;
    let longest = phases.iter().map(seconds).fold(0.1, f64::max);
    for part in 0..=4 {
        let share = f64::from(part) / 4.0;
        let y = top + PANEL_HEIGHT * (1.0 - share);
        svg.line([left, y], [left + width, y]);
        svg.text(left - 6.0, y + 4.0, "soft end", &short(highest * share));
    }
    svg.text(left, top + PANEL_HEIGHT + 16.0, "soft mid", "0");
    svg.text(left + width, top + PANEL_HEIGHT + 16.0, "soft end", &format!("{longest:.1} s"));
    for (colour, phase) in phases.iter().enumerate() {
        let point = |(position, rate): (usize, &f64)| {
            let at_s = (position as f64 + 0.5) * phase.timeline_step_s;
            [left + width * at_s / longest, top + PANEL_HEIGHT * (1.0 - rate / highest)]
        };
        svg.polyline(phase.timeline.iter().enumerate().map(point), colour);
        svg.key(left + 110.0 * colour as f64, top + PANEL_HEIGHT + 36.0, colour, &phase.name);
    }
}

/// One bar for each phase and process, the server's split by thread.
fn cpu(svg: &mut Svg, phases: &[Figures], top: f64) {
    let (left, width) = CPU;
    svg.text(left, top - 10.0, "soft", "CPU per delivery, µs");
    let totals =
        phases.iter().flat_map(|phase| [phase.cpu.server_us, phase.cpu.receiver_us, phase.cpu.generator_us]);
    let scale = width / totals.fold(1.0, f64::max);
    let working = phases.iter().flat_map(|phase| &phase.cpu.threads_us).filter(|(_, us)| *us >= US_SHOWN_MIN);
    let names: BTreeSet<&str> = working.map(|(name, _)| name.as_str()).collect();
    let step = (2.0 * ROW_HEIGHT / phases.len().max(1) as f64).min(ROW_HEIGHT);
    for (position, phase) in phases.iter().enumerate() {
        let y = top + step * position as f64;
        svg.text(left, y + 10.0, "soft", &format!("{}: server {:.1}", phase.name, phase.cpu.server_us));
        let mut x = left;
        for (colour, name) in names.iter().enumerate() {
            let us = phase.cpu.threads_us.iter().find(|(known, _)| known == name).map_or(0.0, |(_, us)| *us);
            svg.bar([x, y + 15.0], us * scale, colour, &format!("{name}: {us:.1} µs"));
            x += us * scale;
        }
        let others = [("receiver", phase.cpu.receiver_us), ("generator", phase.cpu.generator_us)];
        // With more phases than two there is room for the server alone.
        let others = if step < ROW_HEIGHT { &[][..] } else { &others[..] };
        for (row, (name, us)) in others.iter().enumerate() {
            let y = y + 38.0 + 20.0 * row as f64;
            svg.bar([left, y], us * scale, COLOURS - 1, &format!("{name}: {us:.1} µs"));
            svg.text(left + us * scale + 6.0, y + 11.0, "soft", &format!("{name} {us:.1}"));
        }
    }
    for (colour, name) in names.iter().enumerate().take(COLOURS - 1) {
        let (column, line) = ((colour % 3) as f64, (colour / 3) as f64);
        svg.key(left + 92.0 * column, top + PANEL_HEIGHT + 20.0 + 18.0 * line, colour, name);
    }
}

fn short(number: f64) -> String {
    if number >= 10_000.0 { format!("{:.0}k", number / 1_000.0) } else { format!("{number:.0}") }
}

struct Svg(String);

impl Svg {
    fn text(&mut self, x: f64, y: f64, class: &str, text: &str) {
        let text = escaped(text);
        self.push(format_args!("<text x=\"{x:.1}\" y=\"{y:.1}\" class=\"{class}\">{text}</text>\n"));
    }

    fn line(&mut self, from: [f64; 2], to: [f64; 2]) {
        let [[x1, y1], [x2, y2]] = [from, to];
        self.push(format_args!("<path class=\"grid\" d=\"M{x1:.1} {y1:.1}L{x2:.1} {y2:.1}\"/>\n"));
    }

    fn polyline(&mut self, points: impl Iterator<Item = [f64; 2]>, colour: usize) {
        let colour = colour % COLOURS;
        let points: Vec<String> = points.map(|[x, y]| format!("{x:.1},{y:.1}")).collect();
        let points = points.join(" ");
        self.push(format_args!(
            "<polyline class=\"line\" style=\"stroke:var(--c{colour})\" points=\"{points}\"/>\n"
        ));
    }

    fn bar(&mut self, [x, y]: [f64; 2], width: f64, colour: usize, title: &str) {
        let (colour, title) = (colour % COLOURS, escaped(title));
        self.push(format_args!(
            "<rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"14\" \
             style=\"fill:var(--c{colour})\"><title>{title}</title></rect>\n"
        ));
    }

    fn key(&mut self, x: f64, y: f64, colour: usize, name: &str) {
        let colour = colour % COLOURS;
        let top = y - 9.0;
        self.push(format_args!(
            "<rect x=\"{x:.1}\" y=\"{top:.1}\" width=\"10\" height=\"10\" style=\"fill:var(--c{colour})\"/>\n"
        ));
        self.text(x + 15.0, y, "soft", name);
    }

    fn push(&mut self, line: std::fmt::Arguments<'_>) {
        self.0.write_fmt(line).expect("writing to a string does not fail");
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::super::canned;

    /// Every coordinate is a number inside the picture, and every element that is opened is closed.
    #[test]
    fn a_canned_run_is_a_picture() {
        let svg = canned::report().to_svg();
        assert!(svg.starts_with("<svg ") && svg.ends_with("</svg>\n"));
        assert!(svg.contains("Test &lt;CPU&gt; &amp; Co") && !svg.contains("NaN") && !svg.contains("inf"));
        for element in ["text", "title", "style", "svg"] {
            let count = |part: String| svg.matches(&part).count();
            let opened = count(format!("<{element} ")) + count(format!("<{element}>"));
            assert_eq!(opened, count(format!("</{element}>")), "{element}");
        }
        assert_eq!(svg.matches("<polyline").count(), 4, "two latencies, two timelines");
        assert!(!svg.contains("VOID"));
    }

    #[test]
    fn a_void_run_says_so() {
        let mut report = canned::report();
        report.scenarios[0].mismatches.push("one is missing".to_owned());
        assert!(report.to_svg().contains("VOID"));
    }
}
