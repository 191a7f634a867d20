//! Measures what `docs/decisions/0002-redb-quick-repair.md` decides: how long a store of about
//! 1 GB takes to open after `kill -9`, and what the commits before it cost, with redb's quick
//! repair and without. `cargo run --release -p lectern-store --example quick_repair [FOLDER]`
#![allow(clippy::print_stdout)]

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use lectern_store::{Error, Options, Store, Table, Tx};

const ROWS: Table<u64, Vec<u8>> = Table::new("rows");
const ROW_BYTES: usize = 1500;
const ROWS_IN_A_COMMIT: u64 = 4000;
const FULL: u64 = 1 << 30;
const SMALL_COMMITS: u64 = 500;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().collect();
    if let [_, mode, path, quick_repair] = arguments.as_slice()
        && mode == "fill"
    {
        return fill(Path::new(path), quick_repair == "true");
    }
    let folder = arguments
        .get(1)
        .map_or_else(std::env::temp_dir, PathBuf::from);
    for quick_repair in [true, false] {
        let path = folder.join(format!("quick-repair-{quick_repair}.redb"));
        let _ = std::fs::remove_file(&path);
        let mut child = Command::new(std::env::current_exe()?)
            .arg("fill")
            .args([&path.display().to_string(), &quick_repair.to_string()])
            .stdout(Stdio::piped())
            .spawn()?;
        let mut figures = String::new();
        let output = child.stdout.take().ok_or("no output")?;
        BufReader::new(output).read_line(&mut figures)?;
        child.kill()?;
        child.wait()?;
        let megabytes = std::fs::metadata(&path)?.len() >> 20;
        drop_page_cache();
        let begun = Instant::now();
        let store = open(&path, quick_repair)?;
        let opened = begun.elapsed();
        let rows = store.snapshot()?.len(&ROWS)?;
        println!(
            "quick_repair={quick_repair}: {megabytes} MiB, {rows} rows, opened after kill -9 in {opened:.3?}; before: {}",
            figures.trim()
        );
        drop(store);
        std::fs::remove_file(&path)?;
    }
    Ok(())
}

fn open(path: &Path, quick_repair: bool) -> Result<Store, Error> {
    let options = Options {
        cache_bytes: 128 << 20,
        quick_repair,
        ..Options::default()
    };
    Store::open(path, options)
}

/// Fills the store, times small commits, says so, and goes on writing until it is killed.
fn fill(path: &Path, quick_repair: bool) -> Result<(), Box<dyn std::error::Error>> {
    let store = open(path, quick_repair)?;
    let mut next = 0;
    let begun = Instant::now();
    while next * (ROW_BYTES as u64) < FULL {
        write(&store, next, ROWS_IN_A_COMMIT)?;
        next += ROWS_IN_A_COMMIT;
    }
    let filled = begun.elapsed();
    let begun = Instant::now();
    for _ in 0..SMALL_COMMITS {
        write(&store, next, 4)?;
        next += 4;
    }
    let small = begun.elapsed() / u32::try_from(SMALL_COMMITS)?;
    println!("filled in {filled:.1?}, a commit of 4 rows takes {small:.2?}");
    loop {
        write(&store, next, 4)?;
        next += 4;
    }
}

fn write(store: &Store, first: u64, count: u64) -> Result<(), Error> {
    store.write(move |tx: &Tx| {
        for n in first..first + count {
            // Spread over the key space, as ids are.
            let key = n.wrapping_mul(0x9e37_79b9_7f4a_7c15);
            tx.insert(&ROWS, &key, &vec![n.to_le_bytes()[0]; ROW_BYTES])?;
        }
        Ok(())
    })
}

/// So that opening reads the disk, as after a power cut; needs root, and is skipped without.
fn drop_page_cache() {
    let _ = std::fs::write("/proc/sys/vm/drop_caches", "3");
}
