use super::*;

fn template(name: &str, text: &str) -> Template {
    let source = TemplateSource::parse(name, text).expect("parses");
    Template::compile(&source).expect("compiles")
}

fn problems(name: &str, text: &str) -> Vec<(u32, String)> {
    let source = TemplateSource::parse(name, text).expect("parses");
    let found = Template::compile(&source).expect_err("fails");
    found.into_iter().map(|p| (p.line, p.message)).collect()
}

const MJML: &str = "---\nsubject: Заказ {{ subject.number }}\npreheader: Для {{ contact.name }}\n---\n\
    <mjml><mj-body><mj-section><mj-column>\n<mj-text>Здравствуйте, {{ contact.name }}!</mj-text>\n\
    {% for item in subject.items %}<mj-text>{{ item.name }}: {{ item.price | money('RUB') }}</mj-text>{% endfor %}\n\
    <mj-button href=\"{{ links.view }}\">Открыть</mj-button>\n\
    <mj-text><a href=\"{{ links.unsubscribe }}\">Отписаться</a></mj-text>\
    </mj-column></mj-section></mj-body></mjml>";

#[test]
fn mjml_renders_with_a_text_part() {
    let rendered = template("order.ru.mjml", MJML)
        .render(&json!({
            "contact": { "name": "Анна <b>" },
            "subject": { "number": "7\r\nBcc: x@y.example", "items": [
                { "name": "Насос", "price": "1200" }, { "name": "Клапан", "price": 90.5 } ] },
            "links": { "view": "https://r.example/v/1?a=1&b=2", "unsubscribe": "https://r.example/u/1" },
        }))
        .expect("renders");
    assert_eq!(rendered.subject, "Заказ 7 Bcc: x@y.example");
    let html = rendered.html.as_deref().expect("html");
    assert!(html.contains("Здравствуйте, Анна &lt;b&gt;!"));
    assert!(
        html.contains("mso-hide:all\">Для Анна &lt;b&gt;</div>"),
        "{html}"
    );
    assert!(html.contains("Клапан: 90,50\u{a0}₽"));
    assert!(
        html.contains("href=\"https://r.example/v/1?a=1&amp;b=2\""),
        "{html}"
    );
    assert_eq!(
        rendered.text,
        "Здравствуйте, Анна <b>!\n\nНасос: 1\u{a0}200\u{a0}₽\n\nКлапан: 90,50\u{a0}₽\n\n\
         Открыть <https://r.example/v/1?a=1&b=2>\n\nОтписаться <https://r.example/u/1>\n"
    );
    let tracked = rendered
        .tracked_html(
            &mut |l| panic!("own link tracked: {}", l.url),
            Some("https://r.example/o"),
        )
        .expect("html");
    assert!(tracked.contains("https://r.example/o"));
}

#[test]
fn text_templates_are_not_escaped() {
    let rendered = template(
        "a.txt",
        "---\nsubject: Hi & bye\nfrom_name: \"{{ owner.name }}\"\n---\n\nA <b> & {{ contact.name }}\n",
    )
    .render(&json!({ "contact": { "name": "Tom & <Co>" }, "owner": { "name": "Ann\n" } }))
    .expect("renders");
    assert_eq!(rendered.subject, "Hi & bye");
    assert_eq!(rendered.from_name.as_deref(), Some("Ann"));
    assert_eq!(rendered.text, "A <b> & Tom & <Co>\n");
    assert_eq!(rendered.html, None);
}

#[test]
fn all_problems_come_at_once_with_their_lines() {
    let seen = problems(
        "a.ru.html",
        "---\nsubject: {{ kontact.name }}\nfrom_name: {{ owner.name | shout }}\n---\n<p>\n{{ contact. }}\n</p>",
    );
    assert_eq!(seen[0], (2, "variable `kontact` is unknown".to_owned()));
    assert_eq!(seen[1], (3, "filter `shout` is unknown".to_owned()));
    assert_eq!(seen[2].0, 6, "{seen:?}");
    assert!(seen[2].1.starts_with("syntax error"), "{seen:?}");
    assert_eq!(
        problems("a.txt", "x"),
        [(1, "subject is missing".to_owned())]
    );
}

#[test]
fn statements_torn_apart_by_the_layout_are_refused() {
    let seen = problems(
        "a.mjml",
        "---\nsubject: a\n---\n<mjml><mj-head>{% if contact.x %}<mj-title>a</mj-title></mj-head><mj-body>{% endif %}</mj-body></mjml>",
    );
    assert_eq!(seen.len(), 1, "{seen:?}");
    assert_eq!(seen[0].0, 4);
}

#[test]
fn a_failure_names_part_and_line_and_nothing_personal() {
    let text = "---\nsubject: a\n---\n<mjml><mj-body><mj-section><mj-column><mj-text>\na\n{{ contact.name + 1 }}\n</mj-text></mj-column></mj-section></mj-body></mjml>";
    let problem = template("a.mjml", text)
        .render(&json!({ "contact": { "name": "Secret" } }))
        .expect_err("fails");
    let RenderProblem::Failed { part, line, detail } = problem else {
        panic!("{problem}");
    };
    assert_eq!((part, line), (TemplatePart::Html, 6));
    assert!(!detail.contains("Secret"), "{detail}");
}

#[test]
fn an_empty_subject_is_a_problem_and_a_long_one_is_cut() {
    let template = template("a.txt", "---\nsubject: \"{{ contact.x }}\"\n---\nb");
    assert_eq!(
        template.render(&json!({})),
        Err(RenderProblem::SubjectEmpty)
    );
    assert_eq!(
        template.render(&json!([])),
        Err(RenderProblem::ContextNotObject)
    );
    let long = json!({ "contact": { "x": "あ".repeat(400) } });
    let rendered = template.render(&long).expect("renders");
    assert_eq!(rendered.subject.chars().count(), SUBJECT_CHARS_MAX);
}

#[test]
fn missing_variables_are_named_unless_guarded() {
    let template = template(
        "a.en.txt",
        "---\nsubject: \"{{ subject.number }}\"\n---\n{{ contact.first_name | default('x') }} \
         {% if owner.phone %}{{ owner.phone }}{% endif %} {{ subject.amount | money(subject.currency) }} \
         {% for i in subject.items %}{{ i.name }}{% endfor %} {{ contact.company.name }}",
    );
    assert_eq!(
        template.missing_variables(&json!({ "subject": { "number": "7", "currency": "RUB" } })),
        ["contact.company.name", "subject.amount", "subject.items"]
    );
    assert_eq!(
        template.missing_variables(&json!({ "subject": { "number": "7", "currency": "RUB",
            "amount": 1, "items": [] }, "contact": { "company": { "name": "a" } } })),
        Vec::<String>::new()
    );
}

#[test]
fn the_scenarios_templates_render_with_everything_and_with_nothing() {
    let files = [
        (
            "offer-reminder-1.ru.txt",
            include_str!(
                "../../../../assets/scenarios/b2b-reminders/templates/offer-reminder-1.ru.txt"
            ),
        ),
        (
            "offer-reminder-1.en.txt",
            include_str!(
                "../../../../assets/scenarios/b2b-reminders/templates/offer-reminder-1.en.txt"
            ),
        ),
        (
            "offer-reminder-1.ja.txt",
            include_str!(
                "../../../../assets/scenarios/b2b-reminders/templates/offer-reminder-1.ja.txt"
            ),
        ),
        (
            "offer-reminder-2.ru.txt",
            include_str!(
                "../../../../assets/scenarios/b2b-reminders/templates/offer-reminder-2.ru.txt"
            ),
        ),
        (
            "offer-reminder-2.en.txt",
            include_str!(
                "../../../../assets/scenarios/b2b-reminders/templates/offer-reminder-2.en.txt"
            ),
        ),
        (
            "offer-reminder-2.ja.txt",
            include_str!(
                "../../../../assets/scenarios/b2b-reminders/templates/offer-reminder-2.ja.txt"
            ),
        ),
        (
            "welcome.ru.mjml",
            include_str!("../../../../assets/scenarios/welcome/templates/welcome.ru.mjml"),
        ),
        (
            "welcome.en.mjml",
            include_str!("../../../../assets/scenarios/welcome/templates/welcome.en.mjml"),
        ),
        (
            "welcome.ja.mjml",
            include_str!("../../../../assets/scenarios/welcome/templates/welcome.ja.mjml"),
        ),
    ];
    let full = json!({
        "contact": { "firstName": "Иван", "name": "Иван Сидоров", "timezone": "Europe/Moscow" },
        "subject": { "number": "12-К", "amount": "125000", "currency": "RUB",
            "issued": "2026-11-03", "due": "2026-11-30" },
        "event": { "plan": "Старт", "trial_days": 14 },
        "owner": { "name": "Анна Петрова", "phone": "+7 495 000-00-00" },
        "workspace": { "name": "Насосы Севера", "url": "https://firm.example", "address": "Тверь" },
        "links": { "unsubscribe": "https://r.example/u/1", "preferences": "https://r.example/p/1",
            "view": "https://r.example/v/1" },
    });
    let bare = json!({ "owner": { "name": "Anna" }, "workspace": { "name": "Firm" }, "links": { "unsubscribe": "https://r.example/u/1" } });
    for (name, text) in files {
        let template = template(name, text);
        assert_eq!(template.warnings(), [], "{name}");
        let rendered = template.render(&full).expect("renders");
        println!("=== {name}: {}\n{}", rendered.subject, rendered.text);
        for context in [&full, &bare] {
            let Rendered { subject, text, .. } = template.render(context).expect("renders");
            let untidy = ["  ", " ,", " .", "()", "（）", "\n\n\n", "none", "{{", " !"];
            for bad in untidy {
                assert!(
                    !text.contains(bad) && !subject.contains(bad),
                    "{name}: {bad:?} in {text}"
                );
            }
        }
    }
    let ru = template("offer-reminder-1.ru.txt", files[0].1)
        .render(&full)
        .expect("renders");
    // A thread brings its own subject line; without one nothing pretends to be an answer.
    assert_eq!(ru.subject, "Предложение № 12-К");
    assert_eq!(
        ru.text,
        "Здравствуйте, Иван!\n\nВозвращаюсь к нашему предложению № 12-К от 3 ноября на 125\u{a0}000\u{a0}₽. \
         Удалось ли его посмотреть?\n\nЕсли есть вопросы по составу, срокам или цене, просто ответьте на это \
         письмо: уточню и, если нужно, поправлю.\n\nС уважением,\nАнна Петрова\nНасосы Севера\n\
         +7 495 000-00-00\n"
    );
}

#[test]
fn the_same_context_gives_the_same_message() {
    let template = template("order.ru.mjml", MJML);
    let context = json!({ "contact": { "name": "A" }, "subject": { "number": 1 } });
    assert_eq!(template.render(&context), template.render(&context));
}

#[test]
fn the_guides_example_is_true() {
    const GUIDE: &str = include_str!("../../../../docs/guide/templates.md");
    let example = GUIDE
        .split("```\n")
        .nth(1)
        .expect("the guide has an example");
    let rendered = template("offer.en.mjml", example)
        .render(&json!({
            "contact": { "firstName": "Ann", "company": "Acme" },
            "subject": { "number": "7/1", "due": "2026-11-30", "amount": 1250.5, "currency": "USD",
                "items": [{ "name": "Pump", "price": "1250.50" }] },
            "workspace": { "url": "https://firm.example" },
            "links": { "unsubscribe": "https://r.example/u/1" },
        }))
        .expect("renders");
    assert_eq!(rendered.subject, "Offer 7/1 for Acme");
    assert_eq!(
        rendered.text,
        "Hello Ann,\n\nPump: $1,250.50\n\nTotal: $1,250.50\n\n\
         Open the offer <https://firm.example/offers/7/1>\n\nUnsubscribe <https://r.example/u/1>\n"
    );
    let digest = GUIDE.split("```\n").nth(3).expect("and one of a digest");
    let invoice = |number, amount, currency| json!({ "number": number, "amount": amount, "currency": currency, "due": "2026-11-02" });
    let subjects = [
        invoice("A-1", 1200.0, "EUR"),
        invoice("A-2", 80.5, "EUR"),
        invoice("A-3", 7.0, "USD"),
    ];
    let rendered = template("overdue.en.txt", digest)
        .render(
            &json!({ "subject": subjects[0], "subjects": subjects, "owner": { "name": "Anna" } }),
        )
        .expect("renders");
    assert_eq!(rendered.subject, "3 invoices to settle: €1,280.50, $7");
    assert_eq!(
        rendered.text,
        "Good day,\n\n- A-1, €1,200, due November 2, 2026\n- A-2, €80.50, due November 2, 2026\n\
         - A-3, $7, due November 2, 2026\n\nAnna\n"
    );
    for limit in [
        "`SOURCE_BYTES_MAX`",
        "`FUEL_MAX`",
        "`ITEMS_MAX`",
        "`REFERENCES_MAX`",
        "`LETTER_BYTES_MAX`",
        "`RECIPIENTS_MAX`",
        "`CURRENCIES_MAX`",
    ] {
        assert!(GUIDE.contains(limit), "{limit} is not in the guide");
    }
    for filter in super::super::filters::FILTERS {
        assert!(
            GUIDE.contains(filter),
            "filter {filter} is not in the guide"
        );
    }
}
