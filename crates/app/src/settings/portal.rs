//! What is said of the customers' portal.

use std::io::Read;
use std::net::SocketAddr;
use std::path::Path;

use signalpost_api::Dialect;
use signalpost_core::limits::PORTAL_LOGO_BYTES_MAX;
use signalpost_dash::PORTAL_PATH;
use signalpost_dash::portal::{Colour, Ground, Logo, Origin, Scheme, Theme};

use super::DoorSettings;
use super::convert::Reader;
use super::keys::{self, Key};
use super::layers::Effective;
use super::problems::Problems;
use super::value::Value;

#[derive(Clone, Debug)]
pub(crate) struct PortalSettings {
    pub(crate) theme: Theme,
}

impl PortalSettings {
    /// Where the portal is to be found, without a slash at its end.
    pub(crate) fn address(&self, public: SocketAddr) -> String {
        let scheme = match self.theme.scheme {
            Scheme::Http => "http",
            Scheme::Https => "https",
        };
        match &self.theme.origin {
            Some(url) => format!("{}{PORTAL_PATH}", url.as_str()),
            None => format!("{scheme}://{public}{PORTAL_PATH}"),
        }
    }
}

impl Reader<'_> {
    /// `None` only when a problem was noted.
    pub(super) fn portal(&mut self, public: Option<&DoorSettings>) -> Option<Option<PortalSettings>> {
        let enabled = self.take(keys::PORTAL_ENABLED, |value| match value {
            Value::Switch(on) => Ok(*on),
            Value::Text(_) | Value::List(_) | Value::Number(_) => Err("must be true or false".to_owned()),
        });
        let url = self.given(keys::PORTAL_URL, Origin::read);
        let name = self.text(keys::PORTAL_NAME, Theme::check_name);
        let framed_by = self.take(keys::PORTAL_FRAMES, |value| match value {
            Value::List(origins) => Theme::check_frames(origins),
            Value::Text(_) | Value::Number(_) | Value::Switch(_) => Err("must be a list".to_owned()),
        });
        let logo = self.given(keys::PORTAL_LOGO, |path| read_logo(Path::new(path)));
        let accent = self.given(keys::PORTAL_ACCENT, |text| Colour::read(text, Ground::Light));
        let accent_dark = self.given(keys::PORTAL_ACCENT_DARK, |text| Colour::read(text, Ground::Dark));
        let (url, logo, accent, accent_dark) = (url?, logo?, accent?, accent_dark?);
        let tls = public?.tls.is_some();
        let listens = if tls { Scheme::Https } else { Scheme::Http };
        let scheme = url.as_ref().map_or(listens, Origin::scheme);
        let theme =
            Theme { name: name?, logo, accent, accent_dark, framed_by: framed_by?, scheme, origin: url };
        Some(enabled?.then_some(PortalSettings { theme }))
    }

    /// An empty text takes back what an earlier layer said.
    fn given<T>(&mut self, key: &Key, read: impl FnOnce(&str) -> Result<T, String>) -> Option<Option<T>> {
        let text = self.effective.get(key).value.as_ref().map(Value::plain);
        match text.filter(|text| !text.is_empty()) {
            None => Some(None),
            Some(_) => self.text(key, read).map(Some),
        }
    }
}

/// Notes a dialect that stands in the portal's place.
pub(super) fn check_room(dialects: &[Dialect], effective: &Effective, problems: &mut Problems) {
    for dialect in dialects {
        let in_the_way = dialect.base_paths.iter().find(|path| {
            let first = path.split('/').nth(1).unwrap_or_default();
            format!("/{first}") == PORTAL_PATH
        });
        if let Some(path) = in_the_way {
            let problem = format!(
                "dialect `{}` at `{path}` is in the way of the portal at `{PORTAL_PATH}`; give it another base path, or switch \
                 the portal off",
                dialect.name
            );
            problems.at(&effective.get(keys::PORTAL_ENABLED).source, keys::PORTAL_ENABLED.name, &problem);
        }
    }
}

fn read_logo(path: &Path) -> Result<Logo, String> {
    let unreadable = |error: std::io::Error| format!("{} cannot be read: {error}", path.display());
    let mut bytes = Vec::new();
    let more = u64::try_from(PORTAL_LOGO_BYTES_MAX).unwrap_or(u64::MAX).saturating_add(1);
    let file = std::fs::File::open(path).map_err(unreadable)?;
    file.take(more).read_to_end(&mut bytes).map_err(unreadable)?;
    Logo::read(bytes).map_err(|problem| format!("{} {problem}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::environment::Environment;
    use crate::settings::layers::Flags;
    use crate::settings::{Settings, file, from_effective};

    fn read(text: &str) -> Result<Settings, Vec<String>> {
        let text = text.replace("SHAPE", &signalpost_api::built_in_shapes()[0].name);
        let mut problems = Problems::default();
        let file = file::parse("s.toml", &text, &mut problems);
        let effective = Effective::lay(&Flags::default(), &Environment::default(), Some(file), &mut problems);
        let settings = from_effective(&effective, &mut problems);
        settings.filter(|_| problems.sentences().is_empty()).ok_or_else(|| problems.sentences().to_vec())
    }

    fn portal(text: &str) -> Option<PortalSettings> {
        read(text).expect("good settings").portal
    }

    #[test]
    fn the_portal_is_there_unless_it_is_switched_off() {
        let address = |text: &str| {
            let public = "127.0.0.1:8080".parse().expect("an address");
            portal(text).map(|portal| portal.address(public))
        };
        assert_eq!(address("").as_deref(), Some("http://127.0.0.1:8080/portal"));
        let tls = "[tls.public]\ncertificate = 'c'\nkey = 'k'";
        assert_eq!(address(tls).as_deref(), Some("https://127.0.0.1:8080/portal"));
        let given = "[portal]\nurl = 'https://hooks.example.com'";
        assert_eq!(address(given).as_deref(), Some("https://hooks.example.com/portal"));
        assert_eq!(portal(given).map(|portal| portal.theme.scheme), Some(Scheme::Https));
        assert_eq!(address("[portal]\nenabled = false"), None);
    }

    #[test]
    fn a_whole_section_is_understood() {
        let text = "[portal]\nname = 'Acme webhooks'\naccent = '#0b57d0'\naccent_dark = '#8ab4f8'\n\
                    frame_ancestors = ['https://app.example.com', 'https://example.org:8443']";
        let theme = portal(text).expect("it is on").theme;
        assert_eq!(theme.name, "Acme webhooks");
        assert_eq!(theme.framed_by.len(), 2);
        assert!(theme.accent.is_some() && theme.accent_dark.is_some() && theme.logo.is_none());
    }

    #[test]
    fn what_is_wrong_is_said_at_its_line() {
        for (text, expected) in [
            ("[portal]\nenabled = 'yes'", "s.toml:2: `portal.enabled` must be true or false"),
            (
                "[portal]\nacent = '#fff'",
                "s.toml:2: unknown key `portal.acent`; did you mean `portal.accent`?",
            ),
            (
                "[portal]\nurl = 'https://example.com/hooks'",
                "s.toml:2: `portal.url`: `https://example.com/hooks` is not an origin such as https://app.example.com",
            ),
            (
                "[portal]\nframe_ancestors = ['*']",
                "s.toml:2: `portal.frame_ancestors`: `*` is not an origin such as https://app.example.com",
            ),
            (
                "[portal]\naccent = '#ffd400'",
                "s.toml:2: `portal.accent`: `#ffd400` is hard to read on the light background: its contrast is 1.3, and must be \
                 4.5 at least",
            ),
            (
                "[portal]\nname = ''",
                "s.toml:2: `portal.name`: must be 1 to 64 characters long, without control characters",
            ),
            (
                "[[dialect]]\nshape = 'SHAPE'\nname = 'acme'\nbase_path = '/portal/v1'",
                "default: `portal.enabled`: dialect `acme` at `/portal/v1` is in the way of the portal at `/portal`; give it \
                 another base path, or switch the portal off",
            ),
        ] {
            assert_eq!(read(text).map(drop), Err(vec![expected.to_owned()]), "{text}");
        }
        let said = read("[portal]\nlogo = '/nowhere/logo.svg'").expect_err("it is not there");
        assert!(said[0].starts_with("s.toml:2: `portal.logo`: /nowhere/logo.svg cannot be read"), "{said:?}");
        let off =
            "[portal]\nenabled = false\n[[dialect]]\nshape = 'SHAPE'\nname = 'acme'\nbase_path = '/portal'";
        assert!(read(off).is_ok());
        let beside = "[[dialect]]\nshape = 'SHAPE'\nname = 'acme'\nbase_path = '/portals'";
        assert!(read(beside).is_ok());
    }
}
