//! Where the time of attempts went: a bar for each on one axis.

use maud::{Markup, html};
use signalpost_core::attempt::{Attempt, Timing};

use super::time::short_span;

/// Of the drawing, in its own units.
const WIDTH: u64 = 600;
const ROW: u64 = 22;

/// A phase of an exchange, its class in the style, and its length in microseconds.
fn phases(timing: &Timing) -> [(&'static str, &'static str, u64); 5] {
    let Timing { dns_us, connect_us, tls_us, first_byte_us, total_us } = *timing;
    let read_us = total_us.saturating_sub(dns_us + connect_us + tls_us + first_byte_us);
    [
        ("dns", "p-dns", dns_us),
        ("connect", "p-connect", connect_us),
        ("tls", "p-tls", tls_us),
        ("wait", "p-wait", first_byte_us),
        ("read", "p-read", read_us),
    ]
}

/// A drawing of all attempts; what it shows stands in words beside each of them as well.
pub(crate) fn timeline(attempts: &[&Attempt]) -> Markup {
    let longest_us = attempts.iter().map(|attempt| attempt.timing.total_us).max().unwrap_or(0).max(1);
    let height = ROW * attempts.len() as u64;
    html! {
        svg.timeline viewBox={ "0 0 " (WIDTH + 120) " " (height) } role="img" aria-label="Where the time of each attempt went" {
            @for (row, attempt) in attempts.iter().enumerate() {
                @let top = row as u64 * ROW;
                text x="0" y=(top + 15) { "#" (attempt.number) }
                @let mut left = 36;
                @for (_, class, us) in phases(&attempt.timing) {
                    @let width = us.saturating_mul(WIDTH) / longest_us;
                    @if width > 0 { rect class=(class) x=(left) y=(top + 4) width=(width) height=(ROW - 8) {} }
                    @let () = left += width;
                }
                text x=(left + 6) y=(top + 15) { (short_span(attempt.timing.total_us)) }
            }
        }
        p.legend {
            @for (name, class, _) in phases(&Timing::default()) { span class=(class) { (name) } " " }
        }
    }
}

/// The same of one attempt in words.
pub(crate) fn in_words(timing: &Timing) -> String {
    let told = phases(timing).into_iter().filter(|(_, _, us)| *us > 0);
    let told: Vec<String> = told.map(|(name, _, us)| format!("{name} {}", short_span(us))).collect();
    format!(
        "{} in all{}{}",
        short_span(timing.total_us),
        if told.is_empty() { "" } else { ": " },
        told.join(", ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn phases_add_up_to_the_whole() {
        let timing =
            Timing { dns_us: 100, connect_us: 2_000, tls_us: 0, first_byte_us: 10_000, total_us: 12_500 };
        assert_eq!(phases(&timing).iter().map(|(_, _, us)| us).sum::<u64>(), 12_500);
        assert_eq!(in_words(&timing), "12 ms in all: dns 100 µs, connect 2 ms, wait 10 ms, read 400 µs");
        assert_eq!(in_words(&Timing::default()), "0 µs in all");
    }
}
