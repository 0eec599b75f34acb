//! The canonical form of a row of the record: the bytes that its seal is the hash of.
//!
//! The bytes begin with a line such as `hfdepot event 1` or `hfdepot history 2` (table and form,
//! ended by a line feed). Every column follows in a fixed order: `-` for NULL, `i`, the
//! decimal number and `;` for an integer, `t`, the length in bytes, `:` and the UTF-8 bytes for
//! a text, `b`, the length, `:` and the bytes for a blob. The seal of a row is SHA-256 over the
//! 32 bytes of the seal before it (zeros for the first) and these bytes.
//!
//! A column that is added later makes a new form with another number; sealed rows keep theirs.
//! Events have form 1. Ends of jobs have form 2, which adds layout, repo of the folder, route key
//! and link mode to form 1; ends whose layout is NULL were sealed in form 1.

use sha2::{Digest, Sha256};

/// A seal: SHA-256.
pub type Seal = [u8; 32];

/// Writes one row in its canonical form.
pub struct RowForm(Vec<u8>);

impl RowForm {
    /// Begins a row of `table` in the form with this number.
    pub fn new(table: &str, form: u8) -> Self {
        Self(format!("hfdepot {table} {form}\n").into_bytes())
    }

    /// An integer column.
    pub fn int(mut self, value: impl Into<Option<i64>>) -> Self {
        match value.into() {
            Some(value) => self.0.extend_from_slice(format!("i{value};").as_bytes()),
            None => self.0.push(b'-'),
        }
        self
    }

    /// A text column.
    pub fn text<'a>(self, value: impl Into<Option<&'a str>>) -> Self {
        self.sized(b't', value.into().map(str::as_bytes))
    }

    /// A blob column.
    pub fn blob<'a>(self, value: impl Into<Option<&'a [u8]>>) -> Self {
        self.sized(b'b', value.into())
    }

    fn sized(mut self, tag: u8, value: Option<&[u8]>) -> Self {
        match value {
            Some(bytes) => {
                self.0.push(tag);
                self.0.extend_from_slice(format!("{}:", bytes.len()).as_bytes());
                self.0.extend_from_slice(bytes);
            }
            None => self.0.push(b'-'),
        }
        self
    }

    /// The seal of the row that follows the one with the seal `before`.
    pub fn seal(&self, before: &Seal) -> Seal {
        Sha256::new()
            .chain_update(before)
            .chain_update(&self.0)
            .finalize()
            .into()
    }
}

/// Bytes as lower-case hex.
pub fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes
        .iter()
        .fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_form_keeps_columns_apart() {
        let bytes = |form: RowForm| String::from_utf8(form.0).unwrap();
        assert_eq!(
            bytes(
                RowForm::new("event", 1)
                    .int(-7)
                    .text("a:b")
                    .text(None)
                    .int(None)
                    .blob(&b"xy"[..])
            ),
            "hfdepot event 1\ni-7;t3:a:b--b2:xy"
        );
        let seal = |form: RowForm| form.seal(&[0; 32]);
        assert_ne!(
            seal(RowForm::new("event", 1).text("ab").text("c")),
            seal(RowForm::new("event", 1).text("a").text("bc"))
        );
        assert_ne!(
            seal(RowForm::new("event", 1).text("")),
            seal(RowForm::new("event", 1).text(None))
        );
        assert_ne!(
            seal(RowForm::new("event", 1).text("1")),
            seal(RowForm::new("history", 1).text("1"))
        );
        assert_ne!(
            seal(RowForm::new("history", 1).text("1")),
            seal(RowForm::new("history", 2).text("1"))
        );
    }

    #[test]
    fn a_seal_is_reproduced_by_any_sha_256() {
        // printf '%064d' 0 | xxd -r -p; printf 'hfdepot event 1\ni1;' | sha256sum over both
        assert_eq!(hex(&RowForm::new("event", 1).int(1).seal(&[0; 32])), EXPECTED);
    }

    const EXPECTED: &str = "c1c322601388326a0365a70124d68c2832206a55c26cd7154238ec017c9b737d";
}
