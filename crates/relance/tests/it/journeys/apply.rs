//! A scenario is a folder: planned, applied, applied again, given back.

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::server::{Server, path_text, relance};

use super::{done, err, folder, inside, journey, out, put, refused, through};

/// Windows line ends, a comment and no line end at the end: all of it comes back.
const HELLO: &str = "# Says hello.\r\nformat: journey/1\r\nid: hello\r\nname: Приветствие\r\n\
    trigger: { event: Signed Up }\r\nsteps:\r\n  - { send: email, template: hello, content: tips }";
const HELLO_EN: &str = "---\nsubject: Hello\n---\nHello {{ contact.name }}: {{ item.title }}\n";
const HELLO_RU: &str = "---\nsubject: Здравствуйте\n---\nЗдравствуйте, {{ contact.name }}\n";
const TIPS: &str = "format: list/1\nid: tips\nitems:\n  - { id: one, title: One }   # the first\n";
const WRONG: &str =
    "format: journey/1\nid: wrong\ntrigger: { event: E }\nsteps:\n  - wait: 3 fortnights\n";

const FILES: [(&str, &str); 4] = [
    ("journeys/hello.yaml", HELLO),
    ("templates/hello.en.txt", HELLO_EN),
    ("templates/hello.ru.txt", HELLO_RU),
    ("lists/tips.yaml", TIPS),
];

/// The same through a server and in a folder without one.
fn whole_life(run: &dyn Fn(&[&str]) -> std::process::Output) {
    let scenario = folder(&FILES);
    let path = path_text(scenario.path());
    let planned = done(&run(&["plan", path]));
    for line in [
        "would publish  hello as version 1",
        "template   hello.en.txt",
        "template   hello.ru.txt",
        "list       tips.yaml",
    ] {
        assert!(planned.lines().any(|own| own == line), "{line}: {planned}");
    }
    let empty = TempDir::new().expect("a folder");
    done(&run(&["export", path_text(empty.path())]));
    assert_eq!(
        std::fs::read_dir(empty.path()).expect("read").count(),
        0,
        "a plan changes nothing"
    );

    let applied = done(&run(&["apply", path]));
    assert!(
        applied.contains("published  hello as version 1"),
        "{applied}"
    );
    let again: Value = serde_json::from_str(&done(&run(&["apply", path, "--json"]))).expect("JSON");
    let unchanged = json!({
        "published": {}, "unchanged": ["hello"], "templates": [], "lists": [], "runs": {}, "warnings": [],
    });
    assert_eq!(again, unchanged);
    assert_eq!(done(&run(&["plan", path])), "unchanged  hello\n");

    let copy = TempDir::new().expect("a folder");
    let copied = path_text(copy.path());
    done(&run(&["export", copied]));
    for (name, text) in FILES {
        let given = std::fs::read(copy.path().join(name)).expect("a file");
        assert_eq!(given, text.as_bytes(), "{name}");
    }
    assert_eq!(done(&run(&["apply", copied])), "unchanged  hello\n");
    done(&run(&["export", copied]));

    // Somebody's work is not written over, and nothing is written beside it.
    put(copy.path(), "templates/hello.ru.txt", "mine");
    std::fs::remove_file(copy.path().join("lists/tips.yaml")).expect("removed");
    let told = refused(&run(&["export", copied]), 2);
    assert!(
        told.contains("hello.ru.txt") && told.contains("--force"),
        "{told}"
    );
    assert!(!copy.path().join("lists/tips.yaml").exists());
    done(&run(&["export", copied, "--force"]));
    let given =
        std::fs::read_to_string(copy.path().join("templates/hello.ru.txt")).expect("a file");
    assert_eq!(given, HELLO_RU);

    // One wrong file, and nothing of the others is taken.
    put(
        scenario.path(),
        "journeys/hello.yaml",
        &HELLO.replace("Says", "Said"),
    );
    put(
        scenario.path(),
        "templates/hello.en.txt",
        &HELLO_EN.replace("Hello", "Hi"),
    );
    put(
        scenario.path(),
        "templates/bad.en.txt",
        "---\nsubject: {{ x\n---\n",
    );
    put(scenario.path(), "journeys/wrong.yaml", WRONG);
    put(
        scenario.path(),
        "lists/bad.yaml",
        "format: list/1\nid: bad\nitems:\n  - title: without\n",
    );
    for word in ["plan", "apply"] {
        let told = refused(&run(&[word, path]), 1);
        let names = |words: &[&str]| {
            let found = told
                .lines()
                .any(|line| words.iter().all(|word| line.contains(word)));
            assert!(found, "{words:?}: {told}");
        };
        names(&["wrong.yaml", "line 5", "fortnights", "add one of s, m"]);
        names(&["bad.en.txt", "line 2", "never closed"]);
        names(&["bad.yaml", "line 4", "id"]);
    }
    let still = TempDir::new().expect("a folder");
    done(&run(&["export", path_text(still.path())]));
    for (name, text) in FILES {
        let given = std::fs::read(still.path().join(name)).expect("a file");
        assert_eq!(given, text.as_bytes(), "{name}");
    }
    assert!(!still.path().join("journeys/wrong.yaml").exists());
}

#[test]
fn a_folder_is_planned_applied_and_given_back_through_a_server() {
    let server = Server::start("");
    whole_life(&|words| through(&server, words));
    let own = journey(&server, "hello");
    assert_eq!(
        (&own["status"], &own["current"]),
        (&json!("live"), &json!(1))
    );
    assert_eq!(own["versions"][0]["text"], HELLO);
}

#[test]
fn a_folder_is_planned_applied_and_given_back_without_a_server() {
    let mut server = Server::start("");
    assert!(server.stop());
    whole_life(&|words| inside(server.data.path(), words));
    server.start_again();
    super::identify(&server, "ana", &json!({}));
    super::track(&server, "ana", "Signed Up");
    let mail = server.sink.wait_for("ana@client.test");
    assert!(mail.mail().text.contains("Hello ana: One"));
    // A server runs: the folder is its own.
    let scenario = folder(&FILES);
    let told = refused(
        &inside(server.data.path(), &["apply", path_text(scenario.path())]),
        2,
    );
    assert!(
        told.contains(&server.url()) && told.contains("--token"),
        "{told}"
    );
    // What only reads may go on.
    done(&inside(
        server.data.path(),
        &["plan", path_text(scenario.path())],
    ));
}

#[test]
fn what_is_missing_is_a_warning_and_what_is_doubled_is_refused() {
    let server = Server::start("");
    let scenario = folder(&[
        ("hello.yaml", HELLO),
        (".DS_Store", "\u{0}"),
        ("templates/.hidden", "x"),
    ]);
    for word in ["plan", "apply"] {
        let run = through(&server, &[word, path_text(scenario.path())]);
        assert!(run.status.success(), "{run:?}");
        let told = err(&run);
        assert!(
            told.contains("warning: hello.yaml: step 1: there is no template hello"),
            "{told}"
        );
        assert!(
            told.contains("there is no content list tips; add lists/tips.yaml"),
            "{told}"
        );
    }
    // The same file name in both places: one of them would be lost.
    put(scenario.path(), "journeys/hello.yaml", HELLO);
    let told = refused(&through(&server, &["apply", path_text(scenario.path())]), 2);
    assert!(told.contains("hello.yaml is there twice"), "{told}");
    let twice = folder(&[
        ("a.yaml", HELLO),
        ("b.yaml", HELLO),
        ("lists/a.yaml", TIPS),
        ("lists/b.yaml", TIPS),
    ]);
    let told = refused(&through(&server, &["apply", path_text(twice.path())]), 1);
    assert!(
        told.contains("another file has the journey hello"),
        "{told}"
    );
    assert!(
        told.contains("another file has the content list tips"),
        "{told}"
    );
    // A list keeps its file.
    done(&through(
        &server,
        &[
            "apply",
            path_text(folder(&[("lists/tips.yaml", TIPS)]).path()),
        ],
    ));
    let renamed = folder(&[("lists/other.yaml", TIPS)]);
    let told = refused(&through(&server, &["apply", path_text(renamed.path())]), 1);
    assert!(
        told.contains("tips.yaml") && told.contains("use its name"),
        "{told}"
    );
}

#[test]
fn usage_is_told_apart_from_findings() {
    let nowhere = TempDir::new().expect("a folder");
    let data = path_text(nowhere.path());
    let scenario = folder(&[("hello.yaml", HELLO)]);
    let path = path_text(scenario.path());
    for (words, hint) in [
        (&["journey", "apply", path][..], "--data"),
        (&["journey", "apply", path, "--data", data], "relance init"),
        (
            &["journey", "apply", path, "--server", "http://127.0.0.1:1"],
            "--token",
        ),
        (
            &["journey", "apply", path, "--data", data, "--moves", "jump"],
            "follow",
        ),
        (
            &["journey", "apply", path, "--data", data, "--map", "a"],
            "OLD=NEW",
        ),
        (
            &["journey", "apply", "/nowhere", "--data", data],
            "/nowhere",
        ),
        (
            &["journey", "pause", "a/../b", "--data", data],
            "no id of a journey",
        ),
        (
            &[
                "journey",
                "resume",
                "a",
                "--data",
                data,
                "--overdue",
                "never",
            ],
            "shift",
        ),
        (
            &["journey", "backtest", "a", "--data", data],
            "relance init",
        ),
    ] {
        let told = refused(&relance(words), 2);
        assert!(told.contains(hint), "{words:?}: {told}");
    }
    let unreachable = [
        "journey",
        "apply",
        path,
        "--server",
        "http://127.0.0.1:1",
        "--token",
        "t",
    ];
    let told = refused(&relance(&unreachable), 1);
    assert!(told.contains("cannot reach http://127.0.0.1:1"), "{told}");
    let empty = TempDir::new().expect("a folder");
    let told = refused(&relance(&["journey", "check", path_text(empty.path())]), 2);
    assert!(told.contains("holds no journeys"), "{told}");
    for word in [
        "plan", "apply", "backtest", "export", "pause", "resume", "retire", "archive", "preview",
        "check",
    ] {
        let help = relance(&["journey", word, "--help"]);
        assert!(
            help.status.success() && out(&help).contains("Usage: relance journey"),
            "{word}"
        );
    }
}
