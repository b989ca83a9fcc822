//! What filters take in memory, counted: not more than they say.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use signalpost_filter::{Filter, Subject};

use crate::subject::event;

thread_local! {
    /// Bytes that this thread has asked for and not given back.
    static HELD: Cell<isize> = const { Cell::new(0) };
}

struct Counting;

fn count(size: usize, sign: isize) {
    HELD.set(HELD.get() + sign * isize::try_from(size).expect("no allocation is larger"));
}

#[expect(unsafe_code, reason = "an allocator is; it hands everything on as it is")]
// SAFETY: what the system's allocator guarantees is untouched.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size(), 1);
        // SAFETY: the caller's promise is handed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        count(layout.size(), -1);
        // SAFETY: the caller's promise is handed on.
        unsafe { System.dealloc(memory, layout) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

/// What is made, and the bytes that it keeps.
fn kept<T>(make: impl FnOnce() -> T) -> (T, usize) {
    let before = HELD.get();
    let made = make();
    (made, usize::try_from(HELD.get() - before).unwrap_or(0))
}

#[test]
fn a_filter_takes_no_more_than_it_says() {
    let words = (0..150).map(|n| format!("'word-{n}'")).collect::<Vec<_>>().join(", ");
    let patterns = (0..30).map(|n| format!("type.matches('^(a|b){n}$')")).collect::<Vec<_>>().join(" || ");
    let table = [
        "true".to_owned(),
        "type == 'order.paid' && data.amount > 100".to_owned(),
        format!("type in [{words}]"),
        "data.items.exists(i, {'a': i.b, 'c': [1, 2, 3]} == data)".to_owned(),
        "type.matches('^order[.](paid|sent)$')".to_owned(),
        patterns,
        "type.matches('a{500}')".to_owned(),
        "type.matches('((((((((a))))))))b{450}')".to_owned(),
        "type.matches('(a?b?){40}')".to_owned(),
        format!("type.matches('{}')", vec!["a"; 200].join("|")),
        format!("type.matches('{}')", "|".repeat(400)),
        format!("type.matches('{}')", "[a-cx-z0-9]".repeat(120)),
        r"type.matches(r'(?<first>\w+)(?<second>[^\d\s]*)(\b|$){20}')".to_owned(),
    ];
    let content = event("{\"amount\": 150, \"items\": [{\"b\": 1}]}");
    let subject = Subject::of(&content);
    let compile = |text: &str| Filter::compile(text).unwrap_or_else(|error| panic!("{text}: {error}"));
    for text in table {
        // What the parser learns of a text and the event of its data, once, is no filter's.
        assert!(compile(&text).admits(&subject).is_ok());
        let ((filter, answer), bytes) = kept(|| {
            let filter = compile(&text);
            let answer = filter.admits(&subject).is_ok();
            (filter, answer)
        });
        assert!(answer, "{text}");
        assert!(bytes <= filter.bytes(), "{bytes} of {}: {text}", filter.bytes());
        assert!(filter.bytes() <= 300 * 1024, "{}: {text}", filter.bytes());
    }
}
