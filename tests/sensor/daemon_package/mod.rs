//! The Debian package, installed into a root with only its dependencies, and the service in a
//! system that boots from there: the unit must not take away anything that is needed.

use crate::harness::{Dir, missing, project, skip};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;

/// Packages in the root besides the essential ones: the dependencies of the package, and what the
/// test itself needs.
const PACKAGES: [&str; 4] = ["libpcap0.8", "systemd", "init-system-helpers", "iproute2"];

/// System calls for the sandbox and for sockets from systemd, which a container would otherwise
/// refuse.
const SYSTEM_CALLS: &str =
    "seccomp landlock_create_ruleset landlock_add_rule landlock_restrict_self pidfd_getfd";

/// Runs to the end, and returns both streams as one text.
fn run(command: &mut Command) -> (bool, String) {
    let Output { status, stdout, stderr } = command.stdin(Stdio::null()).output().unwrap();
    let text = [stdout, stderr].concat();
    (status.success(), String::from_utf8_lossy(&text).into_owned())
}

/// Runs to the end, and asserts success.
fn must(command: &mut Command) -> String {
    let (is_right, said) = run(command);
    assert!(is_right, "{command:?}\n{said}");
    said
}

/// Whether the test can run here.
fn is_possible(test: &str, programs: &[&str]) -> bool {
    if !rustix::process::geteuid().is_root() {
        skip(test, "only root can install packages");
        return false;
    }
    if !run(Command::new("cargo").args(["deb", "--version"])).0 {
        missing(test, "cargo-deb is not installed: cargo install cargo-deb --locked");
        return false;
    }
    for program in programs.iter().chain(&["dpkg"]) {
        if !run(Command::new("sh").args(["-c", "command -v \"$0\"", program])).0 {
            missing(test, &format!("{program} is not installed"));
            return false;
        }
    }
    true
}

/// The package of the tested binary, which is built once.
fn package() -> &'static Path {
    static PACKAGE: OnceLock<PathBuf> = OnceLock::new();
    PACKAGE.get_or_init(|| {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("package");
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        let mut script = Command::new(project().join("packaging/deb.sh"));
        script.arg(env!("CARGO_BIN_EXE_wiresift")).arg(&folder);
        must(script.args(["--no-strip", "--fast"]));
        let is_package = |path: &PathBuf| path.extension().is_some_and(|end| end == "deb");
        let files = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path());
        files.into_iter().find(is_package).expect("a package")
    })
}

/// A root with the package installed.
fn root(dir: &Dir) -> PathBuf {
    let root = dir.path().join("root");
    let mut script = Command::new(project().join("packaging/bare-root.sh"));
    must(script.arg(&root).args(PACKAGES));
    let own = format!("--root={}", root.display());
    must(Command::new("dpkg").arg(own).arg("--install").arg(package()));
    root
}

/// A command in the root.
fn inside(root: &Path, line: &str) -> Command {
    let mut command = Command::new("chroot");
    command.arg(root).args(["/bin/sh", "-c", line]).env_clear();
    command.env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
    command
}

#[test]
fn the_package_installs_and_runs_in_a_bare_root() {
    let test = "the_package_installs_and_runs_in_a_bare_root";
    if !is_possible(test, &["chroot"]) {
        return;
    }
    let dir = Dir::new("package");
    let root = root(&dir);
    let version = must(&mut inside(&root, "wiresift --version"));
    assert_eq!(version, format!("wiresift {}\n", env!("CARGO_PKG_VERSION")));
    // Each file is as it was packaged.
    assert_eq!(must(&mut inside(&root, "dpkg --verify wiresift")), "");
    let groups = must(&mut inside(&root, "id -nG wiresift"));
    assert_eq!(
        groups.split_whitespace().collect::<Vec<_>>(),
        ["wiresift", "adm", "systemd-journal"]
    );
    for file in [
        "usr/share/man/man1/wiresift.1.gz",
        "usr/share/man/man1/wiresift-scan.1.gz",
        "usr/share/bash-completion/completions/wiresift",
        "usr/share/zsh/vendor-completions/_wiresift",
        "usr/share/fish/vendor_completions.d/wiresift.fish",
        "usr/share/doc/wiresift/copyright",
        "usr/share/doc/wiresift/deploy.md",
        "usr/share/doc/wiresift/grafana.json",
    ] {
        assert!(root.join(file).exists(), "no {file}");
    }
    // Exactly these: cargo-deb would derive services from the names of sockets.
    let units = must(&mut inside(&root, "dpkg -L wiresift | grep /systemd/system/ | sort"));
    let units: Vec<&str> = units.lines().filter_map(|line| line.rsplit('/').next()).collect();
    let sockets = ["wiresift-syslog-tcp.socket", "wiresift-syslog-udp.socket"];
    assert_eq!(units, [sockets[0], sockets[1], "wiresift.service"]);
    let enabled = must(&mut inside(&root, "find /etc/systemd -name 'wiresift*'"));
    assert_eq!(enabled, "", "nothing starts unasked");
    check_configuration(&root);
    the_configuration_survives(&root);
}

/// The first configuration reads the journal and lacks a database, which is reported.
fn check_configuration(root: &Path) {
    if !run(&mut inside(root, "wiresift run --help")).0 {
        return skip("check_configuration", "this build has no `wiresift run`");
    }
    let check = "wiresift run --config /etc/wiresift/wiresift.toml --check";
    let (is_right, said) = run(&mut inside(root, check));
    assert!(!is_right && said.contains("wiresift feed add"), "{said}");
    // From outside: a database is moved into place through /proc, which a bare root doesn't have.
    let list = root.join("list.txt");
    fs::write(&list, "evil.example\n").unwrap();
    fs::create_dir_all(root.join("var/lib/wiresift")).unwrap();
    let mut compile = Command::new(env!("CARGO_BIN_EXE_wiresift"));
    compile.args(["compile", "-q", "-o"]).arg(root.join("var/lib/wiresift/iocs.wsdb"));
    must(compile.arg(&list));
    let first = root.join("etc/wiresift/wiresift.toml");
    let kept = fs::read_to_string(&first).unwrap();
    let files = "[[input]]\nkind = \"files\"\npatterns = [\"/var/log/dpkg.log\"]\n";
    let own = kept.replace("[[input]]\nkind = \"journal\"\n", files);
    fs::write(&first, own.replace("[daemon]\n", "[daemon]\nmetrics = \"off\"\n")).unwrap();
    must(&mut inside(root, &format!("mkdir -p /var/log/wiresift; {check}")));
    fs::write(&first, kept).unwrap();
}

/// Changed files survive an upgrade and a removal, and are deleted with a purge.
fn the_configuration_survives(root: &Path) {
    let own = format!("--root={}", root.display());
    let file = root.join("etc/wiresift/wiresift.toml");
    let changed = fs::read_to_string(&file).unwrap() + "# ours\n";
    fs::write(&file, &changed).unwrap();
    fs::create_dir_all(root.join("var/log/wiresift")).unwrap();
    must(Command::new("dpkg").arg(&own).arg("--install").arg(package()));
    must(Command::new("dpkg").args([&own, "--remove", "wiresift"]));
    assert_eq!(fs::read_to_string(&file).unwrap(), changed);
    assert!(root.join("var/log/wiresift").exists());
    must(Command::new("dpkg").args([&own, "--purge", "wiresift"]));
    for gone in ["etc/wiresift/wiresift.toml", "var/log/wiresift", "usr/bin/wiresift"] {
        assert!(!root.join(gone).exists(), "{gone} is still there");
    }
}

/// The results of `boot.sh`.
struct Found(PathBuf);

impl Found {
    fn text(&self, name: &str) -> String {
        fs::read_to_string(self.0.join(name)).unwrap_or_default()
    }

    fn says(&self, name: &str, what: &str) {
        let text = self.text(name);
        assert!(text.contains(what), "{name} lacks “{what}”:\n{text}");
    }

    fn is(&self, name: &str, what: &str) {
        assert_eq!(self.text(name), what, "{name}");
    }
}

/// Boots the root. Returns `None`, with a loud message, if systems can't be booted here.
fn boot(test: &str, root: &Path) -> Option<Found> {
    let write = |name: &str, text: &str| {
        let path = root.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    // With a machine id it is not a first boot, which would enable all units.
    write("etc/machine-id", "0123456789abcdef0123456789abcdef\n");
    write("out/boot.sh", include_str!("boot.sh"));
    write(
        "etc/systemd/system/boot.service",
        "[Service]\nType=oneshot\nTimeoutStartSec=4min\nExecStart=/bin/bash /out/boot.sh\n\
         StandardError=append:/out/errors\nExecStopPost=/bin/systemctl --no-block poweroff --force\n",
    );
    let wanted = root.join("etc/systemd/system/multi-user.target.wants");
    fs::create_dir_all(&wanted).unwrap();
    std::os::unix::fs::symlink("../boot.service", wanted.join("boot.service")).unwrap();
    let mut container = Command::new("timeout");
    container.args(["--kill-after=10", "300", "systemd-nspawn", "--register=no", "--keep-unit"]);
    container.arg("--private-network").arg(format!("--system-call-filter={SYSTEM_CALLS}"));
    container.arg(format!("--machine=wiresift-{}", std::process::id()));
    let (_, said) = run(container.arg("-D").arg(root).arg("--boot"));
    let found = Found(root.join("out"));
    if !found.0.join("started").exists() {
        skip(test, &format!("no system can be booted here: {said}"));
        return None;
    }
    Some(found)
}

#[test]
fn the_service_works_in_a_system_that_boots() {
    let test = "the_service_works_in_a_system_that_boots";
    if !is_possible(test, &["systemd-nspawn"]) {
        return;
    }
    let dir = Dir::new("boot");
    let root = root(&dir);
    let Some(found) = boot(test, &root) else { return };
    found.says("tail", "evil.example");
    found.is("tail.result", "success\n0\n");
    found.says("tap", "203.0.113.9");
    found.is("tap.result", "success\n0\n");
    found.says("tap.sandbox", "capabilities: in part: only CAP_NET_RAW is left");
    found.says("tap.sandbox", "seccomp: ");
    assert!(!found.text("tap.sandbox").contains("seccomp: NOT"), "{}", found.text("tap.sandbox"));
    // The kernel may lack Landlock, but the unit must not be the reason.
    assert!(!found.text("tap.sandbox").contains("not permitted"), "{}", found.text("tap.sandbox"));
    found.is("tap.reload", "0\n");
    found.is("tap.rotated", "tail.json\ntail.json.state\ntap.json\ntap.json.1\n");
    for limits in ["tail.limits", "tap.limits"] {
        found.says(limits, "CapBnd:\t0000000000002000");
        found.says(limits, "NoNewPrivs:\t1");
        found.says(limits, "Seccomp:\t2");
    }
    let entries = found.text("journal");
    assert!(entries.trim().parse::<u32>().is_ok_and(|count| count > 10), "{entries}");
    the_daemon_works(&found);
}

fn the_daemon_works(found: &Found) {
    if !found.0.join("run").exists() {
        return skip("the_daemon_works", "this build has no `wiresift run`");
    }
    found.is("run.check.status", "0\n");
    found.is("run.start", "0\n");
    for what in ["udp.evil", "tcp.evil", "journal.evil", "file.evil", "203.0.113.9"] {
        found.says("run.alerts", what);
    }
    found.is("run.reload", "0\n");
    found.is("run.later", "0\nactive\n");
    found.says("run.limits", "Seccomp:\t2");
    assert!(!found.text("run.journal").contains("NOT in force"), "{}", found.text("run.journal"));
    found.is("run.result", "success\n0\n");
}
