//! Which part of the work a process takes, where several share a database.

use signalpost_store_postgres::Duty;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// Takes every call, and delivers.
    All,
    /// Takes every call, and leaves delivering to others.
    Api,
    /// Delivers. It listens to nobody but its operator, who sees how it fares.
    Worker,
}

impl Role {
    /// By its name; the error is what it must be.
    pub(crate) fn read(name: &str) -> Result<Self, String> {
        let named = [Self::All, Self::Api, Self::Worker].into_iter().find(|role| role.name() == name);
        named.ok_or_else(|| format!("`{name}` must be `all`, `api` or `worker`"))
    }

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Api => "api",
            Self::Worker => "worker",
        }
    }

    pub(crate) const fn duty(self) -> Duty {
        match self {
            Self::All | Self::Worker => Duty::Delivers,
            Self::Api => Duty::Serves,
        }
    }

    /// Whether customers and publishers reach it.
    pub(crate) const fn serves(self) -> bool {
        match self {
            Self::All | Self::Api => true,
            Self::Worker => false,
        }
    }
}
