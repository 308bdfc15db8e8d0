//! How addresses are written: in EIP-55 on most chains, in base58 on Tron's.

use alloy_primitives::Address;

use crate::ChainId;

/// The chain ids of Tron: main network, Nile, Shasta (the last four bytes of their genesis).
const TRON: [u64; 3] = [728_126_428, 3_448_148_188, 2_494_104_990];
/// The byte before the twenty of an address on Tron.
const TRON_PREFIX: u8 = 0x41;

/// How a chain's people write addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AddressForm {
    /// 0x and hex digits whose case is a checksum (EIP-55).
    Eip55,
    /// Base58 with a checksum over `0x41` and the address, as on Tron: `T…`.
    Tron,
}

/// A text that is no address of the chain.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("\"{0}\" is not an address of Tron; a character may be mistyped")]
pub struct TronAddressError(pub String);

impl AddressForm {
    /// How addresses are written on `chain`.
    #[must_use]
    pub fn of(chain: ChainId) -> Self {
        if TRON.contains(&chain.get()) {
            Self::Tron
        } else {
            Self::Eip55
        }
    }

    /// `address` in this form.
    #[must_use]
    pub fn write(self, address: &Address) -> String {
        match self {
            Self::Eip55 => address.to_checksum(None),
            Self::Tron => bs58::encode(address)
                .with_check_version(TRON_PREFIX)
                .into_string(),
        }
    }
}

/// Reads an address in Tron's base58 form.
///
/// # Errors
/// [`TronAddressError`] for anything else, and for one whose checksum is wrong.
pub fn read_tron_address(text: &str) -> Result<Address, TronAddressError> {
    let wrong = || TronAddressError(text.to_owned());
    let bytes = bs58::decode(text)
        .with_check(Some(TRON_PREFIX))
        .into_vec()
        .map_err(|_unreadable| wrong())?;
    let (_, address) = bytes.split_first().ok_or_else(wrong)?;
    Address::try_from(address).map_err(|_length| wrong())
}

#[cfg(test)]
mod tests {
    use alloy_primitives::address;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_usdt_contract_of_tron_is_written_as_everybody_knows_it() {
        let usdt = address!("0xa614f803B6FD780986A42c78Ec9c7f77e6DeD13C");
        let text = "TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t";
        assert_eq!(AddressForm::Tron.write(&usdt), text);
        assert_eq!(read_tron_address(text), Ok(usdt));
    }

    #[test]
    fn what_is_mistyped_or_of_another_chain_is_refused() {
        for text in [
            "",
            "T",
            "TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6u",
            "0xa614f803B6FD780986A42c78Ec9c7f77e6DeD13C",
            "1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN2",
            "TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj0t",
        ] {
            assert_eq!(
                read_tron_address(text),
                Err(TronAddressError(text.to_owned()))
            );
        }
    }

    #[test]
    fn only_the_chains_of_tron_write_so() {
        let form = |id| ChainId::new(id).map(AddressForm::of);
        assert_eq!(form(728_126_428), Ok(AddressForm::Tron));
        assert_eq!(form(1), Ok(AddressForm::Eip55));
    }

    proptest! {
        #[test]
        fn every_address_comes_back(bytes in any::<[u8; 20]>()) {
            let address = Address::from(bytes);
            let text = AddressForm::Tron.write(&address);
            prop_assert!(text.starts_with('T') && text.len() == 34, "{}", text);
            prop_assert_eq!(read_tron_address(&text), Ok(address));
        }
    }
}
