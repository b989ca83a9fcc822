//! What filters cost: compiling one, asking one about an event, reading an event's data, and the worst that is permitted.
//!
//! `cargo run --release -p signalpost-filter --example filter_cost -- [TEXTS]` also compiles TEXTS random texts of the
//! greatest length, looks for the one that takes longest, and for memory that the parser does not give back.

#![expect(clippy::print_stdout, reason = "the table is what this program is for")]
#![expect(clippy::disallowed_methods, reason = "it brings its own clock")]

use std::fs;
use std::hint::black_box;

use bytes::Bytes;
use signalpost_core::event::EventContent;
use signalpost_core::limits::FILTER_CHARS_MAX;
use signalpost_core::time::Timestamp;
use signalpost_filter::{Filter, Subject};

/// How long each measurement goes on.
const MEASURED_NS: f64 = 3e8;

fn main() {
    compiling();
    asking();
    reading();
    worst_texts();
    worst_steps();
    if let Some(texts) = std::env::args().nth(1) {
        hunt(texts.parse().expect("a number of texts"));
    }
}

/// Processor time of this thread in nanoseconds: what others do on the machine does not count.
fn on_cpu_ns() -> f64 {
    let text = fs::read_to_string("/proc/thread-self/schedstat").expect("a Linux system");
    text.split_whitespace().next().and_then(|ns| ns.parse().ok()).expect("nanoseconds")
}

/// Nanoseconds of one call.
fn cost<T>(mut call: impl FnMut() -> T) -> f64 {
    let (begun, mut calls, mut more) = (on_cpu_ns(), 0_u32, 1);
    loop {
        (0..more).for_each(|_| drop(black_box(call())));
        calls += more;
        let spent = on_cpu_ns() - begun;
        if spent >= MEASURED_NS {
            return spent / f64::from(calls);
        }
        more = calls;
    }
}

fn event(data: String) -> EventContent {
    EventContent {
        producer_id: None,
        event_type: "order.paid".to_owned(),
        subject: Some("shop-17".to_owned()),
        time: Timestamp::from_ms(1_777_975_606_150),
        attributes: Vec::new(),
        data: Bytes::from(data),
        ordering_key: None,
    }
}

/// An order of some 100 bytes for each item.
fn order(items: usize) -> String {
    let item = |n: usize| {
        format!(
            "{{\"sku\": \"sku-{n}\", \"qty\": {n}, \"price\": {n}.5, \"title\": \"A thing with a name of some length\", \"gift\": false}}"
        )
    };
    let items: Vec<String> = (0..items).map(item).collect();
    format!(
        "{{\"amount\": 150, \"currency\": \"EUR\", \"customer\": {{\"country\": \"DE\"}}, \"items\": [{}]}}",
        items.join(", ")
    )
}

const FILTERS: [(&str, &str); 7] = [
    ("type", "type == 'order.paid'"),
    ("number and text", "data.amount > 100 && data.currency == 'EUR'"),
    (
        "list of words",
        "data.customer.country in ['AT', 'BE', 'CH', 'DE', 'DK', 'FR', 'IT', 'NL', 'PL', 'SE']",
    ),
    ("pattern", "type.matches('^order[.](paid|sent)$')"),
    ("time", "time > timestamp('2026-01-01T00:00:00Z') && time.getHours() < 18"),
    ("any of 10 items", "data.items.exists(i, i.sku == 'none' && i.qty > 3)"),
    ("sum of macros", "data.items.filter(i, i.qty > 3).map(i, i.price * 2).exists(p, p < 0)"),
];

fn compiling() {
    println!("{:<28} {:>12}", "compiling", "us");
    for (name, text) in FILTERS {
        println!("{name:<28} {:>12.1}", cost(|| Filter::compile(text)) / 1e3);
    }
}

fn asking() {
    println!("\n{:<28} {:>12} {:>8} {:>8}", "asking, data read before", "ns", "steps", "bytes");
    let content = event(order(10));
    for (name, text) in FILTERS {
        let filter = Filter::compile(text).expect("a filter");
        let subject = Subject::of(&content);
        filter.admits(&subject).expect("it decides");
        let read = subject.steps();
        let ns = cost(|| filter.admits(&subject));
        let fresh = Subject::of(&content);
        filter.admits(&fresh).expect("it decides");
        let before = fresh.steps();
        filter.admits(&fresh).expect("it decides");
        assert!(read > 0);
        println!("{name:<28} {ns:>12.0} {:>8} {:>8}", fresh.steps() - before, filter.bytes());
    }
}

fn reading() {
    println!("\n{:<28} {:>12} {:>12}", "reading data", "us", "ns/byte");
    let dense = |bytes: usize| format!("[{}]", vec!["1"; bytes / 2].join(","));
    let texts = |bytes: usize| format!("[\"{}\"]", "x".repeat(bytes));
    let table = [
        ("order, 1 item", order(1)),
        ("order, 10 items", order(10)),
        ("order, 256 KiB", order(2_350)),
        ("order, 1 MiB", order(9_300)),
        ("a string, 1 MiB", texts(1024 * 1024)),
        ("numbers, 512 KiB", dense(512 * 1024 - 2)),
        ("too many numbers, 1 MiB", dense(1024 * 1024)),
    ];
    let filter = Filter::compile("dyn(data) == 0").expect("a filter");
    for (name, data) in table {
        let bytes = data.len();
        let content = event(data);
        let ns = cost(|| filter.admits(&Subject::of(&content)));
        #[expect(clippy::cast_precision_loss, reason = "a size")]
        let each = ns / bytes as f64;
        println!("{name:<28} {:>12.1} {each:>12.2}", ns / 1e3);
    }
}

/// What takes long to compile, as long as a filter may be.
fn worst_texts() {
    println!("\n{:<28} {:>12}", "worst texts", "ms");
    let repeated = |unit: &str| unit.repeat(FILTER_CHARS_MAX / unit.len());
    let nested =
        |open: &str, close: &str, times: usize| format!("{}true{}", open.repeat(times), close.repeat(times));
    let chain = |unit: &str| format!("true{}", unit.repeat((FILTER_CHARS_MAX - 4) / unit.len()));
    let table = [
        ("&&", chain("&&data.a")),
        ("|| and in", chain("||1 in[a]")),
        ("mixed operators", chain("&&a+b*c<d")),
        ("choices", chain("&&(a?b:c)")),
        ("brackets", nested("(", ")", 60)),
        ("lists", nested("[", "]", 31)),
        ("calls", nested("dyn(", ")", 60)),
        ("macros", nested("[1].exists(x,", ")", 20)),
        ("maps", format!("{} == data", nested("{1:", "}", 60))),
        ("open brackets", "(".repeat(64)),
        ("open mixture", "([{a?".repeat(12)),
        ("nonsense", repeated("? : ] ) ( , ")),
        ("unknown characters", repeated("#")),
        ("commas", format!("1 in [{}]", vec!["1"; 500].join(","))),
        ("groups of brackets", repeated("((((a))))&&")),
        ("minus", chain("&&- - -a")),
        ("patterns", repeated("type.matches('a{99}b*c')||")),
    ];
    for (name, text) in table {
        println!("{name:<28} {:>12.2}", cost(|| Filter::compile(&text)) / 1e6);
    }
}

/// What takes longest to be told that it is too costly.
fn worst_steps() {
    println!("\n{:<28} {:>12} {:>12}", "worst evaluations", "us", "ns/step");
    let numbers = format!("{{\"n\": [{}]}}", vec!["1"; 100_000].join(","));
    // What is charged at once must just be permitted, or nothing is done.
    let text_of = |bytes: usize| format!("{{\"s\": \"{}\"}}", "ab".repeat(bytes / 2));
    let (text, long, middle, short) = (text_of(50_000), text_of(600), text_of(140), text_of(16));
    let members: Vec<String> = (0..1_500).map(|n| format!("\"{n}\": {n}")).collect();
    let map = format!("{{\"m\": {{{}}}}}", members.join(","));
    let few: Vec<String> = (0..250).map(|n| format!("\"{n}\": {n}")).collect();
    let few = format!("{{\"m\": {{{}}}}}", few.join(","));
    let table = [
        ("elements", "data.n.all(i, i == 1)", &numbers),
        ("lists made", "data.n.map(i, [i]).size() > 0", &numbers),
        ("lists compared", "data.n == data.n.map(i, i)", &numbers),
        ("strings made", "data.s + data.s + data.s == ''", &text),
        ("strings of numbers", "data.n.map(i, string(i) + 'a').size() == 0", &numbers),
        ("searched", "data.s.contains('aab') || data.s.contains('bba')", &text),
        ("small pattern", "data.s.matches('a+c')", &long),
        ("wide pattern", "data.s.matches('(a|b)*(a|b)*(a|b)*(a|b)*(a|b)*(a|b)*c')", &middle),
        ("large pattern", "data.s.matches('(a|b|[x-z]){60}c')", &short),
        ("large pattern of splits", "data.s.matches('(a?b?){40}c')", &short),
        ("keys", "data.m.all(k, k != '')", &map),
        ("members", "[1, 2, 3, 4].all(i, data.m.x == i || has(data.m.y) || true)", &map),
        ("maps compared", "data.m == data.m", &few),
        ("times", "data.n.all(i, timestamp(i).getMonth() == 0)", &numbers),
        ("written times", "data.n.all(i, string(timestamp(i)) != '')", &numbers),
        ("read times", "data.n.all(i, timestamp('2026-05-05T10:06:46.' + string(i) + 'Z') < time)", &numbers),
        ("doubles", "data.n.all(i, string(i / 3.0) != '')", &numbers),
        ("large doubles", "data.n.all(i, string(i * 1e300) != '')", &numbers),
    ];
    for (name, text, data) in table {
        let filter = Filter::compile(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        let content = event(data.clone());
        let subject = Subject::of(&content);
        black_box(filter.admits(&subject).is_ok());
        let before = subject.steps();
        black_box(filter.admits(&subject).is_ok());
        let steps = subject.steps() - before;
        let ns = cost(|| filter.admits(&subject));
        #[expect(clippy::cast_precision_loss, reason = "a bounded number")]
        let each = ns / steps as f64;
        println!("{name:<28} {:>12.1} {each:>12.1}  {steps} steps", ns / 1e3);
    }
}

/// What random texts are made of.
const PIECES: [&str; 44] = [
    "a",
    "data",
    ".b",
    "type",
    "1",
    "2u",
    "1.5",
    "0x1f",
    "'a'",
    "r'b'",
    "null",
    "true",
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    ",",
    ":",
    "?",
    ".",
    "+",
    "-",
    "*",
    "/",
    "%",
    "!",
    "&&",
    "||",
    "==",
    "!=",
    "<",
    "<=",
    ">",
    ">=",
    "in",
    " ",
    "has(",
    ".exists(x,",
    ".map(y,",
    "size(",
    "\n",
    "b'd'",
];

fn hunt(texts: u64) {
    let (mut state, mut worst, mut kept) = (1_u64, (0.0, String::new()), 0);
    let mut random = |bound: usize| {
        // Knuth's multiplier: good enough to choose pieces, and the same each time.
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 33).expect("31 bits") % bound
    };
    println!("\nhunting: {}", resident());
    for n in 1..=texts {
        let (mut text, few) = (String::new(), 2 + random(PIECES.len() - 2));
        let chosen: Vec<&str> = (0..few).map(|_| PIECES[random(PIECES.len())]).collect();
        while text.chars().count() < FILTER_CHARS_MAX - 16 {
            // Sides of an operator that fit together keep the parser busy longer.
            text.push_str(if n % 2 == 0 {
                ["a", "1", "a.b", "f(a)", "[a]", "-a"][random(6)]
            } else {
                chosen[random(few)]
            });
            text.push_str(if n % 2 == 0 {
                ["&&", "||", " in ", "<", "?a:", "==", ","][random(7)]
            } else {
                chosen[random(few)]
            });
        }
        let begun = std::time::Instant::now();
        let compiled = Filter::compile(&text);
        let ms = begun.elapsed().as_secs_f64() * 1e3;
        kept += u64::from(compiled.is_ok());
        if ms > worst.0 {
            worst = (ms, text);
        }
        if n % (texts / 4).max(1) == 0 {
            println!("{n:>8} texts, {kept} of them filters, the worst {:.1} ms; {}", worst.0, resident());
        }
    }
    println!("{}", worst.1.chars().take(300).collect::<String>());
}

fn resident() -> String {
    let status = fs::read_to_string("/proc/self/status").expect("a Linux system");
    status.lines().find(|line| line.starts_with("VmRSS")).expect("its memory").to_owned()
}
