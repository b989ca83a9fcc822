//! Links to the portal of a workspace: made for whoever runs the product, followed by their customers.

use signalpost_core::error::{Error, ErrorCode, FieldErrors};
use signalpost_core::limits::{
    PORTAL_LINK_MS_DEFAULT, PORTAL_LINK_MS_MAX, PORTAL_MS_MIN, PORTAL_SESSION_MS_MAX,
};
use signalpost_core::portal_link::{LINK_ID_BYTES, LinkError, PortalLink, check_customer_name};
use signalpost_core::portal_rights::PortalRights;
use signalpost_core::secret::Secret;

use crate::Engine;
use crate::directory::View;

#[derive(Clone, Debug)]
pub struct NewPortalLink {
    pub rights: PortalRights,
    /// What the customer is called on record.
    pub name: Option<String>,
    /// How long it opens the portal: ten minutes when `None`.
    pub lasts_ms: Option<i64>,
    /// How long a session lasts that it opens: as long as one may when `None`.
    pub session_ms: Option<i64>,
}

/// A link with the only sight of its token, which is not stored.
#[derive(Debug)]
pub struct IssuedPortalLink {
    pub link: PortalLink,
    pub token: Secret,
}

impl Engine {
    /// A link is good until its end, however often it is followed: what looks at links before people do (mail filters, previews,
    /// a browser that loads ahead), or a page that is loaded again, must not use it up. So it is made to end soon.
    pub fn create_portal_link(&self, view: &View, new: NewPortalLink) -> Result<IssuedPortalLink, Error> {
        let NewPortalLink { rights, name, lasts_ms, session_ms } = new;
        let (lasts_ms, session_ms) =
            (lasts_ms.unwrap_or(PORTAL_LINK_MS_DEFAULT), session_ms.unwrap_or(PORTAL_SESSION_MS_MAX));
        let mut errors = FieldErrors::default();
        errors.take("name", name.as_deref().map_or(Ok(()), check_customer_name));
        errors.take("expires_in_s", check_time(lasts_ms, PORTAL_LINK_MS_MAX));
        errors.take("session_s", check_time(session_ms, PORTAL_SESSION_MS_MAX));
        errors.into_result()?;
        let mut id = [0; LINK_ID_BYTES];
        self.random.fill(&mut id);
        let (made_at, workspace) = (self.clock.now(), view.workspace.public_id.clone());
        let expires_at = made_at.plus_ms(lasts_ms);
        let link = PortalLink { id, workspace, rights, name, made_at, expires_at, session_ms };
        let token = link.to_token(&self.portal_keys);
        Ok(IssuedPortalLink { link, token })
    }

    /// What a link says. `Unauthenticated` whatever is wrong; only who has a link that is ours is told that it has expired.
    pub fn read_portal_link(&self, token: &[u8]) -> Result<PortalLink, Error> {
        PortalLink::from_token(token, &self.portal_keys, self.clock.now()).map_err(|error| match error {
            LinkError::Foreign => {
                Error::new(ErrorCode::Unauthenticated, "the link opens nothing; ask for another")
            }
            LinkError::Expired => expired(),
        })
    }
}

/// Said of what is ours and opens nothing any more.
pub(super) fn expired() -> Error {
    Error::new(ErrorCode::Unauthenticated, "the link has expired; ask for another")
}

fn check_time(ms: i64, ms_max: i64) -> Result<(), String> {
    if (PORTAL_MS_MIN..=ms_max).contains(&ms) {
        return Ok(());
    }
    Err(format!("must be {} to {} seconds", PORTAL_MS_MIN / 1_000, ms_max / 1_000))
}
