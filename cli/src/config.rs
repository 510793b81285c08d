//! Where the gateway is and how to speak to it: flags, then variables, then `~/.config/strata/cli.toml`.

use crate::{args::GlobalArgs, environment::Environment, failure::Failure};
use secrecy::SecretString;
use serde::Deserialize;
use std::{
    path::{Path, PathBuf},
    time::Duration,
};
use strata_model::ErrorKind;

/// What the configuration file may say.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    /// `https://gateway.example:7443`.
    gateway: Option<String>,
    /// PEM file with the authority that signed the gateway's certificate.
    ca_file: Option<PathBuf>,
    /// File that holds the bearer token.
    token_file: Option<PathBuf>,
}

/// How to reach the gateway.
#[derive(Debug, Clone)]
pub struct GatewayConfig {
    /// `http://127.0.0.1:7400` or `https://gateway.example:7443`.
    pub url: String,
    /// PEM file with the authority that signed the gateway's certificate.
    pub ca_file: Option<PathBuf>,
    /// Sent as `authorization: Bearer`.
    pub token: Option<SecretString>,
    /// Allows http beyond this machine.
    pub insecure: bool,
    /// How long one call may take; watching has no limit.
    pub timeout: Duration,
}

/// Puts flags, variables and file together.
///
/// # Errors
/// A file cannot be read or understood, or nothing says where the gateway is.
pub fn load(args: &GlobalArgs, environment: &Environment) -> Result<GatewayConfig, Failure> {
    let file = read_file(args, environment)?;
    let variable = |name: &str| environment.variable(name).map(str::to_owned);
    let url = args.gateway.clone().or(variable("STRATA_GATEWAY")).or(file.gateway).ok_or_else(|| {
        Failure::new(ErrorKind::InvalidArgument, "GATEWAY_NOT_CONFIGURED", "no gateway is configured").hint(
            "use --gateway URL, set STRATA_GATEWAY, or write gateway = \"URL\" into ~/.config/strata/cli.toml; \
             to try Strata without one, run `strata lab`",
        )
    })?;
    let token_file = args.token_file.clone().or(variable("STRATA_TOKEN_FILE").map(PathBuf::from));
    let token = match (token_file, variable("STRATA_TOKEN"), file.token_file) {
        (Some(path), _, _) | (None, None, Some(path)) => Some(read_token(&path)?),
        (None, Some(text), _) => Some(text.into()),
        (None, None, None) => None,
    };
    Ok(GatewayConfig {
        url,
        ca_file: args.ca_file.clone().or(variable("STRATA_CA_FILE").map(PathBuf::from)).or(file.ca_file),
        token,
        insecure: args.insecure,
        timeout: Duration::from_secs(args.timeout_s),
    })
}

fn read_file(args: &GlobalArgs, environment: &Environment) -> Result<File, Failure> {
    let told = args.config.clone().or(environment.variable("STRATA_CONFIG").map(PathBuf::from));
    let must_exist = told.is_some();
    let Some(path) = told.or_else(|| default_path(environment)) else { return Ok(File::default()) };
    let text = match fs_err::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound && !must_exist => return Ok(File::default()),
        Err(error) => return Err(Failure::new(ErrorKind::InvalidArgument, "CONFIG_NOT_READABLE", error)),
    };
    toml::from_str(&text).map_err(|error| {
        let text = error.to_string();
        let message = format!("{} is not understood: {}", path.display(), text.trim_end());
        Failure::new(ErrorKind::InvalidArgument, "CONFIG_NOT_UNDERSTOOD", message)
            .hint("it may hold gateway, ca_file and token_file")
    })
}

fn default_path(environment: &Environment) -> Option<PathBuf> {
    let base = match environment.variable("XDG_CONFIG_HOME") {
        Some(folder) => PathBuf::from(folder),
        None => Path::new(environment.variable("HOME")?).join(".config"),
    };
    Some(base.join("strata").join("cli.toml"))
}

fn read_token(path: &Path) -> Result<SecretString, Failure> {
    match fs_err::read_to_string(path) {
        Ok(text) => Ok(text.trim().into()),
        Err(error) => Err(Failure::new(ErrorKind::InvalidArgument, "TOKEN_NOT_READABLE", error)),
    }
}
