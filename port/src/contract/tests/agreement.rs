//! Right ports agree, and each kind of wrong one is refused.

use super::*;

/// Checks a port with one wrong piece: that item disagrees, and no other does.
fn refused(piece: &str, text: &str, item: &str) -> ContractReport {
    let report = checked(&TestPort::with(piece, text), &items());
    assert_eq!(report.spec, []);
    for evidence in &report.items {
        assert_eq!(
            evidence.disagreed > 0,
            evidence.item.as_str() == item,
            "{evidence:?}\n{:?}",
            report.counterexamples
        );
    }
    let examples: Vec<_> =
        report.counterexamples.iter().filter(|example| example.item.as_str() == item).collect();
    assert!(!examples.is_empty() && examples.len() <= 3, "{examples:?}");
    assert!(examples.iter().any(|example| example.may_be_shown), "{examples:?}");
    report
}

#[test]
fn a_right_port_agrees_everywhere() {
    let report = checked(&TestPort::with("", ""), &items());
    assert_eq!((&report.source_blocked, report.spec.len()), (&None, 0), "{report:?}");
    assert_eq!(report.counterexamples, []);
    for evidence in &report.items {
        assert!(evidence.disagreed == 0 && evidence.agreed > 50, "{evidence:?}");
        assert_eq!(evidence.blocked, 0, "{evidence:?}");
        assert_eq!(evidence.agreed, evidence.harvested + evidence.generated, "{evidence:?}");
    }
    assert_eq!(evidence(&report, "tiny::pair").harvested, 1);
    let counted = evidence(&report, "tiny::byte_len");
    assert_eq!((counted.blocks_reached, counted.blocks_total), (1, 2));
}

#[test]
fn length_in_characters_is_refused_with_the_smallest_text() {
    let report = refused("byte_len", "def byte_len(text):\n    return len(text)\n", "tiny::byte_len");
    let first = &report.counterexamples[0];
    assert!(first.call.chars().count() <= "port.byte_len('\\U0001f600')".len(), "{first:?}");
    assert_eq!(first.port, "1", "{first:?}");
}

#[test]
fn floor_division_is_refused() {
    let report = refused("halve", "def halve(number):\n    return number // 2\n", "tiny::halve");
    assert_eq!(report.counterexamples[0].call, "port.halve(-1)", "{report:?}");
    assert_eq!(
        (report.counterexamples[0].upstream.as_str(), report.counterexamples[0].port.as_str()),
        ("0", "-1")
    );
}

#[test]
fn a_run_that_is_one_too_long_is_refused() {
    let wrong = PORT
        .iter()
        .find(|(name, _)| *name == "longest_run")
        .unwrap()
        .1
        .replace("best = run = 0", "best = run = 1");
    refused("longest_run", &wrong, "tiny::longest_run");
}

#[test]
fn a_hang_is_a_disagreement_and_the_others_are_still_checked() {
    let wrong = "def index_of(text, wanted):\n    at = text.find(wanted)\n    while text == 'a':\n        pass\n    return None if at < 0 else at\n";
    let report = refused("index_of", wrong, "tiny::index_of");
    assert!(report.counterexamples.iter().any(|example| example.port.contains("in time")), "{report:?}");
}

#[test]
fn what_is_late_once_is_asked_again() {
    let folder = tempfile::tempdir().unwrap();
    let mark = folder.path().join("asked");
    let late = format!(
        "import os, time\ndef halve(number):\n    if number == 7 and not os.path.exists({mark:?}):\n        \
         open({mark:?}, 'w').close()\n        time.sleep(60)\n    return int(number / 2)\n"
    );
    let report = checked(&TestPort::with("halve", &late), &items());
    assert!(mark.exists(), "it was late");
    assert_eq!(report.counterexamples, [], "and a busy machine refuses nobody");
    assert_eq!(evidence(&report, "tiny::halve").blocked, 0);
}

#[test]
fn a_crash_of_the_interpreter_is_a_disagreement() {
    let wrong =
        "import os\ndef mean(a, b):\n    if a == 1.0:\n        os.abort()\n    return (a + b) / 2.0\n";
    let report = refused("mean", wrong, "tiny::mean");
    assert!(report.counterexamples.iter().any(|example| example.port.contains("signal 6")), "{report:?}");
}

#[test]
fn leaving_quietly_is_a_disagreement() {
    let wrong =
        "import os\ndef next_byte(byte):\n    if byte == 255:\n        os._exit(0)\n    return byte + 1\n";
    refused("next_byte", wrong, "tiny::next_byte");
}

#[test]
fn broken_code_is_no_error_of_the_upstreams() {
    let wrong =
        "def next_byte(byte):\n    if byte == 255:\n        return undefined_name\n    return byte + 1\n";
    let report = refused("next_byte", wrong, "tiny::next_byte");
    assert!(report.counterexamples[0].port.contains("NameError"), "{report:?}");
}

#[test]
fn a_stub_is_no_error_of_the_upstreams() {
    refused(
        "next_byte",
        "def next_byte(byte):\n    if byte == 255:\n        raise NotImplementedError\n    return byte + 1\n",
        "tiny::next_byte",
    );
}

#[test]
fn an_integer_is_no_float() {
    refused("mean", "def mean(a, b):\n    m = (a + b) / 2.0\n    return 0 if m == 0 else m\n", "tiny::mean");
}

#[test]
fn swallowing_the_panic_of_a_method_is_refused() {
    let wrong = "class Counter:\n    def __new__(cls, start):\n        return None if start == 13 else super().__new__(cls)\n    \
                 def __init__(self, start):\n        self.total = start\n    def add(self, more):\n        \
                 self.total = (self.total + more) % 256\n        return self.total\n";
    let report = refused("Counter", wrong, "tiny::Counter::add");
    assert!(report.counterexamples[0].call.starts_with("port.Counter("), "{report:?}");
    assert!(report.counterexamples[0].upstream.starts_with("panics"), "{report:?}");
}

#[test]
fn what_a_port_prints_and_reads_disturbs_nothing() {
    let noisy = "import sys, os\nprint('[0, [\"value\", [\"u\"]]]')\ndef shout(text):\n    print('noise'); os.write(1, b'noise\\n[1]')\n    \
                 sys.stderr.write('noise'); sys.stdin.read()\n    return text.upper() + '!'\n";
    let report = checked(&TestPort::with("shout", noisy), &items());
    assert!(
        report.items.iter().all(|evidence| evidence.disagreed == 0 && evidence.blocked == 0),
        "{report:?}"
    );
}
