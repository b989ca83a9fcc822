//! Eight publishers at once, and readers who follow the feed all along by its cursor: each has every event that it may
//! read exactly once and in order, whatever the publishers were told of them.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use serde_json::{Value, json};
use signalpost_testkit::{HttpClient, Request, Server};

use super::{PUBLIC, Tenant};
use crate::{PATIENCE, start};

const PUBLISHERS: usize = 8;
const EVENTS_EACH: usize = 5_000;
/// Events of a publisher's calls, in turn, so that small commits run between large ones.
const BATCHES: [usize; 4] = [1, 40, 3, 20];

/// What one publisher publishes. Its events are numbered from 0 in `resourceId`.
struct Topic {
    event_type: &'static str,
    scope: &'static str,
    keys: &'static [&'static str],
}

const TOPICS: [Topic; 2] = [
    Topic { event_type: "proposal.received", scope: "proposals:read", keys: &["proposalId", "jobId"] },
    Topic { event_type: "message.received", scope: "messages:read", keys: &["conversationId", "messageId"] },
];

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Seen {
    sequence: u64,
    resource: String,
}

#[test]
fn readers_of_the_feed_miss_nothing_and_see_nothing_twice_while_many_publish() {
    let server = start(&[]);
    let tenant = Tenant::new(&server, &PUBLIC, &json!({}));
    let running = AtomicUsize::new(PUBLISHERS);
    let (mut published, all, messages) = std::thread::scope(|scope| {
        let publishers: Vec<_> = (0..PUBLISHERS)
            .map(|number| {
                let (tenant, running) = (&tenant, &running);
                scope.spawn(move || {
                    let published = publish(tenant, number);
                    running.fetch_sub(1, Ordering::SeqCst);
                    published
                })
            })
            .collect();
        let follow = |token: String, limit| {
            let (server, running) = (&server, &running);
            scope.spawn(move || follow(server, &token, limit, running))
        };
        let all = follow(tenant.token.clone(), 100);
        let messages = follow(token(&tenant, TOPICS[1].scope), 7);
        let published = publishers.into_iter().flat_map(|publisher| publisher.join().unwrap());
        (published.collect::<Vec<Seen>>(), all.join().unwrap(), messages.join().unwrap())
    });
    published.sort();
    assert_eq!(published.len(), PUBLISHERS * EVENTS_EACH);
    assert!(published == all, "{}", first_difference(&published, &all));
    let of_messages: Vec<Seen> = published.into_iter().filter(|seen| topic_of(seen) == 1).collect();
    assert_eq!(of_messages.len(), PUBLISHERS / 2 * EVENTS_EACH);
    assert!(of_messages == messages, "{}", first_difference(&of_messages, &messages));
}

/// Publishes all events of one publisher, one call after the other; returns what the answers said of them.
fn publish(tenant: &Tenant<'_>, number: usize) -> Vec<Seen> {
    let topic = &TOPICS[number % TOPICS.len()];
    let data: Value = topic.keys.iter().map(|key| ((*key).to_owned(), json!("x"))).collect();
    let path = format!("/v1/workspaces/{}/events/batch", tenant.workspace);
    let mut operator = tenant.server.operator();
    let mut published = Vec::new();
    for size in BATCHES.into_iter().cycle() {
        let first = published.len();
        let resources: Vec<String> =
            (first..EVENTS_EACH.min(first + size)).map(|index| format!("{number}-{index}")).collect();
        if resources.is_empty() {
            return published;
        }
        let event = |resource| json!({"type": topic.event_type, "resourceId": resource, "data": data});
        let answer = operator.post(&path, &resources.iter().map(event).collect()).unwrap();
        let receipts = answer["events"].as_array().unwrap_or_else(|| panic!("{answer}"));
        assert_eq!(receipts.len(), resources.len());
        let seen = resources.into_iter().zip(receipts);
        published.extend(seen.map(|(resource, receipt)| Seen {
            sequence: receipt["sequence"].as_u64().unwrap_or_else(|| panic!("{receipt}")),
            resource,
        }));
    }
    unreachable!("the sizes go round without end");
}

/// Reads page after page from the beginning, until nobody publishes any more and nothing is left.
fn follow(server: &Server, token: &str, limit: usize, running: &AtomicUsize) -> Vec<Seen> {
    let mut client = HttpClient::new(server.public(), PATIENCE);
    let (mut seen, mut cursor, mut news_at) = (Vec::new(), "0".to_owned(), Instant::now());
    loop {
        // Asked before the page is read: what was published by then is in this page or behind it.
        let over = running.load(Ordering::SeqCst) == 0;
        let request = Request::new("GET", &format!("/api/public/v1/updates?cursor={cursor}&limit={limit}"));
        let page = client.send(&request.header("authorization", &format!("Bearer {token}"))).unwrap();
        assert_eq!(page.status, 200, "{}", page.text());
        let page = page.json();
        let events = page["events"].as_array().unwrap_or_else(|| panic!("{page}"));
        assert!(events.len() <= limit);
        seen.extend(events.iter().map(|event| Seen {
            sequence:
                event["id"].as_str().and_then(|id| id.parse().ok()).unwrap_or_else(|| panic!("{event}")),
            resource: event["resourceId"].as_str().unwrap_or_else(|| panic!("{event}")).to_owned(),
        }));
        let next = page["nextCursor"].as_str().unwrap_or_else(|| panic!("{page}")).to_owned();
        if next != cursor {
            news_at = Instant::now();
        } else if page["hasMore"] == false && over {
            return seen;
        }
        assert!(news_at.elapsed() < PATIENCE, "the feed stands still at {cursor}: {page}");
        cursor = next;
    }
}

/// A token with this scope alone.
fn token(tenant: &Tenant<'_>, scope: &str) -> String {
    let path = format!("/v1/workspaces/{}/credentials", tenant.workspace);
    let made = tenant.server.operator().post(&path, &json!({"name": scope, "scopes": [scope]})).unwrap();
    made["secret"].as_str().unwrap_or_else(|| panic!("{made}")).to_owned()
}

fn topic_of(seen: &Seen) -> usize {
    let number = seen.resource.split_once('-').and_then(|(number, _)| number.parse::<usize>().ok());
    number.unwrap() % TOPICS.len()
}

fn first_difference(expected: &[Seen], found: &[Seen]) -> String {
    let at = expected.iter().zip(found).position(|(one, other)| one != other);
    let at = at.unwrap_or_else(|| expected.len().min(found.len()));
    format!(
        "{} events instead of {}; at {at} expected {:?}, found {:?}",
        found.len(),
        expected.len(),
        expected.get(at),
        found.get(at)
    )
}
