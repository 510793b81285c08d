//! Logins and sessions.

use super::{fault::Fault, state::State};
use jiff::Timestamp;
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

/// A session.
#[derive(Debug, Clone)]
pub struct Session {
    /// Key that clients may see.
    pub key: String,
    /// Who.
    pub user: String,
    /// Since when.
    pub login_time: Timestamp,
    /// Last call.
    pub last_active: Timestamp,
}

/// All of them.
#[derive(Debug)]
pub struct Sessions {
    /// Users and passwords. A user may also come with the domain `vsphere.local`.
    pub users: BTreeMap<String, String>,
    /// Sessions by the secret that the cookie carries.
    pub open: BTreeMap<String, Session>,
    /// Tickets for cloning a session, used once: ticket and user.
    pub tickets: BTreeMap<String, String>,
    /// How long a session may be idle.
    pub idle: Duration,
    /// Secrets that were ended; whoever keeps things by session drops them.
    pub ended: BTreeSet<String>,
}

impl Default for Sessions {
    fn default() -> Self {
        Sessions {
            users: BTreeMap::new(),
            open: BTreeMap::new(),
            tickets: BTreeMap::new(),
            idle: Duration::from_secs(30 * 60),
            ended: BTreeSet::new(),
        }
    }
}

impl State {
    /// Opens a session and returns its secret.
    ///
    /// Errors: InvalidLogin.
    pub fn login(&mut self, user: &str, password: &str) -> Result<String, Fault> {
        let short = user.split('@').next().unwrap_or(user);
        let users = &self.sessions.users;
        let known = users.get(user).or_else(|| users.get(short));
        if known.is_none_or(|p| p != password) {
            return Err(Fault::new("InvalidLogin", "Cannot complete login due to an incorrect user name or password."));
        }
        Ok(self.open_session(user))
    }

    /// Opens a session without a password (from a ticket).
    pub fn open_session(&mut self, user: &str) -> String {
        let (secret, key, now) = (self.uuid(), self.uuid(), self.now());
        let session = Session { key, user: user.to_owned(), login_time: now, last_active: now };
        self.sessions.open.insert(secret.clone(), session);
        secret
    }

    /// Ends a session.
    pub fn logout(&mut self, secret: &str) {
        if self.sessions.open.remove(secret).is_some() {
            self.sessions.ended.insert(secret.to_owned());
            self.touch();
        }
    }

    /// Ends all sessions, as a restart of vCenter does.
    pub fn end_all_sessions(&mut self) {
        for secret in self.sessions.open.keys().cloned().collect::<Vec<_>>() {
            self.logout(&secret);
        }
    }

    /// The session of a secret, if it is open and was not idle for too long; marks it as active.
    pub fn session(&mut self, secret: &str) -> Option<Session> {
        let now = self.now();
        let idle = self.sessions.idle;
        let session = self.sessions.open.get_mut(secret)?;
        let since = now.duration_since(session.last_active);
        if since.unsigned_abs() > idle && since.is_positive() {
            self.logout(secret);
            return None;
        }
        session.last_active = now;
        Some(session.clone())
    }
}
