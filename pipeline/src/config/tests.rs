//! Configurations that are wrong, each with the place and the words that a user sees.

use super::*;

const GOOD: &str = r#"version = 1

[upstream]
registry = "strsim"

[port]
name = "p"

[convention]
package = "strsim"
"#;

fn check(text: &str) -> Result<Settings, ConfigError> {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("memory")).unwrap();
    std::fs::write(folder.path().join("there.py"), "").unwrap();
    read(&folder.path().join(CONFIG_NAME), text, None)
}

/// The error of a configuration, as `line:column message | help`.
fn complaint(text: &str) -> String {
    let error = check(text).unwrap_err();
    format!("{}:{} {} | {}", error.line, error.column, error.message, error.help)
}

#[test]
fn a_good_file_is_complete_with_defaults() {
    let settings = check(GOOD).unwrap();
    assert_eq!(settings.source.to_string(), "registry:strsim");
    assert_eq!(settings.probes, 300);
    assert_eq!(settings.chain, [ChainEntry::VerifyFirst, ChainEntry::Rules, ChainEntry::Memory]);
    assert_eq!(settings.memory.len(), 1);
    assert!(settings.sandbox_required);
}

#[test]
fn the_runtime_module_stands_where_it_is_said_and_never_in_the_way() {
    let runtime = |value: &str| {
        let text = GOOD.replace("name = \"p\"", &format!("name = \"p\"\nruntime = {value}"));
        check(&text).map(|settings| settings.runtime)
    };
    let file = |file: &str| RuntimeSettings::File(file.to_owned());
    let why = |settings: Settings| match settings.runtime {
        RuntimeSettings::None { why } => why,
        RuntimeSettings::File(file) => panic!("{file}"),
    };
    assert_eq!(why(check(GOOD).unwrap()), "the port has no folder of its package");
    let there = GOOD.replace("package = \"strsim\"", "package = \"memory\"");
    assert_eq!(check(&there).unwrap().runtime, file("memory/_tl_rt.py"));
    assert_eq!(runtime("true").unwrap(), file("strsim/_tl_rt.py"));
    assert_eq!(runtime("\"strsim/rust.py\"").unwrap(), file("strsim/rust.py"));
    assert!(matches!(runtime("false").unwrap(), RuntimeSettings::None { .. }));
    let bare = GOOD.split_once("[convention]").unwrap().0.to_owned();
    assert!(why(check(&bare).unwrap()).starts_with("neither `[convention]` nor `runtime`"));
    for (value, message) in [
        ("\"../out.py\"", "`../out.py` is no path of a file in the port"),
        ("\"strsim/rust.rs\"", "`strsim/rust.rs` is no Python file"),
        ("\"there.py\"", "`there.py` is there already, and is not Tidelock's"),
        ("7", "`runtime` is the path of a file"),
    ] {
        let error = runtime(value).unwrap_err();
        assert_eq!((error.line, error.message.contains(message)), (8, true), "{value}: {error}");
    }
    let error = check(&bare.replace("name = \"p\"", "name = \"p\"\nruntime = true")).unwrap_err();
    assert!(error.message.contains("no `[convention]`") && error.help.contains("runtime ="), "{error}");
}

#[test]
fn an_unknown_key_is_shown_where_it_stands() {
    let text = GOOD.replace("name = \"p\"", "nmae = \"p\"");
    let complaint = complaint(&text);
    assert!(complaint.starts_with("7:1 unknown field `nmae`"), "{complaint}");
    assert!(complaint.contains("`name`"), "the keys that there are: {complaint}");
    let shown = check(&text).unwrap_err().to_string();
    assert!(shown.contains("tidelock.toml:7:1") && shown.contains("nmae = \"p\""), "{shown}");
}

#[test]
fn a_wrong_type_is_shown_where_it_stands() {
    let complaint = complaint(&format!("{GOOD}\n[gate]\nprobes = \"many\"\n"));
    assert!(complaint.starts_with("13:10 invalid type: string \"many\""), "{complaint}");
}

#[test]
fn broken_syntax_is_shown_where_it_stands() {
    let complaint = complaint(&GOOD.replace("[upstream]", "[upstream"));
    assert!(complaint.starts_with("3:10 "), "{complaint}");
}

#[test]
fn a_newer_format_is_refused() {
    let complaint = complaint(&GOOD.replace("version = 1", "version = 9"));
    assert!(complaint.starts_with("1:11 this file has format 9, and this program reads 1"), "{complaint}");
}

#[test]
fn a_mapping_to_a_missing_file_is_shown_where_it_stands() {
    let rule = "\n[[map]]\nitems = \"strsim::*\"\nsymbol = \"there.{name}\"\nfile = \"missing.py\"\n";
    let complaint = complaint(&format!("{GOOD}{rule}"));
    assert_eq!(
        complaint,
        "15:8 there is no file `missing.py` in the port | \
         name a file of the port, or create it (an empty one will do)"
    );
    assert!(check(&format!("{GOOD}{rule}").replace("missing.py", "there.py")).is_ok());
}

#[test]
fn a_rule_without_its_reason_is_shown_where_it_stands() {
    let rules = "\n[[map]]\nitems = \"strsim::a\"\nstrategy = \"ignore\"\nreason = \"x\"\n\
                 \n[[map]]\nitems = \"strsim::b\"\nstrategy = \"ignore\"\n";
    let complaint = complaint(&format!("{GOOD}{rules}"));
    assert!(complaint.starts_with("17:1 ") && complaint.contains("`reason`"), "{complaint}");
}

#[test]
fn two_upstreams_or_none_are_refused() {
    let two = GOOD.replace("registry = \"strsim\"", "registry = \"strsim\"\ngit = \"x\"");
    assert!(complaint(&two).starts_with("5:7 `registry` and `git` are both given"));
    let none = GOOD.replace("registry = \"strsim\"", "");
    assert!(complaint(&none).starts_with("3:1 nothing to follow"), "{}", complaint(&none));
}

#[test]
fn an_unknown_translator_in_the_chain_is_shown_where_it_stands() {
    let complaint = complaint(&format!("{GOOD}\n[translate]\nchain = [\"rules\", \"oracle\"]\n"));
    assert!(complaint.starts_with("13:19 there is no translator `oracle`"), "{complaint}");
}

#[test]
fn a_model_that_cannot_be_reached_is_refused() {
    let model = "\n[[translate.model]]\nname = \"m\"\nkind = \"chat\"\nmodel = \"x\"\n";
    let complaint = complaint(&format!("{GOOD}{model}"));
    assert!(complaint.contains("the model `m` needs `base-url`"), "{complaint}");
}

#[test]
fn an_author_without_an_address_is_refused() {
    let complaint = complaint(&format!("{GOOD}\n[land]\nauthor = \"Me\"\n"));
    assert!(complaint.starts_with("13:10 `Me` is not an author"), "{complaint}");
}

#[test]
fn the_file_is_found_from_below_and_its_absence_is_told() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(folder.path().join("a/b")).unwrap();
    assert!(matches!(load(&folder.path().join("a/b")), Err(LoadError::Missing { .. })));
    std::fs::write(folder.path().join(CONFIG_NAME), GOOD).unwrap();
    let settings = load(&folder.path().join("a/b")).unwrap();
    assert_eq!(settings.root, folder.path());
}

#[test]
fn a_rhythm_that_is_none_is_shown_where_it_stands() {
    let check = |section: &str, place: &str, words: &str| {
        let complaint = complaint(&format!("{GOOD}\n[watch]\n{section}\n"));
        assert!(complaint.starts_with(place) && complaint.contains(words), "{section}: {complaint}");
    };
    check("schedule = 'now and then'", "13:12 ", "`*/15 * * * *`");
    check("schedule = '0 0 30 2 *'", "13:12 ", "has no next time");
    check("schedule = '0 * * * *'\nevery-s = 60", "14:11 ", "both given");
    check("every-s = 0", "13:11 ", "from 1 to 604800");
    check("every-s = 60\ntime-zone = 'Mars/Olympus'", "14:13 ", "`Europe/Berlin`");
    check("quiet = ['22:00-06:00', 'nights']", "13:25 ", "`22:00-06:00`");
    check("quiet = ['00:00-24:00']", "13:9 ", "leave some time");
    check("jitter-s = 700000", "13:12 ", "from 0 to 604800");
    check("retry-s = 60\nretry-max-s = 30", "14:15 ", "from 60 to 604800");
    check("every = 60", "13:1 ", "unknown field `every`");
}

#[test]
fn an_alert_that_tells_nobody_or_two_is_shown_where_it_stands() {
    let check = |section: &str, place: &str, words: &str| {
        let complaint = complaint(&format!("{GOOD}\n[alert]\n{section}\n"));
        assert!(complaint.starts_with(place) && complaint.contains(words), "{section}: {complaint}");
    };
    check("failures = 0", "13:12 ", "from 1");
    check("lag-revisions = -1", "13:17 ", "-1");
    check("[[alert.notify]]", "13:1 ", "nobody is named");
    check("[[alert.notify]]\ncommand = ['x']\nurl-env = 'Y'", "15:11 ", "write one of them");
    check("[[alert.notify]]\nurl = 'https://example.com'", "14:1 ", "unknown field `url`");
}

#[test]
fn a_budget_that_holds_nothing_back_is_shown_where_it_stands() {
    let good = check(&format!("{GOOD}\n[translate.budget]\nday-usd = 2.5\nunit-tokens = 100000\n")).unwrap();
    assert!(good.budget.looks_back());
    let complains = |section: &str, place: &str, words: &str| {
        let complaint = complaint(&format!("{GOOD}\n[translate.budget]\n{section}\n"));
        assert!(complaint.starts_with(place) && complaint.contains(words), "{section}: {complaint}");
    };
    complains("run-usd = -1.0", "13:11 ", "is no amount of money");
    complains("week-usd = 1.0", "13:1 ", "unknown field `week-usd`");
    let free =
        "[[translate.model]]\nname = 'x'\nkind = 'responses'\nbase-url = 'http://localhost'\nmodel = 'm'";
    complains(&format!("run-usd = 1.0\n\n{free}"), "13:11 ", "has no price");
}

#[test]
fn what_both_sides_are_built_with_is_checked() {
    let settings = check(GOOD).unwrap();
    assert!(settings.environment.provision && settings.build.locked && settings.build.default_features);
    let environment = |line: &str| format!("{GOOD}\n[port.environment]\n{line}\n");
    let build = |line: &str| format!("{GOOD}\n[upstream.build]\n{line}\n");
    for (text, told) in [
        (environment("folder = \"nowhere\""), "`nowhere` is no folder of the port"),
        (environment("folder = \"../memory\""), "`../memory` is no folder of the port"),
        (environment("interpreter = \"\""), "no program is named"),
        (environment("provision = false\ngroups = [\"dev\"]"), "groups are named, and nothing is installed"),
        (environment("grups = []"), "unknown field `grups`"),
        (build("features = [\"a/b/c\"]"), "`a/b/c` is no name of a feature"),
        (build("features = [\"\"]"), "`` is no name of a feature"),
        (build("toolchain = \"--version\""), "`--version` is no name of a toolchain"),
        (build("locked = \"yes\""), "invalid type"),
    ] {
        let complaint = complaint(&text);
        assert!(complaint.contains(told) && !complaint.starts_with("0:"), "{complaint}");
    }
    let named = check(&environment("interpreter = \"./venv/bin/python\"")).unwrap().environment.interpreter;
    assert!(named.is_some_and(|path| Path::new(&path).is_absolute()), "from the root");
}
