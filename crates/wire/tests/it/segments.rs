//! The segments that come with the guide, and hostile files.

use std::collections::BTreeSet;
use std::path::Path;

use proptest::prelude::*;
use relance_core::segment::{Segment, check};
use relance_wire::segments::{FORMAT, GRADES_FORMAT, Settings, read, read_condition};
use relance_wire::yaml;

use crate::schema::{self, GRADES, SEGMENT};

fn examples() -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/examples/segments");
    let mut files: Vec<_> = std::fs::read_dir(&folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "yaml"))
        .collect();
    files.sort();
    let text = |path: &std::path::PathBuf| {
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        (name, std::fs::read_to_string(path).unwrap())
    };
    files.iter().map(text).collect()
}

#[test]
fn every_example_is_read_keeps_to_its_schema_and_stands_with_the_others() {
    let mut wrong = Vec::new();
    let mut all: Vec<Segment> = Vec::new();
    for (file, text) in examples() {
        match read(&text) {
            Ok(segments) => all.extend(segments),
            Err(problems) => wrong.extend(problems.iter().map(|one| format!("{file}: {one}"))),
        }
        let format = yaml::parse(&text).unwrap();
        let schema = match format.get("format").and_then(|node| node.text()) {
            Some(FORMAT) => &SEGMENT,
            Some(GRADES_FORMAT) => &GRADES,
            other => panic!("{file}: {other:?}"),
        };
        let against = schema::against_schema(schema, &text);
        wrong.extend(against.map(|error| format!("{file}: schema: {error}")));
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    let ids: BTreeSet<&str> = all.iter().map(|one| one.id.as_str()).collect();
    assert_eq!(ids.len(), all.len(), "each has an id of its own");
    assert_eq!(check(all.iter()), Ok(()));
    for wanted in [
        "rfm-champions",
        "rfm-cannot-lose",
        "engaged",
        "cooling",
        "asleep",
        "customers-new",
        "customers-existing",
        "no-order-30d",
        "grade-a",
        "grade-d",
        "sales-stage-repeat",
    ] {
        assert!(ids.contains(wanted), "{wanted}");
    }
}

#[test]
fn the_schemas_refuse_what_is_refused() {
    for bad in [
        "format: segment/1\nid: a\n",
        "format: segment/1\nid: A b\nlisted: true\n",
        "format: segment/1\nid: a\nwhen: { rfm: { recency: 6 } }\n",
        "format: segment/1\nid: a\nwhen: { rfm: {} }\n",
        "format: segment/1\nid: a\nwhen: { has: deal, wher: {} }\n",
        "format: segment/1\nid: a\nwhen: { engaged: sleepy }\n",
        "format: segment/1\nid: a\nlisted: true\nsets: { a: 1, b: 2 }\n",
    ] {
        assert!(read(bad).is_err(), "{bad}");
        assert!(schema::against_schema(&SEGMENT, bad).is_some(), "{bad}");
    }
    let bad = "format: grades/1\nid: a\nways: [{ if: { a: 1 } }]\n";
    assert!(read(bad).is_err());
    assert!(schema::against_schema(&GRADES, bad).is_some());
}

proptest! {
    #[test]
    fn no_text_makes_the_reader_panic(text in "[ a-z:{}\\[\\],\n-]{0,200}", head in any::<bool>()) {
        let head = match head {
            true => "format: segment/1\nid: a\nwhen: ",
            false => "format: grades/1\nid: a\nways: ",
        };
        let _ = read(&format!("{head}{text}"));
        let _ = read(&text);
        let _ = read_condition(&text, &Settings::default());
    }
}
