//! Who calls, as the log says it.

use signalpost_testkit::{HttpClient, Request, wait_for};

use crate::{PATIENCE, start};

#[test]
fn a_trusted_proxy_says_who_calls_and_a_stranger_does_not() {
    for (trusted, expected) in [("127.0.0.0/8", "203.0.113.9"), ("10.0.0.0/8", "127.0.0.1")] {
        let server = start(&["--trusted-proxies", trusted, "--log", "signalpost_api=debug"]);
        let mut client = HttpClient::new(server.public(), PATIENCE);
        let request = Request::new("GET", "/v1/webhooks")
            .header("x-request-id", "mine")
            .header("x-forwarded-for", "198.51.100.1, 203.0.113.9");
        assert_eq!(client.send(&request).unwrap().status, 401);
        let told = || {
            let log = server.log_tail();
            let mut lines = log.lines().filter(|line| line.contains("\"answered\""));
            lines.any(|line| line.contains("\"mine\"") && line.contains(&format!("\"{expected}\"")))
        };
        wait_for(&format!("a line about {expected}"), PATIENCE, told).unwrap();
    }
}
