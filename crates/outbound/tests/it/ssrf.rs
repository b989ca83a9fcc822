//! The corpus of ways to the inside (`tests/ssrf.txt`), driven through what a customer's URL goes through: the parser
//! that its creation asks, and the client that its deliveries are sent by.

use std::time::Duration;

use signalpost_core::attempt::{Failure, Outcome};
use signalpost_core::ports::Transport;
use signalpost_core::target_url::TargetUrl;
use signalpost_outbound::guard::{Judgement, judge, refused_name};
use signalpost_outbound::{Client, EgressPolicy};
use signalpost_testkit::{SsrfCase, SsrfVerdict};
use url::Host;

use crate::receiver::Receiver;
use crate::world::{self, Setup, World};

#[test]
fn every_case_of_the_corpus_ends_as_it_says() {
    let receiver =
        Receiver::start(|_, conversation| conversation.answer_all(b"HTTP/1.1 204 No Content\r\n\r\n"));
    let mut wrong = Vec::new();
    let mut reached = 0;
    world::run(Setup { egress: EgressPolicy::default(), ..Setup::default() }, async |world| {
        for case in SsrfCase::all() {
            let before = receiver.connections();
            if let Err(how) = judged(&world, &case, receiver.port()).await {
                wrong.push(format!("line {}: {:?} {how}", case.line, case.url(receiver.port())));
            }
            let dialled = receiver.connections() - before;
            let expected = usize::from(case.verdict == SsrfVerdict::Allowed && case.names_the_receiver());
            if dialled != expected {
                wrong.push(format!("line {}: {dialled} connections", case.line));
            }
            reached += expected;
        }
    });
    assert!(wrong.is_empty(), "{} are wrong:\n{}", wrong.len(), wrong.join("\n"));
    assert!(reached >= 6, "the receiver can be reached where it may be: {reached} times");
}

/// What differs from the case's verdict.
async fn judged(world: &World, case: &SsrfCase, port: u16) -> Result<(), String> {
    let text = case.url(port);
    let parsed = TargetUrl::parse(&text);
    let url = match (parsed, case.verdict) {
        (Err(_), SsrfVerdict::Refused) => return Ok(()),
        (Ok(url), SsrfVerdict::Refused) => return Err(format!("was accepted, with the host {}", url.host())),
        (Err(error), _) => return Err(format!("was refused: it {error}")),
        (Ok(url), _) => url,
    };
    let policy = EgressPolicy::parse(&case.opened).map_err(|error| error.to_string())?;
    world.client.set_egress(policy.clone());
    if let Host::Domain(name) = url.host() {
        world.names.tell(name, world::Told::Addresses(case.addresses.clone()));
    }
    match case.verdict {
        SsrfVerdict::Allowed if case.names_the_receiver() => {
            expect(&world.client, &text, Outcome::Status(204)).await
        }
        // Nobody dials strangers in a test.
        SsrfVerdict::Allowed => may_be_dialled(&url, case, &policy),
        _ => expect(&world.client, &text, Outcome::Failed(Failure::Blocked)).await,
    }
}

async fn expect(client: &Client, url: &str, expected: Outcome) -> Result<(), String> {
    let exchange = client.send(world::request(url, Duration::from_secs(10))).await;
    if exchange.outcome == expected {
        return Ok(());
    }
    Err(format!("ended with {:?}: {}", exchange.outcome, exchange.detail))
}

fn may_be_dialled(url: &TargetUrl, case: &SsrfCase, policy: &EgressPolicy) -> Result<(), String> {
    let addresses = url.literal_address().map_or_else(|| case.addresses.clone(), |address| vec![address]);
    let judgements: Vec<Judgement> = addresses.iter().map(|address| judge(*address, policy)).collect();
    let inside = match url.host() {
        Host::Domain(name) => refused_name(name),
        Host::Ipv4(_) | Host::Ipv6(_) => None,
    };
    let good = match inside {
        None => judgements.iter().any(|judgement| judgement.is_allowed()),
        Some(_) => judgements.iter().all(|judgement| *judgement == Judgement::Opened),
    };
    if good && !judgements.is_empty() { Ok(()) } else { Err(format!("{inside:?} {judgements:?}")) }
}
