//! Adds a hundred to a number in a file to which others add as well: start it several times at once, and kill some.
//! `lock NAME FILE`.
#![allow(clippy::print_stdout, reason = "it is what this example is for")]

use std::fs;

use tdshm::{Acquired, NamedLock, ShortName};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args().skip(1);
    let name = ShortName::new(&args.next().unwrap_or("counter".into()))?;
    let file = args.next().unwrap_or("counter.txt".into());

    let lock = NamedLock::open(&name.data_lock())?;
    for _ in 0..100 {
        let held = match lock.lock()? {
            Acquired::Clean(held) => held,
            Acquired::Abandoned(held) => {
                println!("whoever had the lock died with it: the file may be half written");
                held
            }
        };
        let count: u64 = fs::read_to_string(&file).unwrap_or_default().trim().parse().unwrap_or(0);
        fs::write(&file, count.saturating_add(1).to_string())?;
        drop(held);
    }
    println!("{file}: {}", fs::read_to_string(&file)?);
    Ok(())
}
