//! The built-in USDT contracts, one row each. What is bridged and what the issuer made is told
//! apart by the address; all of them count as one dollar.

use alloy_primitives::address;

use crate::registry::KnownToken;

macro_rules! tokens {
    ($($chain:literal $symbol:literal $address:literal $decimals:literal;)*) => {
        /// Every built-in token; where a chain has several, the usual one first.
        pub(crate) const TOKENS: &[KnownToken] = &[$(KnownToken {
            chain: $chain,
            symbol: $symbol,
            address: address!($address),
            decimals: $decimals,
            #[cfg(test)]
            written: $address,
        }),*];
    };
}

tokens! {
    1          "USDT"   "0xdAC17F958D2ee523a2206206994597C13D831ec7" 6;
    // Pegged by Binance, not issued by Tether, and with 18 decimals.
    56         "USDT"   "0x55d398326f99059fF775485246999027B3197955" 18;
    137        "USDT0"  "0xc2132D05D31c914a87C6611C10748AEb04B58e8F" 6;
    42_161     "USDT0"  "0xFd086bC7CD5C481DCC9C85ebE478A1C0b69FCbb9" 6;
    10         "USDT0"  "0x01bFF41798a0BcF287b996046Ca68b395DbC1071" 6;
    10         "USDT"   "0x94b008aA00579c1307B0EF2c499aD98a8ce58e58" 6;
    43_114     "USDT"   "0x9702230A8Ea53601f5cD2dc00fDBc13d4dF4A8c7" 6;
    43_114     "USDT.e" "0xc7198437980c041c805A1EDcbA50c1Ce5db95118" 6;
    8_453      "USDT"   "0xfde4C96c8593536E31F229EA8f37b2ADa2699bb2" 6;
    42_220     "USDT"   "0x48065fbBE25f71C9282ddf5e1cD6D6A887483D5e" 6;
    8_217      "USDT"   "0xd077A400968890Eacc75cdc901F0356c943e4fDb" 6;
    59_144     "USDT"   "0xA219439258ca9da29E9Cc4cE5596924745e12B93" 6;
    534_352    "USDT"   "0xf55BEC9cafDbE8730f096Aa55dad6D22d44099Df" 6;
    5_000      "USDT0"  "0x779Ded0c9e1022225f8E0630b35a9b54bE713736" 6;
    5_000      "USDT"   "0x201EBa5CC46D216Ce6DC03F6a759e8E766e956aE" 6;
    100        "USDT"   "0x4ECaBa5870353805a9F068101A40E0f32ed605C6" 6;
    130        "USDT0"  "0x9151434b16b9763660705744891fA906F660EcC5" 6;
    130        "USDT"   "0x588CE4F028D8e7B53B687865d6A67b3A54C75518" 6;
    57_073     "USDT0"  "0x0200C29006150606B650577BBE7B6248F58470c1" 6;
    // Bridged from BNB Smart Chain, hence its 18 decimals.
    204        "USDT"   "0x9e5AAC1Ba1a2e6aEd6b32689DFcF62A509Ca96f3" 18;
    80_094     "USDT0"  "0x779Ded0c9e1022225f8E0630b35a9b54bE713736" 6;
    9_745      "USDT0"  "0xB8CE59FC3717ada4C02eaDF9682A9e934F625ebb" 6;
    1_329      "USDT0"  "0x9151434b16b9763660705744891fA906F660EcC5" 6;
    143        "USDT0"  "0xe7cd86e13AC4309349F30B3435a9d337750fC82D" 6;
    // TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t in the form of that chain.
    728_126_428 "USDT"  "0xa614f803B6FD780986A42c78Ec9c7f77e6DeD13C" 6;
    // A faucet's, worth nothing.
    11_155_111 "USDT"   "0xaA8E23Fb1079EA71e0a56F48a2aA51851D8433D0" 6;
}
