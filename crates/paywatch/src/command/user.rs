//! Who sits at the command line.

use std::fs;
use std::os::unix::fs::MetadataExt as _;

/// Who decided, if the operating system does not know the user.
const NOBODY: &str = "command line";

/// The name of the user whose process this is, by the operating system and not by the environment,
/// which anybody can set.
pub(crate) fn user() -> String {
    let process = fs::metadata("/proc/self").map(|process| process.uid());
    let users = fs::read_to_string("/etc/passwd");
    match (process, users) {
        (Ok(id), Ok(users)) => named(&users, id).unwrap_or_else(|| NOBODY.to_owned()),
        (Err(_), _) | (_, Err(_)) => NOBODY.to_owned(),
    }
}

/// The user with this id in a file like `/etc/passwd`.
fn named(users: &str, id: u32) -> Option<String> {
    users.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        let theirs: u32 = fields.nth(1)?.parse().ok()?;
        (theirs == id && !name.is_empty()).then(|| name.to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_is_found_by_number() {
        let users = "root:x:0:0:root:/root:/bin/sh\n\nodd\nshop:x:1000:1000::/home/shop:\n";
        assert_eq!(named(users, 1_000).as_deref(), Some("shop"));
        assert_eq!(named(users, 0).as_deref(), Some("root"));
        assert_eq!(named(users, 7), None);
    }
}
