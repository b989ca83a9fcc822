//! The dialect instances that this process serves, by name.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use signalpost_core::error::{Error, ErrorCode};
use signalpost_core::profile::Profile;

#[derive(Debug)]
pub(crate) struct Profiles {
    served: BTreeMap<String, Arc<Profile>>,
    /// Names that stored workspaces have and that are not served: as many as earlier configurations listed.
    missed: Mutex<BTreeSet<String>>,
}

impl Profiles {
    /// # Panics
    /// When the parts of a profile do not fit one another: dialects are written by us, and so is what does not fit.
    pub(crate) fn new(profiles: Vec<Profile>) -> Self {
        let checked = |profile: Profile| {
            let name = profile.name.clone();
            profile.check().unwrap_or_else(|problem| panic!("the profile of `{name}`: {problem}"));
            (name, Arc::new(profile))
        };
        let served = profiles.into_iter().map(checked).collect();
        Self { served, missed: Mutex::default() }
    }

    /// The profile of a workspace to which something is to be delivered. That it is missing is said once.
    pub(crate) fn look_up(&self, name: &str) -> Option<Arc<Profile>> {
        let found = self.served.get(name).cloned();
        if found.is_none() && self.is_first_miss(name) {
            tracing::error!(
                dialect = name,
                "deliveries of workspaces of this dialect are held: it is not served; list it in the \
                 configuration, or erase the workspaces"
            );
        }
        found
    }

    fn is_first_miss(&self, name: &str) -> bool {
        self.missed.lock().unwrap_or_else(PoisonError::into_inner).insert(name.to_owned())
    }

    /// The profile of a stored workspace. It can be missing when the configuration no longer lists its dialect.
    pub(crate) fn get(&self, name: &str) -> Result<Arc<Profile>, Error> {
        self.served.get(name).cloned().ok_or_else(|| {
            Error::new(
                ErrorCode::Unavailable,
                format!("the workspace speaks `{name}`, which this process does not serve"),
            )
        })
    }

    /// The profile that somebody asks for by name.
    pub(crate) fn named(&self, name: &str) -> Result<Arc<Profile>, Error> {
        self.served.get(name).cloned().ok_or_else(|| {
            let known: Vec<&str> = self.served.keys().map(String::as_str).collect();
            Error::field("dialect", format!("is not served here; known are {}", known.join(", ")))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_served_is_news_once_for_each_dialect() {
        let profiles = Profiles::new(Vec::new());
        assert!(profiles.look_up("acme").is_none());
        assert!(!profiles.is_first_miss("acme"), "it was said");
        assert!(profiles.is_first_miss("other") && !profiles.is_first_miss("other"));
    }
}
