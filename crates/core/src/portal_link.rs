//! Links to the customers' portal: what one says, signed, so that nothing of it has to be stored.
//!
//! A link reads `spl_` and, in the URL-safe alphabet of base64: version ‖ key id ‖ random id ‖ made at ‖ expires at ‖ time of a
//! session ‖ rights ‖ workspace ‖ name ‖ HMAC-SHA256 of all before it, the prefix included. Texts stand behind their lengths.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use thiserror::Error;

use crate::derived_keys::{CODE_BYTES, DerivedKeys};
use crate::hex;
use crate::limits::{PORTAL_LINK_MS_MAX, PORTAL_MS_MIN, PORTAL_NAME_CHARS_MAX, PORTAL_SESSION_MS_MAX};
use crate::portal_rights::PortalRights;
use crate::secret::Secret;
use crate::time::Timestamp;

/// For which the keys are that sign links.
pub const PORTAL_LINK_LABEL: &str = "signalpost portal link v1";
const PREFIX: &str = "spl_";
const VERSION: u8 = 1;
pub const LINK_ID_BYTES: usize = 16;
/// Ids of workspaces are shorter in every dialect; a length is one byte, or two where a name has letters of four.
const WORKSPACE_BYTES_MAX: usize = 255;
const NAME_BYTES_MAX: usize = 4 * PORTAL_NAME_CHARS_MAX;
const HEAD_BYTES: usize = 1 + 4 + LINK_ID_BYTES + 3 * 8 + 1;
const BYTES_MAX: usize = HEAD_BYTES + 1 + WORKSPACE_BYTES_MAX + 2 + NAME_BYTES_MAX + CODE_BYTES;
/// What is longer is no link, and is not looked at.
pub const PORTAL_LINK_CHARS_MAX: usize = PREFIX.len() + BYTES_MAX.div_ceil(3) * 4;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PortalLink {
    /// Tells it from others, for the record.
    pub id: [u8; LINK_ID_BYTES],
    /// Public id.
    pub workspace: String,
    pub rights: PortalRights,
    /// What the customer is called on record.
    pub name: Option<String>,
    pub made_at: Timestamp,
    pub expires_at: Timestamp,
    /// How long a session lasts that it opens.
    pub session_ms: i64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum LinkError {
    /// Of another installation, changed, cut off, or signed with a master key that is no more.
    #[error("the link is not one of this installation's")]
    Foreign,
    #[error("the link has expired")]
    Expired,
}

impl PortalLink {
    /// Its id as the record has it.
    pub fn id_text(&self) -> String {
        hex::encode(&self.id)
    }

    /// In the clear: it opens the portal for whoever has it.
    pub fn to_token(&self, keys: &DerivedKeys) -> Secret {
        let mut bytes = Vec::with_capacity(BYTES_MAX);
        bytes.push(VERSION);
        bytes.extend_from_slice(&keys.first_id().to_be_bytes());
        bytes.extend_from_slice(&self.id);
        for number in [self.made_at.as_ms(), self.expires_at.as_ms(), self.session_ms] {
            bytes.extend_from_slice(&number.to_be_bytes());
        }
        bytes.push(u8::from(self.rights.manages()));
        let length = |text: &str| u16::try_from(text.len()).expect("texts of a link are short");
        bytes.push(u8::try_from(self.workspace.len()).expect("ids of workspaces are short"));
        bytes.extend_from_slice(self.workspace.as_bytes());
        let name = self.name.as_deref().unwrap_or_default();
        bytes.extend_from_slice(&length(name).to_be_bytes());
        bytes.extend_from_slice(name.as_bytes());
        let code = keys.sign(&signed(&bytes));
        bytes.extend_from_slice(&code);
        Secret::from_text(&format!("{PREFIX}{}", BASE64.encode(&bytes)))
    }

    /// What a token says that one of the keys has signed. Nothing of it is believed, or told, before.
    pub fn from_token(presented: &[u8], keys: &DerivedKeys, now: Timestamp) -> Result<Self, LinkError> {
        let link = Self::signed_by(presented, keys).ok_or(LinkError::Foreign)?;
        if now < link.expires_at { Ok(link) } else { Err(LinkError::Expired) }
    }

    fn signed_by(presented: &[u8], keys: &DerivedKeys) -> Option<Self> {
        if presented.len() > PORTAL_LINK_CHARS_MAX {
            return None;
        }
        let bytes = BASE64.decode(presented.strip_prefix(PREFIX.as_bytes())?).ok()?;
        let (said, code) = bytes.split_last_chunk::<CODE_BYTES>()?;
        let key = u32::from_be_bytes(*said.get(1..5)?.as_array()?);
        if !keys.recognise(key, &signed(said), code) {
            return None;
        }
        Self::read(&mut Reader(said))
    }

    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let [VERSION, _, _, _, _] = reader.chunk()? else { return None };
        let id = reader.chunk()?;
        let [made_at, expires_at, session_ms] =
            [reader.chunk()?, reader.chunk()?, reader.chunk()?].map(i64::from_be_bytes);
        let rights = match reader.chunk()? {
            [0] => PortalRights::Reads,
            [1] => PortalRights::Manages,
            [_] => return None,
        };
        let [length] = reader.chunk()?;
        let workspace = reader.text(usize::from(length))?;
        let length = u16::from_be_bytes(reader.chunk()?);
        let name = reader.text(usize::from(length))?;
        if !reader.0.is_empty() {
            return None;
        }
        let (made_at, expires_at) = (Timestamp::from_ms(made_at), Timestamp::from_ms(expires_at));
        let name = (!name.is_empty()).then_some(name);
        let link = Self { id, workspace, rights, name, made_at, expires_at, session_ms };
        link.is_within_bounds().then_some(link)
    }

    /// What we make is. An older version may have had others.
    fn is_within_bounds(&self) -> bool {
        let lasts_ms = self.expires_at.ms_since(self.made_at);
        (PORTAL_MS_MIN..=PORTAL_LINK_MS_MAX).contains(&lasts_ms)
            && (PORTAL_MS_MIN..=PORTAL_SESSION_MS_MAX).contains(&self.session_ms)
            && self.name.as_deref().is_none_or(|name| check_customer_name(name).is_ok())
    }
}

/// What a customer may be called on record: 1 to 254 characters, none of which is a control character.
pub fn check_customer_name(text: &str) -> Result<(), String> {
    if text.is_empty() || text.chars().count() > PORTAL_NAME_CHARS_MAX {
        return Err(format!("must be 1 to {PORTAL_NAME_CHARS_MAX} characters long"));
    }
    if text.chars().any(char::is_control) {
        return Err("must not contain control characters".to_owned());
    }
    Ok(())
}

fn signed(said: &[u8]) -> Vec<u8> {
    [PREFIX.as_bytes(), said].concat()
}

/// What has not been read yet.
struct Reader<'b>(&'b [u8]);

impl Reader<'_> {
    fn chunk<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (chunk, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*chunk)
    }

    fn text(&mut self, length: usize) -> Option<String> {
        let (text, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        String::from_utf8(text.to_vec()).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seal::Keyring;

    const NOW: Timestamp = Timestamp::from_ms(1_700_000_000_000);

    fn keys(ring: &str) -> DerivedKeys {
        let hex = |byte: char| format!("0{byte}").repeat(32);
        let ring: Vec<String> = ring.chars().map(|byte| format!("{byte}:{}", hex(byte))).collect();
        DerivedKeys::of(&Keyring::parse(&ring.join(",")).expect("a good ring"), PORTAL_LINK_LABEL)
    }

    fn link() -> PortalLink {
        PortalLink {
            id: [7; LINK_ID_BYTES],
            workspace: "ws_0aB3dE6gH9jK2mN5".to_owned(),
            rights: PortalRights::Manages,
            name: Some("ann@example.com".to_owned()),
            made_at: NOW,
            expires_at: NOW.plus_ms(600_000),
            session_ms: 3_600_000,
        }
    }

    /// What is read from bytes that are signed, whatever they say.
    fn read_of(said: &[u8]) -> Result<PortalLink, LinkError> {
        let code = keys("1").sign(&signed(said));
        let token = format!("{PREFIX}{}", BASE64.encode([said, &code].concat()));
        PortalLink::from_token(token.as_bytes(), &keys("1"), NOW)
    }

    fn said_by(link: &PortalLink) -> Vec<u8> {
        let token = link.to_token(&keys("1"));
        let mut bytes = BASE64.decode(&token.expose()[PREFIX.len()..]).expect("base64");
        bytes.truncate(bytes.len() - CODE_BYTES);
        bytes
    }

    #[test]
    fn a_link_says_what_it_was_made_of() {
        let long = "🧀".repeat(PORTAL_NAME_CHARS_MAX);
        for rights in PortalRights::ALL {
            for name in [None, Some("ann@example.com".to_owned()), Some(long.clone())] {
                let link = PortalLink { rights, name, ..link() };
                let token = link.to_token(&keys("1"));
                let chars = token.expose_text().bytes();
                assert!(chars.clone().all(|b| b.is_ascii_alphanumeric() || b"_-".contains(&b)));
                assert!(chars.len() <= PORTAL_LINK_CHARS_MAX);
                assert_eq!(PortalLink::from_token(token.expose(), &keys("1"), NOW), Ok(link));
            }
        }
    }

    #[test]
    fn a_link_opens_until_its_end_and_says_that_it_has_expired_only_where_it_is_ours() {
        let token = link().to_token(&keys("1"));
        let at = |ms, ring| PortalLink::from_token(token.expose(), &keys(ring), NOW.plus_ms(ms)).map(drop);
        assert_eq!(at(599_999, "1"), Ok(()));
        assert_eq!(at(600_000, "1"), Err(LinkError::Expired));
        assert_eq!(at(600_000, "2"), Err(LinkError::Foreign));
    }

    #[test]
    fn any_changed_or_missing_character_is_refused() {
        let token = link().to_token(&keys("1"));
        let token = token.expose();
        for place in 0..token.len() {
            for other in [b'A', b'x', b'_', b'=', 0xff] {
                let mut changed = token.to_vec();
                changed[place] = if changed[place] == other { b'B' } else { other };
                let judged = PortalLink::from_token(&changed, &keys("1"), NOW);
                assert_eq!(judged, Err(LinkError::Foreign), "{place}");
            }
            assert_eq!(PortalLink::from_token(&token[..place], &keys("1"), NOW), Err(LinkError::Foreign));
        }
        let longer = [token, b"A"].concat();
        assert_eq!(PortalLink::from_token(&longer, &keys("1"), NOW), Err(LinkError::Foreign));
    }

    #[test]
    fn each_key_of_the_ring_is_known_and_no_other() {
        let token = link().to_token(&keys("1"));
        let judged = |ring| PortalLink::from_token(token.expose(), &keys(ring), NOW).map(drop);
        assert_eq!([judged("21"), judged("12"), judged("2")], [Ok(()), Ok(()), Err(LinkError::Foreign)]);
        let label = "signalpost something else";
        let ring = Keyring::parse(&format!("1:{}", "01".repeat(32))).expect("a good ring");
        let other = PortalLink::from_token(token.expose(), &DerivedKeys::of(&ring, label), NOW);
        assert_eq!(other, Err(LinkError::Foreign), "by a key for something else");
    }

    #[test]
    fn what_is_too_long_is_not_looked_at() {
        let bytes = vec![0; BYTES_MAX + 3];
        let token = format!("{PREFIX}{}", BASE64.encode(bytes));
        assert!(token.len() > PORTAL_LINK_CHARS_MAX);
        assert_eq!(PortalLink::from_token(token.as_bytes(), &keys("1"), NOW), Err(LinkError::Foreign));
        for nothing in [&b""[..], b"spl_", b"spl_AA", b"spp_AA"] {
            assert_eq!(PortalLink::from_token(nothing, &keys("1"), NOW), Err(LinkError::Foreign));
        }
    }

    /// None of these can come from outside: a signature goes before.
    #[test]
    fn what_is_signed_is_still_read_strictly() {
        let good = said_by(&link());
        assert_eq!(read_of(&good), Ok(link()));
        for end in 0..good.len() {
            assert_eq!(read_of(&good[..end]), Err(LinkError::Foreign), "cut off at {end}");
        }
        assert_eq!(read_of(&[&good[..], b"x"].concat()), Err(LinkError::Foreign));
        let (version, rights) = (0, HEAD_BYTES - 1);
        for place in [version, rights] {
            let mut other = good.clone();
            other[place] = 9;
            assert_eq!(read_of(&other), Err(LinkError::Foreign), "{place}");
        }
    }

    #[test]
    fn times_and_names_beyond_their_bounds_are_refused() {
        let lasting = |ms| PortalLink { expires_at: NOW.plus_ms(ms), ..link() };
        let of_session = |session_ms| PortalLink { session_ms, ..link() };
        let named = |name: String| PortalLink { name: Some(name), ..link() };
        for good in [lasting(PORTAL_LINK_MS_MAX), of_session(PORTAL_SESSION_MS_MAX)] {
            assert_eq!(read_of(&said_by(&good)), Ok(good));
        }
        for bad in [
            lasting(PORTAL_LINK_MS_MAX + 1),
            lasting(0),
            of_session(0),
            of_session(PORTAL_SESSION_MS_MAX + 1),
            named("n".repeat(PORTAL_NAME_CHARS_MAX + 1)),
            named("a\nb".to_owned()),
        ] {
            assert_eq!(read_of(&said_by(&bad)), Err(LinkError::Foreign), "{bad:?}");
        }
    }
}
