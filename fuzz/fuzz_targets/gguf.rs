//! Headers of GGUF files. The first two bytes say how much longer than its front the file is.
#![no_main]

use hfdepot::model::analysis::gguf_header::parse;
use hfdepot::model::analysis::headers::{MAX_HEADER_BYTES, Parsed};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Some((more, front)) = data.split_first_chunk::<2>() else {
        return;
    };
    // Up to 4 GiB, in steps that a byte can reach.
    let file_bytes = front.len() as u64 + (u64::from(more[0]) << (more[1] % 25));
    match parse(front, file_bytes) {
        Ok(Parsed::Done(header)) => {
            assert!(header.header_bytes <= file_bytes.min(MAX_HEADER_BYTES));
            assert!(header.tensor_count <= file_bytes, "tensors that cannot be");
        }
        Ok(Parsed::NeedMore(bytes)) => {
            assert!(bytes > front.len() as u64, "would ask for ever");
            assert!(bytes <= file_bytes.min(MAX_HEADER_BYTES));
        }
        Err(error) => assert!(error.to_string().len() < 2_000, "a sentence, not a page"),
    }
});
