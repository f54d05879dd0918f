//! `relance init`: a workspace and its keys.

use std::path::{Path, PathBuf};

use relance_engine::clock::{Clock, SystemClock};
use relance_engine::ports::Store;
use relance_store::{AnyStore, Place, Reader};
use serde_json::json;

use crate::access::users_of;
use crate::config::{self, Config};
use crate::keys::{self, Scope};
use crate::vault::{self, Vault};

use super::target::config_of;
use super::target::hold;
use super::{Done, Failure, print_line, user};

/// Arguments.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The data folder.
    #[arg(long, env = "RELANCE_DATA")]
    data: PathBuf,
    /// Prints JSON.
    #[arg(long)]
    json: bool,
    /// Gives up a key of secrets that is lost: goes on with the one that is here, or a new one. What the lost one
    /// sealed must be entered again. Makes nothing else.
    #[arg(long)]
    new_secret_key: bool,
}

/// The configuration that a new workspace begins with.
const CONFIG: &str = include_str!("../../../../assets/default/relance.toml");

/// What a new workspace is opened with.
pub struct Made {
    /// Sends events.
    pub write_key: String,
    /// Opens the management API.
    pub api_token: String,
    /// Where the first admin is made; the interface where there are users already.
    pub admin_url: String,
}

pub fn run(args: Args) -> Done {
    if args.new_secret_key {
        let mut held = hold(&args.data)?;
        let now = held.now;
        let vault = Vault::first(&mut held.store, &args.data, now).map_err(Failure::cannot)?;
        if let Some(problem) = vault.problem() {
            return Err(Failure::cannot(problem));
        }
        let id = vault.id().unwrap_or_default();
        return print_line(&format!("secrets are sealed by key {id} from now on"));
    }
    let made = make(&args.data)?;
    let config = config_of(&args.data)?;
    let name = &config.workspace.name;
    if args.json {
        return print_line(
            &json!({
                "workspace": name,
                "write_key": made.write_key,
                "api_token": made.api_token,
                "admin_url": made.admin_url,
            })
            .to_string(),
        );
    }
    let folder = args.data.display();
    println!("Workspace {name:?} in {folder}. Keys are shown once; keep them:");
    println!("  write key  {}", made.write_key);
    println!("  API token  {}", made.api_token);
    println!("The first user is made here, once: {}", made.admin_url);
    if args.data.join(vault::KEY_FILE).exists() {
        println!(
            "Secrets are sealed by {folder}/{}: keep a copy of it apart from backups of the database",
            vault::KEY_FILE
        );
    }
    println!(
        "Edit {folder}/{}, then: relance serve --data {folder}",
        config::FILE_NAME
    );
    Ok(())
}

/// Whether there is no workspace yet: no file, or nobody has a key to what is on the server.
pub fn is_new(data: &Path) -> Result<bool, Failure> {
    let config = Config::load(data).map_err(Failure::cannot)?;
    let place = config.place(data).map_err(Failure::cannot)?;
    match &place {
        Place::File(path) => Ok(!path.exists()),
        Place::Server(_) => {
            // Other nodes may be at work: looking is enough. Where nothing can be read yet, there is none.
            if let Ok(reader) = Reader::open_place(&place) {
                let keys = reader.texts(keys::KIND).map_err(Failure::cannot)?;
                return Ok(keys.is_empty());
            }
            let mut store = AnyStore::open(&place).map_err(Failure::cannot)?;
            let keys = store.assets(keys::KIND).map_err(Failure::cannot)?;
            Ok(keys.is_empty())
        }
    }
}

/// Creates a workspace in a folder that has none, or adds new keys to the one that is there.
pub fn make(data: &Path) -> Result<Made, Failure> {
    std::fs::create_dir_all(data).map_err(Failure::cannot)?;
    let file = data.join(config::FILE_NAME);
    if !file.exists() {
        std::fs::write(&file, CONFIG).map_err(Failure::cannot)?;
    }
    let config = Config::load(data).map_err(Failure::cannot)?;
    let place = config.place(data).map_err(Failure::cannot)?;
    let mut store = AnyStore::open(&place).map_err(Failure::cannot)?;
    let now = SystemClock.now();
    let (write_key, write) = keys::make(Scope::Write).map_err(Failure::cannot)?;
    let (api_token, admin) = keys::make(Scope::Admin).map_err(Failure::cannot)?;
    Vault::begin(&mut store, data, now).map_err(Failure::cannot)?;
    let public_url = config.workspace.public_url.trim_end_matches('/');
    let users = users_of(&mut store).map_err(Failure::cannot)?;
    let (admin_url, link) = match user::setup_link(&users, public_url, now)? {
        Some((url, link)) => (url, Some(link)),
        None => (format!("{public_url}/"), None),
    };
    let put = |store: &mut AnyStore| {
        store.begin()?;
        if let Some(link) = &link {
            store.put_asset(link, now)?;
        }
        store.put_asset(&write, now)?;
        store.put_asset(&admin, now)?;
        store.commit()
    };
    put(&mut store).map_err(Failure::cannot)?;
    Ok(Made {
        write_key,
        api_token,
        admin_url,
    })
}
