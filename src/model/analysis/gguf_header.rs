//! Reads the header of a GGUF file (versions 2 and 3, little-endian) from the file's front.
//!
//! Format: `ggml/docs/gguf.md` of llama.cpp. Kept are only the few values that the report
//! shows; everything else is stepped over. Counts and lengths are compared with the bytes
//! that can be left before anything is done with them; arrays of arrays are refused.

use std::collections::BTreeMap;

use super::headers::{HeaderError, MAX_HEADER_BYTES, Parsed, damaged};

/// Longest key the format allows, in bytes.
const MAX_KEY_BYTES: u64 = 65_535;
/// `GGML_MAX_DIMS`.
const MAX_DIMENSIONS: u32 = 4;
/// The least that is asked for at once: 256 KiB holds everything but a tokenizer and the tensors.
const FIRST_BYTES: u64 = 256 << 10;
/// Kept texts are cut to so many characters.
const MAX_KEPT_CHARS: usize = 200;
/// Smallest possible metadata entry: key length, type, one byte of value.
const MIN_ENTRY_BYTES: u64 = 8 + 4 + 1;
/// Smallest possible tensor entry: name length, dimension count, type, offset.
const MIN_TENSOR_BYTES: u64 = 8 + 4 + 4 + 8;

/// What a GGUF header says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct GgufHeader {
    /// Format version, 2 or 3.
    pub version: u32,
    /// `general.architecture`, such as `llama`.
    pub architecture: Option<String>,
    /// `general.name`.
    pub name: Option<String>,
    /// `<architecture>.context_length`, in tokens.
    pub context_length: Option<u64>,
    /// Quantisation by `general.file_type`, else the type that holds most elements.
    pub quantization: Option<String>,
    /// Elements of all tensors in this file; in a split model only this part's.
    pub parameter_count: u64,
    /// Tensors in this file.
    pub tensor_count: u64,
    /// `tokenizer.ggml.model`, such as `gpt2`.
    pub tokenizer_model: Option<String>,
    /// Entries of `tokenizer.ggml.tokens`.
    pub tokenizer_size: Option<u64>,
    /// `split.count`: files the model is split into.
    pub split_count: Option<u64>,
    /// Length of the header in bytes, before padding.
    pub header_bytes: u64,
}

/// Reads `front`, the first bytes of a file of `file_bytes`.
///
/// # Errors
/// [`HeaderError::Unsupported`] for another magic, version or byte order,
/// [`HeaderError::Damaged`] for counts or lengths that cannot be, [`HeaderError::TooLarge`].
pub fn parse(front: &[u8], file_bytes: u64) -> Result<Parsed<GgufHeader>, HeaderError> {
    let mut cursor = Cursor::new(front, file_bytes);
    match read(&mut cursor) {
        Ok(header) => Ok(Parsed::Done(header)),
        Err(Stop::More(bytes)) => {
            // Doubling keeps the number of range requests small: at most seven.
            let wanted = bytes.max(cursor.front.len() as u64 * 2).max(FIRST_BYTES);
            Ok(Parsed::NeedMore(wanted.min(cursor.end)))
        }
        Err(Stop::Bad(error)) => Err(error),
    }
}

enum Stop {
    /// So many bytes from the start are needed to go on.
    More(u64),
    Bad(HeaderError),
}

impl From<HeaderError> for Stop {
    fn from(error: HeaderError) -> Self {
        Self::Bad(error)
    }
}

struct Cursor<'a> {
    front: &'a [u8],
    at: u64,
    /// No header byte can stand at or after this offset.
    end: u64,
    file_bytes: u64,
}

impl<'a> Cursor<'a> {
    fn new(front: &'a [u8], file_bytes: u64) -> Self {
        let end = file_bytes.min(MAX_HEADER_BYTES);
        let given = front.len().min(usize::try_from(end).unwrap_or(usize::MAX));
        Self {
            front: &front[..given],
            at: 0,
            end,
            file_bytes,
        }
    }

    /// Fails when `count` things of at least `least` bytes each cannot follow.
    fn expect(&self, count: u64, least: u64, what: &str) -> Result<u64, Stop> {
        match count.checked_mul(least) {
            Some(bytes) if bytes <= self.end - self.at => Ok(bytes),
            Some(bytes) if bytes <= self.file_bytes - self.at => Err(HeaderError::TooLarge.into()),
            _ => Ok(damaged(format!(
                "{count} {what} cannot stand in a file of {} bytes",
                self.file_bytes
            ))?),
        }
    }

    fn take(&mut self, bytes: u64, what: &str) -> Result<&'a [u8], Stop> {
        self.expect(bytes, 1, what)?;
        let end = self.at + bytes;
        if end > self.front.len() as u64 {
            return Err(Stop::More(end));
        }
        let taken = &self.front[self.at as usize..end as usize];
        self.at = end;
        Ok(taken)
    }

    fn number<const N: usize>(&mut self) -> Result<[u8; N], Stop> {
        let mut out = [0; N];
        out.copy_from_slice(self.take(N as u64, "bytes of a number")?);
        Ok(out)
    }

    fn u32(&mut self) -> Result<u32, Stop> {
        self.number().map(u32::from_le_bytes)
    }

    fn u64(&mut self) -> Result<u64, Stop> {
        self.number().map(u64::from_le_bytes)
    }

    fn text(&mut self) -> Result<&'a [u8], Stop> {
        let length = self.u64()?;
        self.take(length, "bytes of a text")
    }

    /// Reads a value; only what the report needs comes back.
    fn value(&mut self, kind: u32) -> Result<Value, Stop> {
        Ok(match kind {
            8 => {
                let text = String::from_utf8_lossy(self.text()?);
                Value::Text(text.chars().take(MAX_KEPT_CHARS).collect())
            }
            9 => Value::Array(self.array()?),
            _ => {
                let bytes = self.take(width(kind)?, "bytes of a value")?;
                // Floats have no use here; their bits must not pass for a number.
                if matches!(kind, 6 | 12) {
                    return Ok(Value::Other);
                }
                let negative = matches!(kind, 1 | 3 | 5 | 11) && bytes.last().is_some_and(|b| b & 0x80 != 0);
                let number = bytes
                    .iter()
                    .rev()
                    .fold(0, |number, byte| number << 8 | u64::from(*byte));
                if negative {
                    Value::Other
                } else {
                    Value::Number(number)
                }
            }
        })
    }

    /// Steps over an array and gives its length.
    fn array(&mut self) -> Result<u64, Stop> {
        let kind = self.u32()?;
        let count = self.u64()?;
        match kind {
            8 => {
                self.expect(count, 8, "texts of an array")?;
                for _ in 0..count {
                    self.text()?;
                }
            }
            9 => return Ok(damaged("an array holds arrays")?),
            _ => {
                let bytes = self.expect(count, width(kind)?, "values of an array")?;
                self.take(bytes, "bytes of an array")?;
            }
        }
        Ok(count)
    }
}

enum Value {
    Number(u64),
    Text(String),
    Array(u64),
    Other,
}

/// Bytes of a value of a fixed-size type.
fn width(kind: u32) -> Result<u64, Stop> {
    Ok(match kind {
        0 | 1 | 7 => 1,
        2 | 3 => 2,
        4..=6 => 4,
        10..=12 => 8,
        _ => return Ok(damaged(format!("{kind} is no type of value"))?),
    })
}

fn read(cursor: &mut Cursor<'_>) -> Result<GgufHeader, Stop> {
    if cursor.number::<4>()? != *b"GGUF" {
        return Err(HeaderError::Unsupported("the file does not begin with GGUF".to_owned()).into());
    }
    let version = cursor.u32()?;
    if !matches!(version, 2 | 3) {
        let why = if version.swap_bytes() <= 3 {
            "a big-endian GGUF file".to_owned()
        } else {
            format!("GGUF version {version}")
        };
        return Err(HeaderError::Unsupported(why).into());
    }
    let tensor_count = cursor.u64()?;
    let entry_count = cursor.u64()?;
    cursor.expect(tensor_count, MIN_TENSOR_BYTES, "tensors")?;
    cursor.expect(entry_count, MIN_ENTRY_BYTES, "metadata entries")?;

    let mut header = GgufHeader {
        version,
        tensor_count,
        ..GgufHeader::default()
    };
    let mut file_type = None;
    let mut context_lengths = BTreeMap::new();
    for _ in 0..entry_count {
        let length = cursor.u64()?;
        if length > MAX_KEY_BYTES {
            damaged(format!("a key of {length} bytes"))?;
        }
        let key = cursor.take(length, "bytes of a key")?;
        let kind = cursor.u32()?;
        let value = cursor.value(kind)?;
        match (key, value) {
            (b"general.architecture", Value::Text(text)) => header.architecture = Some(text),
            (b"general.name", Value::Text(text)) => header.name = Some(text),
            (b"general.file_type", Value::Number(number)) => file_type = Some(number),
            (b"tokenizer.ggml.model", Value::Text(text)) => header.tokenizer_model = Some(text),
            (b"tokenizer.ggml.tokens", Value::Array(count)) => header.tokenizer_size = Some(count),
            (b"split.count", Value::Number(count)) => header.split_count = Some(count),
            (key, Value::Number(number)) => {
                // The architecture may be named only after this entry.
                if let Some(prefix) = key.strip_suffix(b".context_length")
                    && context_lengths.len() < 8
                {
                    context_lengths.insert(prefix.to_vec(), number);
                }
            }
            _ => {}
        }
    }
    header.context_length = header
        .architecture
        .as_deref()
        .and_then(|name| context_lengths.get(name.as_bytes()).copied());
    let elements = read_tensors(cursor, tensor_count)?;
    header.parameter_count = elements.values().fold(0, |sum: u64, n| sum.saturating_add(*n));
    header.quantization = file_type.and_then(file_type_name).map(str::to_owned).or_else(|| {
        let (kind, _) = elements.iter().max_by_key(|(_, count)| **count)?;
        tensor_type_name(*kind).map(str::to_owned)
    });
    header.header_bytes = cursor.at;
    Ok(header)
}

/// Elements by tensor type.
fn read_tensors(cursor: &mut Cursor<'_>, count: u64) -> Result<BTreeMap<u32, u64>, Stop> {
    let mut elements: BTreeMap<u32, u64> = BTreeMap::new();
    for _ in 0..count {
        cursor.text()?;
        let dimensions = cursor.u32()?;
        if dimensions > MAX_DIMENSIONS {
            damaged(format!("a tensor of {dimensions} dimensions"))?;
        }
        let mut size: u64 = 1;
        for _ in 0..dimensions {
            let Some(product) = size.checked_mul(cursor.u64()?) else {
                return Ok(damaged("a tensor of more than 2^64 elements")?);
            };
            size = product;
        }
        let kind = cursor.u32()?;
        let offset = cursor.u64()?;
        if offset > cursor.file_bytes {
            damaged(format!("a tensor at {offset}, beyond the end of the file"))?;
        }
        // Types are 32-bit numbers; a damaged file must not fill the map.
        if elements.len() < 64 || elements.contains_key(&kind) {
            let sum = elements.entry(kind).or_default();
            *sum = sum.saturating_add(size);
        }
    }
    Ok(elements)
}

/// `enum llama_ftype` of llama.cpp.
fn file_type_name(number: u64) -> Option<&'static str> {
    #[rustfmt::skip]
    const NAMES: [&str; 39] = [
        "F32", "F16", "Q4_0", "Q4_1", "", "", "", "Q8_0", "Q5_0", "Q5_1", "Q2_K", "Q3_K_S", "Q3_K_M", "Q3_K_L",
        "Q4_K_S", "Q4_K_M", "Q5_K_S", "Q5_K_M", "Q6_K", "IQ2_XXS", "IQ2_XS", "Q2_K_S", "IQ3_XS", "IQ3_XXS",
        "IQ1_S", "IQ4_NL", "IQ3_S", "IQ3_M", "IQ2_S", "IQ2_M", "IQ4_XS", "IQ1_M", "BF16", "Q4_0_4_4", "Q4_0_4_8",
        "Q4_0_8_8", "TQ1_0", "TQ2_0", "MXFP4_MOE",
    ];
    let name = NAMES.get(usize::try_from(number).ok()?)?;
    (!name.is_empty()).then_some(name)
}

/// `enum ggml_type` of ggml.
fn tensor_type_name(number: u32) -> Option<&'static str> {
    #[rustfmt::skip]
    const NAMES: [&str; 40] = [
        "F32", "F16", "Q4_0", "Q4_1", "", "", "Q5_0", "Q5_1", "Q8_0", "Q8_1", "Q2_K", "Q3_K", "Q4_K", "Q5_K",
        "Q6_K", "Q8_K", "IQ2_XXS", "IQ2_XS", "IQ3_XXS", "IQ1_S", "IQ4_NL", "IQ3_S", "IQ2_S", "IQ4_XS", "I8",
        "I16", "I32", "I64", "F64", "IQ1_M", "BF16", "", "", "", "TQ1_0", "TQ2_0", "", "", "", "MXFP4",
    ];
    let name = NAMES.get(usize::try_from(number).ok()?)?;
    (!name.is_empty()).then_some(name)
}

#[cfg(test)]
#[path = "tests/gguf_header.rs"]
mod tests;
