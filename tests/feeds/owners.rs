//! What root writes into the state folder of another user belongs to that user.

use crate::harness::{Dir, skip};
use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown, symlink};
use std::path::Path;

/// Nobody of this machine.
const OWNER: u32 = 64_321;

/// Everything below a folder that belongs to somebody else, with its owner.
fn strange(folder: &Path) -> Vec<String> {
    let entries = walkdir::WalkDir::new(folder).min_depth(1);
    let all = entries.into_iter().map(|entry| entry.unwrap());
    all.filter_map(|entry| {
        let of = entry.path().symlink_metadata().unwrap();
        let owner = (of.uid(), of.gid());
        (owner != (OWNER, OWNER)).then(|| format!("{}: {owner:?}", entry.path().display()))
    })
    .collect()
}

fn folder(test: &str) -> Option<Dir> {
    if !rustix::process::geteuid().is_root() {
        skip(test, "only root can write as somebody else");
        return None;
    }
    let dir = Dir::new("feed_owners");
    // Others have to get into it.
    fs::set_permissions(dir.path(), Permissions::from_mode(0o755)).unwrap();
    dir.create("list.txt", "evil.example\n");
    let config = "database = \"iocs.wsdb\"\nstate = \"state\"\n[[feed]]\nname = \"own\"\n\
                  path = \"list.txt\"\n";
    dir.create("wiresift.toml", config);
    let state = dir.path().join("state");
    fs::create_dir(&state).unwrap();
    chown(&state, Some(OWNER), Some(OWNER)).unwrap();
    Some(dir)
}

#[test]
fn what_root_fetches_belongs_to_the_owner_of_the_state_folder() {
    let test = "what_root_fetches_belongs_to_the_owner_of_the_state_folder";
    let Some(dir) = folder(test) else { return };
    let state = dir.path().join("state");
    let update = || dir.command().args(["feed", "update", "--compile"]).run().expect(0);
    update();
    assert!(state.join("feeds/own/index.json").is_file());
    assert_eq!(strange(&state), [""; 0]);
    // Also what replaces something.
    dir.create("list.txt", "evil.example\nworse.example\n");
    update();
    assert_eq!(strange(&state), [""; 0]);
    // Who owns it goes on with it.
    dir.create("list.txt", "third.example\nevil.example\n");
    let mut command = dir.command();
    command
        .args(["feed", "update"])
        .wrapped_in("setpriv", &["--reuid", "64321", "--regid", "64321", "--clear-groups", "--"]);
    command.run().expect(0);
    assert_eq!(strange(&state), [""; 0]);
    // A folder of root stays root's.
    chown(&state, Some(0), Some(0)).unwrap();
    fs::remove_dir_all(state.join("feeds")).unwrap();
    update();
    assert_eq!(fs::metadata(state.join("feeds")).unwrap().uid(), 0);
}

#[test]
fn a_lock_that_is_a_link_is_not_followed() {
    let Some(dir) = folder("a_lock_that_is_a_link_is_not_followed") else { return };
    let other = dir.create("other", "precious\n");
    symlink(&other, dir.path().join("state/lock")).unwrap();
    let run = dir.command().args(["feed", "update"]).run().expect(2);
    run.expect_stderr("lock");
    assert_eq!(fs::read_to_string(&other).unwrap(), "precious\n");
    assert_eq!(fs::metadata(&other).unwrap().uid(), 0);
}
