use relance_core::contact::{Channel, Contact};
use relance_core::ids::{
    ContactId, EnrollmentId, ItemId, JourneyId, ObjectKind, StepKey, SubjectRef, TouchpointId,
    Variant,
};
use relance_core::journey::{Approval, NOTIFY_TEMPLATE};
use relance_core::subject::Object;
use relance_core::touchpoint::{Touchpoint, TouchpointState};
use relance_core::value::Fields;
use relance_message::mail::Mail;
use relance_message::outbound::text_from_html;

use super::words::PREVIEW_TOKEN;
use super::*;

const CONFIG: &str = r#"
    [workspace]
    name = "Lumen"
    address = "news@lumen.test"
    public_url = "https://go.lumen.test/"
    [[mailbox]]
    address = "anna@lumen.test"
    name = "Anna S."
    imap = { host = "imap.lumen.test", port = 993, password = "x" }
    [[user]]
    address = "anna@lumen.test"
    name = "Anna"
    language = "ru"
    [[user]]
    address = "boris@lumen.test"
    name = "Борис"
    role = "head"
    [[user]]
    address = "clara@lumen.test"
    role = "head"
"#;

const TEMPLATES: [(&str, &str); 5] = [
    (
        "overdue.en.txt",
        "---\nsubject: {{ subjects | length }} invoices\nkind: service\n---\n\
         {% for one in subjects %}\n- {{ one.number }} {{ one.id }}\n{% endfor %}\n\
         Total {{ subjects | total }}, says {{ owner.name }}\n",
    ),
    (
        "one.en.txt",
        "---\nsubject: About {{ subject.number }}\nkind: service\n---\nOnly {{ subject.number }}, variant {{ variant }}.\n",
    ),
    (
        "news.en.html",
        "---\nsubject: News for {{ contact.name }}\n---\n<p>{{ contact.plan }} <a href=\"https://lumen.test/a\">a</a>\
         <a href=\"{{ links.unsubscribe }}\">off</a></p>",
    ),
    (
        "lesson.en.html",
        "---\nsubject: {{ item.title }}\nkind: service\n---\n<a href=\"{{ item.url }}\">{{ item.title }}</a>",
    ),
    (
        "broken.en.txt",
        "---\nsubject: x\n---\n{{ contact.name + 1 }}\n",
    ),
];

fn composer() -> Composer {
    let config = Config::parse(CONFIG).unwrap();
    let composer = Composer::new(&config, LinkKey::new(b"secret"), BTreeMap::new());
    let files = TEMPLATES.map(|(name, text)| (name.to_owned(), text.to_owned()));
    composer.set_templates(crate::scenario::compile(&BTreeMap::from(files)).unwrap());
    let list = "format: list/1\nid: lessons\nitems:\n\
                - { id: l1, title: 'One & {{ 1 }}', url: 'https://lumen.test/1?a=1&b=2' }\n";
    composer.set_lists(vec![relance_wire::list::parse(list).unwrap()]);
    composer
}

fn fields(value: Value) -> Fields {
    match value {
        Value::Object(fields) => fields,
        other => panic!("{other} is no object"),
    }
}

fn invoice(number: &str) -> Object {
    let subject = SubjectRef {
        kind: ObjectKind::from("document"),
        id: format!("{number}@mail.test").into(),
    };
    Object {
        fields: fields(json!({
            "number": number, "amount": 100.5, "currency": "EUR", "mailbox": "anna@lumen.test",
            "message_id": format!("{number}@mail.test"), "mail_subject": format!("Invoice {number}"),
        })),
        ..Object::new(subject, Timestamp::UNIX_EPOCH)
    }
}

/// A message to Ivan about some invoices.
fn dispatch(template: &str, subjects: &[Object]) -> Dispatch {
    let contact = ContactId(7);
    let run = EnrollmentId { contact, number: 1 };
    let mut ivan = Contact::new(contact, Timestamp::UNIX_EPOCH);
    ivan.traits = fields(json!({ "email": "ivan@client.test", "name": "Ivan <b>" }));
    Dispatch {
        touchpoint: Touchpoint {
            id: TouchpointId::derive(run, "1", 1),
            enrollment: run,
            journey: JourneyId::from("j"),
            step: StepKey::from("1"),
            subject: subjects.first().map(|object| object.subject.clone()),
            recipient: Recipient::Contact,
            channel: Channel::Email,
            template: TemplateId::from(template),
            item: None,
            text: None,
            from: Sender::Workspace,
            variant: Some(Variant::from("B")),
            priority: 0,
            members: Vec::new(),
            approval: Approval::AUTO,
            approved_by: None,
            created_at: Timestamp::UNIX_EPOCH,
            silence: None,
            attempts: 1,
            state: TouchpointState::Sending {
                since: Timestamp::UNIX_EPOCH,
            },
        },
        contact: Arc::new(ivan),
        subject: subjects.first().cloned(),
        subjects: subjects.to_vec(),
        cause: None,
    }
}

fn notify(recipient: Recipient, text: &str) -> Dispatch {
    let mut dispatch = dispatch(NOTIFY_TEMPLATE, &[invoice("A-1")]);
    dispatch.touchpoint.recipient = recipient;
    dispatch.touchpoint.text = Some(text.into());
    dispatch
}

fn compose(dispatch: &Dispatch) -> (Composed, Mail, String) {
    let composed = composer()
        .compose(dispatch, Timestamp::UNIX_EPOCH)
        .unwrap_or_else(|problem| panic!("{problem}"));
    let mail = Mail::parse(&composed.bytes).expect("a mail");
    let head = String::from_utf8_lossy(&composed.bytes).into_owned();
    let (head, _) = head.split_once("\r\n\r\n").expect("a head");
    let head = head.replace("\r\n ", " ").replace("\r\n\t", " ");
    (composed, mail, head)
}

fn failure(dispatch: &Dispatch) -> String {
    match composer().compose(dispatch, Timestamp::UNIX_EPOCH) {
        Ok(_) => panic!("it was made"),
        Err(problem) => problem.to_string(),
    }
}

#[test]
fn a_digest_names_all_and_an_answer_to_it_refers_to_all() {
    let mut digest = dispatch("overdue", &["A-1", "A-2", "A-3"].map(invoice));
    digest.touchpoint.from = Sender::OwnerMailbox;
    let (composed, mail, head) = compose(&digest);
    assert_eq!(composed.mailbox.as_deref(), Some("anna@lumen.test"));
    assert_eq!(mail.subject, "3 invoices");
    assert_eq!(
        mail.text.replace("\r\n", "\n").trim(),
        "- A-1 A-1@mail.test\n- A-2 A-2@mail.test\n- A-3 A-3@mail.test\nTotal €301.50, says Anna S."
    );
    for number in ["A-1", "A-2", "A-3"] {
        assert!(head.contains(&format!("<{number}@mail.test>")), "{head}");
    }
    assert!(!head.contains("In-Reply-To"), "{head}");

    // A template that knows one subject names the first.
    digest.touchpoint.template = TemplateId::from("one");
    let (_, mail, _) = compose(&digest);
    assert_eq!(mail.subject, "About A-1");
    assert_eq!(mail.text.trim(), "Only A-1, variant B.");

    // A digest of one is a reminder in its thread.
    digest.subjects.truncate(1);
    let (_, mail, head) = compose(&digest);
    assert_eq!(mail.subject, "Re: Invoice A-1");
    assert!(head.contains("In-Reply-To: <A-1@mail.test>"), "{head}");
}

#[test]
fn a_notification_reaches_the_owner_in_the_owners_language() {
    let text = "{{ contact.name }} clicked {{ subject.number }}\nTime to call, {{ owner.name }}.";
    let (composed, mail, head) = compose(&notify(Recipient::Owner, text));
    assert_eq!(composed.from, "news@lumen.test");
    assert_eq!(composed.to, ["anna@lumen.test"]);
    assert_eq!(composed.mailbox, None);
    assert_eq!(mail.subject, "Ivan <b> clicked A-1");
    assert_eq!(
        mail.text.replace("\r\n", "\n").trim(),
        "Time to call, Anna.\n\nКонтакт Ivan <b>: https://go.lumen.test/contacts/con_7"
    );
    assert!(head.contains("Auto-Submitted: auto-generated"), "{head}");
    assert!(!head.contains("List-Unsubscribe") && !head.contains("References"));
    assert_eq!(mail.html, None);
}

#[test]
fn a_task_speaks_the_language_of_whoever_has_it() {
    let composer = composer();
    let mut contact = Contact::new(ContactId(1), Timestamp::UNIX_EPOCH);
    let language = |assignee, contact: &Contact| composer.language_of_task(assignee, contact, None);
    assert_eq!(language(None, &contact), "en", "the workspace's");
    contact
        .traits
        .insert("owner".to_owned(), "anna@lumen.test".into());
    assert_eq!(language(None, &contact), "ru", "the owner's");
    assert_eq!(language(Some("Anna@lumen.test"), &contact), "ru");
    assert_eq!(language(Some("boris@lumen.test"), &contact), "en");
}

#[test]
fn a_notification_to_a_role_is_one_mail_and_to_nobody_none() {
    let (composed, mail, _) = compose(&notify(Recipient::Role("head".into()), "One line"));
    assert_eq!(composed.to, ["boris@lumen.test", "clara@lumen.test"]);
    let seen: Vec<&str> = mail.to.iter().map(|to| to.email.as_str()).collect();
    assert_eq!(seen, composed.to);
    assert_eq!(mail.subject, "One line");
    assert!(mail.text.starts_with("One line"), "{}", mail.text);
    assert!(
        mail.text.contains("Contact Ivan"),
        "the workspace's language"
    );

    let nobody = notify(Recipient::Role("intern".into()), "x");
    let problem = composer().compose(&nobody, Timestamp::UNIX_EPOCH).err();
    assert!(matches!(
        problem,
        Some(ComposeProblem::NoRecipient(Reason::NoRecipient))
    ));
    let broken = failure(&notify(Recipient::Owner, "{{ contact. }}"));
    assert!(broken.contains("the notification's text"), "{broken}");
}

#[test]
fn a_notification_carries_no_trace_and_none_of_the_contacts_links() {
    // A template of its own, of the kind that is tracked.
    let mut news = notify(Recipient::Owner, "ignored");
    news.touchpoint.template = TemplateId::from("news");
    let (_, mail, head) = compose(&news);
    let html = mail.html.expect("HTML");
    assert!(html.contains("https://lumen.test/a"), "{html}");
    assert!(
        !html.contains("go.lumen.test") && !html.contains("<img"),
        "{html}"
    );
    assert!(!head.contains("List-Unsubscribe"), "{head}");
}

#[test]
fn a_workspaces_own_notify_template_takes_the_place_of_ours() {
    let composer = composer();
    let own = [(
        "notify.txt".to_owned(),
        "---\nsubject: \"[CRM] {{ notice.title }}\"\nkind: service\n---\n{{ notice.text }}\n"
            .to_owned(),
    )];
    composer.set_templates(crate::scenario::compile(&BTreeMap::from(own)).unwrap());
    let composed = composer
        .compose(&notify(Recipient::Owner, "A\nB"), Timestamp::UNIX_EPOCH)
        .unwrap_or_else(|problem| panic!("{problem}"));
    let mail = Mail::parse(&composed.bytes).expect("a mail");
    assert_eq!((mail.subject.as_str(), mail.text.trim()), ("[CRM] A", "B"));
}

#[test]
fn every_built_in_template_is_sound() {
    let set = words::built_in();
    let languages: Vec<_> = set.iter().map(|one| (one.id(), one.language())).collect();
    let ids = [relance_core::touchpoint::CONFIRM_JOURNEY, NOTIFY_TEMPLATE];
    let in_all = |id| ["en", "ja", "ru"].map(|language| (id, Some(language)));
    assert_eq!(languages, ids.map(in_all).concat());
    assert!(
        set.iter()
            .all(|one| one.meta().delivery == Delivery::AtMostOnce)
    );
}

#[test]
fn what_a_person_wrote_is_sent_as_written_under_the_templates_rules() {
    let mut edited = dispatch("news", &[]);
    let text = "Hello {{ contact.name }}\n\n<script>x</script> see https://lumen.test/b?a=1&b=2.";
    edited.touchpoint.text = Some(text.into());
    let (_, mail, head) = compose(&edited);
    assert_eq!(mail.subject, "Hello {{ contact.name }}");
    let html = mail.html.clone().expect("HTML, as the template has");
    assert!(html.contains("&lt;script&gt;x&lt;/script&gt;"), "{html}");
    assert!(html.contains("href=\"https://go.lumen.test/t/c/"), "{html}");
    assert!(html.contains("https://go.lumen.test/t/o/"), "{html}");
    assert!(
        mail.text.contains("see https://lumen.test/b?a=1&b=2."),
        "{}",
        mail.text
    );
    assert!(
        mail.text.contains("Unsubscribe: https://go.lumen.test/u/"),
        "{}",
        mail.text
    );
    assert!(
        head.contains("List-Unsubscribe: <https://go.lumen.test/u/"),
        "{head}"
    );

    // Nothing written is nothing in its place.
    edited.touchpoint.text = Some(" \n".into());
    assert_eq!(compose(&edited).1.subject, "News for Ivan <b>");

    // In a thread the subject line is the thread's, and a letter of text stays text.
    let mut reminder = dispatch("one", &[invoice("A-1")]);
    reminder.touchpoint.from = Sender::OwnerMailbox;
    reminder.touchpoint.text = Some("About the invoice\n\nIvan, any news?".into());
    let (_, mail, head) = compose(&reminder);
    assert_eq!(mail.subject, "Re: Invoice A-1");
    assert_eq!(mail.text.trim(), "Ivan, any news?");
    assert_eq!(mail.html, None);
    assert!(head.contains("In-Reply-To: <A-1@mail.test>") && !head.contains("List-Unsubscribe"));
}

#[test]
fn a_preview_that_was_edited_leaves_by_live_links() {
    let mut news = dispatch("news", &[]);
    let shown = composer().preview(&news);
    assert_eq!(shown.subject, "News for Ivan <b>");
    news.touchpoint.text = Some(shown.editable().into());
    let (_, mail, _) = compose(&news);
    assert_eq!(mail.subject, shown.subject);
    let token = format!("/u/{PREVIEW_TOKEN}");
    assert!(
        shown.text.contains(&token) && !mail.text.contains(&token),
        "{}",
        mail.text
    );
    // It stands where the person left it, and no second time.
    assert_eq!(
        mail.text.matches("go.lumen.test/u/").count(),
        1,
        "{}",
        mail.text
    );
}

#[test]
fn a_preview_shows_everything_and_its_links_do_nothing() {
    let composer = composer();
    let shown = composer.preview(&dispatch("news", &[]));
    assert_eq!(shown.from.as_deref(), Some("news@lumen.test"));
    assert_eq!(shown.to, ["ivan@client.test"]);
    assert_eq!(shown.language.as_deref(), Some("en"));
    assert_eq!(
        shown.problems,
        ["contact.plan is missing; its place is empty"]
    );
    let html = shown.html.clone().expect("HTML");
    assert!(
        html.contains("href=\"https://lumen.test/a\"") && !html.contains("<img"),
        "{html}"
    );
    for part in html
        .split(['"', '/'])
        .chain(text_from_html(&html).split('/'))
    {
        assert_eq!(composer.links.verify(part), None, "{part}");
    }

    let mut reminder = dispatch("one", &[invoice("A-1")]);
    reminder.touchpoint.from = Sender::OwnerMailbox;
    let shown = composer.preview(&reminder);
    assert_eq!(shown.from_name.as_deref(), Some("Anna S."));
    assert_eq!(shown.subject, "Re: Invoice A-1");
    assert!(shown.problems.is_empty(), "{:?}", shown.problems);

    // What would not go says why, all at once, and shows what there is.
    let mut lost = dispatch("one", &[]);
    lost.touchpoint.from = Sender::OwnerMailbox;
    lost.contact = Arc::new(Contact::new(ContactId(7), Timestamp::UNIX_EPOCH));
    let shown = composer.preview(&lost);
    assert_eq!(shown.subject, "About");
    assert_eq!(shown.problems.len(), 3, "{:?}", shown.problems);
    let shown = composer.preview(&dispatch("nowhere", &[]));
    assert!(
        shown.problems[0].contains("no template nowhere"),
        "{shown:?}"
    );
}

#[test]
fn an_item_is_shown_escaped_and_one_that_is_gone_is_named() {
    let mut lesson = dispatch("lesson", &[]);
    lesson.touchpoint.item = Some((ListId::from("lessons"), ItemId::from("l1")));
    let (_, mail, _) = compose(&lesson);
    assert_eq!(mail.subject, "One & {{ 1 }}");
    let html = mail.html.expect("HTML");
    assert!(
        html.contains("<a href=\"https://lumen.test/1?a=1&amp;b=2\">One &amp; {{ 1 }}</a>"),
        "{html}"
    );
    lesson.touchpoint.item = Some((ListId::from("lessons"), ItemId::from("l2")));
    let problem = failure(&lesson);
    assert!(
        problem.contains("lessons has no item l2 any more"),
        "{problem}"
    );
    // What a person wrote needs no item.
    lesson.touchpoint.text = Some("Written by hand".into());
    assert_eq!(compose(&lesson).1.subject, "Written by hand");
}

#[test]
fn a_channel_that_is_not_set_up_still_has_its_template_checked() {
    let composer = composer();
    let mut sms = dispatch("one", &[]);
    sms.touchpoint.channel = Channel::Sms;
    let mut contact = (*sms.contact).clone();
    contact.traits.remove("email");
    let phone = Value::String("+4912345".to_owned());
    contact.traits.insert("phone".to_owned(), phone);
    sms.contact = Arc::new(contact);
    assert!(composer.rehearse(&sms).is_ok());
    let shown = composer.preview(&sms);
    assert_eq!((shown.from, shown.to), (None, vec!["+4912345".to_owned()]));
    assert!(
        shown
            .problems
            .iter()
            .any(|one| one == "the channel sms is not set up")
    );
    assert!(!shown.problems.iter().any(|one| one.contains("no_address")));
    sms.touchpoint.template = TemplateId::from("broken");
    assert!(matches!(
        composer.rehearse(&sms),
        Err(ComposeProblem::Template(_))
    ));
}
