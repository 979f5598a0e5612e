//! Numbers in decimals: nearly all of a file's text.

/// A whole number.
pub(super) fn whole(number: u32, to: &mut Vec<u8>) {
    to.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
}

/// A finite number with the fewest digits that are read back as the same one.
pub(super) fn real(number: f32, to: &mut Vec<u8>) {
    let mut buffer = zmij::Buffer::new();
    let text = buffer.format_finite(number);
    to.extend_from_slice(text.strip_suffix(".0").unwrap_or(text).as_bytes());
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn written(number: f32) -> String {
        let mut bytes = Vec::new();
        real(number, &mut bytes);
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn numbers_are_as_short_as_they_can_be() {
        for (number, text) in
            [(0.0, "0"), (7.0, "7"), (-0.5, "-0.5"), (0.1, "0.1"), (123.456, "123.456"), (1e6, "1000000")]
        {
            assert_eq!(written(number), text);
        }
        let mut bytes = Vec::new();
        whole(u32::MAX, &mut bytes);
        assert_eq!(bytes, b"4294967295");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(20_000))]

        #[test]
        fn any_number_is_read_back_as_it_was(bits in any::<u32>()) {
            let number = f32::from_bits(bits);
            prop_assume!(number.is_finite());
            let text = written(number);
            prop_assert_eq!(text.parse::<f32>().unwrap().to_bits(), bits);
            // As xs:float, and as 3MF's ST_Number, are written.
            prop_assert!(text.bytes().all(|letter| letter.is_ascii_digit() || b"+-.e".contains(&letter)));
        }
    }
}
