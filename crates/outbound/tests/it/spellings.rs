//! Ways to write an address of the inside: each is refused as a URL, or blocked before anything is dialled.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use signalpost_core::attempt::{Failure, Outcome};
use signalpost_core::ports::{OutboundRequest, Transport};
use signalpost_core::target_url::TargetUrl;
use signalpost_outbound::EgressPolicy;

use crate::receiver::Receiver;
use crate::world::{self, Setup};

/// Hosts to be followed by a port and a path.
const HOSTS: [&str; 78] = [
    "127.0.0.1",
    "127.1",
    "127.0.1",
    "127.0.0.1.",
    "0",
    "0.0.0.0",
    "0x0",
    "0x7f.1",
    "0x7f000001",
    "0X7F000001",
    "0x7f.0x0.0x0.0x1",
    "0x007f.0x00.0x00.0x01",
    "2130706433",
    "017700000001",
    "0177.0.0.1",
    "0177.0.0.01",
    "00177.000.000.001",
    "127.0.0.0x1",
    "127.255.255.254",
    "127.127.127.127",
    "%31%32%37.0.0.1",
    "127%2e0%2e0%2e1",
    "127。0。0。1",
    "127.0.0.1",
    "①②⑦.⓪.⓪.①",
    "localhost",
    "LOCALHOST",
    "localhost.",
    "ⓛⓞⓒⓐⓛⓗⓞⓢⓣ",
    "l%6fcalhost",
    "a.localhost",
    "[::1]",
    "[0:0:0:0:0:0:0:1]",
    "[0000::0001]",
    "[::]",
    "[::ffff:127.0.0.1]",
    "[::FFFF:7f00:1]",
    "[0:0:0:0:0:ffff:127.0.0.1]",
    "[::127.0.0.1]",
    "[::ffff:0:127.0.0.1]",
    "[64:ff9b::127.0.0.1]",
    "[64:ff9b:1::7f00:1]",
    "[2002:7f00:1::]",
    "[2001:0:4136:e378:8000:63bf:80ff:fffe]",
    "[2600::5efe:7f00:1]",
    "[fe80::1]",
    "[fe80::1%25eth0]",
    "[fe80::1%eth0]",
    "[fc00::1]",
    "[fd00:ec2::254]",
    "[fec0::1]",
    "[ff02::1]",
    "[100::1]",
    "[2001:db8::1]",
    "10.0.0.1",
    "167772161",
    "0xa000001",
    "012.0.0.1",
    "10.1",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.0.1",
    "0xc0a80001",
    "3232235521",
    "169.254.169.254",
    "2852039166",
    "0xa9fea9fe",
    "0251.0376.0251.0376",
    "169.254.43518",
    "[::ffff:a9fe:a9fe]",
    "[2002:a9fe:a9fe::1]",
    "metadata.google.internal",
    "metadata",
    "168.63.129.16",
    "100.100.100.200",
    "255.255.255.255",
    "224.0.0.1",
    "rebound.example",
];

/// Whole URLs that try to hide their host from one of two readers. `{}` is the receiver's port.
const URLS: [&str; 14] = [
    "http://example.com@127.0.0.1:{}/",
    "http://example.com:80@127.0.0.1:{}/",
    "http://127.0.0.1:{}@example.com/",
    "http://127.0.0.1:{}#@example.com/",
    "http://127.0.0.1:{}?@example.com/",
    "http://127.0.0.1:{}\\@example.com/",
    "http://example.com\\@127.0.0.1:{}/",
    "http:/\\127.0.0.1:{}/",
    "http:127.0.0.1:{}/",
    "http:////127.0.0.1:{}/",
    "//127.0.0.1:{}/",
    "http://127.0.0.1\t:{}/",
    "http://127.0.0.1\u{200b}:{}/",
    "gopher://127.0.0.1:{}/",
];

#[test]
fn no_spelling_reaches_the_inside() {
    let receiver = Receiver::start(|_, conversation| conversation.answer_all(b"HTTP/1.1 200 OK\r\n\r\n"));
    let port = receiver.port();
    let hosts = HOSTS.iter().map(|host| format!("http://{host}:{port}/"));
    let urls = URLS.iter().map(|url| url.replace("{}", &port.to_string()));
    world::run(Setup { egress: EgressPolicy::default(), ..Setup::default() }, async |world| {
        world.names.tell_addresses("rebound.example", &["127.0.0.1", "::1", "::ffff:127.0.0.1"]);
        let (mut refused, mut blocked) = (0, 0);
        for text in hosts.chain(urls) {
            let Ok(url) = TargetUrl::parse(&text) else {
                refused += 1;
                continue;
            };
            let timeout = Duration::from_secs(2);
            let request = OutboundRequest {
                url: Arc::new(url),
                headers: Vec::new(),
                secret_headers: Arc::default(),
                body: Bytes::new(),
                timeout,
            };
            let exchange = world.client.send(request).await;
            assert_eq!(exchange.outcome, Outcome::Failed(Failure::Blocked), "{text}: {}", exchange.detail);
            blocked += 1;
        }
        assert!(refused >= 10 && blocked >= 60, "{refused} refused, {blocked} blocked");
    });
    assert_eq!(receiver.connections(), 0);
}
