//! The parts of the configuration that people change in the interface: how each is shown, and how it lies over the
//! file.
//!
//! What is shown has no secrets: `{"set": true}` stands for one. **Absent:** whether the result can be used (see
//! [`check`](super::check)), and how secrets are sealed (see [`secret`](super::secret)).

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::fields::{Fault, Fields, kind};
use super::secret::{self, Kept, Opener};
use crate::config::{
    CapConfig, Config, Delivery, OauthClientConfig, QuietConfig, QuietPeriod, SecretConfig,
    SmtpConfig, Tls, TopicConfig, default_helo,
};

/// Entries of one list.
const LIST_MAX: usize = 1_000;

/// A part of the configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Section {
    /// Who we are.
    Workspace,
    /// When a channel may not be used.
    QuietHours,
    /// How many messages are enough.
    Caps,
    /// What contacts choose among.
    Topics,
    /// How sign-ups are confirmed.
    Consent,
    /// Whether messages leave.
    Delivery,
    /// The mail server of messages that come from no mailbox.
    Smtp,
    /// What this server is called at providers of mail.
    OauthClients,
    /// What follow-ups cost.
    Costs,
}

impl Section {
    /// All of them, in the order of the page.
    pub const ALL: [Self; 9] = [
        Self::Workspace,
        Self::QuietHours,
        Self::Caps,
        Self::Topics,
        Self::Consent,
        Self::Delivery,
        Self::Smtp,
        Self::OauthClients,
        Self::Costs,
    ];

    /// Its word in the API and in the database.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Workspace => "workspace",
            Self::QuietHours => "quiet_hours",
            Self::Caps => "caps",
            Self::Topics => "topics",
            Self::Consent => "consent",
            Self::Delivery => "delivery",
            Self::Smtp => "smtp",
            Self::OauthClients => "oauth_clients",
            Self::Costs => "costs",
        }
    }

    /// Its name in the file, which fields of problems begin with.
    pub const fn in_file(self) -> &'static str {
        match self {
            Self::Caps => "cap",
            Self::Topics => "topic",
            Self::Delivery => "workspace.delivery",
            Self::Workspace
            | Self::QuietHours
            | Self::Consent
            | Self::Smtp
            | Self::OauthClients
            | Self::Costs => self.word(),
        }
    }

    /// The section of a word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.word() == word)
    }

    /// All words, for whoever wrote another.
    pub fn words() -> String {
        Self::ALL.map(Self::word).join(", ")
    }

    /// The place of a problem of the configuration within this section, if it is of this section.
    pub fn place(self, field: &str) -> Option<String> {
        let rest = field.strip_prefix(self.in_file())?;
        if !(rest.is_empty() || rest.starts_with(['.', '['])) {
            return None;
        }
        let rest = rest.replace('[', ".").replace(']', "");
        Some(rest.trim_start_matches('.').to_owned())
    }

    /// What is in force, without secrets.
    pub fn show(self, config: &Config) -> Value {
        match self {
            Self::Workspace => show_workspace(config),
            Self::QuietHours => show_quiet(config),
            Self::Caps => config.cap.iter().map(show_cap).collect(),
            Self::Topics => config.topic.iter().map(show_topic).collect(),
            Self::Consent => json!({
                "double_opt_in": config.consent.double_opt_in,
                "confirmations_per_day": config.consent.confirmations_per_day,
                "confirm_within_days": config.consent.confirm_within_days,
            }),
            Self::Delivery => json!({ "by": config.workspace.delivery.word() }),
            Self::Smtp => config.smtp.as_ref().map_or(Value::Null, show_smtp),
            Self::OauthClients => json!({
                "google": config.oauth_clients.google.as_ref().map(|own| show_client(own, false)),
                "microsoft": config.oauth_clients.microsoft.as_ref().map(|own| show_client(own, true)),
            }),
            Self::Costs => json!({
                "currency": config.costs.currency,
                "month": config.costs.month,
                "message": config.costs.message,
                "minutes": config.costs.minutes,
                "hour": config.costs.hour,
            }),
        }
    }

    /// Lays a value over a configuration; what is wrong with its shape goes to `faults`.
    pub fn lay(
        self,
        value: &Value,
        config: &mut Config,
        open: Opener<'_>,
        faults: &mut Vec<Fault>,
    ) {
        match self {
            Self::Workspace => lay_workspace(value, config, faults),
            Self::QuietHours => lay_quiet(value, config, faults),
            Self::Caps => config.cap = list(value, faults, read_cap),
            Self::Topics => config.topic = list(value, faults, read_topic),
            Self::Consent => lay_consent(value, config, faults),
            Self::Delivery => lay_delivery(value, config, faults),
            Self::Smtp => lay_smtp(value, config, open, faults),
            Self::OauthClients => lay_clients(value, config, open, faults),
            Self::Costs => lay_costs(value, config, faults),
        }
    }
}

fn show_workspace(config: &Config) -> Value {
    let own = &config.workspace;
    json!({
        "name": own.name,
        "zone": own.zone,
        "calendar": own.calendar,
        "language": own.language,
        "country": own.country,
        "public_url": own.public_url,
        "address": own.address,
        "from_name": own.from_name,
        "internal_domains": own.internal_domains,
        "approval_expiry": own.approval_expiry,
        "opt_in_topics": own.opt_in_topics,
        "service_asks": own.service_asks,
        "holdout": own.holdout,
    })
}

fn lay_workspace(value: &Value, config: &mut Config, faults: &mut Vec<Fault>) {
    let own = &mut config.workspace;
    let Some(mut fields) = Fields::of("", value, faults) else {
        return;
    };
    fields.text("name", &mut own.name);
    fields.text("zone", &mut own.zone);
    fields.text("calendar", &mut own.calendar);
    fields.text("language", &mut own.language);
    fields.text_or_none("country", &mut own.country);
    fields.text("public_url", &mut own.public_url);
    fields.text_or_none("address", &mut own.address);
    fields.text_or_none("from_name", &mut own.from_name);
    fields.texts("internal_domains", &mut own.internal_domains);
    fields.text("approval_expiry", &mut own.approval_expiry);
    fields.texts("opt_in_topics", &mut own.opt_in_topics);
    fields.texts("service_asks", &mut own.service_asks);
    fields.text("holdout", &mut own.holdout);
    fields.end();
}

fn show_quiet(config: &Config) -> Value {
    let all = config.quiet_hours.iter().map(|(channel, quiet)| {
        let quiet = match quiet {
            QuietConfig::Daily(hours) => json!(hours),
            QuietConfig::Periods(periods) => periods
                .iter()
                .map(|period| json!({ "days": period.days, "hours": period.hours }))
                .collect(),
        };
        (channel.clone(), quiet)
    });
    Value::Object(all.collect())
}

/// By channel: hours of every day as a text, or periods with their days. A channel that is not there has none.
fn lay_quiet(value: &Value, config: &mut Config, faults: &mut Vec<Fault>) {
    let Value::Object(channels) = value else {
        let what = format!("{} stands here; write an object by channel", kind(value));
        faults.push(Fault::new("", what));
        return;
    };
    let mut all = BTreeMap::new();
    for (channel, quiet) in channels {
        let quiet = match quiet {
            Value::Null => continue,
            Value::String(hours) => QuietConfig::Daily(hours.clone()),
            Value::Array(periods) => {
                let mut read = Vec::with_capacity(periods.len());
                for (place, period) in periods.iter().enumerate() {
                    let place = format!("{channel}.{place}");
                    let Some(mut fields) = Fields::of(&place, period, faults) else {
                        continue;
                    };
                    let (mut days, mut hours) = (None, String::new());
                    fields.text_or_none("days", &mut days);
                    fields.text("hours", &mut hours);
                    fields.end();
                    read.push(QuietPeriod { days, hours });
                }
                if read.is_empty() {
                    continue;
                }
                QuietConfig::Periods(read)
            }
            other => {
                let what = format!(
                    "{} stands here; write hours such as 21:00-09:00, or a list of periods",
                    kind(other)
                );
                faults.push(Fault::new(channel, what));
                continue;
            }
        };
        all.insert(channel.clone(), quiet);
    }
    config.quiet_hours = all;
}

fn list<T>(value: &Value, faults: &mut Vec<Fault>, read: fn(&mut Fields<'_>) -> T) -> Vec<T> {
    let Value::Array(entries) = value else {
        let what = format!("{} stands here; write a list", kind(value));
        faults.push(Fault::new("", what));
        return Vec::new();
    };
    if entries.len() > LIST_MAX {
        let what = format!("more than {LIST_MAX} entries; leave some out");
        faults.push(Fault::new("", what));
        return Vec::new();
    }
    let mut all = Vec::with_capacity(entries.len());
    for (place, entry) in entries.iter().enumerate() {
        let Some(mut fields) = Fields::of(&place.to_string(), entry, faults) else {
            continue;
        };
        all.push(read(&mut fields));
        fields.end();
    }
    all
}

fn show_cap(cap: &CapConfig) -> Value {
    json!({
        "channel": cap.channel,
        "topic": cap.topic,
        "days": cap.days,
        "per": cap.per,
        "most": cap.most,
    })
}

fn read_cap(fields: &mut Fields<'_>) -> CapConfig {
    let mut cap = CapConfig {
        channel: None,
        topic: None,
        days: None,
        per: None,
        most: 0,
    };
    fields.text_or_none("channel", &mut cap.channel);
    fields.text_or_none("topic", &mut cap.topic);
    fields.number_or_none("days", &mut cap.days);
    fields.text_or_none("per", &mut cap.per);
    match fields.get("most") {
        Some(_) => fields.number("most", &mut cap.most),
        None => fields.fault("most", "it is missing; write how many messages"),
    }
    cap
}

fn show_topic(topic: &TopicConfig) -> Value {
    json!({ "id": topic.id, "name": topic.name, "description": topic.description })
}

fn read_topic(fields: &mut Fields<'_>) -> TopicConfig {
    let mut id = String::new();
    fields.text("id", &mut id);
    TopicConfig {
        id,
        name: by_language(fields, "name"),
        description: by_language(fields, "description"),
    }
}

/// Texts by language.
fn by_language(fields: &mut Fields<'_>, name: &'static str) -> BTreeMap<String, String> {
    let mut texts = BTreeMap::new();
    match fields.get(name) {
        None | Some(Value::Null) => {}
        Some(Value::Object(all)) => {
            for (language, text) in all {
                match text {
                    Value::Null => {}
                    Value::String(text) if text.trim().is_empty() => {}
                    Value::String(text) => {
                        texts.insert(language.clone(), text.trim().to_owned());
                    }
                    other => {
                        let what = format!("{} stands here; write a text", kind(other));
                        fields.fault(&format!("{name}.{language}"), what);
                    }
                }
            }
        }
        Some(other) => {
            let what = format!("{} stands here; write texts by language", kind(other));
            fields.fault(name, what);
        }
    }
    texts
}

fn lay_delivery(value: &Value, config: &mut Config, faults: &mut Vec<Fault>) {
    let Some(mut fields) = Fields::of("", value, faults) else {
        return;
    };
    let mut word = config.workspace.delivery.word().to_owned();
    fields.text("by", &mut word);
    fields.end();
    match Delivery::from_word(&word) {
        Some(delivery) => config.workspace.delivery = delivery,
        None => faults.push(Fault::new("by", "write smtp or outbox")),
    }
}

fn lay_consent(value: &Value, config: &mut Config, faults: &mut Vec<Fault>) {
    let own = &mut config.consent;
    let Some(mut fields) = Fields::of("", value, faults) else {
        return;
    };
    fields.texts("double_opt_in", &mut own.double_opt_in);
    fields.number("confirmations_per_day", &mut own.confirmations_per_day);
    fields.number("confirm_within_days", &mut own.confirm_within_days);
    fields.end();
}

fn lay_costs(value: &Value, config: &mut Config, faults: &mut Vec<Fault>) {
    let own = &mut config.costs;
    let Some(mut fields) = Fields::of("", value, faults) else {
        return;
    };
    fields.text("currency", &mut own.currency);
    own.currency.make_ascii_uppercase();
    fields.decimal("month", &mut own.month);
    fields.decimal("message", &mut own.message);
    fields.decimal("minutes", &mut own.minutes);
    fields.decimal("hour", &mut own.hour);
    fields.end();
}

/// How encryption is written.
pub const fn tls_word(tls: Tls) -> &'static str {
    match tls {
        Tls::Implicit => "implicit",
        Tls::Starttls => "starttls",
        Tls::None => "none",
    }
}

fn show_smtp(own: &SmtpConfig) -> Value {
    json!({
        "host": own.host,
        "port": own.port,
        "tls": tls_word(own.tls),
        "helo": own.helo,
        "user": own.user,
        "password": { "set": own.secret.is_set() },
        "connections_max": own.connections_max,
        "per_second_max": own.per_second_max,
        "per_hour_max": own.per_hour_max,
    })
}

fn lay_smtp(value: &Value, config: &mut Config, open: Opener<'_>, faults: &mut Vec<Fault>) {
    /// Where mail is submitted (RFC 6409).
    const SUBMISSION: u16 = 587;
    if value.is_null() {
        config.smtp = None;
        return;
    }
    let file = config.smtp.take();
    let Some(mut fields) = Fields::of("", value, faults) else {
        return;
    };
    let mut own = SmtpConfig {
        host: String::new(),
        port: SUBMISSION,
        tls: Tls::Starttls,
        ca_file: None,
        helo: default_helo(),
        user: None,
        secret: SecretConfig::default(),
        connections_max: None,
        per_second_max: None,
        per_hour_max: None,
    };
    fields.text("host", &mut own.host);
    fields.number("port", &mut own.port);
    let mut word = tls_word(own.tls).to_owned();
    fields.text("tls", &mut word);
    match [Tls::Implicit, Tls::Starttls, Tls::None]
        .into_iter()
        .find(|tls| tls_word(*tls) == word)
    {
        Some(tls) => own.tls = tls,
        None => fields.fault(
            "tls",
            format!("{word:?} is none; write implicit, starttls or none"),
        ),
    }
    let mut helo = None;
    fields.text_or_none("helo", &mut helo);
    own.helo = helo.unwrap_or(own.helo);
    fields.text_or_none("user", &mut own.user);
    fields.number_or_none("connections_max", &mut own.connections_max);
    fields.number_or_none("per_second_max", &mut own.per_second_max);
    fields.number_or_none("per_hour_max", &mut own.per_hour_max);
    let file = file.filter(|file| secret::is_same_host(&file.host, &own.host));
    // Which authorities are believed is the operator's business; a secret of the file is for its server alone.
    own.ca_file = file.as_ref().and_then(|file| file.ca_file.clone());
    match fields.get(secret::PASSWORD) {
        None => own.secret = file.map(|file| file.secret).unwrap_or_default(),
        Some(sealed) => match secret::open(secret::SMTP, sealed, open) {
            Ok(Kept::None) => {}
            Ok(Kept::Open(password)) => own.secret = SecretConfig::of(password),
            Ok(Kept::Shut(reason)) => own.secret = SecretConfig::shut(reason),
            Err(what) => fields.fault(secret::PASSWORD, what),
        },
    }
    fields.end();
    config.smtp = Some(own);
}

fn show_client(own: &OauthClientConfig, with_directory: bool) -> Value {
    let mut shown = Map::new();
    shown.insert("client_id".to_owned(), json!(own.client_id));
    shown.insert(
        secret::CLIENT_SECRET.to_owned(),
        json!({ "set": own.has_secret() }),
    );
    if with_directory {
        shown.insert("tenant".to_owned(), json!(own.directory));
    }
    Value::Object(shown)
}

fn lay_clients(value: &Value, config: &mut Config, open: Opener<'_>, faults: &mut Vec<Fault>) {
    let file = std::mem::take(&mut config.oauth_clients);
    let Value::Object(providers) = value else {
        let what = format!("{} stands here; write an object by provider", kind(value));
        faults.push(Fault::new("", what));
        return;
    };
    let mut client = |name: &'static str, context: &str, file: Option<OauthClientConfig>| {
        let value = match providers.get(name) {
            None => return file,
            Some(Value::Null) => return None,
            Some(value) => value,
        };
        let mut fields = Fields::of(name, value, faults)?;
        let (mut id, mut directory) = (String::new(), None);
        fields.text("client_id", &mut id);
        if context == secret::MICROSOFT {
            fields.text_or_none("tenant", &mut directory);
        }
        let bare = |secret| OauthClientConfig::new(id, secret, directory);
        let own = match (fields.get(secret::CLIENT_SECRET), file) {
            (None, Some(file)) => bare(None).with_secret_of(&file),
            (None, None) => bare(None),
            (Some(sealed), _) => match secret::open(context, sealed, open) {
                Ok(Kept::None) => bare(None),
                Ok(Kept::Open(secret)) => bare(Some(secret)),
                Ok(Kept::Shut(reason)) => bare(None).shut(reason),
                Err(what) => {
                    fields.fault(secret::CLIENT_SECRET, what);
                    bare(None)
                }
            },
        };
        fields.end();
        Some(own)
    };
    let google = client("google", secret::GOOGLE, file.google);
    let microsoft = client("microsoft", secret::MICROSOFT, file.microsoft);
    for name in providers.keys() {
        if !["google", "microsoft"].contains(&name.as_str()) {
            faults.push(Fault::new(
                name,
                "there is no such provider; it may be google or microsoft",
            ));
        }
    }
    config.oauth_clients.google = google;
    config.oauth_clients.microsoft = microsoft;
}
