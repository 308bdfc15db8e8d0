//! The key that pays for gas, from a file that only its owner may read.

use std::fmt;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use alloy::signers::SignerSync as _;
use alloy::signers::local::PrivateKeySigner;
use alloy_primitives::{Address, B256, Signature, hex};
use zeroize::Zeroizing;

/// Longer files hold something else.
const LONGEST_FILE: u64 = 256;

/// A key that signs transactions. It shows its address and nothing else.
pub struct GasKey(PrivateKeySigner);

/// Why there is no key. None of these shows what the file holds.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The file cannot be read.
    #[error("the key file {} cannot be read", path.display())]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// What the system says.
        #[source]
        cause: io::Error,
    },
    /// It is a folder, a pipe or the like.
    #[error("the key file {} is no file", .0.display())]
    NoFile(PathBuf),
    /// Others than its owner may read or write it.
    #[error(
        "the key file {path} has mode {mode:03o}, so others than its owner can get at it; \
         `chmod 600 {path}` keeps it to you", path = path.display()
    )]
    Exposed {
        /// Which.
        path: PathBuf,
        /// Its Unix mode.
        mode: u32,
    },
    /// It holds something else.
    #[error("the key file {} holds no key: write 0x and 64 hex digits into it", .0.display())]
    NoKey(PathBuf),
    /// The key cannot sign.
    #[error("the key could not sign")]
    Unsigned(#[source] alloy::signers::Error),
}

impl GasKey {
    /// Reads the key in the file at `path`.
    ///
    /// # Errors
    /// When the file cannot be read, is exposed to others, or holds no key.
    pub fn read(path: &Path) -> Result<Self, KeyError> {
        let unreadable = |cause| KeyError::Unreadable {
            path: path.to_owned(),
            cause,
        };
        let file = File::open(path).map_err(unreadable)?;
        // Of the opened file: what is checked is what is read.
        let metadata = file.metadata().map_err(unreadable)?;
        if !metadata.is_file() {
            return Err(KeyError::NoFile(path.to_owned()));
        }
        refuse_exposed(path, &metadata)?;
        let mut text = Zeroizing::new(String::with_capacity(256));
        file.take(LONGEST_FILE)
            .read_to_string(&mut text)
            .map_err(unreadable)?;
        Self::parse(&text).ok_or_else(|| KeyError::NoKey(path.to_owned()))
    }

    fn parse(text: &str) -> Option<Self> {
        let digits = text.trim().strip_prefix("0x")?;
        let mut bytes = Zeroizing::new([0_u8; 32]);
        hex::decode_to_slice(digits, bytes.as_mut_slice()).ok()?;
        PrivateKeySigner::from_slice(bytes.as_slice())
            .ok()
            .map(Self)
    }

    /// The account that it is the key of.
    #[must_use]
    pub const fn address(&self) -> Address {
        self.0.address()
    }

    /// Signs a transaction's hash.
    pub(crate) fn sign(&self, hash: B256) -> Result<Signature, KeyError> {
        self.0.sign_hash_sync(&hash).map_err(KeyError::Unsigned)
    }
}

impl fmt::Debug for GasKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("GasKey").field(&self.address()).finish()
    }
}

#[cfg(unix)]
fn refuse_exposed(path: &Path, metadata: &std::fs::Metadata) -> Result<(), KeyError> {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = metadata.permissions().mode() & 0o777;
    if mode & 0o077 == 0 {
        return Ok(());
    }
    let path = path.to_owned();
    Err(KeyError::Exposed { path, mode })
}

#[cfg(not(unix))]
fn refuse_exposed(_: &Path, _: &std::fs::Metadata) -> Result<(), KeyError> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt as _;

    use alloy_primitives::address;

    use super::*;

    /// Anvil's first account, which everybody knows.
    const KNOWN: &str = "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80";

    fn read(text: &str, mode: u32) -> Result<GasKey, KeyError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("gas.key");
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        GasKey::read(&path)
    }

    #[test]
    fn a_key_is_read_and_never_shown() {
        for text in [KNOWN.to_owned(), format!("{KNOWN}\n")] {
            let key = read(&text, 0o600).unwrap();
            let expected = address!("f39Fd6e51aad88F6F4ce6aB8827279cffFb92266");
            assert_eq!(key.address(), expected);
            assert_eq!(format!("{key:?}"), format!("GasKey({expected:?})"));
        }
    }

    #[test]
    fn what_others_can_get_at_is_refused() {
        for mode in [0o644, 0o640, 0o602, 0o601] {
            let error = read(KNOWN, mode).unwrap_err().to_string();
            assert!(error.contains("chmod 600"), "{error}");
            assert!(error.contains(&format!("{mode:03o}")), "{error}");
        }
        assert!(read(KNOWN, 0o400).is_ok());
    }

    #[test]
    fn what_is_no_key_is_refused_and_not_shown() {
        let zero = format!("0x{}", "0".repeat(64));
        let long = format!("{KNOWN}00");
        let bare = KNOWN.trim_start_matches("0x");
        let short = KNOWN.trim_end_matches('0');
        for text in ["", "0x", bare, short, &zero, &long, "0xzz"] {
            let error = read(text, 0o600).unwrap_err();
            assert!(matches!(error, KeyError::NoKey(_)), "{error}");
            let shown = format!("{error} {error:?}");
            assert!(text.len() < 8 || !shown.contains(text.trim()), "{shown}");
        }
        let folder = tempfile::tempdir().unwrap();
        assert!(matches!(
            GasKey::read(folder.path()),
            Err(KeyError::NoFile(_) | KeyError::Unreadable { .. })
        ));
        let missing = GasKey::read(&folder.path().join("none")).unwrap_err();
        assert!(matches!(missing, KeyError::Unreadable { .. }), "{missing}");
    }
}
