//! PDFs written by hand, byte by byte, so that each test shows what it feeds.

use super::*;

/// A PDF of the given objects (numbered from 1), with a cross-reference table; object 1 is the root.
fn pdf(objects: &[String]) -> Vec<u8> {
    let mut out = b"%PDF-1.7\n".to_vec();
    let mut offsets = Vec::new();
    for (index, object) in objects.iter().enumerate() {
        offsets.push(out.len());
        out.extend(format!("{} 0 obj\n{object}\nendobj\n", index + 1).into_bytes());
    }
    let xref = out.len();
    out.extend(format!("xref\n0 {}\n0000000000 65535 f \n", objects.len() + 1).into_bytes());
    for offset in offsets {
        out.extend(format!("{offset:010} 00000 n \n").into_bytes());
    }
    out.extend(
        format!(
            "trailer\n<< /Size {} /Root 1 0 R >>\nstartxref\n{xref}\n%%EOF\n",
            objects.len() + 1
        )
        .into_bytes(),
    );
    out
}

fn stream(dictionary: &str, data: &str) -> String {
    format!(
        "<< {dictionary} /Length {} >>\nstream\n{data}\nendstream",
        data.len()
    )
}

fn one_page(content: &str) -> Vec<u8> {
    pdf(&[
        "<< /Type /Catalog /Pages 2 0 R >>".into(),
        "<< /Type /Pages /Kids [3 0 R] /Count 1 /Resources << /Font << /F1 5 0 R /F2 6 0 R >> >> >>".into(),
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 600 800] /Contents 4 0 R >>".into(),
        stream("", content),
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>".into(),
        "<< /Type /Font /Subtype /Type0 /BaseFont /X /Encoding /Identity-H /DescendantFonts [7 0 R] /ToUnicode 8 0 R >>"
            .into(),
        "<< /Type /Font /Subtype /CIDFontType2 /DW 1000 >>".into(),
        stream("", "1 beginbfrange <0001> <0003> [<8ACB> <6C42> <66F8>] endbfrange"),
    ])
}

#[test]
fn lines_and_columns_are_as_seen() {
    // The amount is drawn before its label.
    let content = "BT /F1 10 Tf 1 0 0 1 400 700 Tm ($1,234.50) Tj ET \
                   BT /F1 10 Tf 1 0 0 1 50 700 Tm [(Total) -300 (due)] TJ ET \
                   BT /F2 12 Tf 50 750 Td <000100020003> Tj ET";
    let found = text(&one_page(content), &PdfLimits::default()).unwrap();
    let lines: Vec<&str> = found.pages[0]
        .lines()
        .filter(|line| !line.is_empty())
        .collect();
    assert_eq!(lines[0], "請求書");
    assert!(
        lines[1].starts_with("Total due   ") && lines[1].ends_with("$1,234.50"),
        "{lines:?}"
    );
    assert!(!found.truncated);
}

#[test]
fn embedded_xml_is_found() {
    let xml = "<CrossIndustryInvoice><ExchangedDocument><ID>7</ID></ExchangedDocument></CrossIndustryInvoice>";
    let bytes = pdf(&[
        "<< /Type /Catalog /Pages 2 0 R /Names << /EmbeddedFiles << /Names [(factur-x.xml) 3 0 R] >> >> >>".into(),
        "<< /Type /Pages /Kids [] /Count 0 >>".into(),
        "<< /Type /Filespec /F (factur-x.xml) /UF (factur-x.xml) /EF << /F 4 0 R /UF 4 0 R >> >>".into(),
        stream("/Type /EmbeddedFile /Subtype /text#2Fxml", xml),
    ]);
    let found = text(&bytes, &PdfLimits::default()).unwrap();
    assert_eq!(
        found.embedded_xml,
        [EmbeddedXml {
            name: "factur-x.xml".into(),
            text: xml.into()
        }]
    );
    assert_eq!(
        einvoice::read(&found.embedded_xml[0].text)
            .unwrap()
            .number
            .as_deref(),
        Some("7")
    );
}

#[test]
fn limits_are_kept() {
    let bytes = one_page("BT /F1 10 Tf (a) Tj (b) Tj (c) Tj ET");
    let limits = |change: fn(&mut PdfLimits)| {
        let mut limits = PdfLimits::default();
        change(&mut limits);
        limits
    };
    assert!(matches!(
        text(&bytes, &limits(|l| l.bytes_max = 10)),
        Err(PdfProblem::TooLarge { .. })
    ));
    assert!(matches!(
        text(&bytes, &limits(|l| l.objects_max = 3)),
        Err(PdfProblem::TooManyObjects { .. })
    ));
    assert!(matches!(
        text(&bytes, &limits(|l| l.decompressed_bytes_max = 8)),
        Err(PdfProblem::Bomb { .. })
    ));
    assert!(
        text(&bytes, &limits(|l| l.pages_max = 0))
            .unwrap()
            .truncated
    );
    assert!(
        text(&bytes, &limits(|l| l.runs_per_page_max = 1))
            .unwrap()
            .truncated
    );
    assert!(matches!(
        text(b"not a pdf", &PdfLimits::default()),
        Err(PdfProblem::Broken)
    ));
}

#[test]
fn a_form_that_draws_itself_ends() {
    let bytes = pdf(&[
        "<< /Type /Catalog /Pages 2 0 R >>".into(),
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>".into(),
        "<< /Type /Page /Parent 2 0 R /Contents 4 0 R /Resources << /XObject << /X 5 0 R >> /Font << /F1 6 0 R >> >> >>"
            .into(),
        stream("", "/X Do"),
        stream(
            "/Type /XObject /Subtype /Form /Resources << /XObject << /X 5 0 R >> /Font << /F1 6 0 R >> >>",
            "BT /F1 9 Tf (again) Tj ET /X Do /X Do",
        ),
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>".into(),
    ]);
    let found = text(&bytes, &PdfLimits::default()).unwrap();
    assert!(found.pages[0].contains("again"));
}

#[test]
fn a_compressed_bomb_is_refused() {
    let mut page = lopdf::Stream::new(lopdf::Dictionary::new(), vec![b' '; 8 * 1024 * 1024]);
    page.compress().unwrap();
    assert!(page.content.len() < 64 * 1024);
    let mut document = Document::load_mem(&one_page("BT ET")).unwrap();
    document.objects.insert((4, 0), Object::Stream(page));
    let mut bytes = Vec::new();
    document.save_to(&mut bytes).unwrap();
    let limits = PdfLimits {
        decompressed_bytes_max: 1024 * 1024,
        ..PdfLimits::default()
    };
    assert_eq!(
        text(&bytes, &limits),
        Err(PdfProblem::Bomb {
            bytes_max: 1024 * 1024
        })
    );
}
