//! Histories from packs of every kind: however objects are stored, a history is the same.

use super::*;

/// A file of which each version differs a little from the one before.
fn many_versions() -> Work {
    let mut work = Work::new();
    for version in 0..30 {
        let function = |number: usize| {
            let changed = if number == version * 3 { version } else { 0 };
            format!(
                "/// Says how high tide {number} is.\npub fn tide_{number}() -> usize {{\n    {number} + {changed}\n}}\n"
            )
        };
        work.write("src/lib.rs", (0..120).map(function).collect::<String>());
        work.write(&format!("src/bin/tool_{version}.rs"), "fn main() {}\n");
        work.commit(&format!("{version}"));
    }
    work
}

fn pack(work: &Work) -> PathBuf {
    let folder = work.path(".git/objects/pack");
    let mut packs = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    packs.find(|path| path.extension().is_some_and(|end| end == "pack")).unwrap()
}

fn chains(work: &Work) -> bool {
    work.git(&["verify-pack", "-v", &pack(work).display().to_string()]).contains("chain length = 2")
}

#[test]
fn packs_tell_what_loose_objects_tell() {
    let mut work = many_versions();
    let loose = work.rows(Line::All);
    assert_eq!(loose.len(), 30);
    for by_offset in ["true", "false"] {
        let setting = format!("repack.useDeltaBaseOffset={by_offset}");
        // With several threads git finds other chains each time.
        work.git(&["-c", &setting, "-c", "pack.threads=1", "repack", "-adfq", "--depth=50"]);
        assert!(chains(&work), "there are chains of deltas to follow");
        assert_eq!(work.rows(Line::All), loose, "with bases by offset: {by_offset}");
    }
    // A second pack, and an object that lies in none.
    work.write("src/lib.rs", "pub fn only() {}\n");
    work.commit("second");
    work.git(&["repack", "-dq"]);
    work.write("src/lib.rs", "pub fn only() { again() }\n");
    work.commit("third");
    let rows = work.rows(Line::All);
    assert_eq!(told(&rows[0]), ["pool::only body"]);
    assert_eq!(rows[2..], loose[..]);
    // Everything in another repository's folder.
    let borrower = TempDir::new().unwrap();
    let path = borrower.path().join("borrower");
    work.git(&["clone", "--quiet", "--shared", "--bare", ".", &path.display().to_string()]);
    let borrowed = super::rows(&UpstreamRepo::open(&path).unwrap(), &work.range(Line::All), None);
    assert_eq!(borrowed, rows);
}

#[test]
fn an_object_that_another_stands_in_for_is_not_read() {
    let mut work = Work::new();
    work.write("src/lib.rs", "pub fn f() {}\n");
    work.commit("begin");
    work.write("src/lib.rs", "pub fn f() { changed() }\n");
    work.commit("change");
    work.write("src/lib.rs", "pub fn stands_in() {}\n");
    let other = work.git(&["hash-object", "-w", "src/lib.rs"]);
    work.git(&["replace", "HEAD:src/lib.rs", &other]);
    work.git(&["repack", "-adfq"]);
    assert_eq!(told(&work.newest()), ["pool::stands_in renamed"]);
}

#[test]
fn a_damaged_pack_never_tells_anything_wrong() {
    let work = many_versions();
    work.git(&["-c", "core.compression=1", "repack", "-adfq"]);
    let honest = work.rows(Line::All);
    let range = work.range(Line::All);
    let pack = pack(&work);
    let bytes = std::fs::read(&pack).unwrap();
    let mut permissions = std::fs::metadata(&pack).unwrap().permissions();
    #[expect(clippy::permissions_set_readonly_false, reason = "the folder is the test's own")]
    permissions.set_readonly(false);
    std::fs::set_permissions(&pack, permissions).unwrap();
    let mut damage_told = 0;
    for at in (20..bytes.len()).step_by(bytes.len() / 60) {
        let mut damaged = bytes.clone();
        damaged[at] ^= 0x55;
        std::fs::write(&pack, damaged).unwrap();
        let mut found = Vec::new();
        let mut each = |row: HistoryRow| {
            found.push(row);
            ControlFlow::Continue(())
        };
        // A commit that cannot be read ends the history, and says so.
        if history(&work.repo(), &range, None, &mut each).is_err() {
            damage_told += 1;
            continue;
        }
        for (row, honest) in found.iter().zip(&honest) {
            let is_told = row.changes.confidence == Confidence::Unknown;
            assert!(is_told || row == honest, "byte {at}: {row:?}");
            damage_told += usize::from(is_told);
        }
    }
    assert!(damage_told > 0, "no damage was met");
}
