//! MIME torture: what the labels say is what is read.

use relance_message::mail::Mail;

use crate::corpora;

/// Header fields of the top message in the label's XML, unescaped.
fn labelled_subject(xml: &str) -> Option<String> {
    let header = xml.split("</header>").next()?;
    header
        .split("<field>")
        .filter_map(|field| field.split("</field>").next())
        .map(|field| field.trim_start_matches(['\r', '\n']))
        .find(|field| field.to_ascii_lowercase().starts_with("subject:"))
        .map(|field| {
            field[8..]
                .replace("&lt;", "<")
                .replace("&gt;", ">")
                .replace("&quot;", "\"")
                .replace("&amp;", "&")
                .replace(['\r', '\n'], "")
                .trim()
                .to_owned()
        })
}

/// Leaves of the label's tree, messages within messages opened as far as we open them.
fn labelled_leaves(xml: &str) -> usize {
    xml.matches("<text-body").count() + xml.matches("<binary-body").count()
}

fn leaves(mail: &Mail) -> usize {
    mail.attachments.len()
        + mail.reports.len()
        + usize::from(!mail.text.is_empty() || mail.html.is_some())
        + mail
            .nested
            .iter()
            .map(|nested| leaves(&nested.mail).max(1))
            .sum::<usize>()
}

#[test]
fn mime4j_subjects_and_parts_are_as_labelled() {
    let Some(folder) = corpora::folder("mime-mime4j") else {
        return;
    };
    let (mut subjects, mut subjects_right) = (0, 0);
    let (mut cases, mut parts_right) = (0, 0);
    let show = std::env::var_os("RELANCE_SHOW_WRONG").is_some();
    for path in corpora::files(&folder, &[".msg"]) {
        let xml = path.with_extension("xml");
        let decoded = path.with_file_name(format!(
            "{}_decoded.xml",
            path.file_stem().unwrap_or_default().to_string_lossy()
        ));
        if !xml.exists() || !decoded.exists() {
            continue;
        }
        let xml = String::from_utf8_lossy(&corpora::bytes(&xml)).into_owned();
        let decoded = String::from_utf8_lossy(&corpora::bytes(&decoded)).into_owned();
        let Ok(mail) = Mail::parse(&corpora::bytes(&path)) else {
            assert!(
                !xml.split("</header>")
                    .next()
                    .unwrap_or_default()
                    .contains("<field>"),
                "{}: refused although it has fields",
                path.display()
            );
            continue;
        };
        cases += 1;
        if let Some(expected) = labelled_subject(&xml) {
            subjects += 1;
            let got = mail.header("subject").unwrap_or_default();
            let squeeze = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
            // Raw eight-bit headers have no charset: the label has them as Latin-1 or lost.
            let right =
                squeeze(got) == squeeze(&expected) || !expected.is_ascii() || !got.is_ascii();
            subjects_right += usize::from(right);
            if !right && show {
                println!("{}: subject {got:?} is not {expected:?}", path.display());
            }
        }
        // Text pieces of one body are one leaf for us: at least something of each tree must show.
        let (expected, got) = (labelled_leaves(&decoded), leaves(&mail));
        let right = got >= 1 && got <= expected.max(1) && (expected <= 1 || got * 4 >= expected);
        parts_right += usize::from(right);
        if !right && show {
            println!("{}: {got} parts, labelled {expected}", path.display());
        }
    }
    println!("mime4j: subjects {subjects_right}/{subjects}, trees {parts_right}/{cases}");
    assert!(
        subjects_right * 100 >= subjects * 97,
        "{subjects_right}/{subjects} subjects"
    );
    assert!(
        parts_right * 100 >= cases * 85,
        "{parts_right}/{cases} trees"
    );
}

#[test]
fn mikel_mails_are_all_read() {
    let Some(folder) = corpora::folder("mime-mikelmail") else {
        return;
    };
    let mut read = 0;
    let files = corpora::files(&folder, &[".eml"]);
    for path in &files {
        let bytes = corpora::bytes(path);
        match Mail::parse(&bytes) {
            Ok(mail) => {
                read += 1;
                let subject = String::from_utf8_lossy(&bytes)
                    .to_lowercase()
                    .contains("\nsubject: ");
                if subject {
                    assert!(
                        mail.header("subject").is_some() || !mail.nested.is_empty(),
                        "{}",
                        path.display()
                    );
                }
            }
            Err(problem) => println!("{}: {problem}", path.display()),
        }
    }
    assert!(read * 100 >= files.len() * 97, "{read} of {}", files.len());
}
