//! Reads the header of a safetensors file from the file's front.
//!
//! Format: 8 bytes of length (little-endian), then JSON: tensor name → type, shape, span in
//! the data that follows. Spans must lie inside the file, fit shape and type, and not overlap.

use std::collections::{BTreeMap, HashSet};
use std::fmt;

use serde::Deserialize;
use serde::de::{Error as _, MapAccess, Visitor};

use super::headers::{HeaderError, MAX_HEADER_BYTES, Parsed, damaged};

/// Most dimensions of one tensor; more is damage.
const MAX_DIMENSIONS: usize = 16;

/// What a safetensors header says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SafetensorsHeader {
    /// Elements by type as written in the file, such as `BF16`.
    pub dtypes: BTreeMap<String, u64>,
    /// Elements of all tensors in this file. Packed weights count as the numbers they are packed in.
    pub parameter_count: u64,
    /// Tensors in this file.
    pub tensor_count: u64,
    /// `__metadata__.format`, such as `pt`.
    pub format: Option<String>,
    /// Length of the header in bytes, the leading length included.
    pub header_bytes: u64,
}

/// Reads `front`, the first bytes of a file of `file_bytes`.
///
/// # Errors
/// [`HeaderError::Damaged`] when the length, the JSON or a span cannot be, and
/// [`HeaderError::TooLarge`].
pub fn parse(front: &[u8], file_bytes: u64) -> Result<Parsed<SafetensorsHeader>, HeaderError> {
    if file_bytes < 8 {
        return damaged(format!("a file of {file_bytes} bytes"));
    }
    let Some((length, rest)) = front.split_first_chunk::<8>() else {
        return Ok(Parsed::NeedMore(8));
    };
    let length = u64::from_le_bytes(*length);
    let Some(data_bytes) = (file_bytes - 8).checked_sub(length) else {
        return damaged(format!("a header of {length} bytes in a file of {file_bytes}"));
    };
    if length > MAX_HEADER_BYTES - 8 {
        return Err(HeaderError::TooLarge);
    }
    let header_bytes = length + 8;
    let Some(json) = rest.get(..length as usize) else {
        return Ok(Parsed::NeedMore(header_bytes));
    };
    let tensors: Tensors = match serde_json::from_slice(json) {
        Ok(tensors) => tensors,
        Err(error) => return damaged(error.to_string()),
    };
    let mut header = SafetensorsHeader {
        format: tensors.format,
        header_bytes,
        ..SafetensorsHeader::default()
    };
    let mut spans = Vec::with_capacity(tensors.list.len());
    for tensor in tensors.list {
        let elements = tensor.check(data_bytes)?;
        let [begin, end] = tensor.data_offsets;
        if begin < end {
            spans.push((begin, end));
        }
        header.tensor_count += 1;
        header.parameter_count = header.parameter_count.saturating_add(elements);
        let sum = header.dtypes.entry(tensor.dtype).or_default();
        *sum = sum.saturating_add(elements);
    }
    spans.sort_unstable();
    if spans.windows(2).any(|pair| pair[0].1 > pair[1].0) {
        return damaged("two tensors overlap");
    }
    Ok(Parsed::Done(header))
}

#[derive(Deserialize)]
struct Tensor {
    dtype: String,
    shape: Vec<u64>,
    data_offsets: [u64; 2],
}

impl Tensor {
    /// The number of elements, when span, shape and type agree.
    fn check(&self, data_bytes: u64) -> Result<u64, HeaderError> {
        let [begin, end] = self.data_offsets;
        if begin > end || end > data_bytes {
            return damaged(format!("a tensor at {begin}..{end} of {data_bytes} bytes"));
        }
        if self.shape.len() > MAX_DIMENSIONS || self.dtype.len() > 16 {
            return damaged("a tensor of an impossible type or shape");
        }
        let elements = self
            .shape
            .iter()
            .try_fold(1u64, |product, side| product.checked_mul(*side));
        let Some(elements) = elements else {
            return damaged("a tensor of more than 2^64 elements");
        };
        if let Some(bits) = bits_of(&self.dtype)
            && u128::from(elements) * u128::from(bits) != u128::from(end - begin) * 8
        {
            return damaged(format!(
                "{elements} elements of {} in {} bytes",
                self.dtype,
                end - begin
            ));
        }
        Ok(elements)
    }
}

/// Bits of one element; `None` for types newer than this list.
fn bits_of(dtype: &str) -> Option<u32> {
    Some(match dtype {
        "F4" => 4,
        "F6_E2M3" | "F6_E3M2" => 6,
        "BOOL" | "U8" | "I8" | "F8_E5M2" | "F8_E4M3" | "F8_E8M0" => 8,
        "I16" | "U16" | "F16" | "BF16" => 16,
        "I32" | "U32" | "F32" => 32,
        "I64" | "U64" | "F64" | "C64" => 64,
        _ => return None,
    })
}

/// The whole JSON object. Read entry by entry, so that a name given twice is seen.
struct Tensors {
    list: Vec<Tensor>,
    format: Option<String>,
}

impl<'de> Deserialize<'de> for Tensors {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries;
        impl<'de> Visitor<'de> for Entries {
            type Value = Tensors;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of tensors")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Tensors, A::Error> {
                let mut names = HashSet::new();
                let mut tensors = Tensors {
                    list: Vec::new(),
                    format: None,
                };
                while let Some(name) = map.next_key::<String>()? {
                    if name == "__metadata__" {
                        let mut metadata: BTreeMap<String, String> = map.next_value()?;
                        tensors.format = metadata.remove("format").filter(|text| text.len() <= 100);
                    } else {
                        tensors.list.push(map.next_value()?);
                    }
                    if !names.insert(name) {
                        return Err(A::Error::custom("a name stands twice"));
                    }
                }
                Ok(tensors)
            }
        }
        deserializer.deserialize_map(Entries)
    }
}

#[cfg(test)]
#[path = "tests/safetensors_header.rs"]
mod tests;
