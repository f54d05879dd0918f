//! One workspace, opened and running: store, engine, dispatcher, mailboxes.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use relance_channels::dkim::DkimSigner;
use relance_channels::imap::{self, ImapAccount};
use relance_channels::smtp::{self, RouteId, SmtpRoute, SmtpSender};
use relance_core::ids::TouchpointId;
use relance_core::touchpoint::Slot;
use relance_core::world::World;
use relance_engine::arrival::{Arrival, Envelope, Refusal};
use relance_engine::clock::SharedClock;
use relance_engine::ports::{Dispatch, Store, StoreError};
use relance_engine::quiet::Backlog;
use relance_engine::run::{self, Handle};
use relance_engine::sharing::{Held, PARTITIONS};
use relance_engine::topics::{Topic, Topics};
use relance_engine::turn::Engine;
use relance_store::AnyStore;
use relance_store::postgres::PostgresOptions;
use relance_store::read::Reader;
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;

use crate::access::{self, Access, Caller};
use crate::config::{
    self, Config, ConfigProblem, Credential, DkimKind, ImapConfig, SmtpConfig, field,
};
use crate::consent::Erased;
use crate::content::{self, Content};
use crate::copy::{self, CopyProblem, Guard, Quiet};
use crate::examine::Rules;
use crate::keys;
use crate::link::LinkKey;
use crate::live::Live;
use crate::mailbox::Mailboxes;
use crate::mailbox::book::Book;
use crate::mailbox::keep::Watching;
use crate::metrics::Metrics;
use crate::node::Member;
use crate::oauth::Tokens;
use crate::policy::{calendars, double_opt_in, policy};
use crate::send::compose::Composer;
use crate::send::post::{Letter, PostProblem};
use crate::send::wire_log::{Noted, WireLog};
use crate::send::{Sending, WORKSPACE_ROUTE, Wire};
use crate::settings::{self, Settings, SettingsProblem};
use crate::vault::Vault;

/// The database's name inside the data folder.
pub const DATABASE: &str = "relance.db";
/// The folder of messages that are not sent.
pub const OUTBOX: &str = "outbox";

/// Mailboxes that are tried, and servers that are looked for, at once.
const CHECKS_MAX: usize = 8;

/// How long a polite end waits for messages under way.
const DRAIN_MAX: Duration = Duration::from_secs(10);

/// Why a workspace cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenProblem {
    /// The configuration.
    #[error(transparent)]
    Config(#[from] ConfigProblem),
    /// What was changed of it in the interface.
    #[error(transparent)]
    Settings(#[from] SettingsProblem),
    /// The database.
    #[error(transparent)]
    Database(#[from] relance_store::PlaceError),
    /// What is in the database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// What is read of the database.
    #[error(transparent)]
    Read(#[from] relance_store::read::ReadError),
    /// The data folder.
    #[error("the data folder: {0}")]
    Folder(#[from] std::io::Error),
    /// What the database holds cannot be used by this version.
    #[error("{what} {name} in the database: {text}")]
    Content {
        /// `journey` or `template`.
        what: &'static str,
        /// Which.
        name: String,
        /// Why.
        text: String,
    },
    /// What tells a copy from the original.
    #[error(transparent)]
    Copy(#[from] CopyProblem),
    /// What comes with the program is damaged.
    #[error("the bundled rules: {0}")]
    Bundled(String),
}

/// A workspace that runs.
pub struct Workspace {
    /// The configuration in force.
    pub settings: Arc<Settings>,
    /// The data folder.
    pub data: PathBuf,
    /// The way to the engine.
    pub engine: Handle,
    /// The database, for pages.
    pub reader: Arc<Reader>,
    /// Makes mails.
    pub composer: Arc<Composer>,
    /// Watched mailboxes.
    pub mailboxes: Arc<Mailboxes>,
    /// Counters.
    pub metrics: Arc<Metrics>,
    /// The moment.
    pub clock: SharedClock,
    /// Write keys and tokens.
    pub keys: Arc<keys::Keys>,
    /// Who logs in.
    pub access: Arc<Access>,
    /// Whether this is a copy, which sends nothing (R10).
    pub copy: Arc<Guard>,
    /// Templates and content lists in force.
    pub content: Arc<Content>,
    /// Whom erasures removed.
    pub erased: Arc<Erased>,
    /// The wheel of a demonstration, where this is one.
    pub demo: std::sync::OnceLock<Arc<crate::demo::control::Control>>,
    /// What changes, for open pages.
    pub live: Arc<Live>,
    /// Seals and opens secrets.
    pub vault: Arc<Vault>,
    /// The mailboxes in force, and what keeps them watched.
    pub watching: Arc<Watching>,
    /// Mailboxes are changed one at a time.
    pub changing_mailboxes: tokio::sync::Mutex<()>,
    /// Scenarios are applied one at a time.
    pub applying: tokio::sync::Mutex<()>,
    shared: bool,
    sending: Sending,
    first: Arc<AtomicBool>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Workspace {
    /// Opens a data folder and starts its engine. Must be called within a Tokio runtime.
    pub fn open(data: &Path, config: Config, clock: SharedClock) -> Result<Arc<Self>, OpenProblem> {
        Self::open_with(data, config, clock, access::Options::default())
    }

    /// [`open`](Self::open), with accounts that differ: for tests.
    pub fn open_with(
        data: &Path,
        config: Config,
        clock: SharedClock,
        accounts_of: access::Options,
    ) -> Result<Arc<Self>, OpenProblem> {
        std::fs::create_dir_all(data)?;
        let place = config.place(data)?;
        let lease = config.lease(&place)?;
        let options = PostgresOptions {
            lease: lease.clone(),
            ..PostgresOptions::default()
        };
        let node = lease.as_ref().map(|lease| &*lease.name);
        let mut store = AnyStore::open_with(&place, options)?;
        let reader = Arc::new(Reader::open_place(&place)?);
        let begun = copy::begin(&mut store, &reader, data, node, clock.now())?;
        let quiet = begun.quiet.clone();
        let secret = keys::link_secret(&mut store, clock.now())?;
        let vault = Arc::new(Vault::begin(&mut store, data, clock.now())?);
        if let Some(problem) = vault.problem() {
            tracing::error!(%problem, "sealed secrets cannot be opened");
        }
        let keys = Arc::new(keys::Keys::load(&mut store)?);
        let erased = Arc::new(Erased::load(&secret, &reader)?);
        let in_force = Arc::new(Settings::load(config, &mut store, vault.clone(), data)?);
        let config = in_force.config();
        let signers = signers(&config, data)?;
        let composer = Arc::new(Composer::new(&config, LinkKey::new(&secret), signers));
        let people = Access::load(&mut store, composer.clone(), accounts_of)?;
        let access = Arc::new(people);
        access.set_zone(policy(&config)?.zone);
        let rules = Arc::new(Rules::bundled().map_err(OpenProblem::Bundled)?);
        rules.own.reload(&mut store)?;

        let mut world = empty_world(&config, &secret)?;
        let content = Arc::new(Content::load(&mut store, composer.clone(), &mut world)?);
        let settings = config.rfm.settings();
        content::load_segments(&mut store, &settings, &mut world)?;
        content::load_journeys(&mut store, &settings, &mut world)?;

        let noted = WireLog::read(data)?;
        // Where several share the work, messages of this one may be others' now: they are looked into later.
        let unsettled = match node {
            None => unsettled(&mut store, &world)?,
            Some(_) => Vec::new(),
        };
        let noted = match quiet {
            Some(_) => copy::doubt(&noted, in_flight(&unsettled)),
            None => noted,
        };
        let mut keep = Noted::new();
        for ((id, attempt), fate) in &noted {
            let is_open = match node {
                None => unsettled.iter().any(|message| message.touchpoint.id == *id),
                Some(_) => reader
                    .touchpoint(*id)?
                    .is_some_and(|one| one.slot() == Slot::Flight),
            };
            if is_open {
                keep.insert((*id, *attempt), *fate);
            }
        }
        let log = WireLog::begin(data, &keep)?;

        let tokens = Arc::new(Tokens::default());
        let book = Arc::new(Book::new(&in_force.file, data)?);
        book.reload(&mut store, &vault, &tokens)?;
        let wire = Wire::new(&config, data)?;
        let mailboxes = Arc::new(Mailboxes::default());
        let syncing = mailboxes.clone();
        let sending = Sending::new(
            tokio::runtime::Handle::current(),
            clock.clone(),
            composer.clone(),
            rules.clone(),
            wire,
            log,
            book.clone(),
            reader.clone(),
            Box::new(move |mailbox| {
                syncing.sync_now(mailbox);
            }),
        );

        let (handle, intake) = run::intake();
        sending.connect(handle.clone());
        let titles = content::title_writer_for(composer.clone());
        let mut engine = Engine::new(store, sending.clone(), world, titles)?;
        engine.set_identity_hash(erased.hash());
        let copy = Arc::new(Guard::new(begun));
        let watching = Arc::new(Watching {
            book,
            tokens,
            reader: reader.clone(),
            sending: sending.clone(),
            held: Mutex::new(node.map(|_| Held::default())),
            turn: Mutex::default(),
            checks: tokio::sync::Semaphore::new(CHECKS_MAX),
            mailboxes: mailboxes.clone(),
            rules: rules.clone(),
            engine: handle.clone(),
            clock: clock.clone(),
            runtime: tokio::runtime::Handle::current(),
        });
        let metrics = Arc::new(Metrics::default());
        let first = Arc::new(AtomicBool::new(node.is_none()));
        match node {
            None => {
                metrics.partitions.set(PARTITIONS as u64);
                watching.apply();
            }
            Some(name) => {
                tracing::info!(node = name, "shares the workspace with other nodes");
                engine.share(Box::new(Member {
                    metrics: metrics.clone(),
                    first: first.clone(),
                    settings: in_force.clone(),
                    composer: composer.clone(),
                    secret: secret.clone(),
                    content: content.clone(),
                    keys: keys.clone(),
                    access: access.clone(),
                    erased: erased.clone(),
                    reader: reader.clone(),
                    copy: copy.clone(),
                    sending: sending.clone(),
                    noted: keep,
                    watching: watching.clone(),
                    vault: vault.clone(),
                    waiting: Mutex::default(),
                }))?;
            }
        }
        let live = Arc::new(Live::default());
        let observer = observer(metrics.clone().observer(), live.clone());
        let shared = node.is_some();
        let engine_clock = clock.clone();
        let thread = std::thread::Builder::new()
            .name("engine".to_owned())
            .spawn(move || {
                // The store closes with the engine.
                drop(run::run(engine, &intake, &engine_clock, observer));
            })?;
        let workspace = Arc::new(Self {
            reader,
            settings: in_force,
            data: data.to_owned(),
            engine: handle,
            composer,
            mailboxes,
            metrics,
            clock,
            keys,
            access,
            copy,
            content,
            erased,
            demo: std::sync::OnceLock::new(),
            live,
            vault,
            watching,
            changing_mailboxes: tokio::sync::Mutex::default(),
            shared,
            applying: tokio::sync::Mutex::default(),
            sending: sending.clone(),
            first,
            thread: Mutex::new(Some(thread)),
        });
        match quiet {
            Some(quiet) => {
                workspace.copy.keep(unsettled, noted);
                workspace.tell_quiet(&quiet);
            }
            None => sending.reconcile(unsettled, &noted),
        }
        copy::keep_witness(&workspace);
        crate::segments::rfm::keep(&workspace);
        crate::oauth::renew::keep(&workspace);
        crate::mailbox::alert::keep(&workspace);
        crate::digest::keep(&workspace);
        Ok(workspace)
    }

    fn tell_quiet(&self, quiet: &Quiet) {
        let overdue = self.reader.overdue(self.clock.now()).unwrap_or_default();
        tracing::warn!(
            reason = quiet.reason.word(),
            timers = overdue.timers.count,
            messages = overdue.messages.count,
            "{}; nothing is sent until a person releases it: {}",
            quiet.reason.sentence(),
            copy::REMEDY
        );
    }

    /// The configuration in force now; what is changed in the interface comes with the next call.
    pub fn config(&self) -> Arc<Config> {
        self.settings.config()
    }

    /// Goes by another configuration from now on; the engine was told in the commit.
    pub(crate) fn go_by(&self, config: Config) {
        let users = settings::Users {
            composer: &self.composer,
            access: &self.access,
            sending: &self.sending,
        };
        self.settings.go_by(config, &users);
    }

    /// Lets what runs follow the mailboxes in force, off the network threads.
    pub fn apply_mailboxes(&self) {
        let watching = self.watching.clone();
        let live = self.live.clone();
        // Nobody waits: what differs is done by the next call at the latest.
        let _done = tokio::task::spawn_blocking(move || {
            watching.apply();
            live.touch(Topics::of(&[Topic::Overview]));
        });
    }

    /// Whether other nodes may commit beside this one.
    pub const fn is_shared(&self) -> bool {
        self.shared
    }

    /// Whether what is done once for the workspace, not once for each node, falls to this program.
    pub fn is_first(&self) -> bool {
        self.first.load(Ordering::Acquire)
    }

    /// Lets a quiet workspace send again, with what is overdue treated as said. `false`: it was not quiet,
    /// and nothing changed.
    pub async fn release(&self, backlog: Backlog) -> Result<bool, Refusal> {
        if self.copy.quiet().is_none() {
            return Ok(false);
        }
        self.submit(vec![Arrival::Released(backlog)], 256).await?;
        // Of two at once, one finds what was kept; the engine obeyed the first.
        if let Some((unsettled, noted)) = self.copy.released() {
            tracing::info!(?backlog, "released: messages go again");
            self.sending.reconcile(unsettled, &noted);
        }
        Ok(true)
    }

    /// Gives arrivals to the engine and waits until they are durable.
    pub async fn submit(&self, arrivals: Vec<Arrival>, weight: usize) -> Result<(), Refusal> {
        let (tell, told) = tokio::sync::oneshot::channel();
        self.engine.submit(Envelope {
            arrivals,
            weight,
            // A caller that went away needs no answer; what it sent is kept all the same.
            acknowledge: Some(Box::new(move |result| {
                let _nobody_waits = tell.send(result);
            })),
        })?;
        told.await.unwrap_or(Err(Refusal::Stopping))
    }

    /// Sends a letter of the program itself, to one of ours; a copy sends none (R10).
    pub async fn post(&self, letter: Letter) -> Result<(), PostProblem> {
        if self.copy.quiet().is_some() {
            return Err(PostProblem::Quiet);
        }
        let chance = random_secret().map_err(|error| PostProblem::Unmade(error.to_string()))?;
        let id: String = blake3::hash(&chance).to_hex().chars().take(24).collect();
        self.sending.post(letter, &format!("letter-{id}")).await
    }

    /// Gives arrivals to the engine in somebody's name: who changed what is noted in the same commit. `action` is a
    /// code such as `journey.publish`; `object` is an id, or an address of ours.
    pub async fn submit_as(
        &self,
        caller: &Caller,
        arrivals: Vec<Arrival>,
        weight: usize,
        action: &str,
        object: &str,
    ) -> Result<(), Refusal> {
        let more = serde_json::Value::Null;
        self.submit_with(caller, arrivals, weight, action, object, &more)
            .await
    }

    /// [`submit_as`](Self::submit_as), with more to say of the change: an object, without anything that a contact is
    /// called by.
    pub async fn submit_with(
        &self,
        caller: &Caller,
        mut arrivals: Vec<Arrival>,
        weight: usize,
        action: &str,
        object: &str,
        more: &serde_json::Value,
    ) -> Result<(), Refusal> {
        /// What a line of the audit weighs in the engine's queue.
        const LINE_WEIGHT: usize = 256;
        arrivals.push(Arrival::Audited {
            by: caller.name(),
            action: action.to_owned(),
            object: object.to_owned(),
            detail: if more.is_null() {
                String::new()
            } else {
                more.to_string()
            },
        });
        self.submit(arrivals, weight + LINE_WEIGHT).await
    }

    /// Stops the mailboxes, lets the engine finish what waits, and waits for it.
    pub fn stop(&self) {
        self.mailboxes.stop();
        self.sending.drain(DRAIN_MAX);
        self.engine.stop();
        let thread = self
            .thread
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(thread) = thread {
            // A panic there was reported by the panic hook.
            let _ended = thread.join();
        }
    }
}

/// Tells open pages of each turn, beside whoever counts.
fn observer(mut count: run::Observer, live: Arc<Live>) -> run::Observer {
    Box::new(move |result| {
        if let Ok(summary) = result {
            live.touch(summary.topics);
        }
        count(result);
    })
}

/// A world without journeys, segments and texts.
pub(crate) fn empty_world(config: &Config, secret: &[u8]) -> Result<World, ConfigProblem> {
    let mut world = World::new(policy(config)?, salt(secret));
    world.calendars = calendars();
    world.double_opt_in = double_opt_in(config)?;
    Ok(world)
}

/// The tries of messages in flight, as the wire log names them.
fn in_flight(unsettled: &[Dispatch]) -> impl Iterator<Item = (TouchpointId, u8)> {
    unsettled
        .iter()
        .map(|dispatch| copy::attempt_of(&dispatch.touchpoint))
}

/// The seed of shares and variants, from the workspace's secret.
pub(crate) fn salt(secret: &[u8]) -> u64 {
    let hash = blake3::derive_key("relance 2026-11 shares and variants", secret);
    u64::from_le_bytes([
        hash[0], hash[1], hash[2], hash[3], hash[4], hash[5], hash[6], hash[7],
    ])
}

/// The keys that mails are signed with, by domain.
pub fn signers(
    config: &Config,
    data: &Path,
) -> Result<BTreeMap<String, Arc<DkimSigner>>, ConfigProblem> {
    let mut signers: BTreeMap<String, DkimSigner> = BTreeMap::new();
    for key in &config.dkim {
        let place = "dkim.key_file";
        let text = std::fs::read_to_string(data.join(&key.key_file))
            .map_err(|error| field(place, format!("{}: {error}", key.key_file.display())))?;
        let domain = key.domain.to_lowercase();
        let signer = match (signers.remove(&domain), key.kind) {
            (None, DkimKind::Rsa) => DkimSigner::rsa_pem(&domain, &key.selector, &text),
            (None, DkimKind::Ed25519) => DkimSigner::ed25519(&domain, &key.selector, text.trim()),
            (Some(signer), DkimKind::Rsa) => signer.and_rsa_pem(&key.selector, &text),
            (Some(signer), DkimKind::Ed25519) => signer.and_ed25519(&key.selector, text.trim()),
        };
        signers.insert(domain, signer.map_err(|problem| field(place, problem))?);
    }
    Ok(signers
        .into_iter()
        .map(|(domain, signer)| (domain, Arc::new(signer)))
        .collect())
}

/// The routes of a configuration, in the place of those of another one: what is on its way ends on the old.
pub(crate) fn set_routes(
    sender: &SmtpSender,
    config: &Config,
    data: &Path,
) -> Result<(), ConfigProblem> {
    let set = |id: &str, own: Option<&SmtpConfig>, place: &str| {
        let id = RouteId::new(id);
        let Some(own) = own else {
            sender.remove(&id);
            return Ok(());
        };
        if let Some(reason) = own.secret.why_shut() {
            tracing::error!(
                reason,
                place,
                "messages wait for the mail server's password"
            );
            sender.remove(&id);
            return Ok(());
        }
        let route = route(own, data, place)?;
        sender
            .configure(id, route)
            .map_err(|problem| field(place, problem))
    };
    set(WORKSPACE_ROUTE, config.smtp.as_ref(), "smtp")?;
    for mailbox in &config.mailbox {
        let own = mailbox.smtp.as_ref().or(config.smtp.as_ref());
        set(&mailbox.address.to_lowercase(), own, "mailbox.smtp")?;
    }
    Ok(())
}

/// What a mail server is for the channel.
pub(crate) fn route(
    own: &SmtpConfig,
    data: &Path,
    place: &str,
) -> Result<SmtpRoute, ConfigProblem> {
    let tls = match own.tls {
        config::Tls::Implicit => smtp::Tls::Implicit,
        config::Tls::Starttls => smtp::Tls::StartTls,
        config::Tls::None => smtp::Tls::None,
    };
    let mut route = SmtpRoute::new(own.host.as_str(), own.port, tls, own.helo.as_str());
    if let Some(path) = &own.ca_file {
        let authorities_pem = std::fs::read_to_string(data.join(path))
            .map_err(|error| field(place, format!("ca_file {}: {error}", path.display())))?;
        route.trust = smtp::Trust::WebRootsAnd { authorities_pem };
    }
    if let Some(user) = own.user.clone() {
        route.auth = match own.secret.read(place, data)? {
            Some(Credential::Password(secret)) => smtp::Auth::Password {
                user,
                secret: smtp::Secret::new(secret),
            },
            Some(Credential::Token(token)) => smtp::Auth::XOAuth2 {
                user,
                token: smtp::Secret::new(token),
            },
            None => return Err(field(place, "user without a secret; add password_file")),
        };
    }
    if let Some(most) = own.connections_max {
        route.limits.connections_max = most;
    }
    route.limits.messages_per_second_max = own.per_second_max.and_then(std::num::NonZeroU32::new);
    route.limits.messages_per_hour_max = own.per_hour_max.and_then(std::num::NonZeroU32::new);
    Ok(route)
}

/// The accounts of the watched mailboxes, by address.
pub fn accounts(
    config: &Config,
    data: &Path,
) -> Result<BTreeMap<String, ImapAccount>, ConfigProblem> {
    let mut accounts = BTreeMap::new();
    for mailbox in &config.mailbox {
        let address = mailbox.address.to_lowercase();
        let account = account(&mailbox.imap, &address, data)?;
        accounts.insert(address, account);
    }
    Ok(accounts)
}

pub(crate) fn account(
    own: &ImapConfig,
    address: &str,
    data: &Path,
) -> Result<ImapAccount, ConfigProblem> {
    let place = "mailbox.imap";
    let tls = match own.tls {
        config::Tls::Implicit => imap::Tls::Implicit,
        config::Tls::Starttls => imap::Tls::StartTls,
        config::Tls::None => imap::Tls::None,
    };
    let user = own.user.clone().unwrap_or_else(|| address.to_owned());
    let login = match own.secret.read(place, data)? {
        Some(Credential::Password(secret)) => imap::Login::password(user, secret),
        Some(Credential::Token(token)) => imap::Login::xoauth2(user, token),
        None => return Err(field(place, "no secret; add password_file")),
    };
    let mut account = ImapAccount::new(own.host.as_str(), own.port, tls, login);
    if let Some(path) = &own.ca_file {
        let roots = CertificateDer::pem_file_iter(data.join(path))
            .and_then(Iterator::collect::<Result<Vec<_>, _>>)
            .map_err(|error| field(place, format!("ca_file {}: {error}", path.display())))?;
        account.trust.extra_roots = roots;
    }
    Ok(account)
}

/// Messages in flight when the program ended, with what is needed to find out about them.
fn unsettled(store: &mut impl Store, world: &World) -> Result<Vec<Dispatch>, StoreError> {
    let mut dispatches = Vec::new();
    for touchpoint in store.in_flight()? {
        let Some(mut snapshot) = store.load(&[touchpoint.id.contact])?.pop() else {
            continue;
        };
        let claim = relance_core::decide::Input::Claim(touchpoint.id);
        let needs = snapshot.needs(world, &claim);
        store.load_needs(&mut snapshot, &needs)?;
        dispatches.push(Dispatch::of(&touchpoint, &snapshot));
    }
    Ok(dispatches)
}

/// A PEM or base64 text that must not be logged.
pub(crate) fn random_secret() -> Result<Vec<u8>, StoreError> {
    /// Bytes of the workspace's secret.
    const SECRET_BYTES: usize = 32;
    let mut secret = vec![0; SECRET_BYTES];
    getrandom::fill(&mut secret)
        .map_err(|error| StoreError::Failed(format!("no randomness: {error}")))?;
    Ok(secret)
}

/// Bytes as text, for the database.
pub(crate) fn encode(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

/// Text as bytes, from the database.
pub(crate) fn decode(text: &str) -> Option<Vec<u8>> {
    STANDARD.decode(text).ok()
}
