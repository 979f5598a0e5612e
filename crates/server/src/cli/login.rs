//! `vestibule-enabler serve --oidc-…`: who vouches for people.

use std::path::PathBuf;

use clap::Args;

use super::CliError;
use crate::{
    HttpConfig,
    login::{ClaimRole, LoginConfig, Secret},
};

/// What is typed after `serve` for people to log in with an OpenID provider.
#[derive(Debug, Args)]
pub(super) struct LoginArgs {
    /// An OpenID provider with which people log in at /auth/login: https://id.example.
    #[arg(long = "oidc-issuer", value_name = "URL", env = "VESTIBULE_OIDC_ISSUER", requires_all = ["client", "redirect"])]
    issuer: Option<String>,
    /// What the provider calls this enabler.
    #[arg(long = "oidc-client-id", value_name = "ID", env = "VESTIBULE_OIDC_CLIENT_ID", requires = "issuer")]
    client: Option<String>,
    /// A file with the secret that the provider gave this enabler.
    #[arg(long = "oidc-client-secret-file", value_name = "FILE", requires = "issuer")]
    secret: Option<PathBuf>,
    /// This enabler's /auth/callback as people's browsers reach it, letter by letter as the provider knows it.
    #[arg(long = "oidc-redirect", value_name = "URL", env = "VESTIBULE_OIDC_REDIRECT", requires = "issuer")]
    redirect: Option<String>,
    /// What a claim makes people here: groups=staff:guest, or sub=*:guest for everybody. May be given often.
    #[arg(long = "oidc-role", value_name = "CLAIM=VALUE:ROLE", requires = "issuer")]
    roles: Vec<ClaimRole>,
}

impl LoginArgs {
    pub(super) fn config(self, http: &HttpConfig) -> Result<Option<LoginConfig>, CliError> {
        let Self { issuer, client, secret, redirect, roles } = self;
        let Some(((issuer, client_id), redirect)) = issuer.zip(client).zip(redirect) else { return Ok(None) };
        if http.plain.is_none() && http.tls.is_none() {
            return Err(CliError::Words("people log in over HTTP: --oidc-issuer needs --http or --https".to_owned()));
        }
        let read = |path: PathBuf| match std::fs::read_to_string(&path) {
            Ok(text) => Ok(Secret(text.trim().to_owned())),
            Err(error) => Err(CliError::Words(format!("{} cannot be read: {error}", path.display()))),
        };
        Ok(Some(LoginConfig { issuer, client_id, client_secret: secret.map(read).transpose()?, redirect, roles }))
    }
}
