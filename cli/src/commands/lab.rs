//! `strata lab`.

use crate::{
    context::Context,
    exit_code::SUCCESS,
    failure::Failure,
    lab::{ArrayKind, ExternalVcenter, FilerOptions, Lab, LabOptions},
};
use clap::Args;
use secrecy::SecretString;
use std::path::PathBuf;
use strata_model::ErrorKind;

/// What the lab is made of.
#[derive(Debug, Args)]
pub struct LabArgs {
    /// Use this vCenter instead of the built-in one, as https://host, or https://user:password@host for one that is a
    /// simulator itself
    #[arg(long, value_name = "URL")]
    vcenter: Option<String>,
    /// Account in that vCenter; its password is read from --vcenter-password-file or STRATA_VCENTER_PASSWORD [variable:
    /// STRATA_VCENTER_USER]
    #[arg(long, value_name = "NAME", requires = "vcenter")]
    vcenter_user: Option<String>,
    /// File that holds the password
    #[arg(long, value_name = "FILE", requires = "vcenter")]
    vcenter_password_file: Option<PathBuf>,
    /// PEM file with the authority that signed that vCenter's certificate
    #[arg(long, value_name = "FILE", requires = "vcenter")]
    vcenter_ca_file: Option<PathBuf>,
    /// SHA-256 of that vCenter's certificate
    #[arg(long, value_name = "HEX", requires = "vcenter", conflicts_with = "vcenter_ca_file")]
    vcenter_thumbprint: Option<String>,
    /// Put the filer on this directory; its subdirectories are the volumes
    #[arg(long, value_name = "DIR")]
    filer: Option<PathBuf>,
    /// Address under which the vCenter's hosts mount the filer
    #[arg(long, value_name = "ADDRESS", requires = "filer")]
    filer_host: Vec<String>,
    /// Path that the hosts see for the filer's directory
    #[arg(long, value_name = "PATH", requires = "filer")]
    filer_prefix: Option<String>,
    /// What the first datastores lie on; a filer where this machine can, else the reference array
    #[arg(long, value_name = "KIND")]
    array: Option<ArrayKind>,
}

/// Runs the lab until SIGINT or SIGTERM.
///
/// # Errors
/// A part does not start, or its directory cannot be removed.
pub async fn run(args: LabArgs, context: &Context) -> Result<u8, Failure> {
    let options = LabOptions {
        vcenter: external(&args, context)?,
        filer: args.filer.map(|directory| FilerOptions {
            directory,
            hosts: args.filer_host,
            path_prefix: args.filer_prefix,
        }),
        array: args.array,
        ..LabOptions::default()
    };
    // Asked for before anything is made, so that nothing stays behind.
    let mut ending = std::pin::pin!(context.interrupts.end());
    let started = tokio::select! {
        started = Lab::start(options, context.clock.clone(), context.time_zone.clone()) => started,
        () = &mut ending => return Ok(SUCCESS),
    };
    let lab = started?;
    let told = tell(&lab, context);
    if told.is_ok() {
        ending.await;
    }
    lab.stop().await?;
    told.map(|()| SUCCESS)
}

fn external(args: &LabArgs, context: &Context) -> Result<Option<ExternalVcenter>, Failure> {
    let Some(typed) = &args.vcenter else { return Ok(None) };
    let (url, account) = split_account(typed);
    let (url_user, url_password) = account.unwrap_or_default();
    let wrong = |reason: &str, message: String| Failure::new(ErrorKind::InvalidArgument, reason, message);
    let username = args.vcenter_user.clone().or_else(|| context.variable("STRATA_VCENTER_USER").map(str::to_owned));
    let username = username.or(Some(url_user)).filter(|name| !name.is_empty()).ok_or_else(|| {
        wrong("USER_MISSING", format!("the account at {url} was not given"))
            .hint("use --vcenter-user, or set STRATA_VCENTER_USER")
    })?;
    let told = context.variable("STRATA_VCENTER_PASSWORD").map(str::to_owned);
    let password: SecretString = match (&args.vcenter_password_file, told.or(url_password)) {
        (Some(path), _) => match fs_err::read_to_string(path) {
            Ok(text) => text.trim_end_matches(['\r', '\n']).into(),
            Err(error) => return Err(wrong("PASSWORD_NOT_READABLE", error.to_string())),
        },
        (None, Some(text)) => text.into(),
        (None, None) => {
            return Err(wrong("PASSWORD_MISSING", format!("the password of {username} at {url} was not given"))
                .hint("use --vcenter-password-file, or set STRATA_VCENTER_PASSWORD"));
        }
    };
    Ok(Some(ExternalVcenter {
        url,
        username,
        password,
        ca_file: args.vcenter_ca_file.clone(),
        thumbprint: args.vcenter_thumbprint.clone(),
    }))
}

/// A user name, and a password where there is one.
type Account = (String, Option<String>);

/// Takes `user:password@` out of a URL. A user name may hold an `@`; what is percent-encoded is decoded.
fn split_account(url: &str) -> (String, Option<Account>) {
    let split = url.split_once("://").and_then(|(scheme, rest)| {
        let end = rest.find('/').unwrap_or(rest.len());
        let (authority, path) = rest.split_at(end);
        let (account, host) = authority.rsplit_once('@')?;
        let decode = |text: &str| strata_model::names::decode(text).unwrap_or_else(|| text.to_owned());
        let account = match account.split_once(':') {
            Some((user, password)) => (decode(user), Some(decode(password))),
            None => (decode(account), None),
        };
        Some((format!("{scheme}://{host}{path}"), Some(account)))
    });
    split.unwrap_or_else(|| (url.to_owned(), None))
}

fn tell(lab: &Lab, context: &Context) -> Result<(), Failure> {
    let printer = &context.printer;
    if printer.style().json {
        return printer.json(&serde_json::to_value(&lab.facts).map_err(|error| {
            Failure::new(ErrorKind::Unexpected, "LAB_FAILED", format!("the lab cannot be described: {error}"))
        })?);
    }
    let facts = &lab.facts;
    printer.head("The lab is ready.")?;
    for (name, service) in [("gateway", &facts.gateway), ("inventory", &facts.inventory), ("storage", &facts.storage)] {
        printer.data(&format!("  {name:<10}{}", service.grpc))?;
    }
    for vcenter in &facts.vcenters {
        printer.data(&format!("  {:<10}{} as {}", vcenter.name, vcenter.url, vcenter.username))?;
    }
    for array in &facts.arrays {
        printer.data(&format!("  {:<10}{} ({})", array.name, array.url, array.kind))?;
    }
    printer.data(&format!("The first datastores lie on {}: {}.", lab.array.name, lab.array.reason))?;
    printer.hint(&format!("in another terminal: export STRATA_GATEWAY={}; strata vm list", facts.gateway.grpc));
    printer.hint("Ctrl-C ends the lab and removes everything it made");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accounts_come_out_of_urls() {
        let account = |user: &str, password: Option<&str>| Some((user.to_owned(), password.map(str::to_owned)));
        for (url, plain, expected) in [
            ("https://vc:8989/sdk", "https://vc:8989/sdk", None),
            ("https://user:pass@127.0.0.1:8989/sdk", "https://127.0.0.1:8989/sdk", account("user", Some("pass"))),
            ("https://a@vsphere.local:p%40%3A@vc", "https://vc", account("a@vsphere.local", Some("p@:"))),
            ("https://a@vc/sdk@x", "https://vc/sdk@x", account("a", None)),
            ("nonsense", "nonsense", None),
        ] {
            let (found, given) = split_account(url);
            assert_eq!((found.as_str(), given), (plain, expected), "{url}");
        }
    }
}
