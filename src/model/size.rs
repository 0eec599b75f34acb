//! Sizes in bytes as people write and read them.

/// Parses `32MiB`, `1.5 GB`, `500` (bytes): decimal `B KB MB GB TB`, binary `KiB MiB GiB TiB`
/// (also `K M G T` as binary), fractions allowed, case-insensitive.
///
/// # Errors
/// A sentence that names the text when it is not such a size or does not fit 63 bits.
pub fn parse_size(text: &str) -> Result<u64, String> {
    let bad = || {
        format!(
            "\"{}\" is not a size such as 32MiB, 1.5GB or 1048576",
            super::repo::shown(text)
        )
    };
    let trimmed = text.trim();
    let split = trimmed
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(trimmed.len());
    let (number, unit) = trimmed.split_at(split);
    let factor: f64 = match unit.trim().to_ascii_lowercase().as_str() {
        "" | "b" => 1.0,
        "kb" => 1e3,
        "mb" => 1e6,
        "gb" => 1e9,
        "tb" => 1e12,
        "k" | "kib" => 1024.0,
        "m" | "mib" => 1024f64.powi(2),
        "g" | "gib" => 1024f64.powi(3),
        "t" | "tib" => 1024f64.powi(4),
        _ => return Err(bad()),
    };
    let value: f64 = number.parse().map_err(|_| bad())?;
    let bytes = value * factor;
    // 2^62: everything below converts exactly enough and fits SQLite's signed 64 bits.
    if !bytes.is_finite() || bytes >= 4.6e18 {
        return Err(bad());
    }
    Ok(bytes as u64)
}

/// Base 1024 with one decimal from KiB up: `999 B`, `4.6 GiB`.
pub fn human_size(bytes: u64) -> String {
    const UNITS: [&str; 6] = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];
    let mut value = bytes as f64;
    let mut unit = 0;
    while value >= 1024.0 && unit < UNITS.len() - 1 {
        value /= 1024.0;
        unit += 1;
    }
    if unit == 0 {
        format!("{bytes} B")
    } else {
        format!("{value:.1} {}", UNITS[unit])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_in_decimal_and_binary_units() {
        for (text, bytes) in [
            ("0", 0),
            ("500", 500),
            ("32MiB", 33_554_432),
            ("1.5 gb", 1_500_000_000),
            ("1.5MiB", 1_572_864),
            ("2K", 2048),
        ] {
            assert_eq!(parse_size(text), Ok(bytes), "{text}");
        }
        for bad in [
            "",
            "MiB",
            "-1",
            "1 parsec",
            "1e400",
            "99999999TiB",
            "1.2.3MB",
            "NaN",
        ] {
            assert!(parse_size(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn sizes_are_shown_in_base_1024() {
        assert_eq!(human_size(999), "999 B");
        assert_eq!(human_size(4_905_066_496), "4.6 GiB");
    }
}
