//! `vestibule-enabler serve --ucp…`: whom people may buy from.

use std::path::PathBuf;

use clap::Args;
use vestibule_adapter_ucp::Merchant;
use vestibule_model::SystemId;
use vestibule_ucp::Endpoint;

use super::CliError;
use crate::{HttpConfig, TradeConfig};

/// What is typed after `serve` for people to buy things.
#[derive(Debug, Args)]
pub(super) struct UcpArgs {
    /// A merchant that people may buy from, and what it is called here: ID=URL, where the URL is its UCP profile
    /// (https://shop.example/.well-known/ucp). Only these addresses are ever spoken to. May be given often.
    #[arg(long = "ucp", value_name = "ID=URL", env = "VESTIBULE_UCP", value_parser = merchant)]
    merchants: Vec<Merchant>,
    /// A PEM file with certificates that vouch for merchants, besides those of this machine.
    #[arg(long = "ucp-ca", value_name = "FILE", requires = "merchants")]
    roots: Option<PathBuf>,
    /// Where merchants reach this enabler; its own address for HTTP on this machine unless told.
    #[arg(long = "ucp-platform", value_name = "URL", requires = "merchants")]
    platform: Option<Endpoint>,
}

fn merchant(text: &str) -> Result<Merchant, String> {
    let (system, profile) = text.split_once('=').ok_or("a merchant is ID=URL")?;
    let system = SystemId::new(system).map_err(|error| error.to_string())?;
    let profile = Endpoint::new(profile).map_err(|error| error.to_string())?;
    Ok(Merchant { system, profile })
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
        Ok(Some(TradeConfig { merchants, roots, platform }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn merchants_are_typed() {
        let shop = merchant("shop=http://127.0.0.1:7801/.well-known/ucp").unwrap();
        assert_eq!((shop.system.as_str(), shop.profile.authority()), ("shop", "127.0.0.1:7801"));
        for text in [
            "",
            "shop",
            "=http://127.0.0.1/",
            "shop=http://shop.example/",
            "shop=shop.example",
            "a b=https://x.example/",
        ] {
            assert!(merchant(text).is_err(), "{text}");
        }
    }
}
