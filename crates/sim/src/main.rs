//! `vestibule-sim home`: a simulated home to play with, commanded by lines on standard input.

use std::io::BufRead;
use std::net::SocketAddr;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use tokio::sync::mpsc;
use vestibule_sim::{Broker, DEVICES, Goods, HomeConfig, PhysicalHand, SimError, SimHome};

/// What the home understands on standard input.
const HELP: &str = "\
ring friend|courier|neighbour   somebody presses the bell
leave                           whoever stands there goes
jam | unjam                     block or free the door
lock | unlock                   turn the lock by hand
door push 0..100                push the leaf by hand
walk hall|lounge                walk past a sensor
cut DEVICE | restore DEVICE     take or give power
unpack SERIAL                   a lamp that was bought is plugged in
deliver ORDER ITEM[=AMOUNT] ... the courier brings a parcel
parcels | put away              what lies there; put it where such is kept
broker stop | broker start      the home's own broker
status | devices | help | quit";

#[derive(Parser)]
#[command(version, about = "A simulated home that speaks MQTT and Home Assistant discovery")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run the home until end of input or ctrl-c.
    Home(HomeArgs),
}

#[derive(Args)]
struct HomeArgs {
    /// Use this broker instead of one of our own: mqtt://[user[:password]@]host[:port].
    #[arg(long, env = "VESTIBULE_SIM_BROKER", hide_env_values = true)]
    broker: Option<Broker>,
    /// Where our own broker listens; port 0 finds a free port.
    #[arg(long, default_value = "127.0.0.1:1883", conflicts_with = "broker")]
    listen: SocketAddr,
    /// Decides every random reading.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// First level of discovery topics.
    #[arg(long, default_value = "homeassistant")]
    discovery_prefix: String,
    /// Simulated time per real time.
    #[arg(long, default_value_t = 1.0)]
    time_scale: f64,
    /// Keep running when standard input ends.
    #[arg(long)]
    stay: bool,
}

#[tokio::main]
async fn main() -> ExitCode {
    // The embedded broker reports every closed connection as an error.
    let filter = tracing_subscriber::EnvFilter::try_from_default_env().unwrap_or_else(|_| "info,rumqttd=off".into());
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    let Command::Home(args) = Cli::parse().command;
    match run(args).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("vestibule-sim: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(args: HomeArgs) -> Result<(), SimError> {
    let stay = args.stay;
    let home = SimHome::start(HomeConfig {
        seed: args.seed,
        broker: args.broker.unwrap_or(Broker::Embedded { listen: args.listen }),
        discovery_prefix: args.discovery_prefix,
        time_scale: args.time_scale,
    })
    .await?;
    println!("broker {}", home.broker_addr());
    let hand = home.hand();
    let mut lines = lines();
    let mut listens = true;
    loop {
        tokio::select! {
            _ = tokio::signal::ctrl_c() => break,
            line = lines.recv(), if listens => match line {
                Some(line) if line.trim() == "quit" => break,
                Some(line) => match act(&hand, &line) {
                    Ok(answer) => println!("{answer}"),
                    Err(reason) => println!("refused: {reason}"),
                },
                None if stay => listens = false,
                None => break,
            },
        }
    }
    home.stop().await;
    Ok(())
}

/// Lines of standard input; a thread, since it cannot be waited for otherwise.
fn lines() -> mpsc::Receiver<String> {
    let (tell, lines) = mpsc::channel(16);
    std::thread::spawn(move || {
        for line in std::io::stdin().lock().lines().map_while(Result::ok) {
            if tell.blocking_send(line).is_err() {
                return;
            }
        }
    });
    lines
}

fn act(hand: &PhysicalHand, line: &str) -> Result<String, String> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let said = |error: SimError| error.to_string();
    match words.as_slice() {
        [] => return Ok(String::new()),
        ["help"] => return Ok(HELP.to_owned()),
        ["devices"] => return Ok(DEVICES.join("\n")),
        ["status"] => return Ok(format!("{:?}\n{:?}", hand.door(), hand.published())),
        ["ring", guest] => hand.ring(guest.parse().map_err(said)?),
        ["leave"] => hand.guest_leaves(),
        ["jam"] => hand.jam_door(true),
        ["unjam"] => hand.jam_door(false),
        ["lock"] => hand.turn_lock(true),
        ["unlock"] => hand.turn_lock(false),
        ["door", "push", to] => match to.parse::<u8>() {
            Ok(to) if to <= 100 => hand.push_door(to),
            _ => return Err(format!("{to:?} is not a position from 0 to 100")),
        },
        ["walk", room] => hand.walk_into(room).map_err(said)?,
        ["cut", device] => hand.cut_power(device).map_err(said)?,
        ["restore", device] => hand.restore_power(device).map_err(said)?,
        ["unpack", serial] => return hand.unpack(serial).map_err(said),
        ["deliver", order, goods @ ..] => {
            hand.deliver(order, goods.iter().map(|text| Goods::read(text)).collect()).map_err(said)?
        }
        ["parcels"] => return Ok(format!("{:?}", hand.parcels())),
        ["put", "away"] => return Ok(format!("{} put away", hand.put_away())),
        ["broker", "stop"] => hand.stop_broker().map_err(said)?,
        ["broker", "start"] => hand.start_broker().map_err(said)?,
        _ => return Err(format!("{line:?} is not a command: try help")),
    }
    Ok("ok".to_owned())
}
