//! What is recorded survives what people do with git: in each case `verify` says the truth, and the next sync goes on.

use crate::world::World;

const WRAPPING: (&str, &str) = ("n.saturating_add(1)", "n.wrapping_add(1)");
const BUMP_RIGHT: &str = "def bump(n: int) -> int:\n    \"\"\"Add one, and begin again at the top.\"\"\"\n    return (n + 1) % 256";
/// A translator that nobody may ask.
const NOBODY: &str = "command:false";

impl World {
    fn upstream_limit(&self, from: u32, to: u32) -> String {
        self.upstream_changes(&format!("LIMIT: u32 = {from}"), &format!("LIMIT: u32 = {to}"), "limit");
        self.git("upstream", &["rev-parse", "HEAD"]).trim().to_owned()
    }

    fn port_git(&self, arguments: &[&str]) {
        self.git("port", arguments);
    }

    /// A sync that must end so, without asking anybody for a translation.
    fn syncs(&self, code: i32, more: &[&str]) {
        let arguments: Vec<&str> =
            ["sync", "--translator", NOBODY].into_iter().chain(more.iter().copied()).collect();
        let ran = self.tidelock(&arguments);
        assert_eq!(ran.code(), code, "{ran}");
    }

    fn landings(&self) -> usize {
        self.git("port", &["log", "--format=%(trailers:key=Tidelock-Revision,valueonly)"])
            .lines()
            .filter(|line| !line.is_empty())
            .count()
    }

    /// The port equals what it says, has nothing to do, and follows the next revision with one landing.
    fn goes_on(&self, limit: u32) {
        let verified = self.tidelock(&["verify", "--contract"]);
        assert_eq!(verified.code(), 0, "{verified}");
        assert_eq!(verified.notes(), 0, "{verified}");
        self.syncs(3, &[]);
        let before = self.landings();
        self.upstream_limit(limit, limit + 1);
        self.syncs(0, &[]);
        assert!(self.read("port/tally/__init__.py").contains(&format!("LIMIT = {}", limit + 1)));
        assert_eq!(self.landings(), before + 1, "one landing, and nothing twice");
    }
}

impl crate::world::Ran {
    /// How many notes the text has.
    fn notes(&self) -> usize {
        self.stdout().lines().filter(|line| line.starts_with("note:")).count()
    }
}

/// A port with two revisions landed on the branch `work`, and another commit on `main` beside it.
fn worked() -> World {
    let world = World::new();
    world.upstream_limit(10, 11);
    world.upstream_limit(11, 12);
    world.port_git(&["checkout", "-q", "-b", "work"]);
    world.syncs(0, &[]);
    world.port_git(&["checkout", "-q", "main"]);
    world.write("port/README.md", "A port.\n");
    world.commit("port", "words");
    world
}

#[test]
fn work_that_comes_by_a_merge_commit_is_whole() {
    let world = worked();
    world.port_git(&["merge", "-q", "--no-ff", "-m", "merge", "work"]);
    world.goes_on(12);
}

#[test]
fn work_that_comes_squashed_is_whole() {
    let world = worked();
    world.port_git(&["merge", "-q", "--squash", "work"]);
    world.commit("port", "two revisions at once");
    world.goes_on(12);
}

#[test]
fn work_that_is_rebased_is_whole() {
    let world = worked();
    world.port_git(&["rebase", "-q", "main", "work"]);
    world.port_git(&["checkout", "-q", "main"]);
    world.port_git(&["merge", "-q", "--ff-only", "work"]);
    world.goes_on(12);
}

#[test]
fn work_that_is_picked_onto_another_branch_is_whole_there() {
    let world = worked();
    world.port_git(&["checkout", "-q", "-b", "release"]);
    world.port_git(&["cherry-pick", "main..work"]);
    world.goes_on(12);
}

#[test]
fn picking_a_later_landing_alone_is_a_conflict_and_claims_nothing_that_is_not_so() {
    let world = World::new();
    world.upstream_changes(WRAPPING.0, WRAPPING.1, "bump wraps");
    world.upstream_limit(10, 11);
    world.port_git(&["checkout", "-q", "-b", "work"]);
    let who = world.answering(&[("tally.bump", BUMP_RIGHT)], "");
    assert_eq!(world.tidelock(&["sync", "--translator", &who]).code(), 0);
    world.port_git(&["checkout", "-q", "main"]);
    // Only what is in both: the lock's lines stand beside each other, so git asks.
    world.port_git(&["-c", "core.editor=true", "cherry-pick", "--no-commit", "-X", "theirs", "work"]);
    world.commit("port", "the limit alone");
    // The lock claims both revisions, and the port has one of them.
    let verified = world.tidelock(&["verify"]);
    assert!(
        verified.stdout().contains("`tally.bump`, which answers to `tally::bump`, was edited by hand"),
        "{verified}"
    );
    let compared = world.tidelock(&["verify", "--contract"]);
    assert_eq!(compared.code(), 4, "the contract finds what is missing: {compared}");
}

#[test]
fn two_syncs_that_are_merged_conflict_in_lines_that_say_what_to_do() {
    let world = World::new();
    let first = world.upstream_limit(10, 11);
    world.upstream_changes(WRAPPING.0, WRAPPING.1, "bump wraps");
    world.port_git(&["checkout", "-q", "-b", "further"]);
    let who = world.answering(&[("tally.bump", BUMP_RIGHT)], "");
    assert_eq!(world.tidelock(&["sync", "--translator", &who]).code(), 0);
    world.port_git(&["checkout", "-q", "main"]);
    world.syncs(0, &["--to", &first]);
    let merged = world.git_may(&["merge", "--no-commit", "further"]);
    assert!(!merged, "the two baselines differ");
    let text = world.read("port/tidelock.lock");
    let width = text.lines().filter(|line| line.contains("tally::width")).count();
    assert_eq!(width, 1, "what did not change is not doubled:\n{text}");
    world.port_git(&["add", "-A"]);
    world.port_git(&["commit", "-q", "-m", "merged without a look"]);
    for command in ["verify", "status", "plan", "sync"] {
        let refused = world.tidelock(&[command]);
        assert_eq!(refused.code(), 2, "{refused}");
        assert!(refused.stderr().contains("a conflict marker of an unfinished merge"), "{refused}");
    }
    // As the lock's head says: the entries of both sides, and the newer side's baseline.
    world.write("port/tidelock.lock", &resolved(&text));
    world.commit("port", "resolved");
    world.goes_on(11);
}

/// The newer side of each conflict: the records of both sides are in it, since one has all that the other has.
fn resolved(text: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    let mut is_ours = false;
    for line in text.lines() {
        match line.get(..7) {
            Some("<<<<<<<") => is_ours = true,
            Some("=======") => is_ours = false,
            Some(">>>>>>>") => {}
            _ if is_ours => {}
            _ => kept.push(line),
        }
    }
    kept.join("\n") + "\n"
}

#[test]
fn what_one_branch_landed_and_the_other_parked_is_there_after_the_merge() {
    let world = World::new();
    world.upstream_changes(WRAPPING.0, WRAPPING.1, "bump wraps");
    world.port_git(&["checkout", "-q", "-b", "parked"]);
    world.syncs(5, &[]);
    world.port_git(&["checkout", "-q", "main"]);
    let who = world.answering(&[("tally.bump", BUMP_RIGHT)], "");
    assert_eq!(world.tidelock(&["sync", "--translator", &who]).code(), 0);
    assert!(!world.git_may(&["merge", "--no-commit", "parked"]), "the records of the revision differ");
    // Somebody keeps the record of this side, and the parked entry of the other: both are entries, after all.
    let text = world.read("port/tidelock.lock");
    let mut kept: Vec<&str> = Vec::new();
    let mut is_theirs = false;
    for line in text.lines() {
        match line.get(..7) {
            Some("<<<<<<<") => {}
            Some("=======") => is_theirs = true,
            Some(">>>>>>>") => is_theirs = false,
            _ if is_theirs && line.contains("disposition = ") => {}
            _ => kept.push(line),
        }
    }
    world.write("port/tidelock.lock", &(kept.join("\n") + "\n"));
    world.commit("port", "merged");
    let verified = world.tidelock(&["verify", "--contract"]);
    assert_eq!(verified.code(), 0, "{verified}");
    assert!(verified.stdout().contains("`tally::bump` is said to wait, and the port equals"), "{verified}");
    world.syncs(0, &["--retry"]);
    assert!(!world.read("port/tidelock.lock").contains("every answer"), "the entry went");
    world.goes_on(10);
}

#[test]
fn a_lock_that_is_restored_from_an_old_commit_is_followed_up_without_doing_anything_twice() {
    let world = World::new();
    world.upstream_changes(WRAPPING.0, WRAPPING.1, "bump wraps");
    world.upstream_limit(10, 11);
    let who = world.answering(&[("tally.bump", BUMP_RIGHT)], "");
    assert_eq!(world.tidelock(&["sync", "--translator", &who]).code(), 0);
    let port = world.read("port/tally/__init__.py");
    world.port_git(&["checkout", "-q", "HEAD~2", "--", "tidelock.lock"]);
    world.commit("port", "an old lock");
    let verified = world.tidelock(&["verify"]);
    assert_eq!(verified.code(), 0, "{verified}");
    assert_eq!(verified.notes(), 3, "what is newer than the lock is named: {verified}");
    assert!(verified.stdout().contains(": the lock was put back"), "{verified}");
    let compared = world.tidelock(&["verify", "--contract"]);
    assert_eq!(compared.code(), 4, "the port does not equal the old baseline: {compared}");
    // Nobody is asked: the lock that fits is taken up, and proved.
    let newest = world.git("port", &["show", "HEAD~1:tidelock.lock"]);
    let before = world.landings();
    world.syncs(0, &[]);
    assert_eq!(world.read("port/tally/__init__.py"), port);
    assert_eq!(world.landings(), before + 1);
    assert_eq!(world.read("port/tidelock.lock"), newest);
    world.goes_on(11);
}

#[test]
fn work_that_is_taken_back_is_done_again() {
    let world = World::new();
    world.upstream_limit(10, 11);
    world.syncs(0, &[]);
    world.port_git(&["revert", "--no-edit", "HEAD"]);
    let verified = world.tidelock(&["verify", "--contract"]);
    assert_eq!(verified.code(), 0, "lock and port went back together: {verified}");
    world.syncs(0, &[]);
    world.goes_on(11);
}

#[test]
fn a_marker_that_was_moved_on_by_hand_hides_nothing() {
    let world = World::new();
    world.upstream_changes(WRAPPING.0, WRAPPING.1, "bump wraps");
    let newest = world.git("upstream", &["rev-parse", "HEAD"]);
    let (newest, lock) = (newest.trim(), world.read("port/tidelock.lock"));
    let old =
        lock.lines().find_map(|line| line.strip_prefix("baseline = ")).unwrap().trim_matches('"').to_owned();
    let old_commit = lock.lines().find_map(|line| line.strip_prefix("commit = ")).unwrap();
    let label: String = newest.chars().take(10).collect();
    let record =
        format!("  {{ revision = \"{label}\", commit = \"{newest}\", disposition = \"landed\" }},\n]");
    let moved = lock
        .replace(
            &format!("baseline = \"{old}\"\ncommit = {old_commit}"),
            &format!("baseline = \"{label}\"\ncommit = \"{newest}\""),
        )
        .replacen(']', &record, 1);
    assert_ne!(moved, lock);
    world.write("port/tidelock.lock", &moved);
    world.commit("port", "all done");
    let verified = world.tidelock(&["verify"]);
    assert_eq!(verified.code(), 4, "{verified}");
    assert!(
        verified.stdout().contains(&format!("the baseline passes over `tally::bump` (body since `{old}`)")),
        "{verified}"
    );
}

#[test]
fn a_commit_that_is_tagged_later_is_known_under_its_recorded_name() {
    let world = World::new();
    world.git("upstream", &["tag", "v1"]);
    world.upstream_limit(10, 11);
    world.syncs(0, &[]);
    world.git("upstream", &["tag", "v2"]);
    world.goes_on(11);
    // And a tag that was recorded may go.
    world.git("upstream", &["tag", "v3"]);
    world.upstream_limit(12, 13);
    world.git("upstream", &["tag", "v4"]);
    world.syncs(0, &[]);
    world.git("upstream", &["tag", "-d", "v4"]);
    world.goes_on(13);
}
