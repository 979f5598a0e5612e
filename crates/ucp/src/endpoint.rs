use std::{
    fmt,
    net::{Ipv4Addr, Ipv6Addr},
};

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// The longest address that is taken.
const MAX_URL: usize = 2048;

/// Why an address is not spoken to.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum EndpointError {
    /// Not an absolute address with a host, or one with a password, a question or a part in it.
    #[error("not an address of the form https://host[:port]/path")]
    Malformed,
    /// Without TLS, and not on this machine.
    #[error("only https; http where the host is a loopback address, written as one")]
    Insecure,
}

/// An address that may be spoken to: over TLS, or on this very machine.
///
/// A name that only resolves to this machine does not count: whoever answers for names would choose whom we speak to
/// without TLS.
///
/// ```
/// use vestibule_ucp::Endpoint;
/// assert!(Endpoint::new("https://shop.example.com/ucp").is_ok());
/// assert!(Endpoint::new("http://127.0.0.1:7801/ucp").is_ok());
/// assert!(Endpoint::new("http://localhost:7801/ucp").is_err());
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Endpoint {
    url: String,
    /// Where the host begins in `url`.
    host_at: usize,
    /// Where the path begins in `url`.
    path_at: usize,
    host_length: usize,
}

impl Endpoint {
    /// Checks an address; its host becomes lower case, a default port goes away.
    ///
    /// # Errors
    /// [`EndpointError`].
    pub fn new(url: &str) -> Result<Self, EndpointError> {
        let (scheme, rest) = url.split_once("://").ok_or(EndpointError::Malformed)?;
        let secure = match scheme.to_ascii_lowercase().as_str() {
            "https" => true,
            "http" => false,
            _ => return Err(EndpointError::Insecure),
        };
        let plain = |b: u8| b.is_ascii_graphic() && !b"\\?#<>\"{}|^`".contains(&b);
        if url.len() > MAX_URL || !rest.bytes().all(plain) {
            return Err(EndpointError::Malformed);
        }
        let (authority, path) = rest.find('/').map_or((rest, ""), |at| rest.split_at(at));
        let (host, port) = split_port(authority)?;
        let host = host.to_ascii_lowercase();
        check_host(&host)?;
        if !secure && !is_loopback(&host) {
            return Err(EndpointError::Insecure);
        }
        let scheme = if secure { "https" } else { "http" };
        let port = port.filter(|port| *port != if secure { 443 } else { 80 });
        let port = port.map_or(String::new(), |port| format!(":{port}"));
        let host_at = scheme.len() + 3;
        let path_at = host_at + host.len() + port.len();
        Ok(Self { url: format!("{scheme}://{host}{port}{path}"), host_at, path_at, host_length: host.len() })
    }

    /// The whole address.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.url
    }

    /// Whether it is spoken to over TLS.
    #[must_use]
    pub fn is_secure(&self) -> bool {
        self.url.starts_with("https:")
    }

    /// Host and port, as signatures have them.
    #[must_use]
    pub fn authority(&self) -> &str {
        self.url.get(self.host_at..self.path_at).unwrap_or_default()
    }

    /// The host alone.
    #[must_use]
    pub fn host(&self) -> &str {
        self.url.get(self.host_at..self.host_at + self.host_length).unwrap_or_default()
    }

    /// The path, `/` at least.
    #[must_use]
    pub fn path(&self) -> &str {
        match self.url.get(self.path_at..) {
            None | Some("") => "/",
            Some(path) => path,
        }
    }

    /// The address of something below this one. What a merchant chose (an id) is escaped, so that it stays one
    /// segment.
    ///
    /// # Errors
    /// [`EndpointError::Malformed`] where a segment is empty or a step on the path, which no escape helps against.
    pub fn below(&self, segments: &[&str]) -> Result<Self, EndpointError> {
        let mut url = self.url.trim_end_matches('/').to_owned();
        for segment in segments {
            if matches!(*segment, "" | "." | "..") {
                return Err(EndpointError::Malformed);
            }
            url.push('/');
            segment.bytes().for_each(|byte| escape(byte, &mut url));
        }
        Ok(Self { url, ..self.clone() })
    }
}

fn escape(byte: u8, url: &mut String) {
    if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
        url.push(char::from(byte));
    } else {
        let digit = |value: u8| char::from(b"0123456789ABCDEF"[usize::from(value & 15)]);
        url.extend(['%', digit(byte >> 4), digit(byte)]);
    }
}

fn split_port(authority: &str) -> Result<(&str, Option<u16>), EndpointError> {
    let end = authority.rfind(']').map_or(0, |at| at + 1);
    let (host, port) = match authority.get(end..).and_then(|rest| rest.rfind(':')) {
        Some(at) => (authority.get(..end + at), authority.get(end + at + 1..)),
        None => (Some(authority), None),
    };
    let number = |port: &str| port.bytes().all(|b| b.is_ascii_digit()).then(|| port.parse().ok()).flatten();
    let port = match port {
        Some(port) => Some(number(port).filter(|port| *port > 0).ok_or(EndpointError::Malformed)?),
        None => None,
    };
    Ok((host.ok_or(EndpointError::Malformed)?, port))
}

fn check_host(host: &str) -> Result<(), EndpointError> {
    if let Some(inner) = host.strip_prefix('[') {
        let inner = inner.strip_suffix(']').ok_or(EndpointError::Malformed)?;
        return inner.parse::<Ipv6Addr>().map(|_| ()).map_err(|_| EndpointError::Malformed);
    }
    let label = |label: &str| {
        !label.is_empty()
            && label.len() <= 63
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
    };
    // Digits alone are an address in some spelling that only some understand.
    let last = host.rsplit('.').next().unwrap_or_default();
    let is_number = last.bytes().all(|b| b.is_ascii_digit()) || last.starts_with("0x");
    if host.len() > 253 || !host.split('.').all(label) || is_number && host.parse::<Ipv4Addr>().is_err() {
        return Err(EndpointError::Malformed);
    }
    Ok(())
}

fn is_loopback(host: &str) -> bool {
    host.parse::<Ipv4Addr>().is_ok_and(|address| address.is_loopback()) || host == "[::1]"
}

impl std::str::FromStr for Endpoint {
    type Err = EndpointError;
    fn from_str(url: &str) -> Result<Self, EndpointError> {
        Self::new(url)
    }
}

impl TryFrom<String> for Endpoint {
    type Error = EndpointError;
    fn try_from(url: String) -> Result<Self, EndpointError> {
        Self::new(&url)
    }
}

impl From<Endpoint> for String {
    fn from(endpoint: Endpoint) -> Self {
        endpoint.url
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.url)
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Endpoint({self})")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn only_over_tls_or_on_this_machine() {
        for (url, authority, path) in [
            ("https://Shop.Example.com:443/a/b", "shop.example.com", "/a/b"),
            ("HTTPS://shop.example.com:8443", "shop.example.com:8443", "/"),
            ("http://127.0.0.1:7801/ucp", "127.0.0.1:7801", "/ucp"),
            ("http://127.3.2.1:80/", "127.3.2.1", "/"),
            ("http://[::1]:9/x", "[::1]:9", "/x"),
            ("https://[2001:DB8::1]/", "[2001:db8::1]", "/"),
        ] {
            let endpoint = Endpoint::new(url).unwrap();
            assert_eq!((endpoint.authority(), endpoint.path()), (authority, path), "{url}");
        }
        for url in [
            "http://localhost/",
            "http://127.0.0.1.example.com/",
            "http://10.0.0.1/",
            "http://[::2]/",
            "ftp://a.b/",
            "http://[::ffff:127.0.0.1]/",
        ] {
            assert_eq!(Endpoint::new(url), Err(EndpointError::Insecure), "{url}");
        }
        for url in [
            "",
            "https://",
            "https:///a",
            "https://user:pass@a.b/",
            "https://user@a.b/",
            "https://a.b:0/",
            "https://a.b:99999/",
            "https://a.b:/",
            "https://a.b/?q",
            "https://a.b/#f",
            "https://a b/",
            "https://a..b/",
            "https://-a.b/",
            "https://a.b/\\",
            "http://127.1/",
            "http://2130706433/",
            "http://0x7f.0.0.1/",
            "http://127.0.0.0x1/",
            "https://[::1/",
            "https://a.b/é",
            "https://a.b\n/",
        ] {
            assert_eq!(Endpoint::new(url), Err(EndpointError::Malformed), "{url}");
        }
    }

    #[test]
    fn what_a_merchant_chose_stays_one_segment() {
        let endpoint = Endpoint::new("http://127.0.0.1:7801/ucp/").unwrap();
        let below = endpoint.below(&["checkout-sessions", "../a b?c/é", "cancel"]).unwrap();
        assert_eq!(below.as_str(), "http://127.0.0.1:7801/ucp/checkout-sessions/..%2Fa%20b%3Fc%2F%C3%A9/cancel");
        assert_eq!(below.path(), "/ucp/checkout-sessions/..%2Fa%20b%3Fc%2F%C3%A9/cancel");
        for step in ["", ".", ".."] {
            assert_eq!(endpoint.below(&[step]), Err(EndpointError::Malformed));
        }
        assert_eq!(below.authority(), endpoint.authority());
        assert_eq!(Endpoint::new("https://a.b").unwrap().below(&["x"]).unwrap().path(), "/x");
    }

    proptest! {
        #[test]
        fn what_is_taken_stays_what_it_is(url in "(https?://)?[a-zA-Z0-9.:@\\[\\]/-]{0,30}[ -~]{0,6}") {
            if let Ok(endpoint) = Endpoint::new(&url) {
                prop_assert_eq!(&Endpoint::new(endpoint.as_str()).unwrap(), &endpoint);
                prop_assert!(endpoint.is_secure() || is_loopback(endpoint.host()));
                prop_assert!(endpoint.path().starts_with('/') && !endpoint.host().is_empty());
            }
        }
    }
}
