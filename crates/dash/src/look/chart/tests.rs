//! What is drawn of nothing, of one value, and of as much as there can be.

use super::*;

fn times(count: i64) -> Vec<Timestamp> {
    (0..count).map(|minute| Timestamp::from_ms(minute * 60_000)).collect()
}

fn drawn(form: Form, times: &[Timestamp], series: Vec<Series>) -> String {
    let (time, value) =
        (|at: Timestamp| at.to_rfc3339_s()[11..16].to_owned(), |value: u64| value.to_string());
    Chart { id: "one", title: "Things", form, times, time, value, series }.draw().into_string()
}

fn series(mark: Mark, values: Vec<Option<u64>>) -> Series {
    Series { name: "delivered", mark, values }
}

/// The value of an attribute of each element that has this class.
fn of_each(svg: &str, element: &str, attribute: &str) -> Vec<String> {
    let elements = svg.split('<').filter(|part| part.starts_with(element));
    let value = |part: &str| {
        let (_, rest) = part.split_once(&format!(" {attribute}=\""))?;
        rest.split_once('"').map(|(value, _)| value.to_owned())
    };
    elements.filter_map(value).collect()
}

/// Tops and heights of all bars, in the order in which they are drawn.
fn bars(svg: &str) -> Vec<(u64, u64)> {
    let (_, plot) = svg.split_once("role=\"img\"").expect("a drawing");
    let paths = of_each(plot, "path", "d").into_iter().filter(|path| path.ends_with('z'));
    let bar = |bar: &str| {
        let (place, sides) = bar.split_once('h')?;
        let top = place.split_once(' ')?.1.parse().ok()?;
        let height = sides.split_once('v')?.1.split_once('h')?.0.parse().ok()?;
        Some((top, height))
    };
    paths.flat_map(|path| path.split('M').filter_map(bar).collect::<Vec<_>>()).collect()
}

#[test]
fn nothing_has_axes_and_nothing_else() {
    for form in [Form::Stacked, Form::Lines] {
        for columns in [0, 60] {
            let svg = drawn(form, &times(columns), vec![series(Mark::Ok, vec![Some(0); 60])]);
            let (_, plot) = svg.split_once("role=\"img\"").expect("a drawing");
            assert!(plot.contains("Things: 0 at most") && bars(&svg).is_empty(), "{plot}");
            assert!(plot.contains(">0</text>") && plot.contains(">1</text>"), "zero-based: {plot}");
        }
        let svg = drawn(form, &times(60), vec![series(Mark::Ok, vec![None; 60])]);
        assert!(!svg.contains("<polyline") && !svg.contains("<circle"), "no value is no zero: {svg}");
    }
}

#[test]
fn one_value_is_seen() {
    let mut values = vec![None; 60];
    values[30] = Some(7);
    let svg = drawn(Form::Lines, &times(60), vec![series(Mark::Bad, values.clone())]);
    let [y] = &of_each(&svg, "circle", "cy")[..] else { panic!("{svg}") };
    assert_eq!(y.parse::<u64>().expect("a number"), BOTTOM - PLOT_HEIGHT * 7 / 10);
    let svg = drawn(Form::Stacked, &times(60), vec![series(Mark::Ok, values)]);
    let high = PLOT_HEIGHT * 7 / 10;
    assert_eq!(bars(&svg), [(BOTTOM - high, high)]);
    let svg = drawn(Form::Lines, &times(3), vec![series(Mark::Ok, vec![Some(1), Some(2), None])]);
    assert_eq!(of_each(&svg, "polyline", "points").len(), 1, "one stretch: {svg}");
}

#[test]
fn what_is_little_beside_much_is_seen_and_all_stay_within() {
    let all = [Mark::Ok, Mark::Info, Mark::Bad, Mark::Muted];
    let values = [u64::MAX, 1, u64::MAX / 2, u64::MAX];
    let stacked = all.into_iter().zip(values).map(|(mark, value)| series(mark, vec![Some(value)])).collect();
    let svg = drawn(Form::Stacked, &times(1), stacked);
    let all = bars(&svg);
    assert_eq!(all.len(), 7, "a pattern over three of them");
    for (top, height) in all {
        assert!((TOP..=BOTTOM).contains(&top) && top + height <= BOTTOM, "{svg}");
    }
    let small = vec![series(Mark::Ok, vec![Some(1_000_000)]), series(Mark::Bad, vec![Some(1)])];
    let svg = drawn(Form::Stacked, &times(1), small);
    let drawn_bars = bars(&svg);
    assert!(
        drawn_bars.iter().all(|(_, height)| *height > 0) && drawn_bars.len() == 3,
        "one failure of a million: {svg}"
    );
    let svg = drawn(Form::Lines, &times(2), vec![series(Mark::Ok, vec![Some(u64::MAX), Some(0)])]);
    let expected = format!("{},{TOP} {},{BOTTOM}", LEFT, LEFT + PLOT_WIDTH / 2);
    assert_eq!(of_each(&svg, "polyline", "points"), [expected]);
}

/// A browser that is told to take no style but ours would leave it out.
#[test]
fn no_style_stands_in_the_page_and_each_thing_is_drawn_in_its_own_way() {
    let all = [Mark::Ok, Mark::Info, Mark::Bad, Mark::Muted];
    let svg = drawn(Form::Stacked, &times(2), all.map(|mark| series(mark, vec![Some(1); 2])).into());
    assert!(!svg.contains("style"), "{svg}");
    let fills = [of_each(&svg, "rect", "fill"), of_each(&svg, "path", "fill")].concat();
    assert_eq!(fills.len(), 6, "in the legend and in the drawing");
    for pattern in fills {
        let id = pattern.trim_start_matches("url(#").trim_end_matches(')');
        assert!(svg.contains(&format!("<pattern id=\"{id}\"")), "{pattern} is nowhere: {svg}");
    }
    let mut drawings: Vec<_> = all.map(|mark| (mark.pattern(), mark.dashes())).into();
    drawings.dedup();
    assert_eq!(drawings.len(), all.len());
}

#[test]
fn axes_end_at_round_numbers() {
    let tops = [0, 1, 2, 3, 6, 10, 11, 1_204, u64::MAX].map(rounded_up);
    assert_eq!(tops, [1, 1, 2, 5, 10, 10, 20, 2_000, u64::MAX]);
    assert_eq!([ticks(5), ticks(20)], [vec![0, 5], vec![0, 10, 20]]);
}
