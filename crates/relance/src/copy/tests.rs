//! Copies, restores, and every point at which a program may end.

use relance_core::contact::Identity;
use relance_core::ids::ContactId;
use relance_store::{SqliteOptions, SqliteStore, Synchronous};
use tempfile::TempDir;

use super::*;
use crate::workspace::DATABASE;

struct Folder {
    dir: TempDir,
}

impl Folder {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let folder = Self { dir };
        drop(folder.open());
        folder
    }

    fn path(&self) -> &Path {
        self.dir.path()
    }

    fn open(&self) -> (SqliteStore, Reader) {
        let database = self.path().join(DATABASE);
        let options = SqliteOptions {
            synchronous: Synchronous::Off,
            ..SqliteOptions::default()
        };
        let store = SqliteStore::open(&database, options).unwrap();
        (store, Reader::open(&database).unwrap())
    }

    /// A start of the program, whole; its witness.
    fn start(&self) -> Begun {
        let (mut store, reader) = self.open();
        begin(&mut store, &reader, self.path(), None, moment(1)).unwrap()
    }

    /// What a start would find.
    fn look(&self) -> Option<Cause> {
        let (_, reader) = self.open();
        let quiet = look(&reader, self.path(), None, moment(2)).unwrap();
        quiet.map(|quiet| quiet.reason)
    }

    fn commit(&self, asset: &Asset) {
        let (mut store, _) = self.open();
        put(&mut store, std::slice::from_ref(asset), moment(3)).unwrap();
    }

    fn contact(&self) -> ContactId {
        let (mut store, _) = self.open();
        store.resolve(&[Identity::user("1")], moment(4)).unwrap()
    }

    /// Its files in another folder.
    fn copy(&self, names: &[&str]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        for name in names {
            std::fs::copy(self.path().join(name), dir.path().join(name)).unwrap();
        }
        Self { dir }
    }
}

fn moment(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

#[test]
fn a_folder_that_stays_where_it_is_is_never_a_copy() {
    let folder = Folder::new();
    assert_eq!(folder.look(), None, "nobody ran here yet");
    for _ in 0..3 {
        assert_eq!(folder.start().quiet, None);
        assert_eq!(folder.look(), None);
    }
    let to = tempfile::tempdir().unwrap();
    let moved = to.path().join("moved");
    std::fs::rename(folder.path(), &moved).unwrap();
    std::fs::rename(&moved, folder.path()).unwrap();
    assert_eq!(folder.look(), None);
}

#[test]
fn what_was_copied_restored_or_came_alone_is_told() {
    let folder = Folder::new();
    folder.start();
    folder.contact();
    let alone = folder.copy(&[DATABASE]);
    assert_eq!(alone.look(), Some(Cause::WitnessMissing));
    let both = [DATABASE, FILE_NAME];
    let whole = folder.copy(&both);
    assert_eq!(whole.look(), Some(Cause::Copied));

    // The database is put back over the one that went on, in the same file.
    folder.start();
    assert_eq!(folder.look(), None);
    let put_back = |name: &str| {
        std::fs::copy(whole.path().join(name), folder.path().join(name)).unwrap();
    };
    put_back(DATABASE);
    assert_eq!(folder.look(), Some(Cause::Restored));
    let begun = folder.start();
    assert_eq!(begun.quiet.unwrap().reason, Cause::Restored);
    // It stays so, with the reason that was noticed, though the witness is its own by now.
    let again = folder.start().quiet.unwrap();
    assert_eq!(
        (again.reason, again.noticed_at),
        (Cause::Restored, moment(1))
    );

    // A database from before there were witnesses, in place of one that had people.
    let fresh = Folder::new();
    fresh.contact();
    std::fs::copy(whole.path().join(FILE_NAME), fresh.path().join(FILE_NAME)).unwrap();
    assert_eq!(fresh.look(), Some(Cause::Restored));
    // A new and empty one has nothing to send.
    let empty = Folder::new();
    std::fs::copy(whole.path().join(FILE_NAME), empty.path().join(FILE_NAME)).unwrap();
    assert_eq!(empty.look(), None);
}

#[test]
fn a_database_older_than_what_left_is_told_by_the_wire_log() {
    let folder = Folder::new();
    folder.start();
    let contact = folder.contact();
    let log = |text: &str| {
        let path = folder.path().join(crate::send::wire_log::FILE_NAME);
        std::fs::write(path, text).unwrap();
    };
    let known = TouchpointId { contact, hash: 7 };
    let stranger = TouchpointId {
        contact: ContactId(contact.0 + 1),
        hash: 7,
    };
    // What was noted only, or refused, may be claimed anew under its number.
    for harmless in [
        format!("{known} 1;\n"),
        format!("{known} 1>;\n{known} 1-;\n"),
        format!("{stranger} 1>;\n{stranger} 1+;\n"),
        format!("{known} 1"),
    ] {
        log(&harmless);
        assert_eq!(folder.look(), None, "{harmless:?}");
    }
    for left in [">;", ">;\n{} 1+;"] {
        log(&format!(
            "{known} 1{}\n",
            left.replace("{}", &known.to_string())
        ));
        assert_eq!(folder.look(), Some(Cause::OlderThanSent), "{left:?}");
    }
}

#[test]
fn ending_at_any_point_of_the_writing_makes_no_copy() {
    let mut seed = 2_026_u64;
    let mut chance = |below: u64| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (seed >> 33) % below
    };
    // The very first start may end before the file is there, and before it is confirmed.
    let folder = Folder::new();
    let first = |held: Option<String>| Witness {
        data: folder.path().to_owned(),
        database: database_id(&folder.open().1).unwrap(),
        folder: None,
        held,
        pending: None,
    };
    let mut witness = first(None);
    for _ in 0..2 {
        folder.commit(&witness.renew().unwrap());
        assert_eq!(folder.look(), None);
        witness = first(None);
    }
    folder.commit(&witness.renew().unwrap());
    witness.write().unwrap();
    assert_eq!(folder.look(), None);

    let blocked = folder.path().join(format!("{FILE_NAME}.new"));
    for round in 0..200 {
        let begun = folder.start();
        assert_eq!(begun.quiet, None, "round {round}");
        let mut witness = begun.witness;
        for _ in 0..chance(4) {
            let asset = witness.renew().unwrap();
            match chance(4) {
                // The commit failed.
                0 => {}
                // The file could not be written.
                1 => {
                    folder.commit(&asset);
                    std::fs::create_dir(&blocked).unwrap();
                    assert!(witness.write().is_err());
                    std::fs::remove_dir(&blocked).unwrap();
                }
                _whole => {
                    folder.commit(&asset);
                    witness.write().unwrap();
                }
            }
            assert_eq!(folder.look(), None, "round {round}");
        }
        // The program ends before, between or after the two.
        let asset = witness.renew().unwrap();
        match chance(3) {
            0 => {}
            1 => folder.commit(&asset),
            _whole => {
                folder.commit(&asset);
                witness.write().unwrap();
            }
        }
        assert_eq!(folder.look(), None, "round {round}");
    }
}

#[tokio::test]
async fn each_beat_draws_a_token_that_both_places_have() {
    let folder = Folder::new();
    let clock: relance_engine::clock::SharedClock = Arc::new(relance_engine::clock::SystemClock);
    let config = crate::config::Config::default();
    let workspace = Workspace::open(folder.path(), config, clock).unwrap();
    let mut tokens = Vec::new();
    for _ in 0..3 {
        tokens.push(read_beside(folder.path()).unwrap().unwrap().token);
        let inside = setting(&folder.open().1, &asset_name(None))
            .unwrap()
            .unwrap();
        let inside: Inside = serde_json::from_str(&inside).unwrap();
        assert_eq!(Some(&inside.token), tokens.last());
        assert_eq!(folder.look(), None, "also while it runs");
        renew(workspace.clone()).await.unwrap();
    }
    assert!(tokens[0] != tokens[1] && tokens[1] != tokens[2]);
    tokio::task::spawn_blocking(move || workspace.stop())
        .await
        .unwrap();
}

#[test]
fn a_file_is_told_by_what_stays_the_same_while_it_stays() {
    let file = FileId {
        path: "/data/a".to_owned(),
        device: Some(1),
        inode: Some(2),
        born: Some(3),
    };
    let with = |change: fn(&mut FileId)| {
        let mut other = file.clone();
        change(&mut other);
        file.is_same(&other)
    };
    // Moved; mounted anew; a system that tells less.
    assert!(with(|other| other.path.push('b')));
    assert!(with(|other| other.device = Some(9)));
    assert!(with(|other| (other.inode, other.born) = (None, None)));
    assert!(!with(|other| other.inode = Some(9)));
    assert!(!with(|other| other.born = Some(9)));
    assert!(!with(|other| {
        other.device = Some(9);
        other.path.push('b');
    }));
}

#[test]
fn in_a_copy_only_what_left_is_certain() {
    let id = |hash| TouchpointId {
        contact: ContactId(1),
        hash,
    };
    let noted = Noted::from([
        ((id(1), 1), Fate::Left),
        ((id(2), 1), Fate::NotLeft),
        ((id(3), 1), Fate::Left),
    ]);
    let in_flight = [(id(1), 1), (id(2), 1), (id(3), 2), (id(4), 1)];
    let doubted = doubt(&noted, in_flight.into_iter());
    let fates: Vec<Fate> = doubted.into_values().collect();
    use Fate::{Left, MayHaveLeft};
    assert_eq!(fates, [Left, MayHaveLeft, MayHaveLeft, MayHaveLeft]);
}
