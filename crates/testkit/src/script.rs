//! A receiver that remembers every request and answers as its test wrote down.

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::receiver::{Answer, Receiver, Recorded};
use crate::wait::wait_for_some;

/// Requests that are remembered; a test that sends more wants a [`Receiver`] with a handler of its own.
const RECORDED_MAX: usize = 100_000;

pub struct ScriptedReceiver {
    receiver: Receiver,
    book: Arc<Mutex<Book>>,
}

#[derive(Default)]
struct Book {
    recorded: Vec<Arc<Recorded>>,
    /// Answers by path, used up from the front.
    next: BTreeMap<String, VecDeque<Answer>>,
    /// Answers by path when none is left in `next`; otherwise it is an empty 200.
    standing: BTreeMap<String, Answer>,
}

impl ScriptedReceiver {
    pub fn start() -> io::Result<Self> {
        let book = Arc::new(Mutex::new(Book::default()));
        let for_handler = Arc::clone(&book);
        let receiver = Receiver::start(Arc::new(move |request| lock(&for_handler).answer(request)))?;
        Ok(Self { receiver, book })
    }

    /// The URL of a path, which starts with `/`.
    pub fn url(&self, path: &str) -> String {
        self.receiver.url(path)
    }

    /// Answers the next requests to `path` with these, one each.
    pub fn answer_next(&self, path: &str, answers: impl IntoIterator<Item = Answer>) {
        lock(&self.book).next.entry(path.to_owned()).or_default().extend(answers);
    }

    /// Answers every request to `path` with this from now on, once those of [`Self::answer_next`] are used up.
    pub fn answer_always(&self, path: &str, answer: Answer) {
        lock(&self.book).standing.insert(path.to_owned(), answer);
    }

    /// All requests to `path` so far, in the order of their arrival.
    pub fn requests(&self, path: &str) -> Vec<Arc<Recorded>> {
        let book = lock(&self.book);
        book.recorded.iter().filter(|request| request.path == path).cloned().collect()
    }

    /// Waits for the request number `index` (from 0) to `path`.
    pub fn wait_for(&self, path: &str, index: usize, timeout: Duration) -> Result<Arc<Recorded>, String> {
        let description = format!("request {} to {path}", index + 1);
        wait_for_some(&description, timeout, || self.requests(path).get(index).cloned())
    }
}

impl Book {
    fn answer(&mut self, request: Recorded) -> Answer {
        if self.recorded.len() >= RECORDED_MAX {
            return Answer::status(507);
        }
        let path = request.path.clone();
        self.recorded.push(Arc::new(request));
        let next = self.next.get_mut(&path).and_then(VecDeque::pop_front);
        next.or_else(|| self.standing.get(&path).cloned()).unwrap_or_else(|| Answer::status(200))
    }
}

fn lock(book: &Mutex<Book>) -> MutexGuard<'_, Book> {
    book.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use super::*;
    use crate::client::{HttpClient, Request};
    use crate::receiver::Ending;

    const PATIENCE: Duration = Duration::from_secs(10);

    fn client(receiver: &ScriptedReceiver) -> HttpClient {
        HttpClient::new(receiver.receiver.address(), PATIENCE)
    }

    #[test]
    fn records_what_came_and_answers_as_told() {
        let receiver = ScriptedReceiver::start().expect("a loopback port");
        receiver.answer_next("/a", [Answer::status(503).header("retry-after", "7")]);
        let mut client = client(&receiver);
        let post = Request::new("POST", "/a").header("X-Y", "z").json(&serde_json::json!({"n": 1}));
        let first = client.send(&post).expect("an answer");
        assert_eq!((first.status, first.header("retry-after")), (503, Some("7")));
        assert_eq!(client.send(&post).expect("an answer").status, 200);
        let seen = receiver.wait_for("/a", 1, PATIENCE).expect("both were recorded");
        assert_eq!((seen.method.as_str(), seen.header("x-y")), ("POST", Some("z")));
        assert_eq!(seen.json()["n"], 1);
        assert_eq!(receiver.requests("/b").len(), 0);
        assert!(receiver.wait_for("/a", 2, Duration::from_millis(5)).is_err());
    }

    #[test]
    fn a_closed_connection_is_an_error_once_and_a_new_one_afterwards() {
        let receiver = ScriptedReceiver::start().expect("a loopback port");
        let unanswered = Answer::status(200).ending(Ending::CloseUnanswered);
        receiver.answer_next("/", [unanswered, Answer::status(201).ending(Ending::Close)]);
        let mut client = client(&receiver);
        let get = Request::new("GET", "/");
        assert!(client.send(&get).is_err(), "unanswered, and not repeated in secret");
        assert_eq!(receiver.requests("/").len(), 1);
        assert_eq!(client.send(&get).expect("an answer").status, 201);
        assert_eq!(client.send(&get).expect("a new connection").status, 200);
    }

    #[test]
    fn a_body_that_stands_still_never_ends() {
        let receiver = ScriptedReceiver::start().expect("a loopback port");
        let half = Answer::status(200).body(b"half").ending(Ending::StandStill(Duration::from_millis(5)));
        receiver.answer_next("/", [half]);
        let mut client = client(&receiver);
        let cut = client.send(&Request::new("GET", "/")).expect_err("two bytes of four");
        assert_eq!(cut.kind(), io::ErrorKind::UnexpectedEof);
    }

    #[test]
    fn a_receiver_can_come_back_where_it_was() {
        let receiver = ScriptedReceiver::start().expect("a loopback port");
        let address = receiver.receiver.address();
        drop(receiver);
        let again = Receiver::start_at(address, Arc::new(|_| Answer::status(204))).expect("the same port");
        let mut client = HttpClient::new(again.address(), PATIENCE);
        assert_eq!(client.send(&Request::new("GET", "/")).expect("an answer").status, 204);
    }

    #[test]
    fn a_dropped_receiver_is_gone() {
        let receiver = ScriptedReceiver::start().expect("a loopback port");
        let address: SocketAddr = receiver.receiver.address();
        let mut client = client(&receiver);
        assert_eq!(client.send(&Request::new("GET", "/")).expect("an answer").status, 200);
        drop(receiver);
        assert!(client.send(&Request::new("GET", "/")).is_err(), "the open connection was ended");
        assert!(std::net::TcpStream::connect(address).is_err(), "and nobody listens");
    }
}
