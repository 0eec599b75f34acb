//! Durations as people write them in settings.

use std::time::Duration;

/// Parses `400ms`, `60s`, `5m`, `1h30m`, `0` and bare seconds (`90`, `1.5`), as Go programs print them.
///
/// # Errors
/// A sentence that names the text when it is not such a duration or is longer than 365 days.
pub fn parse_duration(text: &str) -> Result<Duration, String> {
    let bad = || {
        format!(
            "\"{}\" is not a duration such as 400ms, 60s, 5m or 1h30m",
            super::repo::shown(text)
        )
    };
    let mut rest = text.trim();
    if rest.is_empty() {
        return Err(bad());
    }
    let mut seconds = 0.0;
    while !rest.is_empty() {
        let digits = rest
            .find(|c: char| !c.is_ascii_digit() && c != '.')
            .unwrap_or(rest.len());
        let (number, tail) = rest.split_at(digits);
        let letters = tail
            .find(|c: char| !c.is_ascii_alphabetic())
            .unwrap_or(tail.len());
        let (unit, tail) = tail.split_at(letters);
        let factor = match unit {
            "ms" => 0.001,
            "s" => 1.0,
            "m" => 60.0,
            "h" => 3600.0,
            "d" => 86_400.0,
            "" if tail.is_empty() && seconds == 0.0 => 1.0,
            _ => return Err(bad()),
        };
        seconds += number.parse::<f64>().map_err(|_| bad())? * factor;
        rest = tail;
    }
    if seconds > 365.0 * 86_400.0 {
        Err(bad())
    } else {
        // Whole microseconds: the noise of adding fractions would show as another duration.
        Ok(Duration::from_micros((seconds * 1e6).round() as u64))
    }
}

/// The shortest form that [`parse_duration`] reads back: `60s`, `5m`, `400ms`, `0`.
pub fn human_duration(value: Duration) -> String {
    let ms = value.as_millis();
    match ms {
        0 => "0".to_owned(),
        _ if ms.is_multiple_of(3_600_000) => format!("{}h", ms / 3_600_000),
        _ if ms.is_multiple_of(60_000) && ms > 60_000 => format!("{}m", ms / 60_000),
        _ if ms.is_multiple_of(1000) => format!("{}s", ms / 1000),
        _ => format!("{ms}ms"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn adding_fractions_leaves_no_noise() {
        let value = parse_duration("4ms04ms020262026s").unwrap();
        assert_eq!(value, Duration::from_millis(20_262_026_008));
    }

    #[test]
    fn durations_are_read_and_written_back() {
        for (text, ms, shown) in [
            ("60s", 60_000, "60s"),
            ("0", 0, "0"),
            ("400ms", 400, "400ms"),
            ("5m", 300_000, "5m"),
            ("1h30m", 5_400_000, "90m"),
            ("90", 90_000, "90s"),
        ] {
            let value = parse_duration(text).unwrap();
            assert_eq!(
                (value.as_millis(), human_duration(value).as_str()),
                (ms, shown),
                "{text}"
            );
        }
        for bad in ["", "s", "-1s", "5 parsecs", "1x", "900d", "1m5"] {
            assert!(parse_duration(bad).is_err(), "{bad}");
        }
    }
}
