//! What went wrong with a connection, in words that say what to do.

use std::io;

use rumqttc::v5::mqttbytes::v5::ConnectReturnCode;
use rumqttc::v5::{ConnectionError, StateError};
use rustls::CertificateError;

use crate::config::MqttConfig;

/// A command that nobody can hear.
pub(super) const NOBODY: &str = "no device listens for this command";

/// An error for a person.
pub(super) fn of(error: &ConnectionError, config: &MqttConfig) -> String {
    let broker = config.broker();
    match error {
        ConnectionError::ConnectionRefused(code) => refused(*code),
        ConnectionError::Io(error) => io_error(error, config),
        ConnectionError::Tls(rumqttc::TlsError::Io(error)) => io_error(error, config),
        ConnectionError::Tls(rumqttc::TlsError::TLS(error)) => tls(error, config),
        ConnectionError::Tls(error) => format!("TLS with {broker} failed: {error}"),
        ConnectionError::Timeout(_) => format!("{broker} does not answer"),
        ConnectionError::NotConnAck(_) => format!("what answers on {broker} is no MQTT broker"),
        ConnectionError::MqttState(StateError::ServerDisconnect { reason_code, .. }) => {
            format!("the broker ended the connection: {reason_code:?}")
        }
        ConnectionError::MqttState(StateError::Io(error)) => io_error(error, config),
        ConnectionError::MqttState(StateError::ConnectionAborted) => "the broker closed the connection".to_owned(),
        ConnectionError::MqttState(StateError::AwaitPingResp) => "the broker fell silent".to_owned(),
        ConnectionError::MqttState(error) => format!("the broker said what MQTT 5 does not allow: {error}"),
        other => other.to_string(),
    }
}

fn refused(code: ConnectReturnCode) -> String {
    use ConnectReturnCode as Code;
    match code {
        Code::BadUserNamePassword => "the broker refused the user name or the password".to_owned(),
        Code::NotAuthorized => {
            "the broker refused: user name and password are missing, wrong or not allowed".to_owned()
        }
        Code::RefusedProtocolVersion | Code::UnsupportedProtocolVersion => {
            "the broker does not speak MQTT 5".to_owned()
        }
        Code::Banned => "the broker has banned this client".to_owned(),
        Code::ServerBusy | Code::ServerUnavailable | Code::ServiceUnavailable => "the broker is busy".to_owned(),
        other => format!("the broker refused the connection: {other:?}"),
    }
}

fn io_error(error: &io::Error, config: &MqttConfig) -> String {
    let broker = config.broker();
    if let Some(error) = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
        return tls(error, config);
    }
    match error.kind() {
        io::ErrorKind::ConnectionRefused => format!("nothing listens on {broker}"),
        io::ErrorKind::TimedOut => format!("{broker} does not answer"),
        io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable => format!("there is no way to {broker}"),
        io::ErrorKind::UnexpectedEof if config.tls => format!("what answers on {broker} speaks no TLS"),
        io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionAborted | io::ErrorKind::UnexpectedEof => {
            "the broker closed the connection".to_owned()
        }
        _ if error.to_string().contains("lookup") => format!("there is no host {:?}", config.host),
        _ => format!("the connection to {broker} failed: {error}"),
    }
}

fn tls(error: &rustls::Error, config: &MqttConfig) -> String {
    use CertificateError as Bad;
    let broker = config.broker();
    match error {
        rustls::Error::InvalidCertificate(bad) => match bad {
            Bad::UnknownIssuer | Bad::BadSignature => match &config.ca {
                Some(file) => format!("the certificate of {broker} is not signed by the CA in {}", file.display()),
                None => {
                    format!("the certificate of {broker} is signed by nobody whom this machine trusts: name its CA")
                }
            },
            Bad::NotValidForName | Bad::NotValidForNameContext { .. } => {
                format!("the certificate of {broker} is for another name than {:?}", config.host)
            }
            Bad::Expired | Bad::ExpiredContext { .. } => format!("the certificate of {broker} has expired"),
            Bad::NotValidYet | Bad::NotValidYetContext { .. } => {
                format!("the certificate of {broker} is not valid yet")
            }
            other => format!("the certificate of {broker} cannot be trusted: {other:?}"),
        },
        rustls::Error::InvalidMessage(_) => format!("what answers on {broker} speaks no TLS"),
        other => format!("TLS with {broker} failed: {other}"),
    }
}
