//! Authentication: PLAIN, LOGIN (RFC 4954, RFC 4616), XOAUTH2 and OAUTHBEARER (RFC 7628).
//!
//! A refusal is always [`Stage::Auth`], so that nobody mistakes a wrong password for a bounce.
//!
//! **Absent:** challenge mechanisms (CRAM-MD5, SCRAM). Routes with credentials are encrypted.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::connection::{Connection, accepted};
use super::outcome::{Failure, Refusal, Stage};
use super::route::Auth;

/// "Go on" in an AUTH dialogue.
const CONTINUE: u16 = 334;

impl Connection {
    pub(crate) async fn authenticate(
        &mut self,
        auth: &Auth,
        wait: Duration,
    ) -> Result<(), Failure> {
        match auth {
            Auth::None => Ok(()),
            Auth::Password { user, secret } => {
                if self.capabilities.auth_plain {
                    let response = STANDARD.encode(format!("\0{user}\0{}", secret.expose()));
                    self.auth_with_response("PLAIN", &response, wait).await
                } else if self.capabilities.auth_login {
                    self.auth_login(user, secret.expose(), wait).await
                } else {
                    Err(no_mechanism("neither AUTH PLAIN nor AUTH LOGIN"))
                }
            }
            Auth::XOAuth2 { user, token } => {
                if !self.capabilities.auth_xoauth2 && self.capabilities.auth_oauthbearer {
                    let name = user.replace('=', "=3D").replace(',', "=2C");
                    let response = STANDARD.encode(format!(
                        "n,a={name},\x01auth=Bearer {}\x01\x01",
                        token.expose()
                    ));
                    return self
                        .auth_with_response("OAUTHBEARER", &response, wait)
                        .await;
                }
                if !self.capabilities.auth_xoauth2 {
                    return Err(no_mechanism("neither AUTH XOAUTH2 nor AUTH OAUTHBEARER"));
                }
                let response = STANDARD.encode(format!(
                    "user={user}\x01auth=Bearer {}\x01\x01",
                    token.expose()
                ));
                self.auth_with_response("XOAUTH2", &response, wait).await
            }
        }
    }

    /// One line carries everything (the initial response of RFC 4954).
    async fn auth_with_response(
        &mut self,
        mechanism: &str,
        response: &str,
        wait: Duration,
    ) -> Result<(), Failure> {
        let mut reply = self
            .command(&["AUTH ", mechanism, " ", response], Stage::Auth, wait)
            .await?;
        if reply.code == CONTINUE {
            // A refusal is explained in a challenge; an empty answer, or a byte of 1 for RFC 7628, brings the
            // refusal itself.
            let answer: &[&str] = match mechanism {
                "OAUTHBEARER" => &["AQ=="],
                _other => &[],
            };
            reply = self.command(answer, Stage::Auth, wait).await?;
        }
        accepted(reply, Stage::Auth).map(drop)
    }

    async fn auth_login(
        &mut self,
        user: &str,
        secret: &str,
        wait: Duration,
    ) -> Result<(), Failure> {
        let mut reply = self.command(&["AUTH LOGIN"], Stage::Auth, wait).await?;
        for answer in [user, secret] {
            if reply.code != CONTINUE {
                // A server that is content before it has heard everything has authenticated nobody.
                accepted(reply, Stage::Auth)?;
                return Err(no_mechanism("an AUTH LOGIN that asks for no password"));
            }
            reply = self
                .command(&[&STANDARD.encode(answer)], Stage::Auth, wait)
                .await?;
        }
        accepted(reply, Stage::Auth).map(drop)
    }
}

fn no_mechanism(what: &str) -> Failure {
    Refusal::local(
        504,
        (5, 7, 4),
        Stage::Auth,
        format!("the server offers {what}"),
    )
    .into()
}
