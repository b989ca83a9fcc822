//! Sets the scene: a server, workspaces of three dialects, webhooks that stay, and receivers that can go.

use std::net::{Ipv4Addr, SocketAddr};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::{fs, io};

use serde_json::json;
use signalpost_testkit::{Handler, Operator, Postgres, Receiver, Server, ServerOptions, TempDir, free_port};

use super::Plan;
use super::desk::{Created, Desk, Reached};
use super::disk::{Disk, filesystem_at};
use super::events::{AGENTS, DIALECTS, NATIVE, Wants};
use super::ledger::{Ledger, State, Temper};
use super::plan::StoreKind;
use super::strange_clock::StrangeClock;
use crate::release::START_TIMEOUT;

/// Seconds until a failed attempt is tried again, each time; with the first there are seven attempts.
pub(super) const RETRY_DELAY_S: u32 = 1;
pub(super) const ATTEMPTS: usize = 7;
pub(super) const TIMEOUT_MS: u32 = 2_000;
/// Whom the server runs as where we may choose: somebody for whom modes of files mean something.
const NOBODY: u32 = 65_534;

/// The dialect that switches webhooks off by itself does not do so here, or a receiver that fails would end its own test.
const CONFIG: &str = "[[dialect]]\nshape = \"sigmamind\"\n\n\
                      [[dialect]]\nshape = \"opentrain-partner\"\ndisable_after_failures = 1000000\n";

/// Each time that a server takes a group of webhooks, the group's epoch goes up.
const GROUPS_TAKEN: &str = "SELECT coalesce(sum(greatest(epoch - 1, 0)), 0) FROM lane_group";

/// What this machine does not let us do, in words for the person who asked.
#[derive(Clone, Debug, Default)]
pub(super) struct Missing {
    pub(super) disk: Option<String>,
    pub(super) clock: Option<String>,
    pub(super) user: Option<String>,
}

pub(super) struct Stage {
    /// Before the first server, which removes the folder in which it stands.
    pub(super) disk: Option<Disk>,
    /// One, or several on one database.
    pub(super) servers: Vec<Server>,
    /// Where the data lie if not in the server's directory.
    pub(super) database: Option<Postgres>,
    /// Of every launch.
    pub(super) environment: Vec<(String, String)>,
    pub(super) clock: Option<StrangeClock>,
    pub(super) missing: Missing,
    pub(super) filesystem: String,
    pub(super) workspaces: Vec<String>,
    credentials: Vec<String>,
    pub(super) ledger: Arc<Ledger>,
    /// Receivers that fail at times; `None` while they are gone.
    failing: Option<Receiver>,
    failing_address: SocketAddr,
    steady: Receiver,
    folder: TempDir,
}

impl Stage {
    pub(super) fn set(binary: &Path, plan: &Plan) -> Result<Self, String> {
        let folder = TempDir::new().map_err(|error| format!("no temporary folder: {error}"))?;
        let failed =
            |error: io::Error| format!("the scene cannot be set in {}: {error}", folder.path().display());
        let config = folder.path().join("signalpost.toml");
        fs::write(&config, CONFIG).map_err(failed)?;
        let mut missing = Missing::default();
        let is_root =
            fs::metadata("/proc/self").is_ok_and(|own| std::os::unix::fs::MetadataExt::uid(&own) == 0);
        if !is_root {
            missing.user = Some("not root, so the server runs as the one who called this".to_owned());
        }
        // A copy: somebody else may not be permitted to reach the binary where it lies.
        let copy = folder.path().join("signalpost");
        fs::copy(binary, &copy).map_err(failed)?;
        fs::set_permissions(&copy, fs::Permissions::from_mode(0o755)).map_err(failed)?;
        let mut options = ServerOptions::new(copy);
        options.arguments = vec!["--config".to_owned(), config.to_string_lossy().into_owned()];
        options.user = is_root.then_some(NOBODY);
        let database = match plan.store {
            StoreKind::Sqlite => None,
            StoreKind::Postgres => {
                Some(Postgres::start(&[]).map_err(|error| format!("no PostgreSQL server: {error}"))?)
            }
        };
        let environment = database.as_ref().map(environment).unwrap_or_default();
        options.environment.clone_from(&environment);
        let servers: Vec<Server> =
            (0..plan.nodes).map(|_| Server::new(options.clone())).collect::<Result<_, _>>()?;
        let data = servers[0].data();
        let disk = match Disk::mount(&data, &folder.path().join("disk.image")) {
            Ok(disk) => Some(disk),
            Err(error) => {
                missing.disk = Some(format!("no filesystem of its own: {error}"));
                None
            }
        };
        let clock = StrangeClock::find(folder.path().join("clock"));
        if clock.is_none() {
            missing.clock =
                Some("libfaketime is not installed (Debian: apt-get install libfaketime)".to_owned());
        }
        for server in &servers {
            fs::create_dir_all(server.data()).map_err(failed)?;
            if is_root {
                std::os::unix::fs::chown(server.data(), Some(NOBODY), Some(NOBODY)).map_err(failed)?;
            }
        }
        let filesystem = filesystem_at(&data) + if disk.is_some() { " on a loop device" } else { "" };
        let ledger = Arc::new(Ledger::new(plan.seed));
        let listen = |address| receiver(&ledger, address);
        let failing_address = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()));
        let (steady, failing) =
            (listen(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))?, Some(listen(failing_address)?));
        let mut stage = Self {
            servers,
            database,
            environment,
            disk,
            clock,
            missing,
            filesystem,
            workspaces: Vec::new(),
            credentials: Vec::new(),
            ledger,
            failing,
            failing_address,
            steady,
            folder,
        };
        stage.prepare()?;
        Ok(stage)
    }

    /// A file on the disk that the data's own lies on, which is never full.
    pub(super) fn beside_the_data(&self) -> PathBuf {
        self.folder.path().join("heartbeat")
    }

    /// Workspaces, and in each the webhooks that stay: one that takes everything, one that selects, one that fails.
    fn prepare(&mut self) -> Result<(), String> {
        for server in &mut self.servers {
            server.launch()?;
            server.wait_ready(START_TIMEOUT)?;
        }
        let mut operator = self.operator();
        let policy = json!({
            "retry_schedule_s": vec![RETRY_DELAY_S; ATTEMPTS - 1], "timeout_ms": TIMEOUT_MS
        });
        for (number, dialect) in DIALECTS.iter().enumerate() {
            let body = json!({"dialect": dialect, "name": "torture", "policy": policy});
            let workspace = operator.create_workspace(&body)?;
            let credential = if number == NATIVE {
                self.operator_key().to_owned()
            } else {
                operator.create_credential(&workspace)?
            };
            self.workspaces.push(workspace);
            self.credentials.push(credential);
        }
        for mut desk in self.desks() {
            let in_order = desk.workspace == NATIVE;
            let all = Wants { first_subject: desk.workspace == AGENTS, in_order, ..Wants::ALL };
            let second = Wants { kinds: [false, true], ..all };
            let filtered = Wants { shards: [false, true, true, false], in_order: false, ..all };
            let selective = if desk.workspace == NATIVE { filtered } else { second };
            self.create(&mut desk, all, Temper::Steady)?;
            self.create(&mut desk, selective, Temper::Steady)?;
            self.create(&mut desk, second, Temper::Failing)?;
        }
        Ok(())
    }

    fn create(&self, desk: &mut Desk, wants: Wants, temper: Temper) -> Result<(), String> {
        let hook = self.ledger.add_hook(desk.workspace, wants, temper);
        let base = if temper == Temper::Steady { self.steady.url("") } else { self.failing_url() };
        let change = self.ledger.asked(hook, State::Active);
        match desk.create(&format!("{base}/h{hook}"), wants, &format!("torture-first-{hook}")) {
            Reached::Done(Created { id, secret }) => {
                self.ledger.answered(hook, change);
                self.ledger.set_secret(hook, &secret);
                self.ledger.set_id(hook, &id);
                Ok(())
            }
            Reached::Fault(fault) => Err(fault),
            Reached::Unanswered | Reached::Refused => Err("a quiet server makes no webhook".to_owned()),
        }
    }

    /// A desk for each workspace.
    pub(super) fn desks(&self) -> Vec<Desk> {
        let addresses: Vec<(SocketAddr, SocketAddr)> =
            self.servers.iter().map(|server| (server.public(), server.operator_address())).collect();
        let key = self.operator_key();
        let credentials = self.workspaces.iter().zip(&self.credentials).enumerate();
        credentials
            .map(|(number, (id, credential))| Desk::new(number, id, credential, &addresses, key))
            .collect()
    }

    /// One key opens every server.
    pub(super) fn operator_key(&self) -> &str {
        self.servers[0].operator_key()
    }

    /// A new connection to the operator API of the first server.
    pub(super) fn operator(&self) -> Operator {
        self.servers[0].operator()
    }

    /// How often a group of webhooks went to another server, or to one that came back; the first time does not count.
    pub(super) fn hand_overs(&self) -> Option<u64> {
        let epochs = self.database.as_ref()?.say(GROUPS_TAKEN).ok()?;
        epochs.parse().ok()
    }

    /// Where the data lie, as the report names it.
    pub(super) fn place(&self) -> String {
        match (&self.database, self.servers.len()) {
            (None, _) => self.filesystem.clone(),
            (Some(_), 1) => "PostgreSQL".to_owned(),
            (Some(_), nodes) => format!("PostgreSQL, {nodes} nodes"),
        }
    }

    pub(super) fn steady_address(&self) -> SocketAddr {
        self.steady.address()
    }

    pub(super) fn failing_url(&self) -> String {
        format!("http://{}", self.failing_address)
    }

    /// The receivers that fail at times go, with every connection to them.
    pub(super) fn send_receivers_away(&mut self) {
        self.failing = None;
    }

    pub(super) fn bring_receivers_back(&mut self) -> Result<(), String> {
        self.failing = Some(receiver(&self.ledger, self.failing_address)?);
        Ok(())
    }
}

/// What tells a server to keep its data in a database.
fn environment(database: &Postgres) -> Vec<(String, String)> {
    let pair = |name: &str, value: String| (name.to_owned(), value);
    vec![pair("SIGNALPOST_DATABASE_URL", database.url()), pair("SIGNALPOST_MASTER_KEY", "5a".repeat(32))]
}

fn receiver(ledger: &Arc<Ledger>, address: SocketAddr) -> Result<Receiver, String> {
    let ledger = Arc::clone(ledger);
    let handler: Handler = Arc::new(move |request| ledger.receive(request));
    Receiver::start_at(address, handler).map_err(|error| format!("no receiver at {address}: {error}"))
}
