//! Where the broker is and how to speak to it.

use std::fmt;
use std::path::PathBuf;

use thiserror::Error;
use vestibule_model::SystemId;

use crate::registry::RegistryConfig;

/// How the home's twin system reaches its broker.
#[derive(Clone, PartialEq, Eq)]
pub struct MqttConfig {
    /// Host name or address of the broker.
    pub host: String,
    /// Port.
    pub port: u16,
    /// Whether to speak TLS.
    pub tls: bool,
    /// With TLS: a file of PEM certificates that alone are trusted; `None`: those of the operating system.
    pub ca: Option<PathBuf>,
    /// With TLS: files of the PEM certificate and of its PEM key by which the broker knows us.
    pub certificate: Option<(PathBuf, PathBuf)>,
    /// User name, if the broker asks for one.
    pub username: Option<String>,
    /// Password; without a user name it is not used.
    pub password: Option<String>,
    /// What to call ourselves; `None`: a name of its own for each start. Two clients of one id throw each other out.
    pub client_id: Option<String>,
    /// First levels of discovery topics, and of the birth topic `<prefix>/status`.
    pub prefix: String,
    /// The twin system's id.
    pub system: SystemId,
    /// The twin system's name, for people.
    pub name: String,
    /// Whether to say `online` on `<prefix>/status` once connected, as Home Assistant does: devices announce
    /// themselves and their states again then.
    pub announce: bool,
}

impl Default for MqttConfig {
    /// A broker on this machine, in the clear, for the system `home`.
    fn default() -> Self {
        Self {
            host: "localhost".to_owned(),
            port: 1883,
            tls: false,
            ca: None,
            certificate: None,
            username: None,
            password: None,
            client_id: None,
            prefix: "homeassistant".to_owned(),
            system: SystemId::slug("home"),
            name: "Home".to_owned(),
            announce: true,
        }
    }
}

impl fmt::Debug for MqttConfig {
    /// Without the password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MqttConfig")
            .field("broker", &self.broker())
            .field("tls", &self.tls)
            .field("ca", &self.ca)
            .field("certificate", &self.certificate.as_ref().map(|(certificate, _)| certificate))
            .field("username", &self.username)
            .field("client_id", &self.client_id)
            .field("prefix", &self.prefix)
            .field("system", &self.system)
            .finish_non_exhaustive()
    }
}

/// Why a text is no broker's address. Never shows the password.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum UrlError {
    /// Another scheme than those that are spoken.
    #[error("a broker's address begins with mqtt:// or mqtts://")]
    Scheme,
    /// No host.
    #[error("the broker's address names no host: mqtt://[user:password@]host[:port]")]
    Host,
    /// No port.
    #[error("{0:?} is no port: it has to be 1 to 65535")]
    Port(String),
    /// A `%` without two hexadecimal digits, or no UTF-8.
    #[error("the user name or password has a % that is not followed by two hexadecimal digits")]
    Percent,
    /// A parameter that is not known.
    #[error("{0:?} is no parameter: ca, cert, key, client_id, prefix, system, name and announce are")]
    Parameter(String),
    /// A certificate without its key, a key without its certificate, or both without TLS.
    #[error("`cert` and `key` go together, and with mqtts://")]
    Certificate,
    /// Neither yes nor no.
    #[error("`announce` is true or false, not {0:?}")]
    Announce(String),
    /// The system's id cannot be one.
    #[error("`system`: {0}")]
    System(#[from] vestibule_model::IdError),
}

impl MqttConfig {
    /// Reads `mqtt://[user[:password]@]host[:port][?client_id=x&prefix=x&system=x&name=x&announce=false]`, or `mqtts://`
    /// for TLS, with `ca=file`, `cert=file` and `key=file`. User, password and parameters may be percent-encoded.
    ///
    /// # Errors
    /// [`UrlError`] says what is wrong, without the password.
    pub fn from_url(url: &str) -> Result<Self, UrlError> {
        let (scheme, rest) = url.trim().split_once("://").ok_or(UrlError::Scheme)?;
        let tls = match scheme.to_ascii_lowercase().as_str() {
            "mqtt" | "tcp" => false,
            "mqtts" | "ssl" | "tls" => true,
            _ => return Err(UrlError::Scheme),
        };
        let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (credentials, place) = rest.rsplit_once('@').map_or((None, rest), |(c, place)| (Some(c), place));
        let place = place.trim_end_matches('/');
        let (host, port) = match place.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => {
                let number = port.parse().ok().filter(|port| *port > 0);
                (host, number.ok_or_else(|| UrlError::Port(port.to_owned()))?)
            }
            _ => (place, if tls { 8883 } else { 1883 }),
        };
        if host.is_empty() || host.contains(['/', ' ']) {
            return Err(UrlError::Host);
        }
        let mut config = Self { host: host.to_owned(), port, tls, ..Self::default() };
        if let Some(credentials) = credentials {
            let (user, password) = credentials.split_once(':').map_or((credentials, None), |(u, p)| (u, Some(p)));
            config.username = Some(decoded(user)?);
            config.password = password.map(decoded).transpose()?;
        }
        let (mut certificate, mut key) = (None, None);
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let value = decoded(value)?;
            match name {
                "ca" => config.ca = Some(PathBuf::from(value)),
                "cert" => certificate = Some(PathBuf::from(value)),
                "key" => key = Some(PathBuf::from(value)),
                "announce" => {
                    config.announce = match value.as_str() {
                        "true" => true,
                        "false" => false,
                        _ => return Err(UrlError::Announce(value)),
                    };
                }
                "client_id" => config.client_id = Some(value),
                "prefix" => config.prefix = value.trim_matches('/').to_owned(),
                "system" => config.system = SystemId::new(value)?,
                "name" => config.name = value,
                other => return Err(UrlError::Parameter(other.to_owned())),
            }
        }
        config.certificate = match (certificate, key) {
            (None, None) => None,
            (Some(certificate), Some(key)) if tls => Some((certificate, key)),
            _ => return Err(UrlError::Certificate),
        };
        Ok(config)
    }

    /// The host without the brackets that an IPv6 address has in an URL.
    pub(crate) fn bare_host(&self) -> &str {
        self.host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(&self.host)
    }

    /// The broker as `host:port`.
    #[must_use]
    pub fn broker(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }

    pub(crate) fn registry(&self) -> RegistryConfig {
        RegistryConfig {
            system: self.system.clone(),
            name: self.name.clone(),
            prefix: self.prefix.clone(),
            broker: self.broker(),
            ..RegistryConfig::default()
        }
    }
}

fn decoded(text: &str) -> Result<String, UrlError> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let mut digit = || rest.next().and_then(|byte| char::from(byte).to_digit(16)).ok_or(UrlError::Percent);
        let value = digit()? * 16 + digit()?;
        bytes.push(u8::try_from(value).map_err(|_| UrlError::Percent)?);
    }
    String::from_utf8(bytes).map_err(|_| UrlError::Percent)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read() {
        let config =
            MqttConfig::from_url("mqtts://me:p%40ss%3a@[::1]:8884/?ca=/etc/ca.pem&system=cabin&prefix=ha/x").unwrap();
        assert_eq!((config.host.as_str(), config.port, config.tls), ("[::1]", 8884, true));
        assert_eq!((config.username.as_deref(), config.password.as_deref()), (Some("me"), Some("p@ss:")));
        assert_eq!((config.system.as_str(), config.prefix.as_str()), ("cabin", "ha/x"));
        assert_eq!(MqttConfig::from_url("mqtt://broker.lan").unwrap().port, 1883);
        assert_eq!(MqttConfig::from_url("mqtt://[::1]").unwrap().port, 1883);
        assert_eq!(config.bare_host(), "::1");
        let config = MqttConfig::from_url("mqtts://b?cert=/c.pem&key=/k.pem&announce=false").unwrap();
        assert_eq!(config.certificate, Some(("/c.pem".into(), "/k.pem".into())));
        assert!(!config.announce && MqttConfig::from_url("mqtt://b?announce=true").unwrap().announce);
        assert!(!format!("{config:?}").contains("p@ss"));
    }

    #[test]
    fn wrong_ones_are_named() {
        for (url, error) in [
            ("broker", UrlError::Scheme),
            ("http://broker", UrlError::Scheme),
            ("mqtt://", UrlError::Host),
            ("mqtt://a:b@", UrlError::Host),
            ("mqtt://host:0", UrlError::Port("0".to_owned())),
            ("mqtt://host:x", UrlError::Port("x".to_owned())),
            ("mqtt://a:%zz@host", UrlError::Percent),
            ("mqtts://host?cert=a", UrlError::Certificate),
            ("mqtt://host?cert=a&key=b", UrlError::Certificate),
            ("mqtt://host?announce=maybe", UrlError::Announce("maybe".to_owned())),
            ("mqtt://host?color=red", UrlError::Parameter("color".to_owned())),
        ] {
            assert_eq!(MqttConfig::from_url(url), Err(error), "{url}");
        }
    }
}
