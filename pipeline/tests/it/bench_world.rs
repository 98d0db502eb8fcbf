//! Task suites whose scores are known: a file says how many of forty tasks pass.

use crate::world::World;

/// Prints TAP for forty tasks, of which the first so many pass as the file `level` says.
const SUITE: &str = "passes=$(cat level); echo 1..40; n=1\n\
    while [ $n -le 40 ]; do\n\
    if [ $n -le $passes ]; then echo \"ok $n - t$n\"; else echo \"not ok $n - t$n\"; fi; n=$((n + 1))\n\
    done\n[ $passes -eq 40 ]\n";

/// A benchmark of that suite, with more lines of its own.
pub(crate) fn suite(name: &str, more: &str) -> String {
    format!(
        "\n[[bench]]\nname = \"{name}\"\ncommand = [\"sh\", \"benches/suite.sh\"]\nformat = \"tap\"\n\
         harness = [\"benches\"]\n{more}\n"
    )
}

impl World {
    /// A port with these benchmarks, on which all forty tasks pass.
    pub(crate) fn with_suite(benches: &str) -> Self {
        let world = Self::new();
        let config = world.read("port/tidelock.toml");
        world.write("port/tidelock.toml", &(config + benches));
        world.write("port/benches/suite.sh", SUITE);
        world.level(40);
        world
    }

    /// Commits the port with so many tasks that pass.
    pub(crate) fn level(&self, passes: u32) {
        self.write("port/level", &passes.to_string());
        self.again(&format!("level {passes}"));
    }

    /// Commits another tree of the port that does the same.
    pub(crate) fn again(&self, message: &str) {
        let notes = self.path("port/notes");
        let before = if notes.exists() { self.read("port/notes") } else { String::new() };
        self.write("port/notes", &format!("{before}{message}\n"));
        self.commit("port", message);
    }

    /// Commits the upstream with so many tasks that pass, and gives the commit, which the program has heard of.
    pub(crate) fn upstream_level(&self, passes: u32) -> String {
        self.write("upstream/benches/suite.sh", SUITE);
        self.write("upstream/level", &passes.to_string());
        self.commit("upstream", &format!("level {passes}"));
        self.fetched()
    }

    /// The upstream's newest commit, which the program has fetched.
    pub(crate) fn fetched(&self) -> String {
        let planned = self.tidelock(&["plan"]);
        assert_eq!(planned.code(), 0, "{planned}");
        self.git("upstream", &["rev-parse", "HEAD"]).trim().to_owned()
    }
}
