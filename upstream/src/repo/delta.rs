//! A delta of a pack applied to its base.
//!
//! Format: git's `gitformat-pack`, section "Deltified representation".

/// What is wrong with a delta.
pub(super) type Malformed = &'static str;

/// The object that a delta describes. `bytes_max` bounds what is set aside for it.
pub(super) fn apply(base: &[u8], delta: &[u8], bytes_max: usize) -> Result<Vec<u8>, Malformed> {
    let mut rest = delta;
    if size(&mut rest)? != base.len() {
        return Err("a delta was made for a base of another size");
    }
    let result_size = size(&mut rest)?;
    if result_size > bytes_max {
        return Err("a delta describes an object that is too large");
    }
    let mut result = Vec::with_capacity(result_size);
    while let Some(command) = next(&mut rest) {
        let piece = match command {
            0 => return Err("a delta holds the reserved command"),
            insert if insert & 0x80 == 0 => {
                let (piece, behind) =
                    rest.split_at_checked(usize::from(insert)).ok_or("a delta ends in its data")?;
                rest = behind;
                piece
            }
            copy => {
                let offset = number(&mut rest, copy, 4)?;
                let length = match number(&mut rest, copy >> 4, 3)? {
                    0 => 0x1_0000,
                    length => length,
                };
                let end = offset.checked_add(length).ok_or("a delta copies beyond its base")?;
                base.get(offset..end).ok_or("a delta copies beyond its base")?
            }
        };
        if piece.len() > result_size - result.len() {
            return Err("a delta gives more than it promised");
        }
        result.extend_from_slice(piece);
    }
    if result.len() == result_size { Ok(result) } else { Err("a delta gives less than it promised") }
}

fn next(rest: &mut &[u8]) -> Option<u8> {
    let (first, behind) = rest.split_first()?;
    *rest = behind;
    Some(*first)
}

/// A little-endian number of which only the bytes that `present` names are written.
fn number(rest: &mut &[u8], present: u8, bytes: u32) -> Result<usize, Malformed> {
    let mut value = 0;
    for at in 0..bytes {
        if present >> at & 1 == 1 {
            value |= usize::from(next(rest).ok_or("a delta ends in a command")?) << (8 * at);
        }
    }
    Ok(value)
}

/// A size, seven bits a byte, the lowest first.
fn size(rest: &mut &[u8]) -> Result<usize, Malformed> {
    let mut value = 0_usize;
    for shift in (0..usize::BITS).step_by(7) {
        let byte = next(rest).ok_or("a delta ends in a size")?;
        value |= usize::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Ok(value);
        }
    }
    Err("a delta holds a size that is too large")
}

#[cfg(test)]
mod tests {
    use super::apply;

    const BASE: &[u8] = b"The quick brown fox";

    fn delta(result_size: u8, commands: &[u8]) -> Vec<u8> {
        let lead = [u8::try_from(BASE.len()).expect("a short text"), result_size];
        lead.iter().chain(commands).copied().collect()
    }

    #[test]
    fn copies_and_inserts_make_the_object() {
        let made = delta(13, &[0x90, 4, 4, b's', b'l', b'o', b'w', 0x91, 15, 4, 1, b'!']);
        assert_eq!(apply(BASE, &made, 100).as_deref(), Ok(b"The slow fox!".as_slice()));
    }

    #[test]
    fn a_copy_without_a_length_is_64_kib() {
        let base = vec![7; 0x1_0000];
        let delta = [0x80, 0x80, 4, 0x80, 0x80, 4, 0x80];
        assert_eq!(apply(&base, &delta, 1 << 20), Ok(base));
    }

    #[test]
    fn whatever_is_damaged_is_refused() {
        let damaged: [(Vec<u8>, &str); 9] = [
            (vec![], "ends in a size"),
            (vec![1, 1], "another size"),
            (delta(1, &[0]), "reserved command"),
            (delta(9, &[9, b'a']), "ends in its data"),
            (delta(4, &[0x91, 4]), "ends in a command"),
            (delta(9, &[0x91, 15, 9]), "beyond its base"),
            (delta(2, &[0x90, 4]), "more than it promised"),
            (delta(5, &[0x90, 4]), "less than it promised"),
            (vec![0xff; 30], "a size that is too large"),
        ];
        for (delta, reason) in damaged {
            let refused = apply(BASE, &delta, 100).expect_err(reason);
            assert!(refused.contains(reason), "{refused} is not {reason}");
        }
        assert!(apply(BASE, &delta(120, &[0x90, 4]), 100).expect_err("it is large").contains("too large"));
    }
}
