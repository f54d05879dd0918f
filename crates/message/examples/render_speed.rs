//! How many messages one core renders, tracks and builds in a second.
//!
//! `cargo run --release -p relance-message --example render_speed`

#![expect(
    clippy::disallowed_methods,
    reason = "a stopwatch needs a clock; the crate itself has none"
)]

use std::hint::black_box;
use std::time::{Duration, Instant};

use relance_message::outbound::{
    OutgoingMail, Rendered, Template, TemplateSource, message_id, text_from_html,
};
use serde_json::{Value, json};

const WELCOME: &str = include_str!("../../../assets/scenarios/welcome/templates/welcome.ru.mjml");
const REMINDER: &str =
    include_str!("../../../assets/scenarios/b2b-reminders/templates/offer-reminder-1.ru.txt");
const MEASURE: Duration = Duration::from_secs(1);

fn main() {
    let context = json!({
        "contact": { "firstName": "Иван", "name": "Иван Сидоров", "timezone": "Europe/Moscow" },
        "subject": { "number": "12", "amount": "125000", "currency": "RUB", "issued": "2026-11-03" },
        "event": { "plan": "Старт", "trial_days": 14 },
        "owner": { "name": "Анна Петрова", "phone": "+7 495 000-00-00" },
        "workspace": { "name": "Насосы Севера", "url": "https://firm.example" },
        "links": { "unsubscribe": "https://r.example/u/1", "preferences": "https://r.example/p/1",
            "view": "https://r.example/v/1" },
    });
    let source = |name, text| TemplateSource::parse(name, text).expect("the example parses");
    let compile = |name, text| Template::compile(&source(name, text)).expect("it compiles");
    let welcome = compile("welcome.ru.mjml", WELCOME);
    let reminder = compile("offer-reminder-1.ru.txt", REMINDER);
    let rendered = render(&welcome, &context);
    let html = rendered.html.clone().unwrap_or_default();
    println!("html of the welcome message: {} bytes", html.len());

    rate("compile mjml", || compile("welcome.ru.mjml", WELCOME));
    rate("render mjml, html and text part", || {
        render(&welcome, &context)
    });
    rate("  of which the text part", || text_from_html(&html));
    rate("  the text part by html2text", || {
        html2text::from_read(html.as_bytes(), 80).expect("it reads")
    });
    rate("render text", || render(&reminder, &context));
    rate("track links", || {
        rendered.tracked_html(
            &mut |link| format!("https://r.example/t/{}", link.position),
            Some("https://r.example/o/1"),
        )
    });
    let mail = mail(&rendered);
    rate("build the mail", || mail.build().expect("it builds"));
}

fn render(template: &Template, context: &Value) -> Rendered {
    template.render(context).expect("it renders")
}

fn mail(rendered: &Rendered) -> OutgoingMail {
    OutgoingMail {
        from: "anna@firm.example".to_owned(),
        from_name: rendered.from_name.clone(),
        to: "ivan@client.example".to_owned(),
        to_name: Some("Иван Сидоров".to_owned()),
        subject: rendered.subject.clone(),
        html: rendered.html.clone(),
        text: rendered.text.clone(),
        message_id: message_id("tch_1", "firm.example"),
        ..OutgoingMail::default()
    }
}

fn rate<T>(what: &str, mut work: impl FnMut() -> T) {
    let started = Instant::now();
    let mut count = 0_u32;
    while started.elapsed() < MEASURE {
        for _ in 0..10 {
            black_box(work());
        }
        count += 10;
    }
    let each = started.elapsed() / count;
    println!(
        "{what:<34} {:>9.0} /s  {each:>10.1?}",
        1.0 / each.as_secs_f64()
    );
}
