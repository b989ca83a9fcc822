//! The engine's parts and how they are put together.

use std::sync::{Arc, Mutex, PoisonError};

use signalpost_core::base62;
use signalpost_core::credential::Credential;
use signalpost_core::derived_keys::DerivedKeys;
use signalpost_core::error::Error;
use signalpost_core::hex;
use signalpost_core::id::IdMint;
use signalpost_core::id_form::Counter;
use signalpost_core::operator_key::OperatorKey;
use signalpost_core::portal_link::PORTAL_LINK_LABEL;
use signalpost_core::portal_session::PortalSession;
use signalpost_core::ports::{Clock, HeavyWork, Random};
use signalpost_core::profile::{IdForm, Profile, RandomText, SecretForm};
use signalpost_core::retention::RetentionRules;
use signalpost_core::seal::Keyring;
use signalpost_core::secret::Secret;
use signalpost_core::sign::{STANDARD_SECRET_PREFIX, standard_secret};
use signalpost_core::time::Timestamp;
use signalpost_store::{Ownership, Store};

use crate::committed::Committed;
use crate::core_loop::DeliveryCore;
use crate::desk::sessions::KnownOperatorSession;
use crate::directory::Directory;
use crate::doorbell::Doorbell;
use crate::figures::Counted;
use crate::filters::Filters;
use crate::gone::Removals;
use crate::hash_cache::HashCache;
use crate::mailbox::Mailbox;
use crate::metrics::Metrics;
use crate::passwords::WrongPasswords;
use crate::profiles::Profiles;
use crate::redeliver::Walks;
use crate::remembered::Remembered;
use crate::replay::ReplayDesk;
use crate::sessions::KnownSession;
use crate::trust::Trust;

/// What the engine is made from.
pub struct EngineOptions {
    pub store: Arc<dyn Store>,
    pub clock: Arc<dyn Clock>,
    pub random: Arc<dyn Random>,
    pub heavy_work: Arc<dyn HeavyWork>,
    pub keyring: Arc<Keyring>,
    /// Every dialect instance that is served.
    pub profiles: Vec<Profile>,
    /// Delivery cores: one per processor.
    pub cores: usize,
    /// What is kept where a workspace has no rule of its own.
    pub retention: RetentionRules,
}

/// All use cases. One per process, shared by every surface.
pub struct Engine {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) random: Arc<dyn Random>,
    pub(crate) heavy_work: Arc<dyn HeavyWork>,
    pub(crate) keyring: Arc<Keyring>,
    pub(crate) profiles: Arc<Profiles>,
    pub(crate) directory: Arc<Directory>,
    pub(crate) credentials: Arc<HashCache<Credential>>,
    pub(crate) operator_keys: Arc<HashCache<OperatorKey>>,
    pub(crate) operator_sessions: Arc<HashCache<KnownOperatorSession>>,
    pub(crate) portal_sessions: Arc<HashCache<PortalSession>>,
    /// Sign links to the portal.
    pub(crate) portal_keys: DerivedKeys,
    pub(crate) sessions: Arc<HashCache<KnownSession>>,
    pub(crate) wrong_passwords: WrongPasswords,
    /// Apart from those of users: whoever guesses many names of these takes no room from operators.
    pub(crate) wrong_operator_passwords: WrongPasswords,
    pub(crate) filters: Filters,
    pub(crate) doorbell: Arc<Doorbell>,
    /// Of the lane groups that are delivered for here.
    pub(crate) ownership: Arc<Ownership>,
    /// Rung when what is owed should be looked for before its time.
    pub(crate) owed_bell: Mailbox<()>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) counted: Arc<Counted>,
    pub(crate) retention: RetentionRules,
    pub(crate) walks: Walks,
    /// Rung when retention should look before its time.
    pub(crate) retention_bell: Mailbox<()>,
    pub(crate) replay_desk: ReplayDesk,
    pub(crate) removals: Removals,
    ids: Mutex<IdMint>,
}

impl Engine {
    /// Builds the engine and its delivery cores; each core is to be run on a thread of its own.
    ///
    /// From here on the engine hears of commits. Owed deliveries of an earlier run are found by
    /// [`Engine::watch_owed`].
    pub fn new(options: EngineOptions) -> (Arc<Self>, Vec<DeliveryCore>) {
        let EngineOptions { store, clock, random, heavy_work, keyring, profiles, cores, retention } = options;
        let profiles = Arc::new(Profiles::new(profiles));
        let (ownership, owed_bell, replay_bell) = (store.ownership(), Mailbox::new(), Mailbox::new());
        let trust = Trust::new(Arc::clone(&ownership), Arc::clone(&clock));
        let directory = Directory::new(Arc::clone(&store), Arc::clone(&profiles), trust.clone());
        let doorbell = Arc::new(Doorbell::new(cores));
        let metrics = Arc::new(Metrics::default());
        let counted = Arc::new(Counted::new(&metrics));
        let remembered = Remembered::nothing(directory, &trust, &doorbell, &owed_bell, &replay_bell);
        store.listen(Arc::new(Committed {
            doorbell: Arc::clone(&doorbell),
            metrics: Arc::clone(&metrics),
            counted: Arc::clone(&counted),
            remembered: remembered.clone(),
        }));
        let Remembered {
            directory,
            credentials,
            operator_keys,
            operator_sessions,
            portal_sessions,
            sessions,
            ..
        } = remembered;
        let (told, bells) = (Arc::clone(&doorbell), [owed_bell.clone(), replay_bell.clone()]);
        ownership.listen(Arc::new(move || {
            told.owners_changed();
            bells.iter().for_each(|bell| bell.push_all([()]));
        }));
        let portal_keys = DerivedKeys::of(&keyring, PORTAL_LINK_LABEL);
        let ids = Mutex::new(IdMint::new(ownership.node(), store.highest_id()));
        let engine = Arc::new(Self {
            store,
            clock,
            random,
            heavy_work,
            keyring,
            profiles,
            directory,
            credentials,
            operator_keys,
            operator_sessions,
            portal_sessions,
            portal_keys,
            sessions,
            wrong_passwords: WrongPasswords::default(),
            wrong_operator_passwords: WrongPasswords::default(),
            filters: Filters::default(),
            doorbell: Arc::clone(&doorbell),
            ownership,
            owed_bell,
            metrics,
            counted,
            retention,
            walks: Walks::default(),
            retention_bell: Mailbox::new(),
            replay_desk: ReplayDesk::new(replay_bell),
            removals: Removals::default(),
            ids,
        });
        let cores = doorbell.doors().map(|door| DeliveryCore::new(Arc::clone(&engine), door)).collect();
        (engine, cores)
    }

    /// The profile of a dialect instance; the error names those that are served.
    pub fn profile(&self, dialect: &str) -> Result<Arc<Profile>, Error> {
        self.profiles.named(dialect)
    }

    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    pub(crate) fn mint_id(&self) -> i64 {
        let mut ids = self.ids.lock().unwrap_or_else(PoisonError::into_inner);
        // It changes when other nodes have thought this one to be gone.
        ids.be_node(self.ownership.node());
        ids.mint(self.clock.now())
    }

    /// A public id in this form. Only for a number the store is asked: it is taken for good, in a commit before that of
    /// the object, whatever becomes of it.
    pub(crate) async fn mint_public_id(&self, form: &IdForm, counter: Counter) -> Result<String, Error> {
        match form {
            IdForm::Random(form) => Ok(self.mint_text(form)),
            IdForm::Number => Ok(self.store.next_number(counter).await?.to_string()),
        }
    }

    pub(crate) fn mint_text(&self, form: &RandomText) -> String {
        form.mint(&mut |bytes| self.random.fill(bytes))
    }

    pub(crate) fn mint_secret(&self, form: SecretForm) -> Secret {
        match form {
            SecretForm::Alphanumeric { length } => {
                Secret::from_text(&base62::random(length, &mut |bytes| self.random.fill(bytes)))
            }
            SecretForm::StandardWebhooks { key_bytes } => {
                let mut key = vec![0u8; key_bytes];
                self.random.fill(&mut key);
                standard_secret(&Secret::new(key))
            }
            SecretForm::PrefixedHex { random_bytes } => {
                let mut bytes = vec![0u8; random_bytes];
                self.random.fill(&mut bytes);
                Secret::from_text(&format!("{STANDARD_SECRET_PREFIX}{}", hex::encode(&bytes)))
            }
            SecretForm::Hex { random_bytes } => {
                let mut bytes = vec![0u8; random_bytes];
                self.random.fill(&mut bytes);
                Secret::from_text(&hex::encode(&bytes))
            }
        }
    }
}
