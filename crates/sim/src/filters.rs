//! Filters that webhooks of some worlds have, and what each says of an event, worked out here by hand and not by what
//! evaluates filters in the product.

use crate::facts::{EventFacts, number_in};

/// What a filter says of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Says {
    Admits,
    Refuses,
    /// It cannot be evaluated, which counts as a refusal.
    CannotTell,
}

pub(crate) struct Filter {
    pub(crate) text: &'static str,
    says: fn(&Told<'_>) -> Says,
}

/// What filters of this world can ask of an event. The data is `None` where it has no such members.
struct Told<'a> {
    event_type: &'a str,
    subject: Option<&'a str>,
    data: Option<Data>,
}

#[derive(Clone, Copy)]
struct Data {
    number: usize,
    workspace: usize,
    padding: usize,
}

pub(crate) const FILTERS: [Filter; 8] = [
    Filter { text: "data.n % 2 == 0", says: |told| told.asks(|data| data.number.is_multiple_of(2)) },
    Filter {
        text: "data.w == 0 || data.n > 40",
        says: |told| told.asks(|data| data.workspace == 0 || data.number > 40),
    },
    Filter { text: "size(data.pad) > 20", says: |told| told.asks(|data| data.padding > 20) },
    Filter {
        text: "!type.startsWith('order.')",
        says: |told| yes_or_no(!told.event_type.starts_with("order.")),
    },
    Filter { text: "subject == 'shop-1'", says: |told| yes_or_no(told.subject == Some("shop-1")) },
    Filter { text: "data.nowhere == 1", says: |_| Says::CannotTell },
    Filter {
        // What stands behind the first operand that decides is not asked.
        text: "data.n < 60 || data.nowhere > 3",
        says: |told| match told.data {
            Some(data) if data.number < 60 => Says::Admits,
            _ => Says::CannotTell,
        },
    },
    Filter {
        text: "has(data.n) && type in ['order.paid', 'job/done']",
        says: |told| yes_or_no(told.data.is_some() && ["order.paid", "job/done"].contains(&told.event_type)),
    },
];

impl Told<'_> {
    fn asks(&self, question: fn(Data) -> bool) -> Says {
        self.data.map_or(Says::CannotTell, |data| yes_or_no(question(data)))
    }
}

const fn yes_or_no(admits: bool) -> Says {
    if admits { Says::Admits } else { Says::Refuses }
}

impl Filter {
    pub(crate) fn says_of(&self, event: &EventFacts) -> Says {
        let padding = String::from_utf8_lossy(&event.data).matches('é').count();
        let data = number_in(&event.data).map(|number| Data { number, workspace: event.workspace, padding });
        (self.says)(&Told { event_type: &event.event_type, subject: event.subject.as_deref(), data })
    }

    /// Of an event of this type without a subject, and with none of the members of others in its data.
    pub(crate) fn says_of_bare(&self, event_type: &str) -> Says {
        (self.says)(&Told { event_type, subject: None, data: None })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_filter_says_different_things_of_different_events() {
        let says = |filter: &Filter, number, padding| {
            let data = Some(Data { number, workspace: 1, padding });
            (filter.says)(&Told { event_type: "order.paid", subject: None, data })
        };
        let table: Vec<[Says; 2]> =
            FILTERS.iter().map(|filter| [says(filter, 1, 5), says(filter, 100, 21)]).collect();
        let [yes, no, cannot] = [Says::Admits, Says::Refuses, Says::CannotTell];
        let expected = [
            [no, yes],
            [no, yes],
            [no, yes],
            [no, no],
            [no, no],
            [cannot, cannot],
            [yes, cannot],
            [yes, yes],
        ];
        assert_eq!(table, expected);
        assert_eq!(FILTERS[3].says_of_bare("workspace.closed"), yes);
        assert_eq!(FILTERS[0].says_of_bare("workspace.closed"), cannot);
    }
}
