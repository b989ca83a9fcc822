//! Logins of many at once: how many of one address are looked at, counted by what is hashed for them.

use std::task::{Context, Poll, Waker};

use axum::body::Body;
use http::{Method, Response};
use serde_json::json;
use signalpost_core::limits::{ADDRESS_LOGIN_FAILURES_BURST, ADDRESS_LOGINS_AT_ONCE_MAX};
use signalpost_core::ports::BoxFuture;

use crate::app::App;
use crate::spaaza::{FORM, granted};

const HERE: &str = "192.0.2.1";
const ELSEWHERE: &str = "192.0.2.2";
const RIGHT: (&str, &str) = ("ann", "correct+horse");

type UnderWay = Vec<BoxFuture<'static, Response<Body>>>;

fn app() -> App {
    let app = App::new();
    let chain = app.workspace("spaaza");
    granted(&app, &chain, &json!({"username": "ann", "password": "correct horse"})).expect(201);
    app
}

/// Logins with a wrong password, each for another user: none of them is held up for the name.
fn wrong(app: &App, from: &str, count: usize) -> UnderWay {
    (0..count).map(|n| begin(app, from, (&format!("user{n}"), "wrong"))).collect()
}

fn begin(app: &App, from: &str, who: (&str, &str)) -> BoxFuture<'static, Response<Body>> {
    let form = format!("username={}&password={}", who.0, who.1);
    app.public(Method::POST, "/auth/login").header("content-type", FORM).from(from).begin(form.into())
}

/// Status and `Retry-After` of those that are answered by now; the others stay under way.
fn answered(app: &App, logins: &mut UnderWay) -> Vec<(u16, String)> {
    let (mut cx, mut answers) = (Context::from_waker(Waker::noop()), Vec::new());
    // They begin, are brought to where they wait, and are heard of.
    for _ in 0..3 {
        logins.retain_mut(|login| match login.as_mut().poll(&mut cx) {
            Poll::Ready(answer) => {
                let wait =
                    answer.headers().get("retry-after").map(|value| value.to_str().unwrap().to_owned());
                answers.push((answer.status().as_u16(), wait.unwrap_or_default()));
                false
            }
            Poll::Pending => true,
        });
        app.tasks.poll(&mut cx);
    }
    answers
}

fn status(app: &App, from: &str, who: (&str, &str)) -> u16 {
    let answers = answered(app, &mut vec![begin(app, from, who)]);
    answers.first().expect("nothing waits").0
}

#[test]
fn of_logins_at_once_from_one_address_few_are_hashed_and_no_other_address_is_hindered() {
    let app = app();
    app.work.hold();
    let mut crowd = wrong(&app, HERE, 65);
    let refused = answered(&app, &mut crowd);
    assert_eq!(app.work.held(), ADDRESS_LOGINS_AT_ONCE_MAX);
    assert_eq!((crowd.len(), refused.len()), (ADDRESS_LOGINS_AT_ONCE_MAX, 65 - ADDRESS_LOGINS_AT_ONCE_MAX));
    assert!(refused.iter().all(|answer| *answer == (429, "1".to_owned())), "{refused:?}");
    let mut other = vec![begin(&app, ELSEWHERE, RIGHT)];
    assert_eq!(answered(&app, &mut other), []);
    assert_eq!(app.work.held(), ADDRESS_LOGINS_AT_ONCE_MAX + 1, "it waits for its turn alone");
    app.work.release();
    assert_eq!(answered(&app, &mut other)[0].0, 200);
    let heard = answered(&app, &mut crowd);
    assert!(crowd.is_empty() && heard.iter().all(|(status, _)| *status == 401), "{heard:?}");
    assert_eq!(status(&app, HERE, RIGHT), 200, "there is room again");
}

#[test]
fn wrong_passwords_at_once_are_hashed_no_more_often_than_one_after_the_other() {
    let app = app();
    // All but two of those that one address may make.
    for n in 2..ADDRESS_LOGIN_FAILURES_BURST {
        assert_eq!(status(&app, HERE, (&format!("earlier{n}"), "wrong")), 401);
    }
    for _ in 0..3 {
        assert_eq!(status(&app, HERE, RIGHT), 200, "the right password is not charged");
    }
    app.work.hold();
    let mut crowd = wrong(&app, HERE, ADDRESS_LOGINS_AT_ONCE_MAX);
    let refused = answered(&app, &mut crowd);
    assert_eq!((app.work.held(), crowd.len(), refused.len()), (2, 2, 2));
    assert!(refused.iter().all(|answer| *answer == (429, "2".to_owned())), "{refused:?}");
    app.work.release();
    let heard = answered(&app, &mut crowd);
    assert!(crowd.is_empty() && heard.iter().all(|(status, _)| *status == 401), "{heard:?}");
    assert_eq!((status(&app, HERE, RIGHT), status(&app, ELSEWHERE, RIGHT)), (429, 200));
    app.clock.advance_ms(2_000);
    assert_eq!(status(&app, HERE, RIGHT), 200);
}
