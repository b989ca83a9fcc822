//! How a portal looks, and who may show it: read from the configuration, and checked before anything is served.

use std::fmt::Write as _;

use http::HeaderValue;
use signalpost_core::limits::{PORTAL_FRAMES_MAX, PORTAL_LOGO_BYTES_MAX, PORTAL_TITLE_CHARS_MAX};
use signalpost_engine::portal::sessions::OpenedPortalSession;
use url::Url;

use crate::PORTAL_PATH;
use crate::door::Door;
use crate::look::assets::{Asset, CSS, SVG};
use crate::look::house::{House, policy};

/// Text on these is read with at least so much contrast (WCAG 2.2, success criterion 1.4.3).
const CONTRAST_MIN: f64 = 4.5;

/// What is not given is as on the dashboard.
#[derive(Clone, Debug)]
pub struct Theme {
    pub name: String,
    pub logo: Option<Logo>,
    pub accent: Option<Colour>,
    pub accent_dark: Option<Colour>,
    /// Who may show the portal inside a page of their own.
    pub framed_by: Vec<Origin>,
    /// How browsers reach it.
    pub scheme: Scheme,
    /// Under which origin they know it; `None` for that of the address that they ask.
    pub origin: Option<Origin>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    Http,
    Https,
}

/// A picture that a browser can show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Logo {
    bytes: Vec<u8>,
    kind: Picture,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Picture {
    Png,
    Svg,
}

/// An origin in the sense of RFC 6454: a scheme, a host, and a port where it is not the scheme's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin(String);

/// Red, green and blue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Colour([u8; 3]);

/// What text of a colour stands on: the pages' own backgrounds (`look/style.css`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ground {
    Light,
    Dark,
}

impl Ground {
    const fn colours(self) -> [Colour; 2] {
        match self {
            Self::Light => [Colour([0xff, 0xff, 0xff]), Colour([0xf5, 0xf6, 0xf8])],
            Self::Dark => [Colour([0x14, 0x17, 0x1a]), Colour([0x1d, 0x21, 0x26])],
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }

    /// Of the dashboard.
    const fn accent(self) -> Colour {
        match self {
            Self::Light => Colour([0x0b, 0x57, 0xd0]),
            Self::Dark => Colour([0x8a, 0xb4, 0xf8]),
        }
    }
}

impl Colour {
    /// `#1a5fb4`, with enough contrast to what it stands on.
    pub fn read(text: &str, ground: Ground) -> Result<Self, String> {
        let digits = text.strip_prefix('#').filter(|digits| digits.len() == 6);
        let bytes = digits.and_then(signalpost_core::hex::decode).and_then(|bytes| bytes.try_into().ok());
        let colour = Self(bytes.ok_or_else(|| format!("`{text}` is not a colour such as #1a5fb4"))?);
        let [page, raised] = ground.colours().map(|on| colour.contrast(on));
        let least = page.min(raised);
        if least < CONTRAST_MIN {
            return Err(format!(
                "`{text}` is hard to read on the {} background: its contrast is {least:.1}, and must be {CONTRAST_MIN} at least",
                ground.name()
            ));
        }
        Ok(colour)
    }

    /// WCAG 2.2: from 1 to 21.
    fn contrast(self, other: Self) -> f64 {
        let (one, other) = (self.luminance(), other.luminance());
        (one.max(other) + 0.05) / (one.min(other) + 0.05)
    }

    fn luminance(self) -> f64 {
        let [red, green, blue] = self.0.map(|part| {
            let part = f64::from(part) / 255.0;
            if part <= 0.040_45 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) }
        });
        0.2126 * red + 0.7152 * green + 0.0722 * blue
    }

    fn css(self) -> String {
        format!("#{}", signalpost_core::hex::encode(&self.0))
    }
}

impl Logo {
    /// By what it holds, whatever its file is called.
    pub fn read(bytes: Vec<u8>) -> Result<Self, String> {
        const PNG: &[u8] = b"\x89PNG\r\n\x1a\n";
        if bytes.len() > PORTAL_LOGO_BYTES_MAX {
            return Err(format!("is larger than {PORTAL_LOGO_BYTES_MAX} bytes"));
        }
        let is_svg = || std::str::from_utf8(&bytes).is_ok_and(|text| text.contains("<svg"));
        let kind = match bytes.starts_with(PNG) {
            true => Picture::Png,
            false if is_svg() => Picture::Svg,
            false => return Err("is neither a PNG nor an SVG file".to_owned()),
        };
        Ok(Self { bytes, kind })
    }

    fn asset(&self) -> Asset {
        let (extension, content_type) = match self.kind {
            Picture::Png => ("png", "image/png"),
            Picture::Svg => ("svg", SVG),
        };
        Asset::new("logo", extension, content_type, self.bytes.clone())
    }
}

impl Origin {
    /// Nothing but an origin: no path, no user, no star.
    pub fn read(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is not an origin such as https://app.example.com");
        let url = Url::parse(text).map_err(|_| wrong())?;
        let origin = url.origin().ascii_serialization();
        let is_web = matches!(url.scheme(), "https" | "http") && url.host_str().is_some();
        if is_web && text.trim_end_matches('/') == origin && !origin.contains(['*', ';', ',', ' ']) {
            return Ok(Self(origin));
        }
        Err(wrong())
    }

    pub fn scheme(&self) -> Scheme {
        if self.0.starts_with("https:") { Scheme::Https } else { Scheme::Http }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Theme {
    /// What the portal is called.
    pub fn check_name(text: &str) -> Result<String, String> {
        let text = text.trim();
        let length = text.chars().count();
        if (1..=PORTAL_TITLE_CHARS_MAX).contains(&length) && !text.chars().any(char::is_control) {
            return Ok(text.to_owned());
        }
        Err(format!("must be 1 to {PORTAL_TITLE_CHARS_MAX} characters long, without control characters"))
    }

    pub fn check_frames(origins: &[String]) -> Result<Vec<Origin>, String> {
        if origins.len() > PORTAL_FRAMES_MAX {
            return Err(format!("there may be at most {PORTAL_FRAMES_MAX}"));
        }
        origins.iter().map(|origin| Origin::read(origin)).collect()
    }

    pub(super) fn house(&self) -> House {
        let framed_by: Vec<&str> = self.framed_by.iter().map(Origin::as_str).collect();
        let framed_by = if framed_by.is_empty() { "'none'".to_owned() } else { framed_by.join(" ") };
        House {
            door: Door::Customers,
            name: self.name.clone(),
            logo: self.logo.as_ref().map(Logo::asset),
            colours: self.colours(),
            policy: policy(&framed_by),
            origin: self.origin.as_ref().map(|origin| origin.as_str().to_owned()),
        }
    }

    /// A sheet of their own: the policy of the pages permits no style inside them.
    fn colours(&self) -> Option<Asset> {
        if self.accent.is_none() && self.accent_dark.is_none() {
            return None;
        }
        let light = self.accent.unwrap_or(Ground::Light.accent()).css();
        let dark = self.accent_dark.unwrap_or(Ground::Dark.accent()).css();
        let sheet = format!(":root {{ --accent: light-dark({light}, {dark}); }}\n");
        Some(Asset::new("colours", "css", CSS, sheet))
    }

    pub(super) fn cookies(&self) -> Cookies {
        let mut attributes = format!("; Path={PORTAL_PATH}; HttpOnly");
        let rest = match (self.scheme, self.framed_by.is_empty()) {
            (Scheme::Http, _) => "; SameSite=Lax",
            (Scheme::Https, true) => "; Secure; SameSite=Lax",
            // In a frame of another site; partitioned, so that it is there for that site's page alone.
            (Scheme::Https, false) => "; Secure; SameSite=None; Partitioned",
        };
        attributes.push_str(rest);
        Cookies { attributes }
    }
}

/// How the cookie with the token of a session is set.
pub(super) struct Cookies {
    attributes: String,
}

impl Cookies {
    pub(super) fn of(&self, opened: &OpenedPortalSession) -> HeaderValue {
        let OpenedPortalSession { session, token } = opened;
        let seconds = session.expires_at.ms_since(session.created_at) / 1_000;
        self.set(token.expose_text(), seconds)
    }

    /// Takes it away. A partitioned one goes only with the attributes with which it has come.
    pub(super) fn nothing(&self) -> HeaderValue {
        self.set("", 0)
    }

    fn set(&self, token: &str, seconds: i64) -> HeaderValue {
        let mut cookie = format!("{}={token}{}", Door::Customers.cookie(), self.attributes);
        write!(cookie, "; Max-Age={seconds}").expect("a text takes what is written to it");
        HeaderValue::from_str(&cookie).expect("tokens and numbers are good in a header")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn theme() -> Theme {
        Theme {
            name: "Acme".to_owned(),
            logo: None,
            accent: None,
            accent_dark: None,
            framed_by: Vec::new(),
            scheme: Scheme::Https,
            origin: None,
        }
    }

    #[test]
    fn contrast_is_that_of_the_guidelines() {
        let (white, black) = (Colour([0xff; 3]), Colour([0; 3]));
        assert!((white.contrast(black) - 21.0).abs() < 1e-9);
        assert!((white.contrast(white) - 1.0).abs() < 1e-9);
        // A pair that is known to pass by a hair, and one that fails by one.
        assert!(Colour([0x76; 3]).contrast(white) > 4.5 && Colour([0x77; 3]).contrast(white) < 4.5);
    }

    #[test]
    fn colours_are_read_and_must_be_readable() {
        for (text, ground) in
            [("#0b57d0", Ground::Light), ("#8AB4F8", Ground::Dark), ("#b3261e", Ground::Light)]
        {
            assert!(Colour::read(text, ground).is_ok(), "{text}");
        }
        for text in ["", "0b57d0", "#0b57d", "#0b57d0f", "#gggggg", "red", "#0b57d0;}"] {
            let said = Colour::read(text, Ground::Light).expect_err("no colour");
            assert!(said.ends_with("is not a colour such as #1a5fb4"), "{said}");
        }
        for (text, ground, name) in [("#ffd400", Ground::Light, "light"), ("#0b57d0", Ground::Dark, "dark")] {
            let said = Colour::read(text, ground).expect_err("hard to read");
            assert!(said.contains(&format!("on the {name} background")), "{said}");
        }
        // Good on the page, and not on what is raised from it.
        assert!(Colour::read("#767676", Ground::Light).is_err());
    }

    #[test]
    fn the_dashboards_own_colours_stand_in_its_style_sheet() {
        let sheet = include_str!("../look/style.css");
        for (light, dark) in [(0, 0), (1, 1)] {
            let [light, dark] =
                [Ground::Light.colours()[light], Ground::Dark.colours()[dark]].map(Colour::css);
            assert!(sheet.contains(&format!("light-dark({light}, {dark})")), "{light} {dark}");
        }
        let [light, dark] = [Ground::Light, Ground::Dark].map(|ground| ground.accent().css());
        assert!(sheet.contains(&format!("--accent: light-dark({light}, {dark})")));
        assert!(Colour::read(&light, Ground::Light).is_ok() && Colour::read(&dark, Ground::Dark).is_ok());
    }

    #[test]
    fn an_origin_is_nothing_else() {
        for (text, origin) in [
            ("https://app.example.com", "https://app.example.com"),
            ("https://app.example.com/", "https://app.example.com"),
            ("http://localhost:3000", "http://localhost:3000"),
        ] {
            assert_eq!(Origin::read(text), Ok(Origin(origin.to_owned())));
        }
        for text in [
            "",
            "*",
            "app.example.com",
            "https://*.example.com",
            "https://app.example.com/path",
            "https://a@example.com",
            "https://example.com?x",
            "https://example.com; script-src *",
            "javascript:alert(1)",
            "data:text/html,x",
            "file:///x",
        ] {
            assert!(Origin::read(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_logo_is_known_by_what_it_holds() {
        let png = Logo::read(b"\x89PNG\r\n\x1a\nrest".to_vec()).expect("a picture");
        assert_eq!(png.kind, Picture::Png);
        let svg = Logo::read(b"<?xml version='1.0'?><svg xmlns='x'/>".to_vec()).expect("a picture");
        assert_eq!(svg.kind, Picture::Svg);
        for (bytes, words) in [
            (b"<html>".to_vec(), "neither"),
            (b"\xff<svg".to_vec(), "neither"),
            (vec![b' '; PORTAL_LOGO_BYTES_MAX + 1], "larger"),
        ] {
            assert!(Logo::read(bytes).expect_err("no logo").contains(words));
        }
    }

    #[test]
    fn a_cookie_goes_as_far_as_the_portal_is_shown() {
        let framed = Theme { framed_by: vec![Origin("https://app.example".to_owned())], ..theme() };
        let table = [
            (theme(), "Secure; SameSite=Lax; Max-Age=0"),
            (Theme { scheme: Scheme::Http, ..framed.clone() }, "HttpOnly; SameSite=Lax; Max-Age=0"),
            (framed, "Secure; SameSite=None; Partitioned; Max-Age=0"),
        ];
        for (theme, end) in table {
            let cookie = theme.cookies().nothing();
            let cookie = cookie.to_str().expect("text");
            assert!(cookie.starts_with("signalpost_portal=; Path=/portal; HttpOnly"), "{cookie}");
            assert!(cookie.ends_with(end), "{cookie}");
        }
    }

    #[test]
    fn a_house_is_framed_by_those_alone_who_are_named() {
        let policy = |framed_by: &[&str]| {
            let framed_by = framed_by.iter().map(|origin| Origin::read(origin).expect("an origin")).collect();
            let house = Theme { framed_by, ..theme() }.house();
            house.policy.to_str().expect("text").to_owned()
        };
        assert!(policy(&[]).ends_with("frame-ancestors 'none'"));
        let two = policy(&["https://a.example", "https://b.example:8443"]);
        assert!(two.ends_with("frame-ancestors https://a.example https://b.example:8443"), "{two}");
    }
}
