//! What went wrong, in plain words: what happened, what usually causes it, and what to do.

use signalpost_core::attempt::{Failure, Outcome};

use crate::door::Door;

/// What a failed attempt means to whoever has to mend it.
pub(crate) struct Advice {
    pub(crate) happened: &'static str,
    pub(crate) usually: &'static str,
    pub(crate) next_step: &'static str,
}

/// What becomes of a delivery if nobody does anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outlook {
    Retried,
    /// Until somebody switches its webhook on.
    Waits,
    Ended,
}

/// `None` for a success.
pub(crate) fn advice(outcome: &Outcome, outlook: Outlook, door: Door) -> Option<Advice> {
    match outcome {
        Outcome::Status(status) => of_status(*status, outlook, door),
        Outcome::Failed(failure) => Some(of_failure(*failure, door)),
    }
}

const fn of_rate_limit(door: Door) -> Advice {
    Advice {
        happened: "The receiver asks for fewer requests.",
        usually: "Usually a rate limit before the handler counts webhooks as visitors.",
        next_step: match door {
            Door::Operators => {
                "Let the receiver take the webhook's path out of that limit. In the native dialect the API gives a webhook a rate_per_second, too."
            }
            Door::Customers => {
                "Take the webhook's path out of that limit, or ask whoever sends you these events to send fewer a second."
            }
        },
    }
}

const fn of_absence(outlook: Outlook) -> Advice {
    Advice {
        happened: "The receiver is not available just now.",
        usually: "Usually it is being deployed, or its proxy reaches nobody behind it.",
        next_step: match outlook {
            Outlook::Retried => "If it lasts, ask who runs the receiver. Attempts go on by themselves.",
            Outlook::Waits => {
                "If it lasts, ask who runs the receiver. Attempts go on once the webhook is on."
            }
            Outlook::Ended => "Ask who runs the receiver; once it is back the delivery can be sent again.",
        },
    }
}

const fn of_blocked(door: Door) -> Advice {
    Advice {
        happened: "The address that the name leads to is one that is never connected to.",
        usually: "Usually it is private or local: such addresses are closed so that nobody reaches this network through a webhook.",
        next_step: match door {
            Door::Operators => "Use a public address; an operator may open a range with --egress-allow.",
            Door::Customers => {
                "Use a public address, or ask whoever sends you these events to open this one."
            }
        },
    }
}

const fn of_fault(door: Door) -> Advice {
    let (usually, next_step) = match door {
        Door::Operators => (
            "Usually the secret was sealed with a master key that this process does not have.",
            "Look into this server's log; nothing is wrong at the receiver.",
        ),
        Door::Customers => (
            "Nothing is wrong at the receiver.",
            "Ask whoever sends you these events to look into it, and give them the id of the delivery.",
        ),
    };
    Advice { happened: "The request could not be built here.", usually, next_step }
}

fn of_status(status: u16, outlook: Outlook, door: Door) -> Option<Advice> {
    let advice = |happened, usually, next_step| Some(Advice { happened, usually, next_step });
    match status {
        200..=299 => None,
        300..=399 => advice(
            "The receiver answered with a redirect, which is never followed.",
            "Usually the URL lacks a slash at its end, or uses http where the receiver wants https.",
            "Change the webhook's URL to the address that the redirect names.",
        ),
        400 | 422 => advice(
            "The receiver refused the request as wrong.",
            "Usually its handler expects another form of event, or could not read the body.",
            "Look at the answer below, and at the body as it was sent.",
        ),
        401 | 403 => advice(
            "The receiver does not believe that the request comes from here.",
            "Usually it checks the signature with an old secret, or changes the body before it checks.",
            "Compare the secret that the receiver holds with the webhook's; the body must be checked byte for byte as it came.",
        ),
        404 | 405 => advice(
            "Nothing at the receiver answers this path or this method.",
            "Usually the URL has a slip of the pen, or the handler was not deployed. Deliveries are POST requests.",
            "Check the webhook's URL against the receiver's routes.",
        ),
        408 | 504 => advice(
            "The receiver, or a proxy before it, gave up waiting for its own work.",
            "Usually the handler does its work before it answers.",
            "Answer 2xx as soon as the event is stored, and do the work afterwards.",
        ),
        410 => advice(
            "The receiver says that this URL is gone for good.",
            "Usually the integration was removed there.",
            "Ask its owner; then change the URL or delete the webhook.",
        ),
        413 => advice(
            "The receiver finds the body too large.",
            "Usually a proxy before it has a low limit.",
            "Raise the limit of the proxy or the framework.",
        ),
        429 => Some(of_rate_limit(door)),
        500 => advice(
            "The receiver's own code failed.",
            "Usually an exception in the handler.",
            "Look into the receiver's log at the time of the attempt. Once it is mended the delivery can be sent again.",
        ),
        502 | 503 => Some(of_absence(outlook)),
        _ => advice(
            "The receiver did not answer with success.",
            "Only 2xx counts as delivered.",
            "Look at the answer below.",
        ),
    }
}

const fn of_failure(failure: Failure, door: Door) -> Advice {
    let (happened, usually, next_step) = match failure {
        Failure::Dns => (
            "The name in the URL has no address.",
            "Usually the name is mistyped, or its record was removed.",
            "Look the name up from outside the receiver's network.",
        ),
        Failure::Blocked => return of_blocked(door),
        Failure::Connect => (
            "No connection came about.",
            "Usually nothing listens at that port, or a firewall drops what comes.",
            "Check that the receiver runs, and that its firewall lets this server in.",
        ),
        Failure::Tls => (
            "The secure connection could not be made.",
            "Usually the certificate has expired, is of another name, or lacks the certificate between it and its root.",
            "Look at the certificate with a client that does not know it yet.",
        ),
        Failure::Timeout => (
            "The receiver took longer than it has.",
            "Usually the handler does its work before it answers.",
            "Answer 2xx as soon as the event is stored, and do the work afterwards.",
        ),
        Failure::Reset => (
            "The receiver closed the connection before answering.",
            "Usually a proxy's limit of time, or a process that broke.",
            "Look into the log of the proxy at the time of the attempt.",
        ),
        Failure::Protocol => (
            "What came back is not HTTP as it should be.",
            "Usually another service listens at that port.",
            "Check host and port of the URL.",
        ),
        Failure::Internal => return of_fault(door),
    };
    Advice { happened, usually, next_step }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OUTLOOKS: [Outlook; 3] = [Outlook::Retried, Outlook::Waits, Outlook::Ended];
    const DOORS: [Door; 2] = [Door::Operators, Door::Customers];

    /// Of every outcome that is no success, with how things stand and who reads it.
    fn all() -> Vec<(Outcome, Outlook, Door, String)> {
        let statuses = [100, 301, 400, 401, 404, 408, 410, 413, 418, 429, 500, 503, 599].map(Outcome::Status);
        let failures = Failure::ALL.map(Outcome::Failed);
        let mut all = Vec::new();
        for outcome in statuses.into_iter().chain(failures) {
            for (outlook, door) in OUTLOOKS.into_iter().flat_map(|outlook| DOORS.map(|door| (outlook, door)))
            {
                let Advice { happened, usually, next_step } =
                    advice(&outcome, outlook, door).expect("it failed");
                assert!([happened, usually, next_step].iter().all(|line| line.ends_with('.')), "{outcome:?}");
                all.push((outcome, outlook, door, [happened, usually, next_step].join(" ")));
            }
        }
        all
    }

    #[test]
    fn every_outcome_but_success_has_its_advice() {
        assert!(advice(&Outcome::Status(204), Outlook::Ended, Door::Operators).is_none());
        assert!(!all().is_empty());
    }

    #[test]
    fn attempts_go_on_by_themselves_where_they_do() {
        let goes_on =
            |outlook| all().iter().any(|(_, of, _, said)| *of == outlook && said.contains("by themselves"));
        assert_eq!(OUTLOOKS.map(goes_on), [true, false, false]);
    }

    /// What only an operator has: the command line, the log, the master key, the operator API.
    #[test]
    fn customers_are_told_what_customers_can_do() {
        let operators = ["--", "this server's log", "master key", "operator", "API", "rate_per_second"];
        let named = |door| {
            let all = all();
            let said: Vec<&String> =
                all.iter().filter(|(_, _, of, _)| *of == door).map(|(.., said)| said).collect();
            operators.map(|word| said.iter().any(|said| said.contains(word)))
        };
        assert_eq!(DOORS.map(named), [[true; 6], [false; 6]]);
    }
}
