//! `vestibule-enabler serve --ucp…`: whom people may buy from.

use std::{collections::BTreeSet, path::PathBuf};

use clap::Args;
use vestibule_adapter_ucp::Merchant;
use vestibule_ucp::Endpoint;

use super::CliError;
use crate::{HttpConfig, TradeConfig};

/// What is typed after `serve` for people to buy things.
#[derive(Debug, Args)]
pub(super) struct UcpArgs {
    /// A merchant that people may buy from, and what it is called here: ID=URL, where the URL is its UCP profile
    /// (https://shop.example/.well-known/ucp). Only these addresses are ever spoken to. May be given often.
    #[arg(long = "ucp", value_name = "ID=URL", env = "VESTIBULE_UCP")]
    merchants: Vec<Merchant>,
    /// A PEM file with certificates that vouch for merchants, besides those of this machine.
    #[arg(long = "ucp-ca", value_name = "FILE", requires = "merchants")]
    roots: Option<PathBuf>,
    /// Where merchants reach this enabler; its own address for HTTP on this machine unless told.
    #[arg(long = "ucp-platform", value_name = "URL", requires = "merchants")]
    platform: Option<Endpoint>,
}

impl UcpArgs {
    pub(super) fn config(self, http: &HttpConfig) -> Result<Option<TradeConfig>, CliError> {
        let Self { merchants, roots, platform } = self;
        if merchants.is_empty() {
            return Ok(None);
        }
        if http.plain.is_none() && http.tls.is_none() {
            return Err(CliError::Words(
                "merchants tell of orders over HTTP: --ucp needs --http or --https".to_owned(),
            ));
        }
        Ok(Some(TradeConfig { merchants, themselves: BTreeSet::new(), roots, platform }))
    }
}
