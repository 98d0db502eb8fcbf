//! Marks in a source text which blocks of chosen functions a run reached.
//!
//! Main function: [`count_blocks`]. The marked text must compile wherever the original does, in every edition,
//! and behave alike; so nothing is put into constant contexts or macro arguments, and what is doubtful stays
//! unmarked.

use std::collections::BTreeMap;
use std::ops::Range;

use crate::ids::ItemPath;
use crate::snapshot::syntax::{
    AstNode, Lines, NodeOrToken, SyntaxKind as K, SyntaxNode, ast, attributes, edition as edition_of,
    own_range, parse_file,
};

/// The most blocks that one text is given.
pub const BLOCKS_MAX: usize = 100_000;

/// What stands in [`RUNTIME_MODULE`] for the number of blocks of the crate.
pub const CAPACITY_PLACEHOLDER: &str = "TIDELOCK_BLOCK_COUNT";

/// The module to put at the end of the crate's root, after [`CAPACITY_PLACEHOLDER`] is replaced: see
/// [`runtime_module`]. It needs `core` alone, no prelude and no `unsafe`.
pub const RUNTIME_MODULE: &str = "
/// Blocks that this run has reached.
pub mod __tidelock_coverage {
    const NOT_REACHED: core::sync::atomic::AtomicBool = core::sync::atomic::AtomicBool::new(false);
    static REACHED: [core::sync::atomic::AtomicBool; TIDELOCK_BLOCK_COUNT] =
        [NOT_REACHED; TIDELOCK_BLOCK_COUNT];

    /// Marks a block as reached.
    #[inline]
    pub fn hit(block: usize) {
        if let core::option::Option::Some(reached) = REACHED.get(block) {
            if !reached.load(core::sync::atomic::Ordering::Relaxed) {
                reached.store(true, core::sync::atomic::Ordering::Relaxed);
            }
        }
    }

    /// Whether a block was reached.
    pub fn is_reached(block: usize) -> bool {
        match REACHED.get(block) {
            core::option::Option::Some(reached) => reached.load(core::sync::atomic::Ordering::Relaxed),
            core::option::Option::None => false,
        }
    }

    /// The blocks that were reached, in order.
    pub fn reached() -> impl core::iter::Iterator<Item = usize> {
        core::iter::Iterator::filter(0..TIDELOCK_BLOCK_COUNT, |block| is_reached(*block))
    }

    /// Forgets what was reached.
    pub fn reset() {
        for reached in REACHED.iter() {
            reached.store(false, core::sync::atomic::Ordering::Relaxed);
        }
    }
}
";

/// [`RUNTIME_MODULE`] for a crate with this many blocks.
pub fn runtime_module(blocks: usize) -> String {
    RUNTIME_MODULE.replace(CAPACITY_PLACEHOLDER, &blocks.to_string())
}

/// A block that got a mark.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CountedBlock {
    /// Its number, unique in the crate.
    pub id: u32,
    /// The item that holds it.
    pub item: ItemPath,
    /// The line on which it begins, from 1.
    pub line: u32,
}

/// A text with its marks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Instrumented {
    /// The text; the original where nothing was marked.
    pub text: String,
    /// The blocks, by their place in the text.
    pub blocks: Vec<CountedBlock>,
    /// Items that got no mark, with the reason.
    pub unmarked: Vec<(ItemPath, Unmarked)>,
}

/// Why an item got no mark.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unmarked {
    /// The text does not parse, or is over the bounds of the parser.
    Unparsed,
    /// No function with a body stands at this place of the text.
    NoFunction,
    /// It can be called while compiling, where nothing may be counted.
    Const,
    /// The text already had [`BLOCKS_MAX`] blocks.
    TooManyBlocks,
}

/// Marks every block of ordinary control flow of the given items, which stand at these places of the text.
pub fn count_blocks(
    source: &str,
    edition: &str,
    items: &[(ItemPath, Range<usize>)],
    first_id: u32,
) -> Instrumented {
    let all = |reason| items.iter().map(|(path, _)| (path.clone(), reason)).collect();
    let unchanged =
        Instrumented { text: source.to_owned(), blocks: Vec::new(), unmarked: all(Unmarked::Unparsed) };
    let Ok(parsed) = parse_file(source, edition_of(edition)) else { return unchanged };
    if parsed.complaint.is_some() {
        return unchanged;
    }
    let functions: BTreeMap<usize, ast::Fn> = parsed
        .file
        .syntax()
        .descendants()
        .filter_map(ast::Fn::cast)
        .map(|function| (own_range(function.syntax()).start, function))
        .collect();
    let (mut places, mut unmarked) = (BTreeMap::new(), Vec::new());
    for (path, range) in items {
        let found = functions.get(&range.start).map_or(Err(Unmarked::NoFunction), markable_body);
        match found {
            Ok(_) if places.len() >= BLOCKS_MAX => unmarked.push((path.clone(), Unmarked::TooManyBlocks)),
            Ok(body) => places.extend(blocks(&body).into_iter().map(|place| (place.start, (place, path)))),
            Err(reason) => unmarked.push((path.clone(), reason)),
        }
    }
    let lines = Lines::of(source);
    let (mut counted, mut openings, mut closings) = (Vec::new(), Vec::new(), Vec::new());
    for ((start, (place, path)), id) in places.into_iter().zip(first_id..) {
        counted.push(CountedBlock { id, item: path.clone(), line: lines.line(start) });
        let (opening, closing) = place.insertions(id);
        openings.push(opening);
        closings.extend(closing);
    }
    // Where two expressions end at one place, the inner one, which begins later, is closed first.
    closings.reverse();
    closings.append(&mut openings);
    Instrumented { text: insert(source, closings), blocks: counted, unmarked }
}

/// The body of a function that may be marked.
fn markable_body(function: &ast::Fn) -> Result<ast::BlockExpr, Unmarked> {
    let in_const_block = function.syntax().ancestors().any(|outer| {
        ast::Impl::cast(outer.clone()).is_some_and(|it| it.const_token().is_some())
            || ast::Trait::can_cast(outer.kind())
                && outer.children_with_tokens().any(|it| it.kind() == K::CONST_KW)
    });
    if function.const_token().is_some() || in_const_block {
        return Err(Unmarked::Const);
    }
    function.syntax().children().find_map(ast::BlockExpr::cast).ok_or(Unmarked::NoFunction)
}

/// Where a mark goes.
struct Place {
    /// Where the block begins.
    start: usize,
    /// Where the mark is put: behind the brace and inner attributes, or before a bare expression.
    at: usize,
    /// For a bare expression, which gets braces: where it ends.
    wrapped_to: Option<usize>,
    /// Whether the expression needs parentheses, since it begins like a statement and goes on behind it.
    in_parentheses: bool,
}

impl Place {
    /// What is put before, and for a bare expression behind.
    fn insertions(&self, id: u32) -> ((usize, String), Option<(usize, String)>) {
        let hit = format!("crate::__tidelock_coverage::hit({id});");
        let (open, close) = if self.in_parentheses { ("(", ")") } else { ("", "") };
        match self.wrapped_to {
            None => ((self.at, format!(" {hit}")), None),
            Some(end) => ((self.at, format!("{{ {hit} {open}")), Some((end, format!("{close} }}")))),
        }
    }
}

/// The blocks of a function's body, the body first.
fn blocks(body: &ast::BlockExpr) -> Vec<Place> {
    let mut places = Vec::new();
    let mut walk = body.syntax().preorder();
    while let Some(event) = walk.next() {
        let crate::snapshot::syntax::WalkEvent::Enter(node) = event else { continue };
        if is_constant_or_macro(&node) {
            walk.skip_subtree();
            continue;
        }
        places.extend(place_of(&node, body.syntax()));
    }
    places
}

/// Parts of a function in which nothing may be counted.
fn is_constant_or_macro(node: &SyntaxNode) -> bool {
    let kinds =
        [K::CONST, K::STATIC, K::CONST_ARG, K::MACRO_CALL, K::MACRO_RULES, K::MACRO_DEF, K::ATTR, K::ENUM];
    let constant = |node: &SyntaxNode| node.children_with_tokens().any(|it| it.kind() == K::CONST_KW);
    let has_const = [K::FN, K::BLOCK_EXPR, K::CLOSURE_EXPR, K::IMPL].contains(&node.kind()) && constant(node);
    // `[value; LENGTH]`: the length is a constant.
    let is_length = node.parent().is_some_and(|parent| {
        parent.kind() == K::ARRAY_EXPR
            && parent.children_with_tokens().any(|it| it.kind() == K::SEMICOLON)
            && parent.children().filter(|child| ast::Expr::can_cast(child.kind())).nth(1).as_ref()
                == Some(node)
    });
    kinds.contains(&node.kind()) || has_const || is_length || ast::Type::can_cast(node.kind())
}

/// The place for a mark, where a node is a block of control flow or the bare expression in place of one.
fn place_of(node: &SyntaxNode, body: &SyntaxNode) -> Option<Place> {
    let parent = node.parent()?;
    let is_branch = [K::IF_EXPR, K::LOOP_EXPR, K::WHILE_EXPR, K::FOR_EXPR, K::LET_ELSE, K::FN];
    let in_arm_or_closure = [K::MATCH_ARM, K::CLOSURE_EXPR].contains(&parent.kind());
    let plain_block = ast::BlockExpr::cast(node.clone()).filter(|block| block.modifier().is_none());
    if let Some(block) = plain_block {
        let flows = is_branch.contains(&parent.kind()) || in_arm_or_closure || node == body;
        // The condition of an `if` or `while` may be a block as well; marking it does no harm.
        return flows.then(|| inside(&block)).flatten();
    }
    let bare = in_arm_or_closure && ast::Expr::can_cast(node.kind()) && attributes(node).next().is_none();
    // A closure with a written result always has a block.
    let last = parent.children().filter(|child| ast::Expr::can_cast(child.kind())).last();
    if !bare || last.as_ref() != Some(node) {
        return None;
    }
    let range = own_range(node);
    Some(Place {
        start: range.start,
        at: range.start,
        wrapped_to: Some(range.end),
        in_parentheses: parent.kind() == K::CLOSURE_EXPR && begins_like_statement(node),
    })
}

/// Behind the opening brace and the inner attributes of a block.
fn inside(block: &ast::BlockExpr) -> Option<Place> {
    let list = block.stmt_list()?;
    let brace = list.l_curly_token()?.text_range();
    let inner =
        list.syntax().children().take_while(|child| ast::Attr::can_cast(child.kind())).filter(|child| {
            ast::Attr::cast(child.clone()).is_some_and(|attribute| attribute.excl_token().is_some())
        });
    let at = inner.last().map_or(brace.end(), |last| last.text_range().end());
    Some(Place { start: brace.start().into(), at: at.into(), wrapped_to: None, in_parentheses: false })
}

/// Whether an expression begins with a block and goes on behind it, as `match x { … } + 1` does: at the start of
/// a statement that would be read as two.
fn begins_like_statement(node: &SyntaxNode) -> bool {
    let block_like = |node: &SyntaxNode| {
        let kinds = [
            K::IF_EXPR,
            K::LOOP_EXPR,
            K::WHILE_EXPR,
            K::FOR_EXPR,
            K::MATCH_EXPR,
            K::BLOCK_EXPR,
            K::MACRO_EXPR,
        ];
        kinds.contains(&node.kind())
    };
    let start = node.text_range().start();
    let leading = |node: &SyntaxNode| {
        let first = node.first_child_or_token().and_then(NodeOrToken::into_node);
        first.filter(|first| first.text_range().start() == start)
    };
    !block_like(node) && std::iter::successors(leading(node), leading).any(|first| block_like(&first))
}

/// Puts texts into a text; of two at one place, the first given stands first.
fn insert(source: &str, mut insertions: Vec<(usize, String)>) -> String {
    insertions.sort_by_key(|(at, _)| *at);
    let mut text = String::with_capacity(source.len() + insertions.len() * 48);
    let mut done = 0;
    for (at, piece) in insertions {
        text.push_str(source.get(done..at).unwrap_or_default());
        text.push_str(&piece);
        done = at;
    }
    text.push_str(source.get(done..).unwrap_or_default());
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::process::{Finished, Invocation, ProcessRunner, SystemProcessRunner};

    /// Every shape of block, in code that all editions read.
    const SHAPES: &str = r#"#![forbid(unsafe_code)]
#![deny(missing_docs)]
//! Shapes of control flow.

/// Branches.
pub fn branches(x: i32) -> i32 {
    #![allow(unused_variables)]
    if x > 2 { 1 } else if { x < 0 } { 2 } else { 3 }
}
/// Loops.
pub fn loops(n: usize) -> usize {
    let mut sum = 0;
    for i in 0..n { sum += i; }
    while sum > 100 { sum -= 1; }
    'out: loop { if sum == 0 { break 'out; } break }
    sum
}
/// Arms.
pub fn arms(x: Option<&str>) -> String {
    let text: &str = match x {
        Some("a") => "first",
        Some(other) if other.len() > 3 => { "long" }
        Some(_) => match x { None => panic!("never"), Some(y) => y },
        None => return String::new(),
    };
    text.to_string()
}
/// Closures.
pub fn closures(x: u8) -> u32 {
    const LIMIT: usize = { 3 };
    let table = [0u8; { 1 + 2 }];
    let plus = |y: u8| y + 1;
    let strange = |y: u8| match y { 0 => 1u32, _ => 2 } + 1;
    let nested = |y: u8| { (|z: u8| z + y)(1) };
    let curried = |y: u8| move |z: u8| y as u32 + z as u32;
    assert!(table.iter().all(|b| if *b == 0 { true } else { false }), "{}", LIMIT);
    plus(x) as u32 + strange(x) + nested(x) as u32 + curried(1)(2)
}
/// Constant.
pub const fn constant(x: u8) -> u8 { x }
/// A length that the compiler computes.
pub static TABLE: [u8; constant(2) as usize] = [1; constant(2) as usize];
/// A type.
pub struct Type;
impl Type {
    /// A method with a borrowed result of a temporary.
    pub fn longest<'a>(&self, a: &'a str, b: &'a str) -> &'a str {
        let pick = match (a, b) { (a, b) if a.len() > b.len() => &a[..], (_, b) => b };
        pick
    }
}
"#;

    fn marked(edition: &str) -> Instrumented {
        let functions = ["branches", "loops", "arms", "closures", "constant", "longest"];
        let parsed = parse_file(SHAPES, edition_of(edition)).unwrap();
        assert_eq!(parsed.complaint, None);
        let starts = parsed.file.syntax().descendants().filter_map(ast::Fn::cast);
        let items: Vec<(ItemPath, Range<usize>)> = starts
            .zip(functions)
            .map(|(function, name)| {
                (ItemPath::new(format!("shapes::{name}")).unwrap(), own_range(function.syntax()))
            })
            .collect();
        assert_eq!(items.len(), functions.len());
        count_blocks(SHAPES, edition, &items, 10)
    }

    fn run(folder: &std::path::Path, program: &str, arguments: &[&str]) -> Finished {
        let invocation = Invocation::new(program, folder).args(arguments.iter().copied()).inherit(&[
            "HOME",
            "CARGO_HOME",
            "RUSTUP_HOME",
            "RUSTUP_TOOLCHAIN",
        ]);
        SystemProcessRunner::default().run(&invocation).unwrap()
    }

    #[test]
    fn the_marked_text_compiles_in_every_edition_and_tells_what_was_reached() {
        for edition in ["2015", "2018", "2021", "2024"] {
            let marked = marked(edition);
            let folder = tempfile::tempdir().unwrap();
            let last = marked.blocks.last().unwrap().id as usize;
            let check = "
#[test]
fn reached_is_what_ran() {
    assert_eq!(__tidelock_coverage::reached().count(), 0);
    assert_eq!(branches(5), 1);
    let reached: Vec<usize> = __tidelock_coverage::reached().collect();
    assert_eq!(reached, [10, 11]);
    assert!(__tidelock_coverage::is_reached(11) && !__tidelock_coverage::is_reached(12));
    __tidelock_coverage::reset();
    assert_eq!((loops(20), arms(Some(\"b\")), arms(None)), (100, \"b\".to_string(), String::new()));
    assert_eq!(closures(1), 2 + 3 + 2 + 3);
    assert_eq!(Type.longest(\"ab\", \"c\"), \"ab\");
    assert_eq!(constant(TABLE[0]), 1);
    __tidelock_coverage::hit(1_000_000);
}
";
            let text = format!("{}{}{check}", marked.text, runtime_module(last + 1));
            std::fs::write(folder.path().join("lib.rs"), text).unwrap();
            let built =
                run(folder.path(), "rustc", &["--edition", edition, "--test", "lib.rs", "-o", "checked"]);
            assert!(built.succeeded(), "{edition}: {}\n{}", built.tail(60), marked.text);
            let ran = run(folder.path(), "./checked", &[]);
            assert!(ran.succeeded(), "{edition}: {}", String::from_utf8_lossy(&ran.stdout));
        }
    }

    #[test]
    fn the_runtime_needs_no_standard_library() {
        for edition in ["2015", "2024"] {
            let folder = tempfile::tempdir().unwrap();
            let text = format!(
                "#![no_std]\n#![forbid(unsafe_code)]\n#![deny(missing_docs, warnings)]\n//! Nothing.\n{}",
                runtime_module(3)
            );
            std::fs::write(folder.path().join("lib.rs"), text).unwrap();
            let arguments = ["--edition", edition, "--crate-type", "lib", "--emit", "metadata", "lib.rs"];
            let built = run(folder.path(), "rustc", &arguments);
            assert!(built.succeeded(), "{edition}: {}", built.tail(40));
        }
    }

    #[test]
    fn blocks_are_numbered_in_the_order_of_the_text() {
        let marked = marked("2021");
        let ids: Vec<u32> = marked.blocks.iter().map(|block| block.id).collect();
        assert_eq!(ids, (10..10 + u32::try_from(ids.len()).unwrap()).collect::<Vec<_>>());
        let first: Vec<(&str, u32)> =
            marked.blocks.iter().take(4).map(|block| (block.item.name(), block.line)).collect();
        assert_eq!(first, [("branches", 6), ("branches", 8), ("branches", 8), ("branches", 8)]);
    }

    #[test]
    fn constant_functions_and_constants_get_no_mark() {
        let marked = marked("2021");
        assert_eq!(marked.unmarked, [(ItemPath::new("shapes::constant").unwrap(), Unmarked::Const)]);
        assert!(marked.text.contains("pub const fn constant(x: u8) -> u8 { x }"));
        assert!(marked.text.contains("const LIMIT: usize = { 3 };"));
        assert!(marked.text.contains("[0u8; { 1 + 2 }]"));
        assert!(
            marked.text.contains("if *b == 0 { true } else { false }"),
            "macro arguments stay as they are"
        );
    }

    #[test]
    fn a_text_that_does_not_parse_stays_as_it_is() {
        let path = ItemPath::new("a::f").unwrap();
        let broken = count_blocks("fn f( {", "2021", &[(path.clone(), 0..7)], 0);
        assert_eq!(
            (broken.text.as_str(), broken.unmarked),
            ("fn f( {", vec![(path.clone(), Unmarked::Unparsed)])
        );
        let elsewhere = count_blocks("fn f() {}", "2021", &[(path.clone(), 3..9)], 0);
        assert_eq!(elsewhere.unmarked, [(path, Unmarked::NoFunction)]);
    }
}
