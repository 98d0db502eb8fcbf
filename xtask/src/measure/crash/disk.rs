//! A disk that is too small: a file system of one shell alone, mounted where the world is.

use std::ffi::OsStr;

use anyhow::{Result, bail};
use upstream::process::{Ending, Invocation, ProcessRunner, SystemProcessRunner};

use super::disturbed::Disturbed;
use super::world::copy;

/// Runs the sync once on a disk with so much room, and then until it is done on one with enough. Gives
/// what it said when the disk was full; `None` where it got through.
pub(super) fn on_a_disk_with(disturbed: &Disturbed, room_kb: u64) -> Result<Option<String>> {
    let hold = tempfile::tempdir()?;
    let invocation = disturbed.invocation();
    let quoted = |text: &OsStr| format!("'{}'", text.to_string_lossy().replace('\'', "'\\''"));
    let command: Vec<String> =
        [&invocation.program].into_iter().chain(&invocation.arguments).map(|word| quoted(word)).collect();
    // The disk is a file system of this shell alone, mounted where the world is.
    let script = format!(
        "set -e\ncp -a {world}/. {hold}\nmount -t tmpfs -o size=4g none {world}\ncp -a {hold}/. {world}\n\
         used=$(df -k --output=used {world} | tail -n 1)\n\
         mount -o remount,size=$((used + {room_kb}))k {world}\ncd {world}/port\n\
         code=0\n{command} || code=$?\n\
         cd /\nmount -o remount,size=4g {world}\nfind {hold} -mindepth 1 -delete\ncp -a {world}/. {hold}\n\
         exit $code",
        world = quoted(disturbed.world.root.path().as_os_str()),
        hold = quoted(hold.path().as_os_str()),
        command = command.join(" "),
    );
    let user: &[&str] = if is_root() { &[] } else { &["--user", "--map-root-user"] };
    // Only root may mount; who is not root is so in a namespace of users.
    let mut alone = Invocation::new("unshare", "/")
        .args(user)
        .args(["--mount", "--propagation", "private", "sh", "-c", &script])
        .limits(invocation.limits);
    alone.environment = invocation.environment;
    let finished = SystemProcessRunner::default().run(&alone)?;
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

fn is_root() -> bool {
    std::fs::metadata("/proc/self").is_ok_and(|own| std::os::unix::fs::MetadataExt::uid(&own) == 0)
}
