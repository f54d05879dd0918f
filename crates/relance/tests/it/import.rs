//! Contacts from files and to files, through the program itself: on a data folder and through a server.

use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use encoding_rs::{SHIFT_JIS, WINDOWS_1251};
use serde_json::{Value, json};
use tempfile::TempDir;
use zip::write::SimpleFileOptions;

use crate::server::{Server, program, relance, until};

/// A workspace on which no server runs, and files to import into it.
struct Desk {
    data: TempDir,
    files: TempDir,
}

impl Desk {
    fn new() -> Self {
        let desk = Self {
            data: TempDir::new().unwrap(),
            files: TempDir::new().unwrap(),
        };
        let made = relance(&["init", "--json", "--data", desk.data()]);
        assert!(made.status.success(), "{made:?}");
        desk
    }

    fn data(&self) -> &str {
        self.data.path().to_str().unwrap()
    }

    fn path(&self, name: &str) -> String {
        self.files.path().join(name).to_str().unwrap().to_owned()
    }

    fn file(&self, name: &str, bytes: impl AsRef<[u8]>) -> String {
        let path = self.path(name);
        fs::write(&path, bytes).unwrap();
        path
    }

    fn run(&self, arguments: &[&str]) -> Output {
        let mut all = vec!["contacts"];
        all.extend(arguments);
        all.extend(["--data", self.data()]);
        relance(&all)
    }

    /// Imports, and returns the exit code and the job.
    fn import(&self, arguments: &[&str]) -> (i32, Value) {
        let mut all = vec!["import", "--json"];
        all.extend(arguments);
        let output = self.run(&all);
        let job = serde_json::from_slice(&output.stdout);
        let job = job.unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)));
        (output.status.code().unwrap(), job)
    }

    /// Why an import is refused.
    fn refused(&self, arguments: &[&str]) -> String {
        let mut all = vec!["import"];
        all.extend(arguments);
        let output = self.run(&all);
        assert!(!output.status.success());
        String::from_utf8_lossy(&output.stderr).into_owned()
    }

    /// All contacts, by e-mail.
    fn contacts(&self) -> Vec<Value> {
        let out = self.path("all.jsonl");
        let done = self.run(&["export", &out]);
        assert!(done.status.success(), "{done:?}");
        let mut all = json_lines(&out);
        all.sort_by_key(|contact| contact["email"].to_string());
        all
    }
}

fn json_lines(path: &str) -> Vec<Value> {
    let text = fs::read_to_string(path).unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn counts(job: &Value) -> [u64; 5] {
    ["rows", "created", "updated", "unchanged", "errors"]
        .map(|name| job["counts"][name].as_u64().unwrap())
}

#[test]
fn a_dry_run_tells_what_an_import_then_does() {
    let desk = Desk::new();
    let first = desk.file(
        "first.csv",
        "E-mail,Name,Orders,Phone,Newsletter\nana@shop.test,Ana,3,+14155552671,yes\nbob@shop.test,Bob,1,,no\n",
    );
    let (code, told) = desk.import(&[&first, "--dry-run"]);
    assert_eq!((code, counts(&told)), (0, [2, 2, 0, 0, 0]));
    assert_eq!(told["examples"][0]["changes"]["name"]["after"], "Ana");
    assert!(desk.contacts().is_empty(), "a dry run writes nothing");

    let (code, job) = desk.import(&[&first]);
    assert_eq!((code, counts(&job)), (0, [2, 2, 0, 0, 0]));
    assert_eq!(job["state"], "done");
    let contacts = desk.contacts();
    assert_eq!(contacts[0]["name"], "Ana");
    assert_eq!(contacts[0]["orders"], 3);
    assert_eq!(contacts[0]["phone"], "+14155552671");
    assert_eq!(contacts[0]["consent:email"], "granted");
    assert_eq!(contacts[1]["consent:email"], "denied");

    let second = desk.file(
        "second.csv",
        "E-mail,Name,Orders,Newsletter\nana@shop.test,Ana,4,yes\nbob@shop.test,Bob,1,yes\ncat@shop.test,Cat,0,\nbad,Dan,0,\n",
    );
    let (code, told) = desk.import(&[&second, "--dry-run"]);
    // Bob said no: no list outweighs that, so nothing of him changes.
    assert_eq!((code, counts(&told)), (1, [4, 1, 1, 1, 1]));
    let changed = told["examples"].as_array().unwrap();
    let changed = changed.iter().find(|one| one["what"] == "update").unwrap();
    assert_eq!(
        changed["changes"],
        json!({ "orders": { "before": 3, "after": 4 } })
    );
    let (code, job) = desk.import(&[&second]);
    assert_eq!((code, counts(&job)), (1, [4, 1, 1, 1, 1]));
    assert_eq!(desk.contacts()[1]["consent:email"], "denied");
    let (_, job) = desk.import(&[&second]);
    assert_eq!(
        counts(&job),
        [4, 0, 0, 3, 1],
        "a second time nothing changes"
    );
}

#[test]
fn modes_leave_out_what_they_say() {
    let desk = Desk::new();
    let first = desk.file("first.csv", "email,name\nana@shop.test,Ana\n");
    desk.import(&[&first]);
    let both = desk.file(
        "both.csv",
        "email,name\nana@shop.test,Anna\nbob@shop.test,Bob\n",
    );
    let (_, job) = desk.import(&[&both, "--only-existing", "--key", "email"]);
    assert_eq!(
        (counts(&job), job["counts"]["skipped"].as_u64()),
        ([2, 0, 1, 0, 0], Some(1))
    );
    let (_, job) = desk.import(&[&both, "--only-new"]);
    assert_eq!(
        (counts(&job), job["counts"]["skipped"].as_u64()),
        ([2, 1, 0, 0, 0], Some(1))
    );
    assert_eq!(desk.contacts().len(), 2);
}

#[test]
fn rows_with_errors_come_back_mended() {
    let desk = Desk::new();
    let text = "Почта;Телефон;Дата рождения\na@b.test;8 912 345-67-89;03.04.1990\n;123;завтра\nc@b.test;12;=1+1\n";
    let file = desk.file("clients.csv", WINDOWS_1251.encode(text).0);
    let errors = desk.path("errors.csv");
    let (code, job) = desk.import(&[&file, "--country", "RU", "--errors", &errors]);
    assert_eq!((code, counts(&job)), (1, [3, 1, 0, 0, 2]));
    assert_eq!(job["file"]["encoding"], "windows-1251");
    assert_eq!(job["file"]["delimiter"], "semicolon");
    let told = fs::read_to_string(&errors).unwrap();
    let lines: Vec<&str> = told.trim_start_matches('\u{feff}').lines().collect();
    assert_eq!(
        lines[0],
        "import_row,import_line,import_column,import_code,import_reason,Почта,Телефон,Дата рождения"
    );
    assert!(
        lines[1]
            .starts_with("3,3,\"Телефон; Дата рождения\",\"phone_too_few_digits; not_a_date\","),
        "{}",
        lines[1]
    );
    assert!(lines[2].ends_with(",c@b.test,12,'=1+1"), "{}", lines[2]);
    // Mended in place, the file of errors is itself a file to import.
    let mended = told
        .replace(",123,завтра", ",+79123456780,05.06.1991")
        .replace("12,'=1+1", "+79123456781,");
    let mended = desk.file("mended.csv", mended);
    let (code, job) = desk.import(&[&mended, "--country", "RU"]);
    assert_eq!((code, counts(&job)), (0, [2, 2, 0, 0, 0]));
}

#[test]
fn a_japanese_file_and_a_mapping_that_is_edited() {
    let desk = Desk::new();
    let text = "会員番号,氏名,メールアドレス,電話番号,生年月日,購入額\nA1,山田太郎,taro@shop.test,090-1234-5678,2026年11月22日,\"12,300\"\n";
    let file = desk.file("kaiin.csv", SHIFT_JIS.encode(text).0);
    let suggested = desk.run(&["import", "--suggest", &file]);
    let mapping = String::from_utf8(suggested.stdout).unwrap();
    assert!(mapping.contains("encoding: shift_jis"), "{mapping}");
    assert!(mapping.contains("\"氏名\": name"), "{mapping}");
    let mapping = mapping
        .replace(
            "decimal: certain",
            "decimal: point\ncountry: JP\nkey: user_id",
        )
        .replace("trait: \"購入額\"", "trait: total");
    let map = desk.file("map.yaml", &mapping);
    let (code, job) = desk.import(&[&file, "--map", &map]);
    assert_eq!((code, counts(&job)), (0, [1, 1, 0, 0, 0]), "{mapping}");
    let contact = &desk.contacts()[0];
    assert_eq!(contact["user_id"], "A1");
    assert_eq!(contact["name"], "山田太郎");
    assert_eq!(contact["phone"], "+819012345678");
    assert_eq!(contact["birthday"], "2026-11-22");
    assert_eq!(contact["total"], 12_300);
}

#[test]
fn formulas_are_texts_on_the_way_in_and_on_the_way_out() {
    let desk = Desk::new();
    let file = desk.file(
        "f.csv",
        "email,note,sum\na@b.test,\"=HYPERLINK(\"\"http://x.test\"\")\",-5\n",
    );
    desk.import(&[&file]);
    let contact = &desk.contacts()[0];
    assert_eq!(contact["note"], "=HYPERLINK(\"http://x.test\")");
    assert_eq!(contact["sum"], -5);
    let out = desk.path("out.csv");
    assert!(
        desk.run(&["export", &out, "--columns", "email,note,sum"])
            .status
            .success()
    );
    let text = fs::read_to_string(&out).unwrap();
    assert!(
        text.contains("\"'=HYPERLINK(\"\"http://x.test\"\")\",-5"),
        "{text}"
    );
    let (_, job) = desk.import(&[&out]);
    assert_eq!(
        counts(&job),
        [1, 0, 0, 1, 0],
        "what went out comes back the same"
    );
}

#[test]
fn what_is_exported_as_a_workbook_is_imported_again() {
    let desk = Desk::new();
    let file = desk.file(
        "f.csv",
        "email,name,sum,day,vip\na@b.test,Ана,12.5,2026-01-02,yes\nc@b.test,山田,7,2026-01-03,no\n",
    );
    desk.import(&[&file]);
    let out = desk.path("out.xlsx");
    assert!(desk.run(&["export", &out]).status.success());
    let before = desk.contacts();
    let again = Desk::new();
    let (code, job) = again.import(&[&out]);
    assert_eq!((code, counts(&job)), (0, [2, 2, 0, 0, 0]));
    let after = again.contacts();
    for name in ["email", "name", "sum", "day", "vip"] {
        assert_eq!(after[0][name], before[0][name], "{name}");
        assert_eq!(after[1][name], before[1][name], "{name}");
    }
}

/// A workbook of one sheet, whose parts are written here.
fn workbook(path: &str, sheet: &mut dyn FnMut(&mut dyn std::io::Write), shared: &str) {
    let mut archive = zip::ZipWriter::new(fs::File::create(path).unwrap());
    let options = SimpleFileOptions::default().large_file(true);
    let book = r#"<workbook xmlns:r="r"><sheets><sheet name="S" sheetId="1" r:id="rId1"/></sheets></workbook>"#;
    let relations = r#"<Relationships><Relationship Id="rId1" Target="worksheets/sheet1.xml"/></Relationships>"#;
    for (name, text) in [
        ("xl/workbook.xml", book),
        ("xl/_rels/workbook.xml.rels", relations),
        ("xl/sharedStrings.xml", shared),
    ] {
        archive.start_file(name, options).unwrap();
        archive.write_all(text.as_bytes()).unwrap();
    }
    archive
        .start_file("xl/worksheets/sheet1.xml", options)
        .unwrap();
    sheet(&mut archive);
    archive.finish().unwrap();
}

#[test]
fn a_bomb_in_a_workbook_is_refused_with_its_limit() {
    let desk = Desk::new();
    let bomb = desk.path("bomb.xlsx");
    // 300 MB of nothing: a thousandth of it packed.
    let zeros = vec![b' '; 256 * 1024];
    workbook(
        &bomb,
        &mut |out| {
            out.write_all(b"<worksheet><sheetData>").unwrap();
            for _ in 0..1_200 {
                out.write_all(&zeros).unwrap();
                out.write_all(b"<x/>").unwrap();
            }
        },
        "<sst/>",
    );
    let told = desk.refused(&[&bomb]);
    assert!(told.contains("250 times its size"), "{told}");

    let long = desk.path("long.xlsx");
    workbook(
        &long,
        &mut |out| {
            out.write_all(b"<worksheet><sheetData><row><c t=\"str\"><v>")
                .unwrap();
            for _ in 0..32 {
                out.write_all(&zeros).unwrap();
            }
        },
        "<sst/>",
    );
    let told = desk.refused(&[&long]);
    assert!(told.contains("1048576 bytes"), "{told}");
    assert!(desk.contacts().is_empty());
}

#[test]
fn a_workbook_as_people_make_them() {
    let desk = Desk::new();
    let file = desk.path("people.xlsx");
    let shared = "<sst><si><t>E-mail</t></si><si><r><t>山</t></r><r><t>田</t></r><rPh><t>ヤマダ</t></rPh></si><si><t>Name &amp; Co</t></si></sst>";
    workbook(
        &file,
        &mut |out| {
            let rows = r#"<worksheet><sheetData><row r="1"><c r="A1" t="s"><v>0</v></c><c r="C1" t="inlineStr"><is><t>Name</t></is></c></row>
                <row r="3"><c r="A3" t="str"><f>"a"</f><v>a@b.test</v></c><c r="C3" t="s"><v>1</v></c></row>
                <row r="4"><c r="A4" t="e"><v>#N/A</v></c><c r="C4" t="s"><v>2</v></c></row></sheetData></worksheet>"#;
            out.write_all(rows.as_bytes()).unwrap();
        },
        shared,
    );
    let errors = desk.path("errors.csv");
    let (code, job) = desk.import(&[&file, "--errors", &errors]);
    assert_eq!((code, counts(&job)), (1, [2, 1, 0, 0, 1]));
    assert_eq!(desk.contacts()[0]["name"], "山田");
    let told = fs::read_to_string(&errors).unwrap();
    assert!(told.contains("3,4,E-mail,formula_failed"), "{told}");
    let told = desk.refused(&[&file, "--sheet", "Other"]);
    assert!(
        told.contains("there is no sheet \"Other\"; the workbook has: S"),
        "{told}"
    );
}

#[test]
fn hostile_texts_cost_no_memory_and_hurt_only_their_rows() {
    let desk = Desk::new();
    let mut wide = String::from("email,name\na@b.test,Ana\n");
    wide.push_str(&",".repeat(2_000_000));
    wide.push_str("\nb@b.test,Bob\n");
    let (code, job) = desk.import(&[&desk.file("wide.csv", wide)]);
    assert_eq!((code, counts(&job)), (1, [3, 2, 0, 0, 1]));

    let mut endless = String::from("email,name\nc@b.test,Cat\nd@b.test,\"never closed");
    endless.push_str(&"x\n".repeat(16 * 1024 * 1024));
    let errors = desk.path("errors.csv");
    let file = desk.file("endless.csv", endless);
    let (code, job) = desk.import(&[&file, "--errors", &errors]);
    assert_eq!((code, counts(&job)), (1, [2, 1, 0, 0, 1]));
    let told = fs::read_to_string(&errors).unwrap();
    assert!(told.contains("3,3,,endless_quote"), "{told}");

    for (name, bytes, expected) in [
        ("empty.csv", &b""[..], "holds no rows"),
        (
            "old.xls",
            &b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1"[..],
            "old or protected workbook",
        ),
        (
            "cut.xlsx",
            &b"PK\x03\x04\x14\x00"[..],
            "damaged or cut short",
        ),
        (
            "paper.pdf",
            &b"%PDF-1.7"[..],
            "neither text nor an XLSX workbook",
        ),
        (
            "nobody.csv",
            &b"name,city\nAna,Paris\n"[..],
            "no column names the contact",
        ),
    ] {
        let told = desk.refused(&[&desk.file(name, bytes)]);
        assert!(told.contains(expected), "{name}: {told}");
    }
}

/// A file of so many contacts.
fn many(path: &Path, count: usize) {
    let mut text = String::from("user_id,email,name,orders\n");
    for at in 0..count {
        writeln!(
            text,
            "u{at},person{at}@shop{}.test,Person {at},{}",
            at % 97,
            at % 13
        )
        .unwrap();
    }
    fs::write(path, text).unwrap();
}

#[test]
fn killed_in_the_middle_an_import_goes_on_and_nothing_happens_twice() {
    const ROWS: usize = 30_000;
    let desk = Desk::new();
    let file = PathBuf::from(desk.path("many.csv"));
    many(&file, ROWS);
    let mut child = Command::new(program())
        .args([
            "contacts",
            "import",
            file.to_str().unwrap(),
            "--data",
            desk.data(),
        ])
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let imports = desk.data.path().join("imports");
    let (id, position) = until("the first rows to be acknowledged", || {
        let entry = fs::read_dir(&imports).ok()?.flatten().next()?;
        let job: Value =
            serde_json::from_str(&fs::read_to_string(entry.path().join("job.json")).ok()?).ok()?;
        let position = job["position"].as_u64().filter(|position| *position > 1)?;
        Some((job["id"].as_str()?.to_owned(), position))
    });
    std::thread::sleep(Duration::from_millis(150));
    child.kill().unwrap();
    child.wait().unwrap();
    assert!((position as usize) < ROWS, "killed before the end");
    let before = desk.contacts().len();
    assert!(before < ROWS, "killed before the end");

    let (code, job) = desk.import(&["--resume", &id]);
    assert_eq!((code, job["state"].as_str()), (0, Some("done")));
    let [rows, created, updated, unchanged, errors] = counts(&job);
    assert_eq!((rows as usize, errors), (ROWS, 0));
    // What was under way at the kill is there already, and tells nothing new.
    assert_eq!((created + unchanged, updated), (ROWS as u64, 0));
    let contacts = desk.contacts();
    assert_eq!(contacts.len(), ROWS);
    let mut ids: Vec<&str> = contacts
        .iter()
        .filter_map(|one| one["user_id"].as_str())
        .collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), ROWS, "each once");
    assert!(desk.refused(&["--resume", &id]).contains("has ended"));
    assert!(
        desk.refused(&["--resume", "imp_0000000000000000"])
            .contains("there is no import")
    );
}

fn ask(server: &Server, method: &str, path: &str, body: &[u8]) -> (u16, Value, String) {
    let token = format!("Bearer {}", server.api_token);
    let answer = server.request(method, path, &[("Authorization", &token)], body);
    let text = answer.text();
    (
        answer.status,
        serde_json::from_str(&text).unwrap_or(Value::Null),
        text,
    )
}

#[test]
fn through_a_server() {
    let server = Server::start("");
    let body = "E-mail,Имя\na@b.test,Анна\nbad,Борис\n";
    let (status, job, _) = ask(
        &server,
        "POST",
        "/api/v1/imports?name=clients",
        body.as_bytes(),
    );
    assert_eq!((status, &job["state"]), (201, &json!("uploaded")));
    let id = job["id"].as_str().unwrap().to_owned();
    let path = |rest: &str| format!("/api/v1/imports/{id}{rest}");

    let (_, suggestion, _) = ask(&server, "GET", &path("/suggestion"), b"");
    assert_eq!(suggestion["columns"][1]["becomes"], "first_name");
    assert_eq!(
        suggestion["columns"][1]["samples"],
        json!(["Анна", "Борис"])
    );
    let mapping = suggestion["mapping"].as_str().unwrap().to_owned();
    let (status, problem, _) = ask(&server, "POST", &path("/start"), b"");
    assert_eq!((status, &problem["code"]), (400, &json!("no_mapping")));
    let (status, problem, _) = ask(
        &server,
        "POST",
        &path("/start"),
        b"format: import/1\ncolumns:\n  X: email\n",
    );
    assert_eq!((status, &problem["code"]), (422, &json!("bad_mapping")));
    let (_, told, _) = ask(&server, "POST", &path("/dry-run"), mapping.as_bytes());
    assert_eq!(counts(&told), [2, 1, 0, 0, 1]);
    let (status, _, _) = ask(&server, "POST", &path("/start"), mapping.as_bytes());
    assert_eq!(status, 202);
    let job = until("the import to end", || {
        let (_, job, _) = ask(&server, "GET", &path(""), b"");
        (job["state"] == "done").then_some(job)
    });
    assert_eq!(counts(&job), [2, 1, 0, 0, 1]);
    assert_eq!(job["bytes"]["read"], job["bytes"]["of"]);
    let (_, _, errors) = ask(&server, "GET", &path("/errors.csv"), b"");
    assert!(errors.contains("3,3,E-mail,email_no_at"), "{errors}");
    let (status, problem, _) = ask(&server, "POST", &path("/start"), b"");
    assert_eq!((status, &problem["code"]), (409, &json!("ended")));
    let (_, list, _) = ask(&server, "GET", "/api/v1/imports", b"");
    assert_eq!(list["items"].as_array().unwrap().len(), 1);
    let (_, _, text) = ask(
        &server,
        "GET",
        "/api/v1/contacts/export?format=csv&columns=email,first_name",
        b"",
    );
    // The answer comes in pieces, whose lengths the plain client leaves in.
    assert!(text.contains("\u{feff}email,first_name\r\n"), "{text}");
    assert!(text.contains("a@b.test,Анна\r\n"), "{text}");
    let (status, _, _) = ask(&server, "GET", "/api/v1/export/secrets", b"");
    assert_eq!(status, 404);
    assert_eq!(ask(&server, "DELETE", &path(""), b"").0, 204);
    assert_eq!(ask(&server, "GET", &path(""), b"").0, 404);
    let (status, problem, _) = ask(&server, "POST", "/api/v1/imports", b"%PDF-1.7");
    assert_eq!((status, &problem["code"]), (422, &json!("not_a_table")));
    assert_eq!(
        server.request("POST", "/api/v1/imports", &[], b"a").status,
        401
    );
}

#[test]
fn the_command_works_through_a_server() {
    let server = Server::start("");
    let folder = TempDir::new().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    many(Path::new(&path("many.csv")), 3_000);
    fs::write(path("bad.csv"), "email,name\nbad,Ana\n").unwrap();
    let run = |arguments: &[&str]| {
        let url = server.url();
        let mut all = vec!["contacts"];
        all.extend(arguments);
        all.extend(["--server", &url, "--token", &server.api_token]);
        relance(&all)
    };
    let told = run(&["import", &path("many.csv"), "--dry-run", "--json"]);
    let told: Value = serde_json::from_slice(&told.stdout).unwrap();
    assert_eq!(counts(&told), [3_000, 3_000, 0, 0, 0]);
    let done = run(&["import", &path("many.csv"), "--json"]);
    assert!(done.status.success(), "{done:?}");
    let job: Value = serde_json::from_slice(&done.stdout).unwrap();
    assert_eq!(counts(&job), [3_000, 3_000, 0, 0, 0]);
    let done = run(&["import", &path("bad.csv"), "--errors", &path("errors.csv")]);
    assert_eq!(done.status.code(), Some(1), "{done:?}");
    assert!(
        fs::read_to_string(path("errors.csv"))
            .unwrap()
            .contains("email_no_at")
    );
    for name in ["out.jsonl", "out.csv", "out.xlsx"] {
        let done = run(&["export", &path(name)]);
        assert!(done.status.success(), "{done:?}");
    }
    assert_eq!(json_lines(&path("out.jsonl")).len(), 3_000);
    assert_eq!(
        fs::read_to_string(path("out.csv")).unwrap().lines().count(),
        3_001
    );
    let again = Desk::new();
    let (code, job) = again.import(&[&path("out.xlsx")]);
    assert_eq!((code, counts(&job)), (0, [3_000, 3_000, 0, 0, 0]));
}

#[test]
fn a_server_that_was_killed_goes_on_with_its_imports() {
    const ROWS: usize = 30_000;
    let mut server = Server::start("");
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("many.csv");
    many(&file, ROWS);
    let (_, job, _) = ask(
        &server,
        "POST",
        "/api/v1/imports",
        &fs::read(&file).unwrap(),
    );
    let id = job["id"].as_str().unwrap().to_owned();
    let (_, suggestion, _) = ask(
        &server,
        "GET",
        &format!("/api/v1/imports/{id}/suggestion"),
        b"",
    );
    let mapping = suggestion["mapping"].as_str().unwrap();
    let (status, _, _) = ask(
        &server,
        "POST",
        &format!("/api/v1/imports/{id}/start"),
        mapping.as_bytes(),
    );
    assert_eq!(status, 202);
    until("some rows", || {
        let (_, job, _) = ask(&server, "GET", &format!("/api/v1/imports/{id}"), b"");
        (job["counts"]["rows"].as_u64()? > 1_000).then_some(())
    });
    server.kill();
    server.start_again();
    let job = until("the import to end", || {
        let (_, job, _) = ask(&server, "GET", &format!("/api/v1/imports/{id}"), b"");
        (job["state"] == "done").then_some(job)
    });
    assert_eq!(counts(&job)[0], ROWS as u64);
    let (_, overview, _) = ask(&server, "GET", "/api/v1/overview", b"");
    assert_eq!(overview["contacts"], ROWS);
}

#[test]
fn the_examples_of_the_guide_are_imported_without_errors() {
    let folder = crate::server::workspace_path("docs/examples/import");
    let path = |name: &str| folder.join(name).to_str().unwrap().to_owned();
    let desk = Desk::new();
    for (arguments, rows) in [
        (vec![path("clients-en.csv")], 3),
        (
            vec![
                path("clients-ru.csv"),
                "--country".to_owned(),
                "RU".to_owned(),
            ],
            3,
        ),
        (
            vec![
                path("clients-ja.csv"),
                "--map".to_owned(),
                path("clients-ja.yaml"),
            ],
            2,
        ),
    ] {
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let (code, job) = desk.import(&arguments);
        assert_eq!(
            (code, counts(&job)),
            (0, [rows, rows, 0, 0, 0]),
            "{arguments:?}: {job}"
        );
    }
    let contacts = desk.contacts();
    assert_eq!(contacts.len(), 8);
    let anna = contacts.iter().find(|one| one["user_id"] == "77").unwrap();
    assert_eq!(anna["phone"], "+79123456789");
    assert_eq!(anna["сумма_заказов"], 1250.5);
}
