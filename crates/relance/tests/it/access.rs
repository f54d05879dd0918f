//! Accounts over real HTTP: coming in by every way and being kept out, what each role is refused, what stays hidden.
//!
//! The workspace runs inside the test, so that hashes are cheap and the clock of accounts is the test's.

mod digest;
mod provider;
mod scopes;

use std::net::SocketAddr;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use relance::access::account::setup_link;
use relance::access::{Cost, Options};
use relance::config::Config;
use relance::workspace::Workspace;
use relance_engine::clock::{Clock as _, SystemClock, VirtualClock};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::server::{Answer, request, until};

const ADMIN: &str = "olga@shop.test";
const PASSWORD: &str = "correct horse battery";

/// A workspace that runs here.
struct House {
    workspace: Arc<Workspace>,
    clock: Arc<VirtualClock>,
    data: TempDir,
    port: u16,
    runtime: tokio::runtime::Runtime,
}

/// A browser with its cookie, and what the page was told.
#[derive(Debug, Clone, Default)]
struct Browser {
    cookie: String,
    csrf: String,
}

impl House {
    fn open() -> Self {
        Self::open_with("")
    }

    /// With more sections of the configuration.
    fn open_with(more: &str) -> Self {
        let data = TempDir::new().expect("a folder");
        let config = "[workspace]\nname = \"Shop\"\npublic_url = \"http://shop.test\"\naddress = \"news@shop.test\"\n\
                      delivery = \"outbox\"\ninternal_domains = [\"shop.test\"]\n";
        let config = format!("{config}{more}");
        std::fs::write(data.path().join("relance.toml"), config).expect("writes");
        let config = Config::load(data.path()).expect("a configuration");
        let now = Timestamp::from_second(1_800_000_000).expect("a moment");
        let clock = Arc::new(VirtualClock::new(now));
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .expect("a runtime");
        let options = Options {
            cost: Cost {
                memory_kib: 8,
                passes: 1,
            },
            clock: clock.clone(),
        };
        let (workspace, port) = runtime.block_on(async {
            let time = Arc::new(SystemClock);
            let workspace =
                Workspace::open_with(data.path(), config, time, options).expect("opens");
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
                .await
                .expect("listens");
            let port = listener.local_addr().expect("an address").port();
            let app = relance::http::router(workspace.clone());
            let app = app.into_make_service_with_connect_info::<SocketAddr>();
            tokio::spawn(async move { axum::serve(listener, app).await });
            (workspace, port)
        });
        Self {
            workspace,
            clock,
            data,
            port,
            runtime,
        }
    }

    /// With the first admin, signed in.
    fn with_admin() -> (Self, Browser) {
        Self::open().and_admin()
    }

    fn and_admin(self) -> (Self, Browser) {
        let house = self;
        let link = house.setup_link();
        let body = json!({ "link": link, "address": ADMIN, "name": "Olga", "password": PASSWORD });
        let answer = house.post("/api/v1/setup", None, &body);
        assert_eq!(answer.status, 200, "{}", answer.text());
        let admin = Browser::of(&answer);
        (house, admin)
    }

    fn setup_link(&self) -> String {
        let link = self
            .runtime
            .block_on(setup_link(&self.workspace, "http://shop.test"));
        token_of(&link.expect("a link"))
    }

    fn ask(&self, method: &str, path: &str, who: Option<&Browser>, body: Option<&Value>) -> Answer {
        let text = body.map(Value::to_string).unwrap_or_default();
        let mut headers = vec![("User-Agent", "Test browser")];
        if body.is_some() {
            headers.push(("Content-Type", "application/json"));
        }
        if let Some(who) = who {
            headers.push(("Cookie", &who.cookie));
            headers.push(("X-Relance-Csrf", &who.csrf));
        }
        request(self.port, method, path, &headers, text.as_bytes())
    }

    fn get(&self, path: &str, who: &Browser) -> Answer {
        self.ask("GET", path, Some(who), None)
    }

    fn post(&self, path: &str, who: Option<&Browser>, body: &Value) -> Answer {
        self.ask("POST", path, who, Some(body))
    }

    fn sign_in(&self, address: &str, password: &str) -> Answer {
        let body = json!({ "address": address, "password": password });
        self.post("/api/v1/session", None, &body)
    }

    fn signed_in(&self, address: &str, password: &str) -> Browser {
        let answer = self.sign_in(address, password);
        assert_eq!(answer.status, 200, "{}", answer.text());
        Browser::of(&answer)
    }

    /// Invites somebody, who follows the invitation.
    fn user(&self, admin: &Browser, address: &str, role: &str, team: Option<&str>) -> Browser {
        let body = json!({ "address": address, "role": role, "team": team, "mail": false });
        let made = self.post("/api/v1/users", Some(admin), &body);
        assert_eq!(made.status, 201, "{}", made.text());
        let token = token_of(made.json()["link"].as_str().expect("a link"));
        let path = format!("/api/v1/invitations/{token}");
        let body = json!({ "password": format!("{PASSWORD} {role}") });
        let answer = self.post(&path, None, &body);
        assert_eq!(answer.status, 200, "{}", answer.text());
        Browser::of(&answer)
    }

    fn is_signed_in(&self, who: &Browser) -> bool {
        let answer = self.get("/api/v1/session", who);
        assert!([200, 401].contains(&answer.status), "{}", answer.text());
        answer.status == 200
    }

    fn advance(&self, by: SignedDuration) {
        self.clock.advance(by);
    }

    /// The texts of the letters in the outbox.
    fn letters(&self) -> Vec<String> {
        let folder = std::fs::read_dir(self.data.path().join("outbox")).expect("a folder");
        let files = folder.filter_map(|entry| std::fs::read(entry.ok()?.path()).ok());
        let mails = files.filter_map(|bytes| {
            let mail = relance_message::mail::Mail::parse(&bytes).ok()?;
            Some(format!("{mail:?}"))
        });
        mails.collect()
    }

    fn actions(&self, admin: &Browser, query: &str) -> Vec<String> {
        let page = self
            .get(&format!("/api/v1/audit?limit=200{query}"), admin)
            .json();
        let items = page["items"].as_array().expect("lines").iter();
        items
            .map(|line| {
                format!(
                    "{} {}",
                    line["by"].as_str().unwrap(),
                    line["action"].as_str().unwrap()
                )
            })
            .collect()
    }
}

impl Drop for House {
    fn drop(&mut self) {
        let workspace = self.workspace.clone();
        self.runtime
            .block_on(async { tokio::task::spawn_blocking(move || workspace.stop()).await })
            .expect("stops");
    }
}

impl Browser {
    fn of(answer: &Answer) -> Self {
        let set = answer.header("set-cookie").expect("a cookie");
        assert!(
            set.contains("HttpOnly") && set.contains("SameSite=Lax"),
            "{set}"
        );
        let cookie = set.split(';').next().expect("a value").to_owned();
        let csrf = answer.json()["csrf"].as_str().expect("a mark").to_owned();
        Self { cookie, csrf }
    }
}

/// The token of a link: its fragment.
fn token_of(link: &str) -> String {
    link.split_once('#').expect("a fragment").1.to_owned()
}

#[test]
fn the_first_admin_is_made_once_by_the_link_that_was_printed() {
    let house = House::open();
    let nobody = house.ask("GET", "/api/v1/session", None, None);
    assert_eq!((nobody.status, &*nobody.problem()), (401, "not_signed_in"));
    assert_eq!(nobody.json()["setup_needed"], true);
    assert_eq!(nobody.header("www-authenticate"), None);
    let link = house.setup_link();
    let setup = |link: &str, password: &str| {
        let body = json!({ "link": link, "address": " Olga@Shop.test", "name": "Olga", "password": password,
                           "language": "ru", "zone": "Europe/Moscow" });
        house.post("/api/v1/setup", None, &body)
    };
    let wrong = setup(&"x".repeat(43), PASSWORD);
    assert_eq!((wrong.status, &*wrong.problem()), (404, "link_unknown"));
    let weak = setup(&link, "password123");
    assert_eq!((weak.status, &*weak.problem()), (422, "weak_password"));
    assert_eq!(weak.json()["why"], "common");
    let done = setup(&link, PASSWORD);
    assert_eq!(done.status, 200, "{}", done.text());
    let session = done.json();
    assert_eq!(session["user"]["address"], ADMIN);
    assert_eq!(session["user"]["role"], "admin");
    assert_eq!(session["workspace"]["name"], "Shop");
    assert_eq!(
        (&session["quiet"], &session["setup_needed"]),
        (&json!(false), &json!(false))
    );
    let admin = Browser::of(&done);
    assert!(house.is_signed_in(&admin));
    // Neither this link nor another one makes a second first admin.
    let again = setup(&link, PASSWORD);
    assert_eq!((again.status, &*again.problem()), (409, "setup_done"));
    let other = house.setup_link();
    assert_eq!(setup(&other, PASSWORD).problem(), "setup_done");
    assert_eq!(house.actions(&admin, ""), ["olga@shop.test session.begin"]);
}

#[test]
fn a_set_up_link_expires() {
    let house = House::open();
    let link = house.setup_link();
    house.advance(SignedDuration::from_hours(7 * 24));
    let body = json!({ "link": link, "address": ADMIN, "password": PASSWORD });
    let answer = house.post("/api/v1/setup", None, &body);
    assert_eq!((answer.status, &*answer.problem()), (404, "link_unknown"));
}

#[test]
fn wrong_passwords_are_slowed_down_alike_for_known_and_unknown() {
    let (house, _) = House::with_admin();
    for address in [ADMIN, "nobody@shop.test"] {
        for _ in 0..10 {
            let answer = house.sign_in(address, "wrong password");
            assert_eq!(
                (answer.status, &*answer.problem()),
                (401, "wrong_credentials")
            );
        }
        // The right one is not looked at any more.
        let refused = house.sign_in(address, PASSWORD);
        assert_eq!(
            (refused.status, &*refused.problem()),
            (429, "too_many_attempts")
        );
        let wait: i64 = refused.header("retry-after").unwrap().parse().unwrap();
        assert!((1..=900).contains(&wait), "{wait}");
    }
    house.advance(SignedDuration::from_mins(15));
    assert_eq!(house.sign_in(ADMIN, PASSWORD).status, 200);
    for strange in [
        json!({}),
        json!({ "address": ADMIN }),
        json!({ "address": ADMIN, "password": PASSWORD, "link": "x" }),
        json!({ "address": ADMIN, "password": PASSWORD, "more": 1 }),
        json!([]),
    ] {
        let status = house.post("/api/v1/session", None, &strange).status;
        assert!([400, 422].contains(&status), "{strange}: {status}");
    }
}

#[test]
fn a_change_by_cookie_needs_what_only_our_page_was_told() {
    let (house, admin) = House::with_admin();
    let body = json!({ "name": "reports", "scope": "read" });
    for csrf in ["", "wrong", &admin.cookie] {
        let stranger = Browser {
            csrf: csrf.to_owned(),
            ..admin.clone()
        };
        let refused = house.post("/api/v1/keys", Some(&stranger), &body);
        assert_eq!((refused.status, &*refused.problem()), (403, "csrf"));
    }
    // Another session's is not this one's.
    let other = house.signed_in(ADMIN, PASSWORD);
    let mixed = Browser {
        csrf: other.csrf,
        ..admin.clone()
    };
    assert_eq!(
        house.post("/api/v1/keys", Some(&mixed), &body).problem(),
        "csrf"
    );
    assert_eq!(house.post("/api/v1/keys", Some(&admin), &body).status, 201);
    // Reading needs none.
    let reader = Browser {
        csrf: String::new(),
        ..admin
    };
    assert_eq!(house.get("/api/v1/overview", &reader).status, 200);
}

#[test]
fn the_second_factor_is_asked_taken_once_and_replaced_by_a_recovery_code() {
    let (house, admin) = House::with_admin();
    let asked = house
        .post("/api/v1/me/totp", Some(&admin), &json!({}))
        .json();
    let secret = totp_rs::Secret::try_from_base32(asked["secret"].as_str().unwrap()).unwrap();
    assert!(
        asked["url"]
            .as_str()
            .unwrap()
            .starts_with("otpauth://totp/")
    );
    let totp = totp_rs::Builder::new().with_secret(secret).build().unwrap();
    let code = || {
        totp.generate(u64::try_from(house.clock.now().as_second()).unwrap())
            .to_string()
    };
    let confirm = |code: &str| {
        house.post(
            "/api/v1/me/totp/confirm",
            Some(&admin),
            &json!({ "code": code }),
        )
    };
    assert_eq!(confirm("000000x").problem(), "wrong_code");
    assert_eq!(
        house.sign_in(ADMIN, PASSWORD).status,
        200,
        "not in force yet"
    );
    let done = confirm(&code());
    assert_eq!(done.status, 200, "{}", done.text());
    let recovery = done.json()["recovery_codes"].as_array().unwrap().clone();
    assert_eq!(recovery.len(), 10);
    let sign_in = |code: Option<&str>| {
        let body = json!({ "address": ADMIN, "password": PASSWORD, "code": code });
        house.post("/api/v1/session", None, &body)
    };
    assert_eq!(sign_in(None).problem(), "code_needed");
    // What confirmed it was used by that.
    assert_eq!(sign_in(Some(&code())).problem(), "wrong_code");
    house.advance(SignedDuration::from_secs(60));
    let fresh = code();
    assert_eq!(sign_in(Some(&fresh)).status, 200);
    assert_eq!(sign_in(Some(&fresh)).problem(), "wrong_code");
    let first = recovery[0].as_str().unwrap();
    assert_eq!(sign_in(Some(first)).status, 200);
    assert_eq!(sign_in(Some(first)).problem(), "wrong_code");
    // A wrong password is asked for no code.
    let wrong = json!({ "address": ADMIN, "password": "wrong password", "code": code() });
    assert_eq!(
        house.post("/api/v1/session", None, &wrong).problem(),
        "wrong_credentials"
    );
    let session = house.get("/api/v1/session", &admin).json();
    assert_eq!(
        (&session["user"]["totp"], &session["user"]["recovery_codes"]),
        (&json!(true), &json!(9))
    );
    // Made anew, those of before are good for nothing.
    let anew = |body: &Value| house.post("/api/v1/me/totp/recovery", Some(&admin), body);
    let wrong = json!({ "password": "wrong password" });
    assert_eq!(anew(&wrong).problem(), "wrong_password");
    assert_eq!(anew(&json!({ "code": "000000" })).problem(), "wrong_code");
    let codes = anew(&json!({ "password": PASSWORD })).json();
    assert_eq!(codes["recovery_codes"].as_array().unwrap().len(), 10);
    assert_eq!(
        sign_in(recovery[1].as_str()).problem(),
        "wrong_code",
        "one of before"
    );
    house.advance(SignedDuration::from_secs(120));
    let by_code = anew(&json!({ "code": code() }));
    assert_eq!(by_code.status, 200, "{}", by_code.text());
    assert_eq!(
        sign_in(codes["recovery_codes"][0].as_str()).problem(),
        "wrong_code"
    );
    let off = |password: &str| {
        let body = json!({ "password": password });
        house.ask("DELETE", "/api/v1/me/totp", Some(&admin), Some(&body))
    };
    assert_eq!(off("wrong password").problem(), "wrong_password");
    assert_eq!(off(PASSWORD).status, 204);
    assert_eq!(sign_in(None).status, 200);
}

#[test]
fn a_forgotten_password_is_chosen_anew_by_a_letter_and_ends_every_session() {
    let (house, admin) = House::with_admin();
    let forgotten = |address: &str| {
        house
            .post(
                "/api/v1/password/forgotten",
                None,
                &json!({ "address": address }),
            )
            .status
    };
    assert_eq!(forgotten("nobody@shop.test"), 202);
    assert_eq!(forgotten(ADMIN), 202);
    let letter = until("the letter", || house.letters().pop());
    let at = letter.find("http://shop.test/reset#").expect("a link");
    let token: String = letter[at + "http://shop.test/reset#".len()..]
        .chars()
        .take(43)
        .collect();
    assert_eq!(house.letters().len(), 1, "nobody gets none");
    let reset = |token: &str, password: &str| {
        let body = json!({ "token": token, "password": password });
        house.post("/api/v1/password/reset", None, &body)
    };
    assert_eq!(reset(&token, "short").problem(), "weak_password");
    assert_eq!(
        reset(&"a".repeat(43), "another long password").problem(),
        "link_unknown"
    );
    let done = reset(&token, "another long password");
    assert_eq!((done.status, &done.json()["address"]), (200, &json!(ADMIN)));
    assert_eq!(
        reset(&token, "yet another password").problem(),
        "link_unknown"
    );
    assert!(!house.is_signed_in(&admin));
    assert_eq!(house.sign_in(ADMIN, PASSWORD).status, 401);
    assert_eq!(house.sign_in(ADMIN, "another long password").status, 200);
    // Nobody fills another's mailbox.
    assert_eq!((forgotten(ADMIN), forgotten(ADMIN)), (202, 202));
    assert_eq!(forgotten(ADMIN), 429);
}

#[test]
fn a_changed_password_ends_the_other_sessions_and_goes_on_with_a_new_one() {
    let (house, admin) = House::with_admin();
    let other = house.signed_in(ADMIN, PASSWORD);
    let change = |who: &Browser, current: &str| {
        let body = json!({ "current": current, "password": "another long password" });
        house.ask("PUT", "/api/v1/me/password", Some(who), Some(&body))
    };
    let wrong = change(&admin, "wrong password");
    assert_eq!((wrong.status, &*wrong.problem()), (403, "wrong_password"));
    assert!(house.is_signed_in(&other));
    let done = change(&admin, PASSWORD);
    assert_eq!(done.status, 200, "{}", done.text());
    let fresh = Browser::of(&done);
    assert!(house.is_signed_in(&fresh));
    assert!(!house.is_signed_in(&admin) && !house.is_signed_in(&other));
}

#[test]
fn sessions_are_seen_ended_and_grow_old() {
    let (house, admin) = House::with_admin();
    let other = house.signed_in(ADMIN, PASSWORD);
    let third = house.signed_in(ADMIN, PASSWORD);
    let devices = house.get("/api/v1/me/sessions", &admin).json();
    let devices = devices["items"].as_array().unwrap().clone();
    assert_eq!(devices.len(), 3);
    assert_eq!(
        devices.iter().filter(|one| one["current"] == true).count(),
        1
    );
    assert_eq!(devices[0]["agent"], "Test browser");
    let strange = devices.iter().find(|one| one["current"] == false).unwrap();
    let path = format!("/api/v1/me/sessions/{}", strange["id"].as_str().unwrap());
    assert_eq!(house.ask("DELETE", &path, Some(&admin), None).status, 204);
    assert_eq!(house.ask("DELETE", &path, Some(&admin), None).status, 404);
    let left = [&other, &third]
        .iter()
        .filter(|who| house.is_signed_in(who))
        .count();
    assert_eq!(left, 1);
    assert_eq!(
        house
            .ask("DELETE", "/api/v1/me/sessions", Some(&admin), None)
            .status,
        204
    );
    assert!(!house.is_signed_in(&other) && !house.is_signed_in(&third));
    // Used every day a session lives for a month, unused for a week.
    let idle = house.signed_in(ADMIN, PASSWORD);
    for _ in 0..29 {
        house.advance(SignedDuration::from_hours(24));
        assert!(house.is_signed_in(&admin));
        // That it was used is noted beside the answer.
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    assert!(!house.is_signed_in(&idle));
    house.advance(SignedDuration::from_hours(24));
    assert!(!house.is_signed_in(&admin));
    let last = house.signed_in(ADMIN, PASSWORD);
    let gone = house.ask("DELETE", "/api/v1/session", Some(&last), None);
    assert_eq!(gone.status, 204);
    assert!(gone.header("set-cookie").unwrap().contains("Max-Age=0"));
    assert!(!house.is_signed_in(&last));
}

#[test]
fn an_invitation_is_mailed_followed_once_and_made_anew() {
    let (house, admin) = House::with_admin();
    let body = json!({ "address": "Anna@shop.test", "name": "Анна", "role": "salesperson", "language": "ru" });
    let made = house.post("/api/v1/users", Some(&admin), &body);
    assert_eq!(made.status, 201, "{}", made.text());
    let made = made.json();
    assert_eq!(
        (&made["mailed"], &made["user"]["active"]),
        (&json!(true), &json!(false))
    );
    let link = made["link"].as_str().unwrap().to_owned();
    let letter = house.letters().pop().expect("a letter");
    assert!(
        letter.contains(&link) && letter.contains("приглашает"),
        "{letter}"
    );
    let taken = house.post("/api/v1/users", Some(&admin), &body);
    assert_eq!((taken.status, &*taken.problem()), (409, "address_taken"));
    // A new one takes the place of the first.
    let path = "/api/v1/users/anna@shop.test/invitation";
    let anew = house.post(path, Some(&admin), &json!({})).json();
    let anew = token_of(anew["link"].as_str().unwrap());
    let of = |token: &str| format!("/api/v1/invitations/{token}");
    assert_eq!(
        house.ask("GET", &of(&token_of(&link)), None, None).status,
        404
    );
    let shown = house.ask("GET", &of(&anew), None, None).json();
    assert_eq!(
        (&shown["address"], &shown["by"]),
        (&json!("anna@shop.test"), &json!(ADMIN))
    );
    let follow = || house.post(&of(&anew), None, &json!({ "password": "длинный пароль" }));
    let done = follow();
    assert_eq!(
        (done.status, &done.json()["user"]["name"]),
        (200, &json!("Анна"))
    );
    assert_eq!(follow().status, 404);
    assert_eq!(
        house.sign_in("ANNA@shop.test", "длинный пароль").status,
        200
    );
    let active = house.post(path, Some(&admin), &json!({}));
    assert_eq!((active.status, &*active.problem()), (409, "user_active"));
    for bad in [
        json!({ "address": "anna", "role": "viewer" }),
        json!({ "address": "b@shop.test", "role": "king" }),
        json!({ "address": "b@shop.test", "role": "viewer", "zone": "Mars" }),
        json!({ "address": "b@shop.test", "role": "viewer", "name": "x".repeat(10_000) }),
    ] {
        assert_eq!(
            house.post("/api/v1/users", Some(&admin), &bad).status,
            400,
            "{bad}"
        );
    }
}

#[test]
fn the_last_admin_stays_and_whoever_goes_is_out_at_once() {
    let (house, admin) = House::with_admin();
    let own = format!("/api/v1/users/{ADMIN}");
    let put = |path: &str, body: Value| house.ask("PUT", path, Some(&admin), Some(&body));
    let gone = house.ask("DELETE", &own, Some(&admin), None);
    assert_eq!((gone.status, &*gone.problem()), (409, "last_admin"));
    assert_eq!(
        put(&own, json!({ "role": "viewer" })).problem(),
        "last_admin"
    );
    let anna = house.user(&admin, "anna@shop.test", "viewer", None);
    let keys = "/api/v1/keys";
    let refused = house.get(keys, &anna);
    assert_eq!((refused.status, &*refused.problem()), (403, "forbidden"));
    // Made admin, she may at once; removed, she is out at once.
    let of_anna = "/api/v1/users/anna@shop.test";
    assert_eq!(put(of_anna, json!({ "role": "admin" })).status, 200);
    assert_eq!(house.get(keys, &anna).status, 200);
    assert_eq!(house.ask("DELETE", of_anna, Some(&admin), None).status, 204);
    assert!(!house.is_signed_in(&anna));
    assert_eq!(house.ask("DELETE", of_anna, Some(&admin), None).status, 404);
    let lines = house.actions(&admin, "&action=user.");
    let by = |action: &str| format!("{ADMIN} {action}");
    assert_eq!(
        lines,
        [by("user.remove"), by("user.change"), by("user.add")]
    );
    let lines = house.actions(&admin, "&object=anna@shop.test&by=anna@shop.test");
    assert_eq!(lines, ["anna@shop.test session.begin"]);
}

#[test]
fn a_link_from_the_command_line_signs_in_once_beside_the_running_server() {
    let (house, admin) = House::with_admin();
    let data = house.data.path().to_str().unwrap();
    let made = crate::server::relance(&["user", "link", ADMIN, "--data", data, "--json"]);
    assert!(made.status.success(), "{made:?}");
    let made: Value = serde_json::from_slice(&made.stdout).unwrap();
    // The program made it by the clock of the machine, which is behind the test's.
    let token = token_of(made["link"].as_str().unwrap());
    let stale = house.post("/api/v1/session", None, &json!({ "link": token }));
    assert_eq!((stale.status, &*stale.problem()), (404, "link_unknown"));
    let link = house
        .runtime
        .block_on(relance::access::account::sign_in_link(
            &house.workspace,
            ADMIN,
            "http://shop.test",
        ));
    let token = token_of(&link.unwrap());
    let enter = || house.post("/api/v1/session", None, &json!({ "link": token }));
    assert_eq!(enter().status, 200);
    assert_eq!(enter().problem(), "link_unknown");
    // A sign-in link is none for a password, and whoever changes theirs voids it.
    let body = json!({ "token": token, "password": "another long password" });
    assert_eq!(
        house.post("/api/v1/password/reset", None, &body).problem(),
        "link_unknown"
    );
    assert!(house.is_signed_in(&admin));
    let listed = crate::server::relance(&["user", "list", "--data", data]);
    let listed = String::from_utf8(listed.stdout).unwrap();
    assert!(listed.contains("olga@shop.test  admin"), "{listed}");
}
