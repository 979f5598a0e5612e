//! `cargo xtask chaos orders`: an enabler, a shop, a manufacturer and a buyer, each a process of its own, killed at random
//! moments while people buy, over networks that lose, delay, repeat, change and forge what is said. At the end no order
//! is lost, none is there twice, no money is wrong, and every purchase is what its merchant says it is.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a check that does not hold ends with it"
)]

mod ask;
mod books;
mod buyer;
mod check;
mod house;
mod proxy;
mod wire;

use std::{path::PathBuf, time::Duration};

use clap::Parser;
use rand::{Rng as _, SeedableRng as _, rngs::StdRng};

use house::{House, Victim};

/// Kills whoever sells, buys and stands between them, and checks what must hold after it.
#[derive(Parser)]
struct Flags {
    /// Where the programs are: vestibule-enabler and vestibule-commerce. Or what a buyer was told to do.
    place: PathBuf,
    /// How often somebody is killed.
    #[arg(long, default_value_t = 1_000)]
    rounds: u32,
    /// What chance begins with: the same kills again, as far as the machine's own chances allow.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Kills after which everything comes to rest and is looked at; at the end it is in any case.
    #[arg(long, default_value_t = 200)]
    look_every: u32,
    /// Is the buyer, who is started by this program.
    #[arg(long, hide = true)]
    buyer: bool,
    /// Keeps everything in this folder.
    #[arg(long, value_name = "DIR")]
    keep: Option<PathBuf>,
}

/// Accounts at the enabler: what it counts and remembers for each is filled many times over in a long run.
const USERS: usize = 4;

/// Milliseconds between two kills.
const PAUSE: std::ops::Range<u64> = 20..1_100;

#[tokio::main]
async fn main() {
    let flags = Flags::parse();
    let _ = rustls::crypto::ring::default_provider().install_default();
    if flags.buyer {
        return buyer::run(&flags.place).await;
    }
    let temporary = tempfile::tempdir().expect("a folder");
    let folder = flags.keep.clone().unwrap_or_else(|| temporary.path().to_owned());
    let start = std::time::Instant::now();
    let mut dice = StdRng::seed_from_u64(flags.seed);
    let mut house = House::open(&flags.place, &folder, flags.seed, USERS).await;
    println!("chaos orders --rounds {} --seed {}", flags.rounds, flags.seed);
    // Whoever kills programs that do nothing finds nothing.
    let mut delivered = 0;
    let mut kills = [0_u32; Victim::ALL.len()];
    for round in 1..=flags.rounds {
        // Not to wait for something, but to kill at some moment of it.
        tokio::time::sleep(Duration::from_millis(dice.random_range(PAUSE))).await;
        let which = Victim::thrown(&mut dice);
        kills[which as usize] += 1;
        house.kill(which).await;
        if dice.random_bool(0.2) {
            house.change_a_price(&mut dice).await;
        }
        if round % flags.look_every == 0 && round < flags.rounds {
            let found = check::at_rest(&mut house).await;
            println!("after {round} kills: {found}");
            assert!(found.delivered() > delivered, "nothing was bought since the last look");
            delivered = found.delivered();
            house.go_on();
        }
    }
    // A busy machine kills more than it buys: the last round goes on until the run says something.
    house.enough().await;
    let found = check::at_rest(&mut house).await;
    assert!(found.delivered() > delivered, "too little happened to say anything: {found}");
    let kills: Vec<String> =
        Victim::ALL.iter().zip(kills).map(|(victim, count)| format!("{count} of the {}", victim.name())).collect();
    println!("{} kills in {:.0} s: {}", flags.rounds, start.elapsed().as_secs_f64(), kills.join(", "));
    println!("what the network did: {}", house.mischief());
    println!("{found}");
    println!("orders lost: 0; doubled: 0; money wrong: 0; purchases that are not what their merchant says: 0");
}
