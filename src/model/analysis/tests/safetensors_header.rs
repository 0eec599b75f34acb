use proptest::prelude::*;
use serde_json::json;

use super::*;

/// A file's front as a writer of safetensors makes it.
fn front(json: &str) -> Vec<u8> {
    let mut bytes = (json.len() as u64).to_le_bytes().to_vec();
    bytes.extend(json.as_bytes());
    bytes
}

fn good() -> (Vec<u8>, u64) {
    let header = json!({
        "__metadata__": {"format": "pt"},
        "a.weight": {"dtype": "BF16", "shape": [4, 3], "data_offsets": [0, 24]},
        "a.bias": {"dtype": "F32", "shape": [4], "data_offsets": [24, 40]},
        "scalar": {"dtype": "F8_NEW", "shape": [], "data_offsets": [40, 41]},
    });
    let bytes = front(&header.to_string());
    let file_bytes = bytes.len() as u64 + 41;
    (bytes, file_bytes)
}

#[test]
fn a_header_gives_types_and_elements() {
    let (bytes, file_bytes) = good();
    let Ok(Parsed::Done(header)) = parse(&bytes, file_bytes) else {
        panic!("{:?}", parse(&bytes, file_bytes));
    };
    assert_eq!(header.parameter_count, 17);
    assert_eq!(header.tensor_count, 3);
    assert_eq!(header.dtypes["BF16"], 12);
    assert_eq!(header.dtypes["F32"], 4);
    assert_eq!(header.format.as_deref(), Some("pt"));
    assert_eq!(header.header_bytes, bytes.len() as u64);
}

#[test]
fn a_short_front_asks_for_exactly_the_header() {
    let (bytes, file_bytes) = good();
    assert_eq!(parse(&[], file_bytes), Ok(Parsed::NeedMore(8)));
    for cut in 8..bytes.len() {
        assert_eq!(
            parse(&bytes[..cut], file_bytes),
            Ok(Parsed::NeedMore(bytes.len() as u64))
        );
    }
}

#[test]
fn lies_are_refused_before_anything_is_read_or_allocated() {
    let lie = u64::MAX.to_le_bytes();
    assert!(matches!(parse(&lie, 1 << 40), Err(HeaderError::Damaged(_))));
    let long = (MAX_HEADER_BYTES - 7).to_le_bytes();
    assert_eq!(parse(&long, 1 << 40), Err(HeaderError::TooLarge));
    assert!(matches!(parse(&[], 7), Err(HeaderError::Damaged(_))));
    let span = |begin: u64, end: u64, shape: &str| {
        format!(
            r#"{{"a":{{"dtype":"U8","shape":{shape},"data_offsets":[{begin},{end}]}},"b":{{"dtype":"U8","shape":[4],"data_offsets":[0,4]}}}}"#
        )
    };
    for bad in [
        span(4, 3, "[0]"),
        span(4, 5000, "[4996]"),
        span(4, 8, "[5]"),
        span(2, 6, "[4]"),
        span(4, 4, "[18446744073709551615,2]"),
        span(4, 5, "[1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1]"),
        span(4, 5, "[-1]"),
        r#"{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"a":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}}"#.to_owned(),
        "[]".to_owned(),
        "{".to_owned(),
    ] {
        let bytes = front(&bad);
        let result = parse(&bytes, bytes.len() as u64 + 100);
        assert!(matches!(result, Err(HeaderError::Damaged(_))), "{bad}: {result:?}");
    }
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..200), file_bytes in any::<u64>()) {
        check(&bytes, file_bytes)?;
    }

    #[test]
    fn no_mutation_makes_it_panic(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        cut in any::<prop::sample::Index>(),
    ) {
        let (mut bytes, file_bytes) = good();
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        check(&bytes, file_bytes)?;
        check(&bytes[..cut.index(bytes.len())], file_bytes)?;
    }
}

fn check(bytes: &[u8], file_bytes: u64) -> Result<(), TestCaseError> {
    if let Ok(Parsed::NeedMore(more)) = parse(bytes, file_bytes) {
        prop_assert!(more > bytes.len() as u64 && more <= file_bytes && more <= MAX_HEADER_BYTES);
    }
    Ok(())
}
