//! What the time of a refusal tells of a key: nothing, whatever of it is right.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use rand::SeedableRng as _;
use rand::rngs::StdRng;
use rand::seq::SliceRandom as _;
use tempfile::TempDir;
use tokio::time::sleep;

use crate::bench::process;
use crate::bench::served::say;

/// How often each key is tried.
const ROUNDS: usize = 5_000;
/// Rounds that are not counted.
const WARM_UP: usize = 200;
/// How long the daemon may take to listen.
const PATIENCE: Duration = Duration::from_secs(20);

/// A wrong key, and the time of each of its refusals in nanoseconds.
struct Tried {
    what: &'static str,
    request: Vec<u8>,
    took_ns: Vec<u128>,
}

/// Times wrong keys against each other: nothing right, almost all right, short, long.
///
/// # Errors
/// When anything fails.
pub async fn keys(folder: &TempDir) -> Result<()> {
    say(&format!(
        "keys: the release daemon refuses wrong keys over one connection, {ROUNDS} times each, in \
         random order"
    ));
    let address = process::free_address()?;
    configure(folder.path(), address)?;
    let mut daemon = process::daemon(folder.path())?.arg("run").spawn()?;
    let begun = Instant::now();
    while TcpStream::connect(address).is_err() {
        if begun.elapsed() > PATIENCE {
            bail!("the daemon does not listen");
        }
        sleep(Duration::from_millis(50)).await;
    }
    let right = process::key(folder.path(), &[]).await?;
    let measured = tokio::task::spawn_blocking(move || measure(address, &right)).await;
    daemon.kill().await?;
    let measured = measured??;
    report(measured)
}

fn configure(folder: &Path, address: SocketAddr) -> Result<()> {
    let config = format!(
        "[database]\nurl = \"sqlite:keys.sqlite\"\n[api]\nlisten = \"{address}\"\n\
         [api.limits]\nper_minute = 10000000\nburst = 10000000\n[log]\nfilter = \"off\"\n\
         [treasury]\naddress = \"0x00000000000000000000000000000000000000ee\"\n\
         [chains.ethereum]\nhttp = \"http://127.0.0.1:9/\"\n"
    );
    Ok(std::fs::write(folder.join("paywatch.toml"), config)?)
}

/// Keys that are wrong in several ways, the first of them twice, to show the noise.
fn wrong_keys(right: &str) -> Result<Vec<Tried>> {
    let random = right.strip_prefix("pw_live_").context("it is a key")?;
    // Another digit in each place.
    let other: String = random
        .chars()
        .map(|digit| if digit == '0' { '1' } else { '0' })
        .collect();
    let (half, other_half) = (random.len() / 2, other.get(32..).context("64 digits")?);
    let first_half = random.get(..half).context("64 digits")?;
    let (most, last) = (random.get(..63), other.get(63..));
    let (most, last) = most.zip(last).context("64 digits")?;
    let keys = [
        ("nothing right but its form", format!("pw_live_{other}")),
        ("the same once more", format!("pw_live_{other}")),
        (
            "the first half right",
            format!("pw_live_{first_half}{other_half}"),
        ),
        (
            "all right but the last digit",
            format!("pw_live_{most}{last}"),
        ),
        ("all right but the prefix", format!("pw_test_{random}")),
        ("the prefix alone", "pw_live_".to_owned()),
        ("one letter", "p".to_owned()),
        (
            "four times as long",
            format!("pw_live_{other}{other}{other}{other}"),
        ),
    ];
    Ok(keys
        .into_iter()
        .map(|(what, key)| Tried {
            what,
            request: format!(
                "GET /v1/orders HTTP/1.1\r\nhost: bench\r\nauthorization: Bearer {key}\r\n\r\n"
            )
            .into_bytes(),
            took_ns: Vec::with_capacity(ROUNDS),
        })
        .collect())
}

fn measure(address: SocketAddr, right: &str) -> Result<Vec<Tried>> {
    let mut tried = wrong_keys(right)?;
    let mut connection = TcpStream::connect(address)?;
    connection.set_nodelay(true)?;
    connection.set_read_timeout(Some(PATIENCE))?;
    let mut order: Vec<usize> = (0..tried.len()).collect();
    let mut random = StdRng::seed_from_u64(1);
    for round in 0..WARM_UP + ROUNDS {
        order.shuffle(&mut random);
        for &place in &order {
            let key = tried.get_mut(place).context("it is one of them")?;
            let begun = Instant::now();
            connection.write_all(&key.request)?;
            refusal(&mut connection)?;
            if round >= WARM_UP {
                key.took_ns.push(begun.elapsed().as_nanos());
            }
        }
    }
    Ok(tried)
}

/// Reads one answer to its end, which must be a refusal.
fn refusal(connection: &mut TcpStream) -> Result<()> {
    let mut answer = Vec::new();
    let mut buffer = [0; 4_096];
    loop {
        let read = connection.read(&mut buffer)?;
        answer.extend_from_slice(buffer.get(..read).unwrap_or_default());
        let text = String::from_utf8_lossy(&answer);
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head
                .lines()
                .find_map(|line| line.strip_prefix("content-length: "))
                .context("it says how long it is")?;
            if body.len() >= length.parse()? {
                if !head.starts_with("HTTP/1.1 401 ") {
                    bail!("that is no refusal: {head}");
                }
                return Ok(());
            }
        }
        if read == 0 {
            bail!("the connection was closed");
        }
    }
}

fn report(mut tried: Vec<Tried>) -> Result<()> {
    let mut medians = Vec::new();
    for key in &mut tried {
        key.took_ns.sort_unstable();
        let at = |hundredths: usize| key.took_ns.get(key.took_ns.len() * hundredths / 100);
        let (low, median) = (at(10), at(50));
        let (low, median) = low.zip(median).context("something was timed")?;
        say(&format!(
            "  {:<30} median {:>4}.{:03} µs   fastest tenth {:>4}.{:03} µs",
            key.what,
            median / 1_000,
            median % 1_000,
            low / 1_000,
            low % 1_000
        ));
        medians.push(*median);
    }
    let (low, high) = (medians.iter().min(), medians.iter().max());
    let (low, high) = low.zip(high).context("something was timed")?;
    let spread = high - low;
    say(&format!(
        "  all medians lie within {}.{:03} µs",
        spread / 1_000,
        spread % 1_000
    ));
    Ok(())
}
