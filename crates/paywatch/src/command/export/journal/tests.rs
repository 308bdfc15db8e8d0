//! Journals as text, and as hledger and beancount read them, where those are installed.

use std::process::{Command, Stdio};

use paywatch_core::{
    B256, Decimals, IgnoredBecause, RecordedTransfer, Timestamp, Token, TransferId,
};

use super::*;

const TREASURY: Address = Address::repeat_byte(0x11);
const DEPOSIT: Address = Address::repeat_byte(0xa0);
const PAYER: Address = Address::repeat_byte(0xf0);

fn chain(id: u64) -> ChainId {
    ChainId::new(id).unwrap()
}

fn names() -> Names {
    let token = |id, decimals| Token {
        chain_id: chain(id),
        address: Address::repeat_byte(0xda),
        symbol: if id == 1 { "USDT" } else { "USD₮0" }.to_owned(),
        decimals: Decimals::new(decimals).unwrap(),
    };
    let tokens = [token(1, 6), token(42_161, 6)];
    Names {
        chains: [
            (chain(1), "ethereum".to_owned()),
            (chain(42_161), "arbitrum".to_owned()),
        ]
        .into(),
        tokens: tokens
            .map(|token| ((token.chain_id, token.address), token))
            .into(),
    }
}

/// The payment of `amount` from one address to another in block `number` of a chain.
fn payment(
    (id, number): (u64, u64),
    (from, to): (Address, Address),
    amount: &str,
    place: BookedPlace,
) -> BookedTransfer {
    let mut hash = B256::repeat_byte(0xb1);
    hash.0[24..].copy_from_slice(&number.to_be_bytes());
    let time = 1_793_491_200_u64.saturating_add(number.saturating_mul(3_600));
    let transfer = Transfer {
        id: TransferId {
            chain_id: chain(id),
            block_hash: hash,
            log_index: 3,
        },
        block_number: number,
        block_timestamp: Timestamp::from_unix_s(time).unwrap(),
        tx_hash: B256::repeat_byte(0x77),
        token: Address::repeat_byte(0xda),
        from,
        to,
        amount: amount.parse().unwrap(),
        paid_through: None,
    };
    BookedTransfer {
        recorded: RecordedTransfer::from(transfer),
        place,
        detected_at: Timestamp::EPOCH,
        reverted_at: None,
    }
}

fn order(number: u8) -> OrderId {
    OrderId::from_bytes([number; 16])
}

fn of_order(number: u8, state: PaymentState) -> BookedPlace {
    BookedPlace::Order {
        id: order(number),
        state,
        is_late: false,
    }
}

/// Payments of every kind. Blocks up to 50 are final.
fn shop() -> Vec<(BookedTransfer, Option<Reference>)> {
    let in_deposit = (PAYER, DEPOSIT);
    let loose = BookedPlace::Loose;
    let confirmed = |number| of_order(number, PaymentState::Confirmed);
    let held = PaymentState::Ignored(IgnoredBecause::HeldLate);
    let reference = |text: &str| Some(text.parse().unwrap());
    let mut gone = payment((1, 9), in_deposit, "99", confirmed(1));
    gone.reverted_at = Some(Timestamp::EPOCH);
    vec![
        (
            payment((1, 1), in_deposit, "40", confirmed(1)),
            reference("INV-1"),
        ),
        (
            payment((1, 2), in_deposit, "60.000001", confirmed(1)),
            reference("INV-1"),
        ),
        (
            payment((42_161, 3), in_deposit, "7", confirmed(2)),
            reference("order \"7\"; a|b\\c"),
        ),
        (
            payment((1, 4), in_deposit, "5", of_order(2, held)),
            reference("order \"7\"; a|b\\c"),
        ),
        (
            payment(
                (1, 5),
                (DEPOSIT, TREASURY),
                "100.000001",
                loose(Loose::Moved),
            ),
            None,
        ),
        (
            payment((1, 6), (PAYER, TREASURY), "3", loose(Loose::Unmatched)),
            None,
        ),
        (
            payment((1, 7), (PAYER, TREASURY), "0.001", loose(Loose::Dust)),
            None,
        ),
        (
            payment((1, 8), (PAYER, TREASURY), "2", loose(Loose::WrittenOff)),
            None,
        ),
        (gone, reference("INV-1")),
        (
            payment((1, 10), in_deposit, "0", loose(Loose::ZeroValue)),
            None,
        ),
        (
            payment((1, 11), in_deposit, "11", of_order(1, PaymentState::Seen)),
            reference("INV-1"),
        ),
        (
            payment((1, 51), (PAYER, TREASURY), "13", loose(Loose::Unmatched)),
            None,
        ),
    ]
}

fn journal(syntax: Syntax) -> (String, usize) {
    let names = names();
    let mut out = Vec::new();
    let mut journal = Journal {
        syntax,
        names: &names,
        own: [TREASURY].into(),
        final_blocks: [(chain(1), 50), (chain(42_161), 50)].into(),
        declares: true,
        declared: Declared::default(),
        out: &mut out,
    };
    let period = Period {
        from: Timestamp::from_unix_s(1_793_491_200).unwrap(),
        before: Timestamp::from_unix_s(1_796_083_200).unwrap(),
    };
    journal.begin(period).unwrap();
    let payments = shop();
    let written = payments
        .iter()
        .filter(|(booked, reference)| journal.write(booked, reference.as_ref()).unwrap());
    let count = written.count();
    (String::from_utf8(out).unwrap(), count)
}

/// The program `name`, if it is installed here.
fn installed(name: &str) -> Option<Command> {
    let mut probe = Command::new(name);
    probe
        .arg("--version")
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let is_there = probe.status().is_ok_and(|status| status.success());
    if !is_there {
        let said = writeln!(std::io::stderr(), "skipped: {name} is not installed");
        said.unwrap();
    }
    is_there.then(|| Command::new(name))
}

fn runs(command: &mut Command) -> String {
    let output = command.output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (said, error) = (text(&output.stdout), text(&output.stderr));
    assert!(output.status.success(), "{command:?}: {said}{error}");
    said
}

#[test]
fn a_payment_is_a_transaction_of_two_postings_that_balance() {
    let (text, count) = journal(Syntax::Hledger);
    assert_eq!(count, 8, "{text}");
    let first = "\n2026-11-01 * (pay_";
    assert!(text.contains(first), "{text}");
    for line in [
        "commodity 1000.000000 \"USDT\"",
        "account Income:Orders:INV-1",
        "    ; tx: 0x7777777777777777777777777777777777777777777777777777777777777777",
        "    Assets:Crypto:Ethereum:USDT:Deposits  60.000001 \"USDT\"",
        "    Income:Orders:INV-1  -60.000001 \"USDT\"",
        "    Assets:Crypto:Ethereum:USDT:Treasury  100.000001 \"USDT\"",
        "    Assets:Crypto:Ethereum:USDT:Deposits  -100.000001 \"USDT\"",
        "    Assets:Crypto:Arbitrum:USDT0:Deposits  7 \"USDT0\"",
    ] {
        assert!(text.lines().any(|known| known == line), "{line} in {text}");
    }
    let declared = text.lines().filter(|line| line.starts_with("account "));
    assert_eq!(declared.count(), 9, "each once: {text}");
}

#[test]
fn references_become_names_of_accounts_that_no_two_orders_share() {
    let name = |text: &str, number| order_component(order(number), Some(&text.parse().unwrap()));
    assert_eq!(name("INV-1", 1), "INV-1");
    assert_eq!(name("2026-7", 1), "2026-7");
    assert_eq!(name("inv-1", 2), "Inv-1-020202020202");
    assert_eq!(name("a b:c", 1), "A-b-c-010101010101");
    assert_ne!(name("INV 1", 1), name("INV/1", 2));
    assert_eq!(name("#1", 1), "X-1-010101010101");
    for (symbol, expected) in [
        ("USDT", "USDT"),
        ("USD₮0", "USDT0"),
        ("usdt.e", "USDT.E"),
        ("1inch", "T1INCH"),
        ("m-", "M"),
        ("", "T"),
    ] {
        assert_eq!(commodity(symbol), expected);
    }
}

#[test]
fn hledger_reads_the_journal_strictly_and_finds_its_sums() {
    let Some(mut hledger) = installed("hledger") else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("shop.journal");
    std::fs::write(&path, journal(Syntax::Hledger).0).unwrap();
    hledger.arg("-f").arg(&path);
    let balance = ["bal", "--strict", "--flat", "--empty", "-O", "csv"];
    let sums = runs(hledger.args(balance));
    for line in [
        "\"Assets:Crypto:Ethereum:USDT:Deposits\",\"5.000000 USDT\"",
        "\"Assets:Crypto:Ethereum:USDT:Treasury\",\"105.001001 USDT\"",
        "\"Income:Orders:INV-1\",\"-100.000001 USDT\"",
        "\"Liabilities:Unmatched\",\"-3.000000 USDT\"",
    ] {
        assert!(sums.contains(line), "{line} in {sums}");
    }
}

#[test]
fn beancount_finds_nothing_wrong_with_the_journal() {
    let Some(mut check) = installed("bean-check") else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("shop.beancount");
    std::fs::write(&path, journal(Syntax::Beancount).0).unwrap();
    runs(check.arg(&path));
}
