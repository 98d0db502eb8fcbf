//! Numbers.

/// A loop over calls.
pub fn total(items: &[u32]) -> u64 {
    items.iter().map(|item| weighed(*item)).sum()
}
pub fn weighed(item: u32) -> u64 {
    if item == 0 { 0 } else { scaled(item) + 1 }
}
pub fn scaled(item: u32) -> u64 {
    rounded(u64::from(item) * 3)
}
pub fn rounded(number: u64) -> u64 {
    number - number % 10
}

/// Recursion.
pub fn climbs(count: u8) -> u64 {
    walk(count % 12)
}
pub fn walk(count: u8) -> u64 {
    if count < 2 {
        return 1;
    }
    stride(u32::from(count)) + walk(count - 1)
}
pub fn stride(count: u32) -> u64 {
    width(count) * 2
}
pub fn width(count: u32) -> u64 {
    u64::from(count % 3 + 1)
}

/// Floats.
pub fn mean_of(values: &[f64]) -> f64 {
    if values.is_empty() { 0.0 } else { centred(values) }
}
pub fn centred(values: &[f64]) -> f64 {
    spread(values) / values.len() as f64
}
pub fn spread(values: &[f64]) -> f64 {
    values.iter().map(|value| square(*value)).sum()
}
pub fn square(value: f64) -> f64 {
    value * value
}

/// Bytes.
pub fn checksum(data: &[u8]) -> u32 {
    folded(data) % 65_521
}
pub fn folded(data: &[u8]) -> u32 {
    data.iter().fold(1, |sum, byte| mixed(sum, *byte))
}
pub fn mixed(sum: u32, byte: u8) -> u32 {
    turned(sum) ^ u32::from(byte)
}
pub fn turned(sum: u32) -> u32 {
    sum.rotate_left(5)
}

/// Branches that are given the same.
pub fn verdict(number: i32) -> String {
    graded(number % 100)
}
pub fn graded(number: i32) -> String {
    format!("{}{}", band(number), mark(number))
}
pub fn band(number: i32) -> char {
    if number < edge(number) { 'a' } else { 'b' }
}
pub fn mark(number: i32) -> &'static str {
    match number {
        0 => "",
        n if n > 0 => "+",
        _ => "-",
    }
}
pub fn edge(number: i32) -> i32 {
    if number % 2 == 0 { 10 } else { 20 }
}
