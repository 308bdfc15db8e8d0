//! Which partition a key belongs to, as Kafka's own producers see it: murmur2 of its bytes.
//!
//! So whoever joins these events with his own, by key, finds both in the same partition.

const SEED: u32 = 0x9747_b28c;
const FACTOR: u32 = 0x5bd1_e995;

/// The place among `count` partitions.
pub(super) fn place(key: &[u8], count: usize) -> usize {
    let positive = murmur2(key) & 0x7fff_ffff;
    let count = u32::try_from(count).unwrap_or(u32::MAX);
    let place = positive.checked_rem(count).unwrap_or_default();
    usize::try_from(place).unwrap_or_default()
}

fn murmur2(bytes: &[u8]) -> u32 {
    let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
    let (words, rest) = bytes.as_chunks::<4>();
    let mut hash = words.iter().fold(SEED ^ length, |hash, word| {
        let mixed = u32::from_le_bytes(*word).wrapping_mul(FACTOR);
        let mixed = (mixed ^ (mixed >> 24)).wrapping_mul(FACTOR);
        hash.wrapping_mul(FACTOR) ^ mixed
    });
    if !rest.is_empty() {
        let bits = rest
            .iter()
            .rev()
            .fold(0_u32, |bits, byte| (bits << 8) | u32::from(*byte));
        hash = (hash ^ bits).wrapping_mul(FACTOR);
    }
    hash = (hash ^ (hash >> 13)).wrapping_mul(FACTOR);
    hash ^ (hash >> 15)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The values that the tests of Kafka's own client expect.
    #[test]
    fn hashes_are_those_of_kafka() {
        for (key, hash) in [
            ("21", -973_932_308),
            ("foobar", -790_332_482),
            ("a-little-bit-long-string", -985_981_536),
            ("a-little-bit-longer-string", -1_486_304_829),
            (
                "lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8",
                -58_897_971,
            ),
            ("abc", 479_470_107),
        ] {
            assert_eq!(murmur2(key.as_bytes()).cast_signed(), hash, "{key}");
        }
    }

    #[test]
    fn a_place_is_always_one_of_them() {
        for count in 1..20 {
            for key in 0..500_u32 {
                assert!(place(&key.to_le_bytes(), count) < count);
            }
        }
        assert_eq!(place(b"abc", 0), 0);
    }
}
