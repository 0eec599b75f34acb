use proptest::prelude::*;

use super::*;

/// Writes a GGUF header entry by entry.
struct Builder {
    entries: Vec<u8>,
    entry_count: u64,
    tensors: Vec<u8>,
    tensor_count: u64,
    version: u32,
}

fn text(out: &mut Vec<u8>, text: &str) {
    out.extend((text.len() as u64).to_le_bytes());
    out.extend(text.as_bytes());
}

impl Builder {
    fn new() -> Self {
        Self {
            entries: Vec::new(),
            entry_count: 0,
            tensors: Vec::new(),
            tensor_count: 0,
            version: 3,
        }
    }

    fn entry(mut self, key: &str, kind: u32, value: &[u8]) -> Self {
        text(&mut self.entries, key);
        self.entries.extend(kind.to_le_bytes());
        self.entries.extend(value);
        self.entry_count += 1;
        self
    }

    fn word(self, key: &str, value: &str) -> Self {
        let mut bytes = Vec::new();
        text(&mut bytes, value);
        self.entry(key, 8, &bytes)
    }

    fn words(self, key: &str, values: &[&str]) -> Self {
        let mut bytes = 8u32.to_le_bytes().to_vec();
        bytes.extend((values.len() as u64).to_le_bytes());
        values.iter().for_each(|value| text(&mut bytes, value));
        self.entry(key, 9, &bytes)
    }

    fn tensor(mut self, name: &str, sides: &[u64], kind: u32, offset: u64) -> Self {
        text(&mut self.tensors, name);
        self.tensors.extend((sides.len() as u32).to_le_bytes());
        sides
            .iter()
            .for_each(|side| self.tensors.extend(side.to_le_bytes()));
        self.tensors.extend(kind.to_le_bytes());
        self.tensors.extend(offset.to_le_bytes());
        self.tensor_count += 1;
        self
    }

    fn bytes(&self) -> Vec<u8> {
        let mut bytes = b"GGUF".to_vec();
        bytes.extend(self.version.to_le_bytes());
        bytes.extend(self.tensor_count.to_le_bytes());
        bytes.extend(self.entry_count.to_le_bytes());
        bytes.extend(&self.entries);
        bytes.extend(&self.tensors);
        bytes
    }
}

fn llama() -> Builder {
    Builder::new()
        .entry("llama.context_length", 4, &32_768u32.to_le_bytes())
        .entry("clip.context_length", 10, &77u64.to_le_bytes())
        .word("general.architecture", "llama")
        .word("general.name", "Mistral 7B")
        .entry("general.file_type", 4, &15u32.to_le_bytes())
        .entry("llama.rope.freq_base", 6, &10_000f32.to_le_bytes())
        .entry("split.count", 2, &3u16.to_le_bytes())
        .entry("flag", 7, &[1])
        .word("tokenizer.ggml.model", "gpt2")
        .words("tokenizer.ggml.tokens", &["<s>", "</s>", "é", ""])
        .entry(
            "tokenizer.ggml.scores",
            9,
            &[6, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
        )
        .tensor("token_embd.weight", &[4096, 4], 12, 0)
        .tensor("output_norm.weight", &[4096], 0, 1000)
}

const FILE_BYTES: u64 = 4_368_438_272;

#[test]
fn a_header_gives_what_the_report_shows() {
    for version in [2, 3] {
        let bytes = Builder { version, ..llama() }.bytes();
        let Ok(Parsed::Done(header)) = parse(&bytes, FILE_BYTES) else {
            panic!("{:?}", parse(&bytes, FILE_BYTES));
        };
        let wanted = GgufHeader {
            version,
            architecture: Some("llama".into()),
            name: Some("Mistral 7B".into()),
            context_length: Some(32_768),
            quantization: Some("Q4_K_M".into()),
            parameter_count: 4096 * 5,
            tensor_count: 2,
            tokenizer_model: Some("gpt2".into()),
            tokenizer_size: Some(4),
            split_count: Some(3),
            header_bytes: bytes.len() as u64,
        };
        assert_eq!(header, wanted);
    }
    let untyped = Builder::new()
        .tensor("a", &[10], 8, 0)
        .tensor("b", &[5], 0, 0)
        .bytes();
    let Ok(Parsed::Done(header)) = parse(&untyped, FILE_BYTES) else {
        panic!()
    };
    assert_eq!(
        header.quantization.as_deref(),
        Some("Q8_0"),
        "the type that holds most"
    );
}

#[test]
fn a_short_front_asks_for_more_and_the_answer_is_the_same_in_the_end() {
    let bytes = llama().bytes();
    let whole = parse(&bytes, FILE_BYTES);
    for cut in 0..bytes.len() {
        let Ok(Parsed::NeedMore(more)) = parse(&bytes[..cut], FILE_BYTES) else {
            panic!("{cut}: {:?}", parse(&bytes[..cut], FILE_BYTES));
        };
        assert!(more > cut as u64);
    }
    let (mut have, mut rounds) = (0, 0);
    let answer = loop {
        rounds += 1;
        match parse(&bytes[..have], FILE_BYTES) {
            Ok(Parsed::NeedMore(more)) => have = (more as usize).min(bytes.len()),
            other => break other,
        }
    };
    assert_eq!(answer, whole);
    assert_eq!(rounds, 2, "one request suffices for a small header");
}

#[test]
fn lies_are_refused_before_anything_is_read_or_allocated() {
    let header = |tensors: u64, entries: u64| {
        let mut bytes = b"GGUF\x03\0\0\0".to_vec();
        bytes.extend(tensors.to_le_bytes());
        bytes.extend(entries.to_le_bytes());
        bytes
    };
    let damaged = |bytes: &[u8], file_bytes: u64| {
        let result = parse(bytes, file_bytes);
        assert!(matches!(result, Err(HeaderError::Damaged(_))), "{result:?}");
    };
    damaged(&header(u64::MAX, 0), FILE_BYTES);
    damaged(&header(0, u64::MAX), FILE_BYTES);
    damaged(&header(2, 0), 70);
    assert_eq!(parse(&header(1 << 24, 0), FILE_BYTES), Err(HeaderError::TooLarge));

    let endless_text = Builder::new().entry("a", 8, &u64::MAX.to_le_bytes()).bytes();
    damaged(&endless_text, FILE_BYTES);
    let endless_array = [&8u32.to_le_bytes()[..], &u64::MAX.to_le_bytes()].concat();
    damaged(&Builder::new().entry("a", 9, &endless_array).bytes(), FILE_BYTES);
    let long_array = [&10u32.to_le_bytes()[..], &(1u64 << 22).to_le_bytes()].concat();
    assert_eq!(
        parse(&Builder::new().entry("a", 9, &long_array).bytes(), FILE_BYTES),
        Err(HeaderError::TooLarge)
    );
    let nested = [&9u32.to_le_bytes()[..], &1u64.to_le_bytes(), &[0; 16]].concat();
    damaged(&Builder::new().entry("a", 9, &nested).bytes(), FILE_BYTES);
    damaged(&Builder::new().entry("a", 13, &[0; 8]).bytes(), FILE_BYTES);
    damaged(
        &Builder::new().tensor("t", &[1, 1, 1, 1, 1], 0, 0).bytes(),
        FILE_BYTES,
    );
    damaged(
        &Builder::new().tensor("t", &[u64::MAX, 2], 0, 0).bytes(),
        FILE_BYTES,
    );
    damaged(
        &Builder::new().tensor("t", &[1], 0, FILE_BYTES + 1).bytes(),
        FILE_BYTES,
    );
    damaged(&llama().bytes(), 400);
}

#[test]
fn other_formats_and_versions_are_told_apart_from_damage() {
    for bytes in [
        &b"PK\x03\x04aaaa"[..],
        b"GGUF\x01\0\0\0",
        b"GGUF\0\0\0\x03",
        b"GGUF\x09\0\0\0",
    ] {
        assert!(matches!(
            parse(bytes, FILE_BYTES),
            Err(HeaderError::Unsupported(_))
        ));
    }
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..300), file_bytes in any::<u64>()) {
        check(&[b"GGUF\x03\0\0\0", &bytes[..]].concat(), file_bytes)?;
        check(&bytes, file_bytes)?;
    }

    #[test]
    fn no_mutation_makes_it_panic(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        cut in any::<prop::sample::Index>(),
    ) {
        let mut bytes = llama().bytes();
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        check(&bytes, FILE_BYTES)?;
        check(&bytes, bytes.len() as u64)?;
        check(&bytes[..cut.index(bytes.len())], FILE_BYTES)?;
    }
}

fn check(bytes: &[u8], file_bytes: u64) -> Result<(), TestCaseError> {
    if let Ok(Parsed::NeedMore(more)) = parse(bytes, file_bytes) {
        prop_assert!(more > bytes.len() as u64 && more <= file_bytes && more <= MAX_HEADER_BYTES);
    }
    Ok(())
}
