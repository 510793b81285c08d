//! SessionManager: logins, and handing a session to another client.

use super::{
    super::context::{Answer, Ctx},
    not_here,
};
use crate::world::compute::{
    fault::Fault,
    session::Session,
    state::State,
    value::{Val, obj},
};

fn user_session(s: &Session) -> Val {
    obj!("UserSession", "key" => &s.key, "userName" => &s.user, "fullName" => &s.user, "loginTime" => s.login_time,
        "lastActiveTime" => s.last_active, "locale" => "en", "messageLocale" => "en", "extensionSession" => false,
        "ipAddress" => "127.0.0.1", "userAgent" => "", "callCount" => 0i64)
}

/// A property. The caller's own session is not known here; the newest stands for it.
pub fn property(s: &State, name: &str) -> Val {
    match name {
        "sessionList" => Val::List(s.sessions.open.values().map(user_session).collect()),
        "currentSession" => {
            s.sessions.open.values().max_by_key(|x| x.last_active).map(user_session).unwrap_or_default()
        }
        "defaultLocale" => "en".into(),
        "messageLocaleList" | "supportedLocaleList" => vec!["en"].into(),
        _ => Val::Unset,
    }
}

/// The methods.
pub fn call(ctx: &mut Ctx<'_>, method: &str) -> Answer {
    match method {
        "Login" => {
            if ctx.session.is_some() {
                return Err(Fault::new("InvalidLogin", "This connection is logged in already."));
            }
            let (user, password) = (ctx.text("userName").to_owned(), ctx.text("password").to_owned());
            let secret = ctx.s.login(&user, &password)?;
            enter(ctx, secret)
        }
        "CloneSession" => {
            let ticket = ctx.text("cloneTicket").to_owned();
            let user = ctx.s.sessions.tickets.remove(&ticket);
            let user = user.ok_or_else(|| Fault::new("InvalidLogin", "The ticket is not valid."))?;
            let secret = ctx.s.open_session(&user);
            enter(ctx, secret)
        }
        "AcquireCloneTicket" => {
            let (ticket, user) = (format!("cst-VCT-{}", ctx.s.uuid()), ctx.user());
            ctx.s.sessions.tickets.insert(ticket.clone(), user);
            Ok(ticket.into())
        }
        "Logout" => {
            if let Some((secret, _)) = &ctx.session {
                ctx.s.logout(secret);
            }
            Ok(Val::Unset)
        }
        "SessionIsActive" => {
            ctx.need("Sessions.ValidateSession", &crate::world::compute::value::MoRef::new("Folder", "group-d1"))?;
            let (key, user) = (ctx.text("sessionID"), ctx.text("userName"));
            Ok(ctx.s.sessions.open.values().any(|s| s.key == key && s.user == user).into())
        }
        "TerminateSession" => {
            for key in ctx.args.list("sessionId").to_vec() {
                if ctx.session.as_ref().map(|s| s.1.key.as_str()) == key.as_str() {
                    return Err(Fault::invalid_argument("sessionId"));
                }
                let found = ctx.s.sessions.open.iter().find(|(_, s)| Some(s.key.as_str()) == key.as_str());
                let secret = found.map(|(k, _)| k.clone());
                let secret = secret.ok_or_else(|| Fault::new("NotFound", "There is no such session"))?;
                ctx.s.logout(&secret);
            }
            Ok(Val::Unset)
        }
        "SetLocale" => Ok(Val::Unset),
        _ => not_here(ctx, method),
    }
}

fn enter(ctx: &mut Ctx<'_>, secret: String) -> Answer {
    let session = ctx.s.session(&secret).map(|s| user_session(&s)).unwrap_or_default();
    ctx.cookie = Some(secret);
    Ok(session)
}
