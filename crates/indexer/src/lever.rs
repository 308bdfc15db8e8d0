//! Reads the logs in which a token says what its issuer does with it. Tokens of one family log the
//! same with and without indexed fields (Tether's does on Tron and on Ethereum), so a field is taken
//! from the topics as long as there are any, and then from the data.

use alloy_primitives::{Address, B256, U256, b256};
use paywatch_core::TokenNoticeKind;

use crate::paid::address;

const ADDED_BLACK_LIST: B256 =
    b256!("0x42e160154868087d6bfdc0ca23d96a1c1cfa32f1b72ba9ba27b69b98a0d819dc");
const REMOVED_BLACK_LIST: B256 =
    b256!("0xd7e9ec6e6ecd65492dce6bf513cd6867560d49544421d0783ddf06e76c24470c");
const DESTROYED_BLACK_FUNDS: B256 =
    b256!("0x61e6e66b0d6339b2980aecc6ccc0039736791f0ccde9ed512e789a7fbdd698c6");
const BLOCK_PLACED: B256 =
    b256!("0x406bbf2d8d145125adf1198d2cf8a67c66cc4bb0ab01c37dccd4f7c0aae1e7c7");
const BLOCK_RELEASED: B256 =
    b256!("0x665918c9e02eb2fd85acca3969cb054fc84c138e60ec4af22ab6ef2fd4c93c27");
const DESTROYED_BLOCKED_FUNDS: B256 =
    b256!("0x6a2859ae7902313752498feb80a014e6e7275fe964c79aa965db815db1c7f1e9");
const PAUSE: B256 = b256!("0x6985a02210a168e66602d3235cb6db0e70f92b3ba4d376a33c0f3d9434bff625");
const UNPAUSE: B256 = b256!("0x7805862f689e2f13df9f062ff482ad3ad112aca9e0847911ed832e158c525b33");
const PARAMS: B256 = b256!("0xb044a1e409eac5c48e5af22d4af52670dd1a99059537a78b31b48c6500a6354e");
const DEPRECATE: B256 = b256!("0xcc358699805e9a8b7f77b522628c7cb9abd07d9efb86b6fb616af1609036a99e");
const ISSUE: B256 = b256!("0xcb8241adb0c3fdb35b70c24ce35c5eb0c17af7431c99f827d44a445ca624176a");
const REDEEM: B256 = b256!("0x702d5967f45f6513a38ffc42d6ba9bf230bd40e8f53b16363c7eb4fd2deb9a44");
const MINT: B256 = b256!("0x0f6798a560793a54c3bcfe86a93cde1e73087d944c0ea20544137d4121396885");
const BURN: B256 = b256!("0xcc16f5dbb4873280815c1ee09dbd06736cffcc184412cf7a71a0fdb75d397ca5");
const UPGRADED: B256 = b256!("0xbc7cd75a20ee27fd9adebab32041f755214dbc6bffa90cc0225b39da2e5c2d3b");
const SET_OFT_CONTRACT: B256 =
    b256!("0x140c7f3c4dd16fa102e8e866bdbed4553b3cbe199ca01455115be3efc7ec6b62");
const NAME_AND_SYMBOL: B256 =
    b256!("0x90322812e6761e312b99024e89e7408714261709c6d7f874d796927e813a6f72");

/// The first topics of the logs that [`decode_notice`] reads.
pub const NOTICE_TOPICS: [B256; 17] = [
    ADDED_BLACK_LIST,
    REMOVED_BLACK_LIST,
    DESTROYED_BLACK_FUNDS,
    BLOCK_PLACED,
    BLOCK_RELEASED,
    DESTROYED_BLOCKED_FUNDS,
    PAUSE,
    UNPAUSE,
    PARAMS,
    DEPRECATE,
    ISSUE,
    REDEEM,
    MINT,
    BURN,
    UPGRADED,
    SET_OFT_CONTRACT,
    NAME_AND_SYMBOL,
];

/// Longer names are cut.
const LONGEST_NAME: usize = 64;

/// What a token says in a log with these topics and data, if it is about a lever and can be read.
#[must_use]
pub fn decode_notice(topics: &[B256], data: &[u8]) -> Option<TokenNoticeKind> {
    let (topic, indexed) = topics.split_first()?;
    let mut fields = Fields {
        topics: indexed,
        data,
    };
    Some(match *topic {
        ADDED_BLACK_LIST | BLOCK_PLACED => TokenNoticeKind::Frozen {
            address: fields.address()?,
        },
        REMOVED_BLACK_LIST | BLOCK_RELEASED => TokenNoticeKind::Released {
            address: fields.address()?,
        },
        DESTROYED_BLACK_FUNDS | DESTROYED_BLOCKED_FUNDS => TokenNoticeKind::Destroyed {
            address: fields.address()?,
            value: fields.value()?,
        },
        PAUSE => TokenNoticeKind::Paused,
        UNPAUSE => TokenNoticeKind::Unpaused,
        PARAMS => TokenNoticeKind::FeeSet {
            basis_points: fields.value()?,
            most: fields.value()?,
        },
        DEPRECATE => TokenNoticeKind::Deprecated {
            by: fields.address()?,
        },
        ISSUE => TokenNoticeKind::Issued {
            value: fields.value()?,
        },
        REDEEM => TokenNoticeKind::Redeemed {
            value: fields.value()?,
        },
        MINT => TokenNoticeKind::Minted {
            to: fields.address()?,
            value: fields.value()?,
        },
        BURN => TokenNoticeKind::Burned {
            from: fields.address()?,
            value: fields.value()?,
        },
        UPGRADED => TokenNoticeKind::Upgraded {
            implementation: fields.address()?,
        },
        SET_OFT_CONTRACT => TokenNoticeKind::BridgeSet {
            contract: fields.address()?,
        },
        NAME_AND_SYMBOL => TokenNoticeKind::Renamed {
            name: text(data, 0)?,
            symbol: text(data, 1)?,
        },
        _ => return None,
    })
}

/// The words of a log, first the indexed ones.
struct Fields<'a> {
    topics: &'a [B256],
    data: &'a [u8],
}

impl Fields<'_> {
    fn word(&mut self) -> Option<B256> {
        if let Some((word, rest)) = self.topics.split_first() {
            self.topics = rest;
            return Some(*word);
        }
        let (word, rest) = self.data.split_first_chunk::<32>()?;
        self.data = rest;
        Some(B256::from(*word))
    }

    fn address(&mut self) -> Option<Address> {
        address(&self.word()?)
    }

    fn value(&mut self) -> Option<U256> {
        Some(U256::from_be_bytes(self.word()?.0))
    }
}

/// The text whose place the word number `at` of `data` names (Solidity's ABI).
fn text(data: &[u8], at: usize) -> Option<String> {
    let number = |from: usize| -> Option<usize> {
        let word = data.get(from..)?.first_chunk::<32>()?;
        usize::try_from(U256::from_be_bytes(*word)).ok()
    };
    let place = number(at.checked_mul(32)?)?;
    let length = number(place)?;
    let begin = place.checked_add(32)?;
    let bytes = data.get(begin..begin.checked_add(length)?)?;
    let text = String::from_utf8_lossy(bytes);
    Some(text.chars().take(LONGEST_NAME).collect())
}

#[cfg(test)]
mod tests {
    use alloy_primitives::keccak256;
    use proptest::prelude::*;

    use super::*;

    const WHO: Address = Address::repeat_byte(0xbb);

    fn number(value: u64) -> [u8; 32] {
        U256::from(value).to_be_bytes()
    }

    #[test]
    fn the_topics_are_the_hashes_of_the_signatures() {
        let signatures = [
            "AddedBlackList(address)",
            "RemovedBlackList(address)",
            "DestroyedBlackFunds(address,uint256)",
            "BlockPlaced(address)",
            "BlockReleased(address)",
            "DestroyedBlockedFunds(address,uint256)",
            "Pause()",
            "Unpause()",
            "Params(uint256,uint256)",
            "Deprecate(address)",
            "Issue(uint256)",
            "Redeem(uint256)",
            "Mint(address,uint256)",
            "Burn(address,uint256)",
            "Upgraded(address)",
            "LogSetOFTContract(address)",
            "LogUpdateNameAndSymbol(string,string)",
        ];
        for (topic, signature) in NOTICE_TOPICS.into_iter().zip(signatures) {
            assert_eq!(topic, keccak256(signature), "{signature}");
        }
    }

    #[test]
    fn either_layout_says_the_same() {
        let word = WHO.into_word();
        for topic in [ADDED_BLACK_LIST, BLOCK_PLACED] {
            let frozen = Some(TokenNoticeKind::Frozen { address: WHO });
            assert_eq!(decode_notice(&[topic], &word.0), frozen);
            assert_eq!(decode_notice(&[topic, word], &[]), frozen);
        }
        for topic in [REMOVED_BLACK_LIST, BLOCK_RELEASED] {
            let released = Some(TokenNoticeKind::Released { address: WHO });
            assert_eq!(decode_notice(&[topic], &word.0), released);
            assert_eq!(decode_notice(&[topic, word], &[]), released);
        }
        let destroyed = Some(TokenNoticeKind::Destroyed {
            address: WHO,
            value: U256::from(7),
        });
        for topic in [DESTROYED_BLACK_FUNDS, DESTROYED_BLOCKED_FUNDS] {
            let both = [word.0, number(7)].concat();
            assert_eq!(decode_notice(&[topic], &both), destroyed);
            assert_eq!(decode_notice(&[topic, word], &number(7)), destroyed);
        }
    }

    #[test]
    fn the_others_are_read() {
        let word = WHO.into_word();
        let value = U256::from(9);
        let with = |topic| decode_notice(&[topic], &[word.0, number(9)].concat());
        let alone = |topic| decode_notice(&[topic], &number(9));
        assert_eq!(decode_notice(&[PAUSE], &[]), Some(TokenNoticeKind::Paused));
        assert_eq!(
            decode_notice(&[UNPAUSE], &[]),
            Some(TokenNoticeKind::Unpaused)
        );
        assert_eq!(alone(ISSUE), Some(TokenNoticeKind::Issued { value }));
        assert_eq!(alone(REDEEM), Some(TokenNoticeKind::Redeemed { value }));
        assert_eq!(with(MINT), Some(TokenNoticeKind::Minted { to: WHO, value }));
        assert_eq!(
            with(BURN),
            Some(TokenNoticeKind::Burned { from: WHO, value })
        );
        assert_eq!(
            decode_notice(&[PARAMS], &[number(10), number(9)].concat()),
            Some(TokenNoticeKind::FeeSet {
                basis_points: U256::from(10),
                most: value
            })
        );
        assert_eq!(
            decode_notice(&[DEPRECATE], &word.0),
            Some(TokenNoticeKind::Deprecated { by: WHO })
        );
        assert_eq!(
            decode_notice(&[UPGRADED, word], &[]),
            Some(TokenNoticeKind::Upgraded {
                implementation: WHO
            })
        );
        assert_eq!(
            decode_notice(&[SET_OFT_CONTRACT, word], &[]),
            Some(TokenNoticeKind::BridgeSet { contract: WHO })
        );
        let mut name = [0; 32];
        name[..5].copy_from_slice(b"USD\xe2\x82");
        let names = [number(64), number(128), number(3), name, number(4), name].concat();
        assert_eq!(
            decode_notice(&[NAME_AND_SYMBOL], &names),
            Some(TokenNoticeKind::Renamed {
                name: "USD".to_owned(),
                symbol: "USD\u{fffd}".to_owned()
            })
        );
    }

    proptest! {
        #[test]
        fn nothing_that_a_stranger_writes_makes_it_fall_over(
            which in 0_usize..18,
            words in prop::collection::vec(any::<[u8; 32]>(), 0..4),
            data in prop::collection::vec(any::<u8>(), 0..200),
        ) {
            let mut topics = vec![NOTICE_TOPICS.get(which).copied().unwrap_or_default()];
            topics.extend(words.into_iter().map(B256::from));
            if decode_notice(&topics, &data).is_some() {
                prop_assert!(which < 17);
            }
        }
    }
}
