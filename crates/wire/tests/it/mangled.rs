//! What the fuzz target `table` asks, asked without a fuzzer: tables that are torn, glued and poisoned by a seed are
//! guessed, cut, mapped and read; nothing panics, and rows are the same however their bytes come.
//!
//! `RELANCE_MANGLED=1000000 cargo nextest run -p relance-wire mangled --run-ignored all` asks as often as one likes.

use relance_wire::table::call::Plan;
use relance_wire::table::mapping::{self, Mapping};
use relance_wire::table::record::{Records, Row, Step};
use relance_wire::table::suggest::suggest;
use relance_wire::table::{charset, guess};

/// Rows of one input that are looked at.
const ROWS_MAX: usize = 200;
/// Inputs that every run of the tests looks at.
const INPUTS: u64 = 1_500;

const SEEDS: [&str; 7] = [
    "id,email,phone,birthday,total\n1,ana@shop.test,+7 916 123-45-67,1990-02-03,1 234.50\n2,,,,\n",
    "Имя;Почта;Телефон;Сумма\r\nАнна;anna@почта.рф;8 (916) 123-45-67;\"1 200,50\"\r\n",
    "氏名\tメール\t誕生日\n山田太郎\tt＠ｘ．test\t令和8年11月22日\n",
    "sep=|\na|b|c\n\"x\"\"y\"|'=1+1|@cmd\n",
    "\u{feff}email,consent,tags\n<a@b.test>,да,\"a;b;c\"\nx@y.test,,\n",
    "44197,03/04/2026,7.9E+10,#N/A,TRUE,1e400,-0\n9999999999999999,0x10,+,-,.,\u{202e}\n",
    "\"never closed,a@b.test\n1,2,3\n\n\n;;;\n",
];

/// Pieces that readers stumble over.
const POISON: [&str; 20] = [
    "\"",
    "\"\"",
    ",",
    ";",
    "\t",
    "|",
    "\r",
    "\n",
    "\r\n",
    "\0",
    "\u{feff}",
    "\u{fffd}",
    "@",
    "＠",
    "年月日",
    "xn--",
    "1e309",
    "\u{1f468}\u{200d}\u{1f469}",
    "=",
    "'",
];

struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    fn below(&mut self, limit: usize) -> usize {
        let limit = u64::try_from(limit.max(1)).unwrap_or(1);
        usize::try_from((self.next() >> 11) % limit).unwrap_or_default()
    }
}

fn mangled(chance: &mut Chance) -> Vec<u8> {
    let mut bytes = SEEDS[chance.below(SEEDS.len())].as_bytes().to_vec();
    for _ in 0..chance.below(12) {
        let at = chance.below(bytes.len() + 1);
        match chance.below(7) {
            0 => bytes.truncate(at),
            1 => bytes.insert(at, chance.next().to_le_bytes()[0]),
            2 => {
                let poison = POISON[chance.below(POISON.len())];
                let times = 1 + chance.below(3);
                let piece = poison.repeat(times);
                bytes.splice(at..at, piece.bytes());
            }
            3 => {
                let other = SEEDS[chance.below(SEEDS.len())].as_bytes();
                let from = chance.below(other.len());
                bytes.splice(at..at, other[from..].iter().copied());
            }
            4 => {
                let ends = (at + chance.below(20)).min(bytes.len());
                bytes.drain(at..ends);
            }
            5 => {
                if let Some(byte) = bytes.get_mut(at) {
                    *byte ^= 1 << chance.below(8);
                }
            }
            _copied => {
                let piece = bytes[at..(at + 30).min(bytes.len())].to_vec();
                bytes.splice(at..at, piece);
            }
        }
    }
    bytes
}

fn rows(text: &str, delimiter: u8, piece: usize) -> Vec<Vec<String>> {
    let mut records = Records::new(delimiter);
    let mut row = Row::default();
    let mut found = Vec::new();
    for piece in text.as_bytes().chunks(piece).chain([&[][..]]) {
        let mut rest = piece;
        loop {
            let (used, step) = records.step(rest, &mut row);
            rest = &rest[used..];
            match step {
                Step::Row if found.len() < ROWS_MAX => {
                    found.push((0..row.len()).map(|at| row.shown(at)).collect());
                }
                Step::Row | Step::Skipped(_) => {}
                Step::More | Step::End => break,
            }
        }
    }
    found
}

/// All that is done with one input; says how many rows became calls, and how many did not.
fn read(bytes: &[u8]) -> (u64, u64) {
    let charset = charset::guess(bytes);
    let (text, _) = charset.encoding().decode_with_bom_removal(bytes);
    let delimiter = guess::delimiter(&text);
    let whole = rows(&text, delimiter, 1 << 30);
    for piece in [1, 3] {
        assert_eq!(whole, rows(&text, delimiter, piece), "in pieces of {piece}");
    }
    let mut samples = guess::rows(&text, delimiter);
    if samples.is_empty() {
        return (0, 0);
    }
    let heads = if guess::has_header(&samples) {
        samples.remove(0)
    } else {
        vec![String::new(); samples[0].len()]
    };
    let suggestions = suggest(&heads, &samples);
    let mut mapping = Mapping::of_suggestions(&heads, &suggestions);
    if let Ok(read) = mapping::parse(&mapping.to_yaml()) {
        assert_eq!(read, mapping, "a mapping reads back");
    }
    mapping.country = Some("RU".to_owned());
    let Ok(plan) = Plan::new(&mapping, &heads) else {
        return (0, 0);
    };
    let mut records = Records::new(delimiter);
    let mut row = Row::default();
    let (mut calls, mut refused) = (0, 0);
    let mut rest = text.as_bytes();
    loop {
        let (used, step) = records.step(rest, &mut row);
        rest = &rest[used..];
        match step {
            Step::Row => match plan.call(&row) {
                Ok(call) => {
                    assert!(!call.identities.is_empty(), "somebody is named");
                    for one in &call.identities {
                        assert!(!one.value.is_empty(), "a name is not empty");
                    }
                    calls += 1;
                }
                Err(problems) => {
                    assert!(!problems.is_empty(), "a refusal says why");
                    refused += 1;
                }
            },
            Step::Skipped(_) | Step::More => {}
            Step::End => return (calls, refused),
        }
    }
}

fn ask(inputs: u64) {
    let (mut calls, mut refused) = (0, 0);
    for seed in 1..=inputs {
        let bytes = mangled(&mut Chance(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1));
        let outcome = std::panic::catch_unwind(|| read(&bytes));
        let (more, less) = outcome.unwrap_or_else(|_| {
            panic!("seed {seed}: {:?}", String::from_utf8_lossy(&bytes));
        });
        calls += more;
        refused += less;
    }
    eprintln!("{inputs} inputs, {calls} rows became calls, {refused} were refused");
    assert!(calls > 0 && refused > 0, "both ways are gone");
}

#[test]
fn mangled_tables_are_read_or_refused() {
    ask(INPUTS);
}

#[test]
#[ignore = "as long as one likes"]
fn many_mangled_tables_are_read_or_refused() {
    let inputs = std::env::var("RELANCE_MANGLED").ok();
    ask(inputs.and_then(|text| text.parse().ok()).unwrap_or(200_000));
}
