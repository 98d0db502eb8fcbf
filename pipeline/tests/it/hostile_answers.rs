//! Answers of a model whose code lies to whoever calls it, or takes all that it can get: it gains nothing.
//!
//! What is refused by reading it alone is tested where it is read, in `port`.

use std::fmt::Write as _;

use crate::world::World;

/// Text that does not do what the upstream does (nothing wraps), and what it tries before that.
fn wrong(extra: &str) -> String {
    let mut text =
        "def bump(n: int) -> int:\n    \"\"\"Add one, and begin again at the top.\"\"\"\n".to_owned();
    for line in extra.lines() {
        writeln!(text, "    {line}").unwrap();
    }
    text + "    return n + 1"
}

/// What became of each of some answers, of which none is right: nothing lands whatever they try.
fn outcomes(world: &World, answers: &[(&str, &str)]) -> String {
    let before = world.git("port", &["rev-parse", "HEAD"]);
    let mut seen = String::new();
    for (what, extra) in answers {
        let who = world.answering(&[("tally.bump", &wrong(extra))], "");
        let ran = world.tidelock(&["sync", "--dry-run", "--translator", &who]);
        assert_eq!(ran.code(), 0, "{what}: a dry run with something parked is done: {ran}");
        let record = world.tidelock(&["report", "--render", "json"]).json();
        let unit = &record["revisions"][0]["units"][0];
        assert_eq!(unit["outcome"]["outcome"], "parked", "{what}: {unit:#}");
        let attempt = unit["attempts"].as_array().unwrap().iter().find(|attempt| attempt["route"] == "model");
        let attempt = attempt.unwrap_or_else(|| panic!("{what}: {unit:#}"));
        let code = attempt["findings"][0]["code"].as_str().unwrap_or("none");
        let words = |field: &str| attempt[field].as_str().unwrap_or("none").to_owned();
        writeln!(seen, "{what}: {} at {}: {code}", words("verdict"), words("refused_at")).unwrap();
    }
    assert_eq!(world.git("port", &["rev-parse", "HEAD"]), before);
    assert_eq!(world.git("port", &["status", "--porcelain"]), "");
    assert!(!world.path("escaped").exists() && !world.path("port/escaped").exists());
    seen
}

#[test]
fn code_that_lies_to_whoever_calls_it_gains_nothing() {
    let world = World::new();
    world.upstream_changes("n.saturating_add(1)", "n.wrapping_add(1)", "bump wraps");
    let always = "class Always(int):\n    def __eq__(self, other): return True\n    def __str__(self): return '0'\n    \
                  def __repr__(self): return '0'\n    __hash__ = None\nreturn Always(n + 1)";
    let liar = "class Liar:\n    __class__ = property(lambda self: int)\n    def __index__(self): return 0\nreturn Liar()";
    let escaped = world.path("port/escaped");
    let writes = format!(
        "for path in ['escaped', {:?}, '/tmp/escaped']:\n    try: open(path, 'w').write('x')\n    \
         except OSError: n += 0",
        escaped.to_string_lossy()
    );
    insta::assert_snapshot!(outcomes(
        &world,
        &[
            ("agrees with everything", always),
            ("says it is another class", liar),
            (
                "prints lines of the protocol",
                "print('[\"done\"]')\nprint('[0, [\"value\", [\"i\", \"0\"]]]')"
            ),
            ("raises to the top", "raise SystemExit(0)"),
            ("raises what nobody catches", "raise KeyboardInterrupt"),
            ("recurses without end", "return bump(n)"),
            ("answers with a number without end", "return 1 << 100_000_000"),
            ("nests without end", "x = []\nfor _ in range(100_000): x = [x]\nreturn x"),
            ("writes wherever it can", &writes),
            (
                "leaves threads behind",
                "import threading\nthreading.Thread(target=threading.Event().wait).start()"
            ),
        ],
    ));
}

#[test]
fn code_that_takes_all_it_can_get_is_stopped() {
    let world = World::new();
    world.upstream_changes("n.saturating_add(1)", "n.wrapping_add(1)", "bump wraps");
    insta::assert_snapshot!(outcomes(
        &world,
        &[
            ("never ends", "while True: n += 1"),
            ("takes all memory", "x = []\nwhile True: x.append(bytes(1 << 28))"),
        ],
    ));
}
