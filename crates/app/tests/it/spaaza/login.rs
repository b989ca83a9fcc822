//! A login ends the sessions before it: from its answer on they open nothing, whoever calls at that moment, and however
//! many log in at once.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Barrier, OnceLock};
use std::time::Instant;

use serde_json::json;
use signalpost_testkit::wait_for;

use super::{Chain, Session, User};
use crate::{PATIENCE, start};

const USERS: usize = 6;
const CALLERS: usize = 4;
/// Calls of each caller before the login begins, so that its session is known wherever it is remembered.
const CALLS_BEFORE: usize = 20;
/// Calls of each caller after the login was answered. All that fail, of all users, stay below what one address may fail.
const CALLS_AFTER: usize = 5;

/// One call: when it began, when it was answered, and with which status.
struct Called {
    began: Instant,
    ended: Instant,
    status: u16,
}

/// The calls of one caller, up to so many that began after the login was answered. The first that fails before waits for
/// that.
fn call_on(
    chain: &Chain,
    session: &Session,
    calls: &AtomicUsize,
    answered: &OnceLock<Instant>,
) -> Vec<Called> {
    let (mut client, mut all, mut after) = (chain.client(), Vec::new(), 0);
    let started = Instant::now();
    while after < CALLS_AFTER && started.elapsed() < PATIENCE {
        let began = Instant::now();
        let status = chain.status(&mut client, session);
        all.push(Called { began, ended: Instant::now(), status });
        calls.fetch_add(1, Ordering::SeqCst);
        after += usize::from(answered.get().is_some_and(|answered| began > *answered));
        if status != 200 {
            // Who goes on failing meanwhile is soon told to come back later, which says nothing about sessions.
            wait_for("the answer to the login", PATIENCE, || answered.get().is_some()).unwrap();
        }
    }
    all
}

#[test]
fn from_the_answer_to_a_login_on_the_sessions_before_it_open_nothing() {
    let mut server = start(&[]);
    let chain = Chain::new(&server, &json!({}));
    let mut sessions = Vec::new();
    for _ in 0..USERS {
        let user = chain.new_user();
        let (calls, answered) = (AtomicUsize::new(0), OnceLock::new());
        let (began, opened, called) = std::thread::scope(|scope| {
            let caller = || call_on(&chain, &user.session, &calls, &answered);
            let callers: Vec<_> = (0..CALLERS).map(|_| scope.spawn(caller)).collect();
            let warm = || calls.load(Ordering::SeqCst) >= CALLERS * CALLS_BEFORE;
            wait_for("the callers", PATIENCE, warm).unwrap();
            let began = Instant::now();
            let opened = chain.login(&user);
            answered.set(Instant::now()).unwrap();
            let called = callers.into_iter().flat_map(|caller| caller.join().unwrap());
            (began, opened, called.collect::<Vec<_>>())
        });
        let answered = *answered.get().unwrap();
        let after = called.iter().filter(|call| call.began > answered).count();
        assert!(after >= CALLERS * CALLS_AFTER, "{after} calls after the login");
        for call in &called {
            let expected: &[u16] = match call {
                _ if call.ended < began => &[200],
                _ if call.began > answered => &[401],
                _ => &[200, 401],
            };
            assert!(expected.contains(&call.status), "{} instead of {expected:?}", call.status);
        }
        assert_eq!(chain.status(&mut chain.client(), &opened), 200);
        sessions.push((user.session, opened));
    }

    server.kill().unwrap();
    server.launch().unwrap();
    server.wait_ready(PATIENCE).unwrap();
    let mut client = chain.client();
    for (ended, opened) in &sessions {
        assert_eq!((chain.status(&mut client, ended), chain.status(&mut client, opened)), (401, 200));
    }
}

#[test]
fn of_logins_at_once_one_session_is_left() {
    let server = start(&[]);
    let chain = Chain::new(&server, &json!({}));
    let users: Vec<User> = (0..USERS).map(|_| chain.new_user()).collect();
    for user in &users {
        let together = Barrier::new(CALLERS);
        let login = || {
            together.wait();
            chain.login(user)
        };
        let opened: Vec<Session> = std::thread::scope(|scope| {
            let callers: Vec<_> = (0..CALLERS).map(|_| scope.spawn(login)).collect();
            callers.into_iter().map(|caller| caller.join().unwrap()).collect()
        });
        let mut client = chain.client();
        let statuses: Vec<u16> = opened.iter().map(|session| chain.status(&mut client, session)).collect();
        assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 1, "{statuses:?}");
        assert_eq!(statuses.iter().filter(|status| **status == 401).count(), CALLERS - 1, "{statuses:?}");
        assert_eq!(chain.status(&mut client, &user.session), 401);
    }
}
