//! Who is signed in, users, keys, and who changed what: answers and questions of the API.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Who is signed in, and where.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Session {
    /// Who; nobody for a program with a token.
    pub user: Option<Me>,
    /// What they may do: `see`, `approve`, `journeys`, ...
    pub permissions: Vec<String>,
    /// Whether they see contacts of everyone.
    pub sees_everyone: bool,
    /// To be sent as `X-Relance-Csrf` by calls that change something.
    pub csrf: Option<String>,
    /// The workspace.
    pub workspace: SessionWorkspace,
    /// Whether nothing is sent until a person releases it.
    pub quiet: bool,
    /// Whether there is no user yet.
    pub setup_needed: bool,
}

/// The user who is signed in.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Me {
    /// The address that they log in with.
    pub address: String,
    /// For people.
    pub name: Option<String>,
    /// `admin`, `head`, `marketer`, `salesperson` or `viewer`.
    pub role: String,
    /// The team.
    pub team: Option<String>,
    /// The language of what they read; the workspace's, when missing.
    pub language: Option<String>,
    /// Where they are; the workspace's zone, when missing.
    pub zone: Option<String>,
    /// Whether a second factor is on.
    pub totp: bool,
    /// Recovery codes that are left.
    pub recovery_codes: usize,
    /// Whether they have a password; without one they sign in with a provider.
    pub password: bool,
    /// Who answers in their place while they are away.
    pub deputy: Option<String>,
    /// The first day of absence.
    pub away_from: Option<String>,
    /// The last day of absence.
    pub away_until: Option<String>,
    /// When a mail tells what waits for them, `09:00`; `off` for never.
    pub digest: String,
}

/// What every page knows of the workspace.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct SessionWorkspace {
    /// For people.
    pub name: String,
    /// The zone of those who tell none.
    pub zone: String,
    /// The language of those who tell none.
    pub language: String,
    /// Where the server is reached.
    pub public_url: String,
}

/// Whether signing in is possible, for whoever is not signed in.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct SignInWays {
    /// Whether there is no user yet.
    pub setup_needed: bool,
    /// The name of the provider of `/auth/oidc`, where one is set up.
    pub provider: Option<String>,
}

/// Signing in: by address and password, or by a link.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SignIn {
    /// The address.
    pub address: Option<String>,
    /// The password.
    pub password: Option<String>,
    /// The code of the second factor, or a recovery code.
    pub code: Option<String>,
    /// The token of a link, in place of all others.
    pub link: Option<String>,
}

/// The first admin.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Setup {
    /// The token of the link that the server printed.
    pub link: String,
    /// The address to log in with.
    pub address: String,
    /// For people.
    pub name: Option<String>,
    /// At least ten characters.
    pub password: String,
    /// The language of what they read.
    pub language: Option<String>,
    /// Where they are.
    pub zone: Option<String>,
}

/// Somebody cannot sign in.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Forgotten {
    /// The address.
    pub address: String,
}

/// A new password by a link.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Reset {
    /// The token of the link.
    pub token: String,
    /// At least ten characters.
    pub password: String,
}

/// Whose it is.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct AddressOf {
    /// The address.
    pub address: String,
}

/// What a user changes of themselves; what is left out stays, an empty text takes away.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MePut {
    /// For people.
    pub name: Option<String>,
    /// The language of what they read.
    pub language: Option<String>,
    /// Where they are.
    pub zone: Option<String>,
    /// Who answers in their place while they are away: the address of another user.
    pub deputy: Option<String>,
    /// The first day of absence; today, when only `away_until` is said.
    pub away_from: Option<String>,
    /// The last day of absence; an empty text ends it.
    pub away_until: Option<String>,
    /// When a mail tells what waits for them, `09:00`; `off` for never.
    pub digest: Option<String>,
}

/// A new password by the old one.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PasswordPut {
    /// The password in force; left out where there is none.
    pub current: Option<String>,
    /// At least ten characters.
    pub password: String,
}

/// The password, once more.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PasswordAgain {
    /// The password in force; left out where there is none.
    pub password: Option<String>,
}

/// A second factor to confirm.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct TotpSecret {
    /// To type into an application.
    pub secret: String,
    /// To show as a code for the camera: `otpauth://totp/...`.
    pub url: String,
}

/// A code of the second factor.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TotpCode {
    /// Six digits.
    pub code: String,
}

/// What proves somebody once more: their password, or a code of their second factor.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ProvedAgain {
    /// The password.
    #[serde(default)]
    pub password: Option<String>,
    /// Six digits, or a recovery code.
    #[serde(default)]
    pub code: Option<String>,
}

/// Codes to sign in with when the second factor is lost, each once. They are shown this once.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct RecoveryCodes {
    /// The codes.
    pub recovery_codes: Vec<String>,
}

/// A device on which somebody is signed in.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Device {
    /// To end it with.
    pub id: String,
    /// Since when.
    pub made_at: String,
    /// When it was last used, to the hour.
    pub used_at: String,
    /// What the browser says that it is.
    pub agent: String,
    /// Whether it is the one that asks.
    pub current: bool,
}

/// Devices of a user.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Devices {
    /// The last used first.
    pub items: Vec<Device>,
}

/// Someone who logs in.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct User {
    /// The address that they log in with.
    pub address: String,
    /// For people.
    pub name: Option<String>,
    /// `admin`, `head`, `marketer`, `salesperson` or `viewer`.
    pub role: String,
    /// Salespeople of a team are seen by its heads.
    pub team: Option<String>,
    /// The language of what they read.
    pub language: Option<String>,
    /// Where they are.
    pub zone: Option<String>,
    /// Who answers in their place while they are away.
    pub deputy: Option<String>,
    /// The first day of absence.
    pub away_from: Option<String>,
    /// The last day of absence.
    pub away_until: Option<String>,
    /// When a mail tells what waits for them, `09:00`; `off` for never.
    pub digest: String,
    /// Whether they followed their invitation.
    pub active: bool,
    /// Whether a second factor is on.
    pub totp: bool,
    /// Since when they are known.
    pub made_at: String,
    /// Who made them.
    pub made_by: String,
}

/// Users.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct UserPage {
    /// By address.
    pub items: Vec<User>,
    /// There is one page.
    pub next: Option<String>,
}

/// A user to make.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UserPost {
    /// The address to log in with.
    pub address: String,
    /// For people.
    pub name: Option<String>,
    /// `admin`, `head`, `marketer`, `salesperson` or `viewer`.
    pub role: String,
    /// Salespeople of a team are seen by its heads.
    pub team: Option<String>,
    /// The language of what they read.
    pub language: Option<String>,
    /// Where they are.
    pub zone: Option<String>,
    /// Whether the invitation goes to them by e-mail; it does, unless this is `false`.
    pub mail: Option<bool>,
}

/// What is changed of a user; what is left out stays, an empty text takes away.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UserPut {
    /// For people.
    pub name: Option<String>,
    /// `admin`, `head`, `marketer`, `salesperson` or `viewer`.
    pub role: Option<String>,
    /// Salespeople of a team are seen by its heads.
    pub team: Option<String>,
    /// The language of what they read.
    pub language: Option<String>,
    /// Where they are.
    pub zone: Option<String>,
    /// Who answers in their place while they are away: the address of another user.
    pub deputy: Option<String>,
    /// The first day of absence; today, when only `away_until` is said.
    pub away_from: Option<String>,
    /// The last day of absence; an empty text ends it.
    pub away_until: Option<String>,
    /// When a mail tells what waits for them, `09:00`; `off` for never.
    pub digest: Option<String>,
    /// `false` turns the second factor off, for somebody who lost it.
    pub totp: Option<bool>,
}

/// A user that was made, and the link by which they choose a password.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Invited {
    /// Who.
    pub user: User,
    /// Where they choose a password; shown this once, good once.
    pub link: String,
    /// Whether it went to them by e-mail.
    pub mailed: bool,
}

/// An invitation, for who follows it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Invitation {
    /// Whose.
    pub address: String,
    /// For people.
    pub name: Option<String>,
    /// The language of what they read.
    pub language: Option<String>,
    /// The workspace's name.
    pub workspace: String,
    /// Who invites.
    pub by: String,
}

/// Following an invitation.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct InvitationPost {
    /// At least ten characters.
    pub password: String,
    /// For people.
    pub name: Option<String>,
    /// The language of what they read.
    pub language: Option<String>,
}

/// A key of a program, without the key.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Key {
    /// To remove it with.
    pub id: String,
    /// For people.
    pub name: String,
    /// `write` (sends events), `read`, `contacts`, `journeys` or `admin`.
    pub scope: String,
    /// When it was made.
    pub made_at: Option<String>,
    /// Who made it.
    pub made_by: String,
    /// When it was last used, to the hour.
    pub used_at: Option<String>,
}

/// Keys.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct KeyPage {
    /// The newest first.
    pub items: Vec<Key>,
    /// There is one page.
    pub next: Option<String>,
}

/// A key to make.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct KeyPost {
    /// For people.
    pub name: String,
    /// `write` (sends events), `read`, `contacts`, `journeys` or `admin`.
    pub scope: String,
}

/// A key that was made.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct KeyMade {
    /// The key; shown this once.
    pub secret: String,
    /// What is known of it.
    pub key: Key,
}

/// A line of who changed what.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct AuditLine {
    /// When.
    pub at: String,
    /// Who: an address, or the name of a token.
    pub by: String,
    /// What was done, as a code: `journey.publish`.
    pub action: String,
    /// To what: an id, or an address of a user.
    pub object: String,
    /// More of it.
    #[schema(value_type = Option<Object>)]
    pub detail: Option<serde_json::Value>,
}

/// Who changed what.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct AuditPage {
    /// The newest first.
    pub items: Vec<AuditLine>,
    /// Where the next page begins.
    pub next: Option<String>,
}
