//! A small PDF of one page, so that documents of the demonstration are read as real ones are.

/// A page with these lines. Only ASCII is shown: the page needs no font of its own.
pub fn pdf(lines: &[String]) -> Vec<u8> {
    let mut page = String::from("BT /F1 12 Tf 60 780 Td 18 TL\n");
    for line in lines {
        let shown: String = line
            .chars()
            .filter(|c| c.is_ascii_graphic() || *c == ' ')
            .flat_map(|c| {
                let escape = matches!(c, '(' | ')' | '\\').then_some('\\');
                escape.into_iter().chain([c])
            })
            .collect();
        page.push_str(&format!("({shown}) Tj T*\n"));
    }
    page.push_str("ET");
    let objects = [
        "<< /Type /Catalog /Pages 2 0 R >>".to_owned(),
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>".to_owned(),
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R \
         /Resources << /Font << /F1 5 0 R >> >> >>"
            .to_owned(),
        format!("<< /Length {} >>\nstream\n{page}\nendstream", page.len()),
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>"
            .to_owned(),
    ];
    let mut file = String::from("%PDF-1.4\n");
    let mut places = Vec::with_capacity(objects.len());
    for (number, object) in objects.iter().enumerate() {
        places.push(file.len());
        file.push_str(&format!("{} 0 obj\n{object}\nendobj\n", number + 1));
    }
    let table = file.len();
    file.push_str(&format!(
        "xref\n0 {}\n0000000000 65535 f \n",
        objects.len() + 1
    ));
    for place in places {
        file.push_str(&format!("{place:010} 00000 n \n"));
    }
    file.push_str(&format!(
        "trailer << /Size {} /Root 1 0 R >>\nstartxref\n{table}\n%%EOF\n",
        objects.len() + 1
    ));
    file.into_bytes()
}

#[cfg(test)]
mod tests {
    use relance_message::document::pdf::{self as reader, PdfLimits};

    #[test]
    fn what_is_written_is_read_back() {
        let lines = ["OFFER OF-1001".to_owned(), "Total (net): 12".to_owned()];
        let text = reader::text(&super::pdf(&lines), &PdfLimits::default()).unwrap();
        let joined = text.joined();
        assert!(joined.contains("OFFER OF-1001"), "{joined}");
        assert!(joined.contains("Total (net): 12"), "{joined}");
    }
}
