//! Shows what a really full disk does to a store: on a small file system of its own, it writes until
//! it is refused, lets something else take the rest of the disk to the last byte, dies, and opens
//! again there. `mount -t tmpfs -o size=96m tmpfs /mnt && cargo run -p lectern-store --example
//! full_disk /mnt`
#![allow(clippy::print_stdout)]

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::Path;
use std::process::Command;

use lectern_store::{Error, Options, Store, Table, Tx};

const ROWS: Table<u64, Vec<u8>> = Table::new("rows");
const OPTIONS: Options = Options {
    cache_bytes: 8 << 20,
    reserve_bytes: 16 << 20,
    quick_repair: true,
    migrations: &[],
};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().collect();
    match arguments.as_slice() {
        [_, folder, mode] if mode == "fill" => fill(Path::new(folder)),
        [_, folder] => {
            let folder = Path::new(folder);
            let child = Command::new(&arguments[0])
                .args([&arguments[1], "fill"])
                .output()?;
            println!("{}", String::from_utf8_lossy(&child.stdout).trim());
            println!("the writer ended with {}", child.status);
            reopen(folder)
        }
        _ => Err("give the folder of a small file system".into()),
    }
}

fn fill(folder: &Path) -> Result<(), Box<dyn std::error::Error>> {
    let store = Store::open(&folder.join("x.redb"), OPTIONS)?;
    let mut rows = 0;
    let refused = loop {
        match write(&store, rows) {
            Ok(()) => rows += 1,
            Err(error) => break error,
        }
    };
    println!("{rows} rows, then: {refused}");
    let mut rest = OpenOptions::new()
        .create(true)
        .append(true)
        .open(folder.join("rest"))?;
    let mut size = 1 << 20;
    while size > 0 {
        if rest.write_all(&vec![1; size]).is_err() {
            size /= 2;
        }
    }
    println!(
        "{:?} bytes free; a write: {:?}",
        store.stats().free_bytes,
        write(&store, rows).err()
    );
    println!("rows read: {}", store.snapshot()?.len(&ROWS)?);
    std::process::abort()
}

fn reopen(folder: &Path) -> Result<(), Box<dyn std::error::Error>> {
    let store = Store::open(&folder.join("x.redb"), OPTIONS)?;
    let rows = store.snapshot()?.len(&ROWS)?;
    println!(
        "opened on the full disk, {rows} rows; a write: {:?}",
        write(&store, rows).err()
    );
    println!("check: {:?}", store.check()?);
    drop(store);
    fs::remove_file(folder.join("rest"))?;
    let roomier = Options {
        reserve_bytes: OPTIONS.reserve_bytes / 2,
        ..OPTIONS
    };
    let store = Store::open(&folder.join("x.redb"), roomier)?;
    write(&store, rows)?;
    println!("with room again: {} rows", store.snapshot()?.len(&ROWS)?);
    drop(store);
    fs::remove_file(folder.join("x.redb"))?;
    Ok(())
}

fn write(store: &Store, n: u64) -> Result<(), Error> {
    store.write(move |tx: &Tx| tx.insert(&ROWS, &n, &vec![1; 20_000]).map(|_| ()))
}
