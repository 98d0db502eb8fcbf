//! Structs, and lists that are changed in place.

/// A place.
#[derive(Debug, Clone, PartialEq)]
pub struct Spot {
    pub x: i32,
    pub y: i32,
}

/// Structs that are passed on.
pub fn far(x: i16, y: i16) -> i64 {
    reach(&Spot { x: i32::from(x), y: i32::from(y) })
}
pub fn reach(spot: &Spot) -> i64 {
    length(&mirrored(spot))
}
pub fn mirrored(spot: &Spot) -> Spot {
    Spot { x: spot.y, y: -spot.x }
}
pub fn length(spot: &Spot) -> i64 {
    size(spot.x) + 2 * size(spot.y)
}
pub fn size(number: i32) -> i64 {
    i64::from(number).abs()
}

/// Changes in place.
pub fn tidied(items: Vec<i32>) -> Vec<i32> {
    let mut items = items;
    arranged(&mut items);
    items
}
pub fn arranged(items: &mut Vec<i32>) {
    clipped(items);
    flipped(items);
}
pub fn clipped(items: &mut Vec<i32>) {
    for item in items.iter_mut() {
        *item = limited(*item);
    }
}
pub fn flipped(items: &mut Vec<i32>) {
    items.reverse();
}
pub fn limited(item: i32) -> i32 {
    if item > 50 { 50 } else { item }
}
