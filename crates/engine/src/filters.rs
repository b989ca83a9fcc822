//! Compiled filters, kept by their text: a change of one webhook does not have those of its neighbours compiled again.
//!
//! There are two generations. What is asked for moves to the younger one; when that is half of what may be kept, it
//! becomes the older one, and what nobody has asked for since the last time goes.

use std::collections::HashMap;
use std::mem;
use std::sync::{Arc, PoisonError, RwLock};

use signalpost_core::explain::FilterVerdict;
use signalpost_core::limits::FILTERS_CACHED_BYTES_MAX;
use signalpost_filter::{Filter, FilterError, Subject};

/// What compiling costs for each byte of a text, in steps of an evaluation.
const COMPILING_STEPS_PER_BYTE: u64 = 50;
/// What a filter takes that is none, beside its text.
const BROKEN_BYTES: usize = 256;

/// The cache.
#[derive(Debug)]
pub(crate) struct Filters(RwLock<Generations>);

#[derive(Debug)]
struct Generations {
    /// Of both together.
    bytes_max: usize,
    young: HashMap<Arc<str>, Compiled>,
    young_bytes: usize,
    old: HashMap<Arc<str>, Compiled>,
}

/// A text that was a filter once may be none any more: bounds may have become narrower.
type Compiled = Result<Arc<Filter>, FilterError>;

impl Default for Filters {
    fn default() -> Self {
        Self::of_bytes(FILTERS_CACHED_BYTES_MAX)
    }
}

impl Filters {
    fn of_bytes(bytes_max: usize) -> Self {
        let (young, old) = (HashMap::new(), HashMap::new());
        Self(RwLock::new(Generations { bytes_max, young, young_bytes: 0, old }))
    }

    /// What a filter says of an event; always the same of the same two. What it costs to compile it is added to what has
    /// been done for the event.
    pub(crate) fn judge(&self, text: &str, subject: &Subject<'_>) -> FilterVerdict {
        let (compiled, compiling_steps) = self.get(text);
        subject.add_steps(compiling_steps);
        match compiled.map(|filter| filter.admits(subject)) {
            Ok(Ok(true)) => FilterVerdict::Admits,
            Ok(Ok(false)) => FilterVerdict::Refuses,
            Ok(Err(failure)) => FilterVerdict::Failed(failure.message),
            Err(error) => FilterVerdict::Failed(format!("it is no filter any more: {error}")),
        }
    }

    /// Whether it says the same of events with any data.
    pub(crate) fn ignores_data(&self, text: &str) -> bool {
        self.get(text).0.map_or(true, |filter| !filter.reads_data())
    }

    fn get(&self, text: &str) -> (Compiled, u64) {
        let kept = {
            let generations = self.0.read().unwrap_or_else(PoisonError::into_inner);
            if let Some(compiled) = generations.young.get(text) {
                return (compiled.clone(), 0);
            }
            generations.old.get(text).cloned()
        };
        let (compiled, steps) = match kept {
            Some(compiled) => (compiled, 0),
            None => {
                let bytes = u64::try_from(text.len()).unwrap_or(u64::MAX);
                (Filter::compile(text).map(Arc::new), bytes.saturating_mul(COMPILING_STEPS_PER_BYTE))
            }
        };
        // It may be half of what is kept: nobody waits for the lock while it is dropped.
        let gone = self.0.write().unwrap_or_else(PoisonError::into_inner).keep(text, compiled.clone());
        drop(gone);
        (compiled, steps)
    }
}

impl Generations {
    /// Hands out what is not kept any more.
    #[must_use]
    fn keep(&mut self, text: &str, compiled: Compiled) -> HashMap<Arc<str>, Compiled> {
        let bytes = text.len() + compiled.as_ref().map_or(BROKEN_BYTES, |filter| filter.bytes());
        self.old.remove(text);
        if self.young.insert(Arc::from(text), compiled).is_some() {
            return HashMap::new();
        }
        self.young_bytes += bytes;
        if self.young_bytes < self.bytes_max / 2 {
            return HashMap::new();
        }
        self.young_bytes = 0;
        mem::replace(&mut self.old, mem::take(&mut self.young))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use bytes::Bytes;
    use signalpost_core::event::EventContent;
    use signalpost_core::id::WorkspaceId;
    use signalpost_store::testing::sample;

    fn content(data: &'static str) -> EventContent {
        let sample = sample::event(WorkspaceId::from_raw(1), 1, 1, &[]).content;
        EventContent { data: Bytes::from_static(data.as_bytes()), ..sample }
    }

    #[test]
    fn a_text_is_compiled_once() {
        let (filters, content) = (Filters::default(), content("{\"n\": 1}"));
        let judge = |text: &str| {
            let subject = Subject::of(&content);
            let verdict = filters.judge(text, &subject);
            (verdict, subject.steps() > 100)
        };
        assert_eq!(judge("data.n == 1"), (FilterVerdict::Admits, true));
        assert_eq!(judge("data.n == 1"), (FilterVerdict::Admits, false));
        assert_eq!(judge("data.n == 2"), (FilterVerdict::Refuses, true));
        let failed =
            |verdict, why: &str| matches!(verdict, FilterVerdict::Failed(text) if text.contains(why));
        assert!(failed(judge("data.m == 2").0, "no member `m`"));
        assert!(failed(judge("data.n ==").0, "it is no filter any more"));
        assert!(!judge("data.n ==").1, "it is not tried again either");
        assert!(filters.ignores_data("type == 'a'") && !filters.ignores_data("data.n == 1"));
    }

    #[test]
    fn what_is_asked_for_stays_and_the_rest_goes() {
        const BYTES_MAX: usize = 100_000;
        let filters = Filters::of_bytes(BYTES_MAX);
        let compiled_now = |text: &str| filters.get(text).1 > 0;
        let bytes = |kept: &HashMap<Arc<str>, Compiled>| -> usize {
            kept.iter().map(|(text, one)| text.len() + one.as_ref().map_or(0, |one| one.bytes())).sum()
        };
        compiled_now("type == 'kept'");
        for n in 0..1_000 {
            assert!(compiled_now(&format!("type != '{n}'")));
            assert!(!compiled_now("type == 'kept'"));
            let generations = filters.0.read().expect("nobody panics");
            let both = bytes(&generations.young) + bytes(&generations.old);
            assert!(both <= BYTES_MAX + 2_000, "{both}");
        }
        assert!(compiled_now("type != '0'"), "nobody has asked for it for long");
        assert!(!compiled_now("type != '999'"));
    }

    #[test]
    fn what_goes_is_handed_out_so_that_the_lock_is_not_held_while_it_is_dropped() {
        let filters = Filters::of_bytes(10_000);
        let mut generations = filters.0.write().expect("nobody panics");
        let (mut kept, mut gone) = (0, 0);
        while gone == 0 {
            kept += 1;
            assert!(kept < 1_000, "nothing ever goes");
            let text = format!("type != '{kept}'");
            gone = generations.keep(&text, Filter::compile(&text).map(Arc::new)).len();
        }
        assert_eq!(gone + generations.old.len() + generations.young.len(), kept);
        assert!(generations.young.is_empty() && generations.old.len() == gone);
    }
}
