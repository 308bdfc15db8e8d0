//! The built-in chains, one row each.

use paywatch_core::{FinalityTag, Proof};

use crate::registry::{KnownChain, KnownFinality};

/// Ethereum itself, by whose measure the others are slow or fast.
const SLOW_FINALITY: &str = "the finalized tag, about 13 to 19 minutes: the safe choice where fees \
    make payments large; set tag = \"none\" for depth alone";
/// Chains whose finalized tag follows within about a minute.
const FAST_FINALITY: &str =
    "the finalized tag follows within about a minute, so waiting for it costs little";
/// Chains that finalize as Ethereum does, with shorter slots.
const MINUTES_TO_FINALITY: &str = "the finalized tag, a few minutes: depth alone has been taken \
    back on chains of this kind";
/// Chains whose validators agree on a block before it is shown.
const INSTANT_FINALITY: &str = "blocks are final when they appear; the depth only lets endpoints \
    behind a load balancer catch up";
/// Layers whose sequencer orders blocks long before Ethereum finalizes them.
const SEQUENCER: &str = "depth: trusts the chain's sequencer not to take blocks back; set \
    finalized = true to wait until Ethereum has finalized them, about 20 minutes";
/// Layers that Ethereum finalizes only with a proof.
const PROVED_SEQUENCER: &str = "depth: trusts the chain's sequencer not to take blocks back; set \
    finalized = true to wait for the proof on Ethereum, which can take hours";
/// Tron, whose 27 producers confirm a block after two thirds of them built on it.
const TRON: &str = "the finalized tag, about a minute: 19 of 27 producers have built on the block";
/// Test networks.
const WORTHLESS: &str = "depth: the coins are worth nothing";

/// A rule of so many blocks and the finalized tag.
const fn finalized(confirmations: u32, why: &'static str) -> KnownFinality {
    KnownFinality {
        confirmations,
        tag: Some(FinalityTag::Finalized),
        why,
    }
}

/// A rule of so many blocks.
const fn depth(confirmations: u32, why: &'static str) -> KnownFinality {
    KnownFinality {
        confirmations,
        tag: None,
        why,
    }
}

/// What a chain's headers are good for.
struct Shown {
    blooms: bool,
    proof: Proof,
}

/// Blooms count, and receipts can be proved by the header.
const PROVED: Shown = Shown {
    blooms: true,
    proof: Proof::ReceiptsRoot,
};
/// Blooms count; headers or receipts are encoded in ways of the chain's own, so that nothing can be
/// proved by them. Where a node shows them as Ethereum does, `proof = "receipts_root"` may be set.
const UNPROVED: Shown = Shown {
    blooms: true,
    proof: Proof::None,
};

/// Neither blooms nor roots mean anything.
const BARE: Shown = Shown {
    blooms: false,
    proof: Proof::None,
};

macro_rules! chains {
    ($($id:literal $name:literal $title:literal $block_ms:literal $finality:expr, $shown:expr, $explorer:literal;)*) => {
        /// Every built-in chain, the largest first.
        pub(crate) const CHAINS: &[KnownChain] = &[$(KnownChain {
            name: $name,
            title: $title,
            id: $id,
            block_ms: $block_ms,
            finality: $finality,
            blooms: $shown.blooms,
            proof: $shown.proof,
            explorer: $explorer,
        }),*];
    };
}

chains! {
    1 "ethereum" "Ethereum" 12_000 finalized(12, SLOW_FINALITY), PROVED, "https://etherscan.io/tx/";
    56 "bsc" "BNB Smart Chain" 450 finalized(15, FAST_FINALITY), PROVED, "https://bscscan.com/tx/";
    137 "polygon" "Polygon PoS" 2_000 finalized(12, FAST_FINALITY), PROVED, "https://polygonscan.com/tx/";
    42_161 "arbitrum" "Arbitrum One" 250 depth(64, SEQUENCER), PROVED, "https://arbiscan.io/tx/";
    10 "optimism" "OP Mainnet" 2_000 depth(10, SEQUENCER), PROVED, "https://optimistic.etherscan.io/tx/";
    43_114 "avalanche" "Avalanche C-Chain" 1_700 finalized(3, FAST_FINALITY), UNPROVED, "https://snowtrace.io/tx/";
    8_453 "base" "Base" 2_000 depth(10, SEQUENCER), PROVED, "https://basescan.org/tx/";
    42_220 "celo" "Celo" 1_000 finalized(10, FAST_FINALITY), UNPROVED, "https://celoscan.io/tx/";
    8_217 "kaia" "Kaia" 1_000 finalized(10, FAST_FINALITY), UNPROVED, "https://kaiascan.io/tx/";
    59_144 "linea" "Linea" 2_000 depth(30, PROVED_SEQUENCER), UNPROVED, "https://lineascan.build/tx/";
    534_352 "scroll" "Scroll" 3_000 depth(20, SEQUENCER), UNPROVED, "https://scrollscan.com/tx/";
    5_000 "mantle" "Mantle" 2_000 depth(10, SEQUENCER), UNPROVED, "https://mantlescan.xyz/tx/";
    100 "gnosis" "Gnosis" 5_000 finalized(12, MINUTES_TO_FINALITY), PROVED, "https://gnosisscan.io/tx/";
    130 "unichain" "Unichain" 1_000 depth(20, SEQUENCER), UNPROVED, "https://uniscan.xyz/tx/";
    57_073 "ink" "Ink" 1_000 depth(20, SEQUENCER), UNPROVED, "https://explorer.inkonchain.com/tx/";
    204 "opbnb" "opBNB" 500 depth(30, SEQUENCER), UNPROVED, "https://opbnb.bscscan.com/tx/";
    80_094 "berachain" "Berachain" 2_000 depth(10, INSTANT_FINALITY), UNPROVED, "https://berascan.com/tx/";
    9_745 "plasma" "Plasma" 1_000 depth(10, INSTANT_FINALITY), UNPROVED, "https://plasmascan.to/tx/";
    1_329 "sei" "Sei" 400 finalized(5, FAST_FINALITY), UNPROVED, "https://seiscan.io/tx/";
    143 "monad" "Monad" 400 finalized(5, FAST_FINALITY), UNPROVED, "https://monadscan.com/tx/";
    728_126_428 "tron" "Tron" 3_000 finalized(20, TRON), BARE, "https://tronscan.org/#/transaction/";
    11_155_111 "sepolia" "Sepolia (test network)" 12_000 depth(3, WORTHLESS), PROVED, "https://sepolia.etherscan.io/tx/";
}
