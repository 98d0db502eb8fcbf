//! Items asked about in a history that real git wrote.

use super::Work;
use crate::history::{Stood, standing};
use crate::ids::CommitId;
use crate::snapshot::{Item, read};

#[test]
fn an_item_stood_where_its_file_says_so() {
    let mut work = Work::new();
    work.write("src/lib.rs", "pub mod a;\n");
    work.write("src/a.rs", "pub fn f() -> u8 { 1 }\n\npub fn g() {}\n");
    let laid_out_otherwise = work.commit("one");
    work.write("src/a.rs", "pub fn f() -> u8 {\n    1\n}\n");
    let as_now = work.commit("two");
    work.write("src/a.rs", "pub fn f() -> u8 {\n    2\n}\n");
    let other_text = work.commit("three");
    work.git(&["mv", "src/a.rs", "src/b.rs"]);
    let other_file = work.commit("four");
    work.git(&["revert", "--no-edit", "--no-commit", "HEAD", "HEAD~1"]);
    let newest = work.commit("five");
    let nobody = CommitId::new("0123456789abcdef0123456789abcdef01234567").unwrap();

    let repo = work.repo();
    let snapshot = read(&repo.tree(&newest).unwrap(), &repo.revision(&newest).unwrap()).unwrap();
    let item: &Item = snapshot.items.values().find(|item| item.path.as_str() == "pool::a::f").unwrap();
    let commits = [&laid_out_otherwise, &as_now, &other_text, &other_file, &newest, &nobody, &as_now];
    let asked = commits.map(|commit| Stood { commit, item });
    assert_eq!(standing(&repo, &asked), [true, true, false, false, true, false, true]);
    assert_eq!(standing(&repo, &[]), Vec::<bool>::new());
}
