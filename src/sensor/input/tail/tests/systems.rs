//! With the programs and file systems of a real system: logrotate, ext4, XFS, overlay, limits of
//! inotify, other users. Tests that need root are skipped without it, and say so.

use super::super::options::Watch;
use super::stage::Stage;
use super::{Scenario, copies, limits, rotations, texts};
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

fn skipped(what: &str, why: &str) {
    let _ = writeln!(std::io::stderr(), "SKIPPED {what}: {why}");
}

fn all() -> impl Iterator<Item = &'static Scenario> {
    copies::ALL.iter().chain(rotations::ALL).chain(texts::ALL).chain(limits::ALL)
}

fn runs(program: &str, args: &[&str]) -> bool {
    let path = format!("{}:/usr/sbin:/sbin", std::env::var("PATH").unwrap_or_default());
    Command::new(program)
        .args(args)
        .env("PATH", path)
        .output()
        .is_ok_and(|done| done.status.success())
}

/// A mount that exists as long as this value.
struct Mounted {
    base: tempfile::TempDir,
    at: PathBuf,
}

impl Mounted {
    fn base() -> (tempfile::TempDir, PathBuf) {
        let base = tempfile::tempdir_in("/tmp").unwrap();
        let at = base.path().join("at");
        fs::create_dir(&at).unwrap();
        (base, at)
    }

    /// A file that contains a file system.
    fn image(mkfs: &[&str], mebibytes: u64) -> Option<Mounted> {
        let (base, at) = Self::base();
        let image = base.path().join("image");
        fs::File::create(&image).unwrap().set_len(mebibytes << 20).unwrap();
        let image = image.to_str().unwrap();
        let args: Vec<&str> = mkfs[1..].iter().copied().chain([image]).collect();
        let is_up =
            runs(mkfs[0], &args) && runs("mount", &["-o", "loop", image, at.to_str().unwrap()]);
        is_up.then_some(Mounted { base, at })
    }

    fn overlay() -> Option<Mounted> {
        // Overlay on overlay is refused, so both its folders are in memory.
        let (base, at) = Self::base();
        let path = base.path().to_str().unwrap().to_string();
        if !runs("mount", &["-t", "tmpfs", "tmpfs", &path]) {
            return None;
        }
        for name in ["lower", "upper", "work", "at"] {
            fs::create_dir(base.path().join(name)).unwrap();
        }
        let options = format!("lowerdir={path}/lower,upperdir={path}/upper,workdir={path}/work");
        let is_up =
            runs("mount", &["-t", "overlay", "-o", &options, "overlay", at.to_str().unwrap()]);
        let mounted = Mounted { base, at };
        is_up.then_some(mounted)
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        runs("umount", &[self.at.to_str().unwrap_or_default()]);
        runs("umount", &[self.base.path().to_str().unwrap_or_default()]);
    }
}

fn play_on(what: &str, mounted: Option<Mounted>) {
    let Some(mounted) = mounted else {
        return skipped(what, "it can't be mounted: root and its mkfs are needed");
    };
    for (name, play) in all() {
        let _ = writeln!(std::io::stdout(), "{what}: {name}");
        Stage::in_folder(&mounted.at, *play);
    }
}

#[test]
fn all_rows_on_ext4() {
    play_on("ext4", Mounted::image(&["mkfs.ext4", "-q"], 64));
}

#[test]
fn all_rows_on_xfs() {
    play_on("xfs", Mounted::image(&["mkfs.xfs", "-q"], 320));
}

#[test]
fn all_rows_on_btrfs() {
    play_on("btrfs", Mounted::image(&["mkfs.btrfs", "-q"], 128));
}

#[test]
fn all_rows_on_overlay() {
    play_on("overlay", Mounted::overlay());
}

/// Runs a test of this binary again, in an environment that a shell sets up.
fn again(test: &str, surroundings: &[&str]) -> Option<String> {
    let own = std::env::current_exe().unwrap();
    let module = module_path!().split_once("::").unwrap().1;
    let mut command = Command::new(surroundings[0]);
    command.args(&surroundings[1..]).arg(own).args(["--exact", &format!("{module}::{test}")]);
    command.arg("--nocapture").env("WIRESIFT_AGAIN", "1");
    let done = command.output().ok()?;
    let said =
        String::from_utf8_lossy(&done.stdout).into_owned() + &String::from_utf8_lossy(&done.stderr);
    (done.status.success() && said.contains("1 passed")).then_some(said.clone()).or_else(|| {
        assert!(!said.contains("panicked"), "{said}");
        None
    })
}

fn is_again() -> bool {
    std::env::var_os("WIRESIFT_AGAIN").is_some()
}

#[test]
fn row_31_no_room_for_watches() {
    if is_again() {
        let mut s = Stage::new(Path::new("/tmp"), Watch::Notify);
        s.follow(&["*/x.log"]);
        for name in ["a", "b", "c", "d"] {
            fs::create_dir(s.at(name)).unwrap();
            s.write(&format!("{name}/x.log"), &format!("{name}\n"));
        }
        s.open();
        s.expect_any(&["a", "b", "c", "d"]);
        let counters = s.counters();
        assert!(counters.polled >= 2, "{counters:?}");
        assert_eq!(s.notices.len(), 1, "reported once: {:?}", s.notices);
        for name in ["a", "b", "c", "d"] {
            s.append(&format!("{name}/x.log"), "more\n");
        }
        s.look();
        s.expect(&["more"; 4]);
        return;
    }
    // The limits of a user namespace are its own.
    for limit in ["max_inotify_watches", "max_inotify_instances"] {
        let set = format!("echo 2 > /proc/sys/user/{limit} && exec \"$@\"");
        let set = if limit.ends_with("instances") { set.replace("echo 2", "echo 0") } else { set };
        let surroundings = ["unshare", "-Ur", "sh", "-c", &set, "sh"];
        if again("row_31_no_room_for_watches", &surroundings).is_none() {
            skipped("row 31", "there are no user namespaces");
        }
    }
}

#[test]
fn row_31_the_queue_overflows() {
    let mut s = Stage::new(Path::new("/dev/shm"), Watch::Notify);
    s.write("x.log", "a\n");
    s.open();
    let max: usize = fs::read_to_string("/proc/sys/fs/inotify/max_queued_events")
        .map_or(16_384, |text| text.trim().parse().unwrap());
    for n in 0..max / 2 + 10 {
        // Names alternate, or the kernel would merge the notifications.
        s.write(&format!("noise{}", n % 2), "");
        s.write(&format!("noise{}", n % 2), "x");
    }
    s.append("x.log", "b\n");
    s.write("x.log.1", "c\n");
    s.look();
    s.expect_any(&["a", "b", "c"]);
    assert_eq!(s.counters().overflows, 1);
    assert_eq!(s.notices.len(), 1, "{:?}", s.notices);
}

#[test]
fn row_34_as_another_user() {
    if is_again() {
        return Stage::in_folder(Path::new("/tmp"), limits::ALL[3].1);
    }
    assert_eq!(limits::ALL[3].0, "row_34_permission_comes_later");
    let user = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"];
    if !rustix::process::geteuid().is_root() || again("row_34_as_another_user", &user).is_none() {
        skipped(
            "row 34 as another user",
            "root, setpriv and a binary that others may run are needed",
        );
    }
}

/// Runs logrotate once.
fn logrotate(s: &Stage, options: &str) -> bool {
    let config = s.at("rotate.conf");
    let text =
        format!("\"{}\" {{\n{options}\nrotate 5\nsu root root\n}}\n", s.at("x.log").display());
    let text = if rustix::process::geteuid().is_root() {
        text
    } else {
        text.replace("su root root\n", "")
    };
    fs::write(&config, text).unwrap();
    fs::set_permissions(&config, std::os::unix::fs::PermissionsExt::from_mode(0o644)).unwrap();
    let state = s.at("rotate.state");
    runs("logrotate", &["-f", "-s", state.to_str().unwrap(), config.to_str().unwrap()])
}

#[test]
fn logrotate_does_what_it_can() {
    if !runs("logrotate", &["--version"]) {
        return skipped("logrotate", "it isn't installed");
    }
    let variants = [
        "create",
        "create\ncompress",
        "create\ncompress\ndelaycompress",
        "copytruncate",
        "copytruncate\ncompress",
        "copytruncate\ncompress\ndelaycompress",
        "create\ndateext\ndateformat -%Y%m%d-%s",
        "create\ncompress\ncompresscmd /usr/bin/xz\nuncompresscmd /usr/bin/unxz\ncompressext .xz",
        "copy",
        "nocreate",
    ];
    for options in variants {
        for watch in [Watch::Notify, Watch::Poll] {
            for is_down in [false, true] {
                play_logrotate(options, watch, is_down);
            }
        }
    }
}

fn play_logrotate(options: &str, watch: Watch, is_down: bool) {
    let mut s = Stage::new(Path::new("/tmp"), watch);
    let mut want = Vec::new();
    let mut number = 0;
    let mut append = |s: &Stage| {
        for _ in 0..500 {
            number += 1;
            let line = format!("line {number} of {options:?}");
            s.append("x.log", line.clone() + "\n");
            want.push(line);
        }
    };
    append(&s);
    s.open();
    // Dates have a limited resolution, and an existing name is refused.
    let rounds = if options.contains("dateext") { 1 } else { 3 };
    for _ in 0..rounds {
        append(&s);
        if is_down {
            s.commit();
            s.kill();
        }
        assert!(logrotate(&s, options), "{options:?}");
        append(&s);
        match is_down {
            true => s.open(),
            false => s.look(),
        }
        s.advance(40);
    }
    s.restart();
    s.advance(40);
    s.check();
    let mut got: Vec<String> = s.all_lines().iter().map(|it| it.text.clone()).collect();
    got.sort_unstable();
    want.sort_unstable();
    let duplicates = got.windows(2).filter(|pair| pair[0] == pair[1]).count();
    assert_eq!(duplicates, 0, "{options:?} {watch:?} {is_down}");
    assert_eq!(got, want, "{options:?} {watch:?} {is_down}");
}
