//! Reads bank statements and says what is in them: one line a file, and with `--all` one a payment. For trying the
//! readers on files of other banks:
//!
//!     cargo run -p relance-wire --example statements -- [--all] FILES...

#![expect(clippy::disallowed_methods, reason = "an example reads files")]

use std::process::ExitCode;

use relance_wire::statement::parse;

fn main() -> ExitCode {
    let mut wants_all = false;
    let mut refused = 0;
    let (mut files, mut payments, mut unbalanced) = (0, 0, 0);
    for name in std::env::args().skip(1) {
        if name == "--all" {
            wants_all = true;
            continue;
        }
        files += 1;
        let bytes = match std::fs::read(&name) {
            Ok(bytes) => bytes,
            Err(error) => {
                eprintln!("{name}: {error}");
                return ExitCode::FAILURE;
            }
        };
        let statement = match parse(&bytes, &name) {
            Ok(statement) => statement,
            Err(problem) => {
                refused += 1;
                println!("{name}: REFUSED {problem}");
                continue;
            }
        };
        let count = statement.payments().count();
        payments += count;
        let balance = statement.parts.iter().filter_map(|part| part.is_balanced());
        let (good, bad): (Vec<bool>, Vec<bool>) = balance.partition(|is_balanced| *is_balanced);
        unbalanced += usize::from(!bad.is_empty());
        println!(
            "{name}: {}, {} accounts ({} balanced, {} NOT), {count} payments, {} outgoing",
            statement.format.word(),
            statement.parts.len(),
            good.len(),
            bad.len(),
            statement.outgoing(),
        );
        for one in statement.payments().filter(|_| wants_all) {
            let payer = &one.payer;
            println!(
                "    {} {} {} | {} | {} {} | {} | ref {:?} e2e {:?}{}",
                one.booked,
                one.amount,
                one.currency,
                payer.name,
                payer.account,
                payer.tax_id,
                one.text,
                one.creditor_reference.as_deref().unwrap_or_default(),
                one.end_to_end.as_deref().unwrap_or_default(),
                if one.is_reversal { " REVERSAL" } else { "" },
            );
        }
    }
    println!("{files} files, {refused} refused, {payments} payments, {unbalanced} not balanced");
    ExitCode::SUCCESS
}
