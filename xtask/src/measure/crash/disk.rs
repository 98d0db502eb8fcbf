//! A disk that is too small: a file system of one shell alone, mounted where the world is.

use anyhow::{Result, bail};
use upstream::process::{Ending, ProcessRunner, SystemProcessRunner};

use super::disturbed::Disturbed;
use super::mounts::{alone, quoted};
use super::world::copy;

/// Runs the sync once on a disk with so much room, and then until it is done on one with enough. Gives
/// what it said when the disk was full; `None` where it got through.
pub(super) fn on_a_disk_with(disturbed: &Disturbed, room_kb: u64) -> Result<Option<String>> {
    let hold = tempfile::tempdir()?;
    let invocation = disturbed.invocation();
    let words = [&invocation.program].into_iter().chain(&invocation.arguments);
    let command: Vec<String> = words.map(|word| quoted(word.as_ref())).collect();
    // The disk is a file system of this shell alone, mounted where the world is.
    let script = format!(
        "set -e\ncp -a {world}/. {hold}\nmount -t tmpfs -o size=4g none {world}\ncp -a {hold}/. {world}\n\
         used=$(df -k --output=used {world} | tail -n 1)\n\
         mount -o remount,size=$((used + {room_kb}))k {world}\ncd {world}/port\n\
         code=0\n{command} || code=$?\n\
         cd /\nmount -o remount,size=4g {world}\nfind {hold} -mindepth 1 -delete\ncp -a {world}/. {hold}\n\
         exit $code",
        world = quoted(disturbed.world.root.path()),
        hold = quoted(hold.path()),
        command = command.join(" "),
    );
    let finished = SystemProcessRunner::default().run(&alone(&invocation, &script))?;
    let said = format!("{:?}: {}", finished.ending, finished.tail(12));
    if !matches!(finished.ending, Ending::Exited(0..=7)) {
        bail!("a small disk cannot be made here: {said}");
    }
    let world = disturbed.world.root.path();
    for folder in ["upstream", "port"] {
        std::fs::remove_dir_all(world.join(folder))?;
        copy(&hold.path().join(folder), &world.join(folder));
    }
    Ok((!matches!(finished.ending, Ending::Exited(0 | 3 | 5))).then_some(said))
}
