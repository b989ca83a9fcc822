//! Sessions of customers at the portal: opened by a signed link, each of one workspace, kept by a browser as a token.

use crate::id::{PortalSessionId, WorkspaceId};
use crate::portal_rights::PortalRights;
use crate::secret::Secret;
use crate::time::Timestamp;
use crate::token_form::TokenForm;

/// `spp_` and 40 letters and digits.
const FORM: TokenForm = TokenForm::with_prefix("spp_");

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PortalSession {
    pub id: PortalSessionId,
    /// The only one that it knows of.
    pub workspace: WorkspaceId,
    pub rights: PortalRights,
    /// What the customer is called on record, if the link said so.
    pub name: Option<String>,
    pub created_at: Timestamp,
    pub expires_at: Timestamp,
}

impl PortalSession {
    pub fn is_valid_at(&self, now: Timestamp) -> bool {
        now < self.expires_at
    }
}

/// A new token in the clear.
pub fn mint(fill: &mut dyn FnMut(&mut [u8])) -> Secret {
    FORM.mint(fill)
}

/// Whether a text has the form of [`mint`], its checksum included.
pub fn has_form(presented: &[u8]) -> bool {
    FORM.fits(presented)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{operator_key, operator_session};

    #[test]
    fn a_customers_token_is_no_operators_and_an_operators_none_of_these() {
        let mut fill = |pool: &mut [u8]| pool.fill(7);
        let token = mint(&mut fill);
        assert!(has_form(token.expose()) && token.expose_text().starts_with("spp_"));
        assert!(!operator_session::has_form(token.expose()) && !operator_key::has_form(token.expose()));
        assert!(!has_form(operator_session::mint(&mut fill).expose()));
    }

    #[test]
    fn ends_are_exclusive() {
        let session = PortalSession {
            id: PortalSessionId::from_raw(1),
            workspace: WorkspaceId::from_raw(2),
            rights: PortalRights::Reads,
            name: None,
            created_at: Timestamp::from_ms(0),
            expires_at: Timestamp::from_ms(10),
        };
        assert!(session.is_valid_at(Timestamp::from_ms(9)) && !session.is_valid_at(session.expires_at));
    }
}
