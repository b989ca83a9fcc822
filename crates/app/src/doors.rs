//! The addresses that a process listens at and what is found there, as its role has it.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use signalpost_api::{Beside, OperatorAccess, operator_router, public_router, worker_router};
use signalpost_core::ports::Spawn;
use signalpost_core::root_key::RootKey;
use signalpost_engine::cells::Cells;

use crate::cmd::Failure;
use crate::listen::{Callers, Door, Manner, TrustedProxies};
use crate::ports::CallerTasks;
use crate::role::Role;
use crate::settings::{DoorSettings, Settings, keys};
use crate::tls::{self, Certificate};

/// Bound, and nobody is answered yet.
pub(crate) struct Doors {
    /// Customers have no business with a process that only delivers.
    public: Option<Door>,
    operator: Door,
    pub(crate) certificates: Vec<Arc<Certificate>>,
}

/// What each core answers.
pub(crate) struct Surfaces {
    public: Option<(Door, Router)>,
    operator: (Door, Router),
}

impl Doors {
    /// Each with its certificate when it speaks TLS.
    pub(crate) fn open(settings: &Settings) -> Result<Self, Failure> {
        let mut certificates = Vec::new();
        let public = match settings.role {
            Role::Worker => None,
            Role::All | Role::Api => {
                Some(open(Callers::Strangers, &settings.public, settings, &mut certificates)?)
            }
        };
        let operator = open(Callers::Operators, &settings.operator, settings, &mut certificates)?;
        Ok(Self { public, operator, certificates })
    }

    /// All of them.
    pub(crate) fn addresses(&self) -> Vec<SocketAddr> {
        self.public.iter().chain([&self.operator]).map(|door| door.address).collect()
    }

    pub(crate) fn surfaces(self, cells: &Cells, access: &OperatorAccess, settings: &Settings) -> Surfaces {
        let (tasks, dialects): (Arc<dyn Spawn>, _) = (Arc::new(CallerTasks), &settings.dialects);
        let opened = settings.egress.opened();
        let portal = self.public.as_ref().zip(settings.portal.as_ref());
        let address = portal.map(|(door, portal)| Arc::from(portal.address(door.address)));
        let for_customers = settings.portal.as_ref().map_or_else(Router::new, |portal| {
            signalpost_dash::portal::router(cells.clone(), &portal.theme, opened, &tasks)
        });
        let public = self
            .public
            .map(|door| (door, public_router(cells.clone(), &tasks, dialects, opened, for_customers)));
        let operator = match settings.role {
            Role::Worker => worker_router(cells.clone(), &tasks, access),
            Role::All | Role::Api => {
                let pages = {
                    let root = RootKey::new(access.key_hash);
                    signalpost_dash::router(cells.clone(), root, opened, &tasks)
                };
                operator_router(cells.clone(), &tasks, access, dialects, Beside { pages, portal: address })
            }
        };
        Surfaces { public, operator: (self.operator, operator) }
    }
}

impl Surfaces {
    pub(crate) fn public(&self) -> Option<SocketAddr> {
        self.public.as_ref().map(|(door, _)| door.address)
    }

    pub(crate) const fn operator(&self) -> SocketAddr {
        self.operator.0.address
    }

    /// For one more core.
    pub(crate) fn another(&self) -> Result<Vec<(Door, Router)>, Failure> {
        let all = self.public.iter().chain([&self.operator]);
        all.map(|(door, router)| Ok((door.another()?, router.clone()))).collect()
    }
}

fn open(
    callers: Callers,
    wanted: &DoorSettings,
    settings: &Settings,
    certificates: &mut Vec<Arc<Certificate>>,
) -> Result<Door, Failure> {
    let acceptor = match &wanted.tls {
        None => None,
        Some(files) => {
            let certificate = Arc::new(Certificate::open(files.clone()).map_err(Failure::new)?);
            certificates.push(Arc::clone(&certificate));
            Some(tls::acceptor(certificate))
        }
    };
    let proxies = TrustedProxies::new(settings.trusted_proxies.clone());
    let manner = Manner::new((callers, wanted.connections), acceptor, settings.patience, proxies);
    let (name, flag) = match callers {
        Callers::Strangers => ("public", keys::PUBLIC.flag),
        Callers::Operators => ("operator", keys::OPERATOR.flag),
    };
    Door::bind(name, flag, wanted.address, manner)
}
