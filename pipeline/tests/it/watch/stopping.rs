//! Signals: stopped between two steps, stopped at once, read anew.

use rustix::process::Signal;

use super::running::{Running, until};
use super::{BUMP, change, often, with_another};
use crate::world::World;

/// A translator that notes that it was asked, and answers only when it may.
fn patient(world: &World) -> String {
    let asked = world.path("asked").display().to_string();
    let go = world.path("go").display().to_string();
    let wait = format!(
        "import os, time\nopen('{asked}', 'a').write('x')\nwhile not os.path.exists('{go}'):\n    time.sleep(0.02)\n"
    );
    world.answering(&[("tally.bump", BUMP)], &wait)
}

fn asked(world: &World) -> usize {
    std::fs::read(world.path("asked")).map_or(0, |marks| marks.len())
}

#[test]
fn a_stop_lets_the_current_step_end_and_the_next_sync_goes_on_from_there() {
    let world = often();
    let who = patient(&world);
    change(&world, "upstream", "n.saturating_add(1)", "n.wrapping_add(1)");
    let mut watching = Running::start(&world, "port", &["--translator", &who]);
    until("the question", || asked(&world) == 1);
    watching.signal(Signal::TERM);
    watching.says("stopping after the current step of each sync; a second signal stops at once", &[]);
    assert!(watching.is_running(), "the step is not broken off");
    world.write("go", "");
    assert_eq!(watching.ended().code(), Some(0));
    watching.says("cannot sync", &[("code", "stopped")]);
    assert!(!world.read("port/tally/__init__.py").contains("% 256"), "the gate is another step");

    assert_eq!(world.tidelock(&["sync", "--translator", &who]).code(), 0);
    assert!(world.read("port/tally/__init__.py").contains("% 256"));
    assert_eq!(asked(&world), 1, "what was answered is not asked again");
}

#[test]
fn a_second_signal_ends_it_at_once_with_everything_it_started() {
    let world = often();
    let who = patient(&world);
    change(&world, "upstream", "n.saturating_add(1)", "n.wrapping_add(1)");
    let mut watching = Running::start(&world, "port", &["--translator", &who]);
    until("the question", || asked(&world) == 1);
    watching.signal(Signal::INT);
    watching.says("stopping after the current step of each sync; a second signal stops at once", &[]);
    watching.signal(Signal::INT);
    watching.ended();
    // The translator would end by itself only now; what answers from here on is a new one.
    world.write("go", "");
    assert_eq!(world.tidelock(&["sync", "--translator", &who]).code(), 0);
    assert!(world.read("port/tally/__init__.py").contains("% 256"));
    assert_eq!(asked(&world), 2);
}

#[test]
fn a_reload_takes_a_port_up_and_a_wrong_one_is_refused_while_the_former_holds() {
    let world = often();
    with_another(&world);
    let daemon = |ports: &[&str]| {
        let ports: String = ports.join("\"\n[[port]]\nfolder = \"");
        world.write("daemon.toml", &format!("version = 1\n[[port]]\nfolder = \"{ports}\"\n"));
    };
    daemon(&["port"]);
    let mut watching = Running::start(&world, "", &["--config", "daemon.toml"]);
    watching.says("synced", &[("port", "tally-py")]);

    daemon(&["port", "nowhere"]);
    watching.signal(Signal::HUP);
    let refused = watching.says("the configuration is refused, and the former one holds on", &[]);
    assert!(refused["wrong"].as_str().unwrap().contains("nowhere"), "{refused}");
    watching.says("looked", &[("port", "tally-py")]);

    let good = world.read("port/tidelock.toml");
    world.write("port/tidelock.toml", &good.replace("every-s = 1", "evry-s = 1"));
    daemon(&["port", "port2"]);
    watching.signal(Signal::HUP);
    let refused = watching.says("the configuration is refused, and the former one holds on", &[]);
    assert!(refused["wrong"].as_str().unwrap().contains("evry-s"), "{refused}");
    watching.says("looked", &[("port", "tally-py")]);

    world.write("port/tidelock.toml", &good);
    watching.signal(Signal::HUP);
    watching.says("the configuration was read anew", &[("ports", "2")]);
    watching.says("synced", &[("port", "second"), ("outcome", "nothing_to_do")]);
    watching.stop();
}
