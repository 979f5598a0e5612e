use std::path::PathBuf;

use clap::Parser;
use vestibule_adapter_ucp::Merchant;

/// The world that comes with the client.
pub(super) const HOUSE: &str = "home/home.glb";

/// Walk through a home in which everything that moves is a digital twin.
///
/// Without flags: a simulated home with its own MQTT broker, an embedded integration enabler, a shop, a manufacturer and a
/// supplier that take no real money, a window.
#[derive(Clone, Debug, Parser)]
#[command(name = "vestibule", version)]
pub struct Flags {
    /// Devices of this MQTT broker instead of the simulated home: mqtt://user:password@host:port, mqtts:// for TLS
    #[arg(long, value_name = "URL")]
    pub mqtt: Option<String>,

    /// An integration enabler somewhere else instead of the embedded one: host:port
    #[arg(long, value_name = "HOST:PORT", value_parser = target)]
    pub connect: Option<String>,

    /// The six digits that `vestibule-enabler pair` shows, to be known to the enabler of --connect from now on
    #[arg(long, value_name = "DIGITS", requires = "connect")]
    pub pair: Option<String>,

    /// Play a tour: home, shelf, design, cook, faults, xr or a file. The exit status says how it went
    #[arg(long, value_name = "NAME|FILE")]
    pub tour: Option<String>,

    /// No window: draw into pictures in this folder. Needs --tour
    #[arg(long, value_name = "DIR", requires = "tour")]
    pub offscreen: Option<PathBuf>,

    /// A merchant that people may buy from: ID=URL, where the URL is its UCP profile
    /// (http://127.0.0.1:7801/.well-known/ucp). One that is called shop, manufacturer or supplier takes the place of the
    /// client's own. May be given often
    #[arg(long = "ucp", value_name = "ID=URL", conflicts_with = "connect")]
    pub merchants: Vec<Merchant>,

    /// None of the client's own merchants: no shop, no manufacturer, no supplier
    #[arg(long, conflicts_with = "connect")]
    pub no_merchants: bool,

    /// How many times faster than the real one the clock of the client's own makers and carriers goes [default: 240: a
    /// day in six minutes]
    #[arg(long, value_name = "N", conflicts_with = "connect", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub speed: Option<u32>,

    /// The size of the view, in pixels; 1280x720 where there is a GPU, 640x360 where the processor draws
    #[arg(long, value_name = "WxH", value_parser = size)]
    pub size: Option<(u32, u32)>,

    /// The seed of the simulated home: same seed, same home
    #[arg(long, default_value_t = 1)]
    pub seed: u64,

    /// Show the home in stereo on an OpenXR headset; goes on at the desk where there is none
    #[arg(long)]
    pub xr: bool,

    /// Where settings, furniture, keys and the enabler's log are kept
    #[arg(long, value_name = "DIR", env = "VESTIBULE_DATA")]
    pub data: Option<PathBuf>,

    /// Where models and tours are. Found by itself beside the program or in its source folder
    #[arg(long, value_name = "DIR", env = "VESTIBULE_ASSETS")]
    pub assets: Option<PathBuf>,

    /// Hour of the day at the start, 0 to 24; the settings' hour where not given
    #[arg(long, value_name = "HOUR", value_parser = hour)]
    pub hour: Option<f32>,

    /// Print how long things take, and leave: for `cargo xtask bench home`
    #[arg(long, hide = true, requires = "offscreen")]
    pub measure: bool,

    /// Another glTF scene as the world: a file under the folder of --assets
    #[arg(long, value_name = "FILE", default_value = HOUSE)]
    pub world: String,
}

fn size(text: &str) -> Result<(u32, u32), String> {
    let wrong = || format!("{text:?} is no size; write 1280x720");
    let (width, height) = text.split_once('x').ok_or_else(wrong)?;
    let side = |text: &str| text.parse::<u32>().ok().filter(|side| (64..=8192).contains(side));
    side(width).zip(side(height)).ok_or_else(|| format!("{text:?}: each side has 64 to 8192 pixels, as in 1280x720"))
}

fn target(text: &str) -> Result<String, String> {
    let is_port = |port: &str| port.parse::<u16>().is_ok_and(|port| port > 0);
    match text.rsplit_once(':') {
        Some((host, port)) if !host.is_empty() && is_port(port) => Ok(text.to_owned()),
        _ => Err(format!("{text:?} names no enabler; write host:port, as in enabler.example:7743 or 192.0.2.7:7743")),
    }
}

fn hour(text: &str) -> Result<f32, String> {
    let hour = text.parse::<f32>().ok().filter(|hour| (0.0..=24.0).contains(hour));
    hour.ok_or_else(|| format!("{text:?} is no hour; write a number from 0 to 24"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_hours_have_bounds() {
        assert_eq!(size("640x360"), Ok((640, 360)));
        for wrong in ["640", "0x0", "99999x10", "x", "-1x100"] {
            assert!(size(wrong).is_err(), "{wrong}");
        }
        assert!(hour("25").is_err() && hour("NaN").is_err() && hour("7.5").is_ok());
    }

    #[test]
    fn an_enabler_has_a_name_or_an_address_and_a_port() {
        for right in ["enabler.example:7743", "192.0.2.7:7743", "[2001:db8::1]:7743"] {
            assert_eq!(target(right).as_deref(), Ok(right));
        }
        for wrong in ["enabler.example", ":7743", "host:0", "host:99999", ""] {
            assert!(target(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn pictures_need_a_tour() {
        assert!(Flags::try_parse_from(["vestibule", "--offscreen", "x"]).is_err());
        assert!(Flags::try_parse_from(["vestibule", "--pair", "123456"]).is_err());
    }

    #[test]
    fn merchants_are_those_of_the_embedded_enabler() {
        let flags = |text: &str| Flags::try_parse_from(["vestibule"].into_iter().chain(text.split_whitespace()));
        let typed = flags("--ucp shop=http://127.0.0.1:7801/.well-known/ucp --ucp bakery=https://bakery.example/ucp");
        assert_eq!(typed.unwrap().merchants.len(), 2);
        for wrong in ["--ucp shop", "--ucp shop=http://shop.example/", "--speed 0", "--speed 1000001"] {
            assert!(flags(wrong).is_err(), "{wrong}");
        }
        for with in ["--no-merchants", "--speed 60", "--ucp shop=https://shop.example/"] {
            assert!(flags(&format!("--connect enabler.example:7743 {with}")).is_err(), "{with}");
        }
    }
}
