//! Names of GGUF quantisations: how to find them in a file name, how good they are.

/// One known quantisation.
#[derive(Debug)]
pub(super) struct Quant {
    pub name: &'static str,
    /// 1 (poor) to 5 (as good as the original).
    pub quality: u8,
    pub description: &'static str,
}

/// Quality of a quantisation that is not in the table.
pub(super) const UNKNOWN_QUALITY: u8 = 3;

macro_rules! quants {
    ($($quality:literal { $($name:literal: $description:literal,)* })*) => {
        &[$($(Quant { name: $name, quality: $quality, description: $description },)*)*]
    };
}

/// All known names, with `_` between their parts; files also write `-`.
#[rustfmt::skip]
pub(super) const QUANTS: &[Quant] = quants! {
    1 {
        "IQ1_S": "1.6-bit, smallest of all, heavy loss",
        "IQ1_M": "1.8-bit, heavy loss",
        "TQ1_0": "ternary 1.7-bit, for models trained that way",
        "TQ2_0": "ternary 2.1-bit, for models trained that way",
        "IQ2_XXS": "2.1-bit, heavy loss",
        "IQ2_XS": "2.3-bit, heavy loss",
        "IQ2_S": "2.5-bit, heavy loss",
        "IQ2_M": "2.7-bit, clear loss",
        "Q2_K": "smallest 2-bit, clear loss",
        "Q2_K_S": "small 2-bit, clear loss",
        "Q2_K_L": "2-bit with better embeddings, clear loss",
    }
    2 {
        "Q2_K_XL": "2-bit with the important layers kept better",
        "IQ3_XXS": "3.1-bit, noticeable loss",
        "IQ3_XS": "3.3-bit, noticeable loss",
        "IQ3_S": "3.4-bit, noticeable loss",
        "IQ3_M": "3.7-bit, noticeable loss",
        "Q3_K": "medium 3-bit, noticeable loss",
        "Q3_K_S": "small 3-bit, noticeable loss",
        "Q3_K_M": "medium 3-bit, noticeable loss",
        "Q3_K_L": "large 3-bit, noticeable loss",
        "APEX_MINI": "smallest of the APEX mixes",
        "APEX_I_MINI": "smallest of the APEX mixes",
    }
    3 {
        "Q3_K_XL": "3-bit with the important layers kept better",
        "IQ4_XS": "4.3-bit, small and good for its size",
        "IQ4_NL": "4.5-bit, good for its size",
        "Q4_0": "4-bit, older kind, fast on CPUs",
        "Q4_1": "4-bit, older kind",
        "Q4_K_S": "small 4-bit",
        "Q4_0_4_4": "4-bit packed for ARM",
        "Q4_0_4_8": "4-bit packed for ARM",
        "Q4_0_8_8": "4-bit packed for ARM",
        "MXFP4": "4-bit floats, for models trained that way",
        "MXFP4_MOE": "4-bit floats, for models trained that way",
        "NVFP4": "4-bit floats for new NVIDIA cards",
        "APEX_COMPACT": "small APEX mix",
    }
    4 {
        "Q4_K": "medium 4-bit, good balance of quality and size",
        "Q4_K_M": "medium 4-bit, good balance of quality and size",
        "Q4_K_L": "4-bit with better embeddings",
        "Q4_K_XL": "4-bit with the important layers kept better",
        "Q5_0": "5-bit, older kind",
        "Q5_1": "5-bit, older kind",
        "Q5_K_S": "small 5-bit, little loss",
        "APEX_BALANCED": "balanced APEX mix",
    }
    5 {
        "Q5_K": "medium 5-bit, little loss",
        "Q5_K_M": "medium 5-bit, little loss",
        "Q5_K_L": "5-bit with better embeddings, little loss",
        "Q5_K_XL": "5-bit with the important layers kept better",
        "Q6_K": "6-bit, nearly lossless",
        "Q6_K_L": "6-bit with better embeddings, nearly lossless",
        "Q6_K_XL": "6-bit, nearly lossless",
        "Q8_0": "8-bit, minimal loss",
        "Q8_K_XL": "8-bit, minimal loss",
        "F16": "half precision, no loss to speak of",
        "FP16": "half precision, no loss to speak of",
        "BF16": "half precision, as most models are trained",
        "F32": "full precision, twice the size for no gain",
        "APEX_QUALITY": "largest APEX mix",
    }
};

/// A quantisation found in a name.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Found {
    /// Index in [`QUANTS`].
    pub index: usize,
    /// Unsloth's dynamic kind, with `UD-` before the name.
    pub dynamic: bool,
    /// Where it stands in the text that was searched, `UD-` included.
    pub span: std::ops::Range<usize>,
}

impl Found {
    /// The name for people: `UD-Q4_K_XL`.
    pub(super) fn name(&self) -> String {
        let prefix = if self.dynamic { "UD-" } else { "" };
        format!("{prefix}{}", QUANTS[self.index].name)
    }
}

/// The last known name in `text`; of names that end at the same place the longest.
pub(super) fn find_quant(text: &str) -> Option<Found> {
    let folded: Vec<u8> = text
        .bytes()
        .map(|b| if b == b'-' { b'_' } else { b.to_ascii_uppercase() })
        .collect();
    let is_edge = |byte: Option<&u8>| byte.is_none_or(|b| !b.is_ascii_alphanumeric());
    let mut best: Option<Found> = None;
    for (index, quant) in QUANTS.iter().enumerate() {
        let name = quant.name.as_bytes();
        let last = folded.windows(name.len()).enumerate().rev().find(|(at, window)| {
            *window == name
                && is_edge(at.checked_sub(1).and_then(|before| folded.get(before)))
                && is_edge(folded.get(at + name.len()))
        });
        let Some((start, _)) = last else { continue };
        let end = start + name.len();
        let better = best
            .as_ref()
            .is_none_or(|best| (end, name.len()) > (best.span.end, best.span.len()));
        // `Q4_K` inside `Q4_K_M` ends earlier; `K_M` alone is no name.
        if better {
            best = Some(Found {
                index,
                dynamic: false,
                span: start..end,
            });
        }
    }
    let mut best = best?;
    let start = best.span.start;
    if start >= 3 && &folded[start - 3..start] == b"UD_" && is_edge(folded.get(start.wrapping_sub(4))) {
        best.dynamic = true;
        best.span.start = start - 3;
    }
    Some(best)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_and_longest_known_name_wins() {
        for (text, name) in [
            ("mistral-7b-instruct-v0.2.Q4_K_M", Some("Q4_K_M")),
            ("Qwen3-32B-UD-Q4_K_XL", Some("UD-Q4_K_XL")),
            ("Qwen3-32B-Q4_K_XL", Some("Q4_K_XL")),
            ("llama-f16-q8_0", Some("Q8_0")),
            ("gemma-3-4b-it-qat-q4_0", Some("Q4_0")),
            ("model-IQ4_XS", Some("IQ4_XS")),
            ("m.q4_k", Some("Q4_K")),
            ("m-Q4-K-M", Some("Q4_K_M")),
            ("m-APEX-I-Mini", Some("APEX_I_MINI")),
            ("ud-bf16", Some("UD-BF16")),
            ("CLOUD-Q8_0", Some("Q8_0")),
            ("gpt-oss-20b-mxfp4", Some("MXFP4")),
            ("Q4_0_4_4", Some("Q4_0_4_4")),
            ("model", None),
            ("xq4_0", None),
            ("", None),
            ("日本語-Q6_K", Some("Q6_K")),
        ] {
            assert_eq!(
                find_quant(text).map(|found| found.name()).as_deref(),
                name,
                "{text}"
            );
        }
    }

    #[test]
    fn each_name_stands_once_and_is_found_as_itself() {
        for quant in QUANTS {
            assert_eq!(QUANTS.iter().filter(|other| other.name == quant.name).count(), 1);
            assert_eq!(find_quant(quant.name).unwrap().name(), quant.name);
            assert!((1..=5).contains(&quant.quality) && !quant.description.is_empty());
        }
    }
}
