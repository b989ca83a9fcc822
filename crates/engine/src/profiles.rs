//! The dialect instances that this process serves, by name.

use std::collections::BTreeMap;
use std::sync::Arc;

use signalpost_core::error::{Error, ErrorCode};
use signalpost_core::profile::Profile;

#[derive(Debug)]
pub(crate) struct Profiles(BTreeMap<String, Arc<Profile>>);

impl Profiles {
    pub(crate) fn new(profiles: Vec<Profile>) -> Self {
        Self(profiles.into_iter().map(|profile| (profile.name.clone(), Arc::new(profile))).collect())
    }

    /// The profile of a stored workspace. It can be missing when the configuration no longer lists its dialect.
    pub(crate) fn get(&self, name: &str) -> Result<Arc<Profile>, Error> {
        self.0.get(name).cloned().ok_or_else(|| {
            Error::new(
                ErrorCode::Unavailable,
                format!("the workspace speaks `{name}`, which this process does not serve"),
            )
        })
    }

    /// The profile that somebody asks for by name.
    pub(crate) fn named(&self, name: &str) -> Result<Arc<Profile>, Error> {
        self.0.get(name).cloned().ok_or_else(|| {
            let known: Vec<&str> = self.0.keys().map(String::as_str).collect();
            Error::field("dialect", format!("is not served here; known are {}", known.join(", ")))
        })
    }
}
