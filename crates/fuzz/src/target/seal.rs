//! Sealed secrets: whatever is not exactly what was sealed for exactly this place does not open.

use signalpost_core::ports::Random;
use signalpost_core::seal::{Keyring, Place};
use signalpost_core::secret::{SealedSecret, Secret};

use crate::Target;
use crate::feed::Feed;

const BYTES_MAX: usize = 512;

pub(super) fn target() -> Target {
    let ring = Keyring::parse(&format!("7:{},8:{}", "07".repeat(32), "08".repeat(32))).expect("a good ring");
    Target::new("seal", "nothing opens but what was sealed, where it was sealed", BYTES_MAX, move |input| {
        let mut feed = Feed::new(input);
        let (form, place) = (feed.below(3), place(&mut feed));
        if form == 0 {
            assert!(ring.open(place, &SealedSecret::from_bytes(input.to_vec())).is_err());
            return;
        }
        let secret = Secret::new(feed.short().to_vec());
        let sealed = ring.seal(place, &secret, &Fixed(feed.byte()));
        let opened = ring.open(place, &sealed).expect("what was sealed opens");
        assert_eq!(opened.expose(), secret.expose());
        if form == 1 {
            damage(&ring, place, &sealed, feed);
        } else {
            let other = self::place(&mut feed);
            assert!(other == place || ring.open(other, &sealed).is_err(), "{place:?} opens at {other:?}");
        }
    })
}

fn place(feed: &mut Feed<'_>) -> Place {
    let field = ["webhook.secret", "webhook.header", "webhook.password", ""][feed.below(4)];
    Place { workspace: i64::from(feed.byte()), object: i64::from(feed.byte()), field }
}

/// Changes bytes, cuts or adds some.
fn damage(ring: &Keyring, place: Place, sealed: &SealedSecret, mut feed: Feed<'_>) {
    let mut bytes = sealed.as_bytes().to_vec();
    while !feed.is_empty() {
        let at = usize::from(feed.byte()) % (bytes.len() + 1);
        match feed.below(4) {
            0 => bytes.truncate(at),
            1 => bytes.insert(at, feed.byte()),
            _ => bytes.iter_mut().skip(at).take(1).for_each(|byte| *byte ^= feed.byte()),
        }
    }
    let damaged = SealedSecret::from_bytes(bytes);
    let opened = ring.open(place, &damaged);
    assert!(damaged == *sealed || opened.is_err(), "damaged and opened: {damaged:?}");
    assert!(!ring.is_current(&damaged) || damaged.as_bytes().len() >= 5);
}

struct Fixed(u8);

impl Random for Fixed {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(self.0);
    }
}
