//! Texts.

/// What is wrong with a text.
#[derive(Debug, PartialEq)]
pub struct Bad;

/// Calls inside iterators.
pub fn slug(text: &str) -> String {
    joined(text)
}
pub fn joined(text: &str) -> String {
    words(text).join("-")
}
pub fn words(text: &str) -> Vec<String> {
    text.split(' ').map(cleaned).filter(|word| !word.is_empty()).collect()
}
pub fn cleaned(word: &str) -> String {
    word.chars().filter(|char| is_kept(*char)).collect::<String>().to_lowercase()
}
pub fn is_kept(char: char) -> bool {
    char.is_ascii_alphanumeric()
}

/// Options that are passed on.
pub fn read_sum(text: &str) -> Option<i64> {
    let (one, other) = pair(text)?;
    Some(one + other)
}
pub fn pair(text: &str) -> Option<(i64, i64)> {
    let (one, other) = halves(text)?;
    Some((number(&one)?, number(&other)?))
}
pub fn halves(text: &str) -> Option<(String, String)> {
    let at = text.len() / 2;
    if !text.is_char_boundary(at) {
        return None;
    }
    let (one, other) = text.split_at(at);
    Some((one.to_string(), other.to_string()))
}
pub fn number(text: &str) -> Option<i64> {
    let mut sum = 0;
    for char in text.chars().take(8) {
        sum = sum * 3 + digit(char)?;
    }
    Some(sum)
}
pub fn digit(char: char) -> Option<i64> {
    if char.is_ascii() { Some(i64::from(char as u8 % 3)) } else { None }
}

/// Errors that are passed on.
pub fn checked(text: &str) -> Result<u32, Bad> {
    Ok(validated(text)? + 1)
}
pub fn validated(text: &str) -> Result<u32, Bad> {
    let head = header(text)?;
    Ok(head * 2)
}
pub fn header(text: &str) -> Result<u32, Bad> {
    match text.chars().next() {
        None => Err(Bad),
        Some(first) => Ok(weight(first)),
    }
}
pub fn weight(char: char) -> u32 {
    if char.is_ascii_digit() { 7 } else { char as u32 % 5 }
}

/// Maps.
pub fn tallied(text: &str) -> Vec<(char, u32)> {
    counted(text).into_iter().collect()
}
pub fn counted(text: &str) -> std::collections::BTreeMap<char, u32> {
    let mut counts = std::collections::BTreeMap::new();
    for char in text.chars() {
        *counts.entry(key(char)).or_insert(0) += 1;
    }
    counts
}
pub fn key(char: char) -> char {
    if char.is_ascii() { lowered(char) } else { '?' }
}
pub fn lowered(char: char) -> char {
    char.to_ascii_lowercase()
}
