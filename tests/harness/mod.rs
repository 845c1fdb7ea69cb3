//! Running the binary, in the manner of ripgrep's tests.
//!
//! A [`Dir`] is the directory of one test, and a [`TestCommand`] is a run of `wiresift` in it.
//! When an expectation fails, the panic shows everything needed to understand it: the command,
//! the directory and its contents, and both output streams.

// Every test module uses a part of it.
#![allow(dead_code)]

pub mod browser;
pub mod document_store;
#[cfg(feature = "postgres")]
pub mod postgres;
pub mod records;
pub mod server;
pub mod source;
pub mod wire;

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use std::ffi::{OsStr, OsString};
use std::fmt::Write as _;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// A command that runs longer hangs.
const LIMIT: Duration = Duration::from_secs(60);

/// The directory of a test, deleted at its end.
pub struct Dir {
    dir: tempfile::TempDir,
    /// The user's cache directory, for programs run by the test.
    cache: tempfile::TempDir,
}

impl Dir {
    /// A new directory; `name` is a part of its name.
    pub fn new(name: &str) -> Dir {
        reset_ignored_signals();
        let name = name.replace(['/', ' '], "-");
        let folder = |end: &str| {
            tempfile::Builder::new().prefix(&format!("wiresift-{name}{end}-")).tempdir()
        };
        Dir { dir: folder("").unwrap(), cache: folder("-cache").unwrap() }
    }

    /// The user's cache directory, as seen by the programs of this directory.
    pub fn cache(&self) -> &Path {
        self.cache.path()
    }

    /// Its path.
    pub fn path(&self) -> &Path {
        self.dir.path()
    }

    /// Writes a file, and creates its parent directories.
    pub fn create(&self, name: &str, contents: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, contents).unwrap();
        path
    }

    /// A run of `wiresift` in this directory.
    pub fn command(&self) -> TestCommand {
        TestCommand {
            program: env!("CARGO_BIN_EXE_wiresift").into(),
            cwd: self.path().to_path_buf(),
            args: Vec::new(),
            env: vec![("XDG_CACHE_HOME".into(), self.cache().into())],
            stdin: None,
        }
    }

    /// A shell line in this directory, with our `wiresift` first in the path. Standard error is
    /// merged into standard output.
    pub fn shell(&self, line: &str) -> TestCommand {
        let bin = Path::new(env!("CARGO_BIN_EXE_wiresift")).parent().unwrap();
        let mut path = bin.as_os_str().to_os_string();
        path.push(":");
        path.push(std::env::var_os("PATH").unwrap_or_default());
        let mut command = TestCommand { program: "sh".into(), ..self.command() };
        command.args(["-c", &format!("exec 2>&1\n{line}")]).env("PATH", path);
        command
    }
}

/// A run of `wiresift` in preparation.
#[derive(Clone)]
pub struct TestCommand {
    program: OsString,
    cwd: PathBuf,
    args: Vec<OsString>,
    env: Vec<(OsString, OsString)>,
    stdin: Option<Vec<u8>>,
}

impl TestCommand {
    /// Adds an argument.
    pub fn arg(&mut self, arg: impl AsRef<OsStr>) -> &mut TestCommand {
        self.args.push(arg.as_ref().to_os_string());
        self
    }

    /// Adds arguments.
    pub fn args<A: AsRef<OsStr>>(&mut self, args: impl IntoIterator<Item = A>) -> &mut TestCommand {
        self.args.extend(args.into_iter().map(|arg| arg.as_ref().to_os_string()));
        self
    }

    /// Sets an environment variable; otherwise there is only `PATH`.
    pub fn env(&mut self, name: &str, value: impl AsRef<OsStr>) -> &mut TestCommand {
        self.env.push((name.into(), value.as_ref().to_os_string()));
        self
    }

    /// Sets standard input, which is empty otherwise.
    pub fn stdin(&mut self, bytes: impl Into<Vec<u8>>) -> &mut TestCommand {
        self.stdin = Some(bytes.into());
        self
    }

    /// Runs it through another program, which gets the command and its arguments after its own.
    pub fn wrapped_in(&mut self, program: &str, args: &[&str]) -> &mut TestCommand {
        let binary = std::mem::replace(&mut self.program, program.into());
        let own = args.iter().map(OsString::from).chain([binary]);
        self.args = own.chain(std::mem::take(&mut self.args)).collect();
        self
    }

    fn process(&self) -> Command {
        let mut command = Command::new(&self.program);
        command.args(on_test_database(&self.args, &self.cwd));
        command.current_dir(&self.cwd).env_clear();
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.env("HOME", &self.cwd).envs(self.env.iter().map(|(name, value)| (name, value)));
        command
    }

    /// Starts it with pipes for all streams, for tests that observe it while it runs.
    pub fn start(&self) -> Child {
        let mut command = self.process();
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.spawn().unwrap()
    }

    /// Runs it, and panics when it takes more than a minute.
    pub fn run(&self) -> Run {
        let mut command = self.process();
        command.stdin(if self.stdin.is_some() { Stdio::piped() } else { Stdio::null() });
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let (code, stdout, stderr) = thread::scope(|scope| {
            let stdin = child.stdin.take().zip(self.stdin.as_deref());
            scope.spawn(move || {
                if let Some((mut pipe, bytes)) = stdin {
                    // A program that needs no input may close it.
                    let _ = pipe.write_all(bytes);
                }
            });
            let (out, err) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
            let out = scope.spawn(move || drain(out));
            let err = scope.spawn(move || drain(err));
            let code = wait(&mut child);
            (code, out.join().unwrap(), err.join().unwrap())
        });
        let run = Run { cwd: self.cwd.clone(), args: self.args.clone(), code, stdout, stderr };
        assert!(run.code != Code::TimedOut, "took more than {LIMIT:?}\n{}", run.report());
        run
    }
}

/// The arguments of `wiresift`; those of `exchange` with the database of the directory, if tests are
/// to use a server.
pub fn on_test_database(args: &[OsString], _cwd: &Path) -> Vec<OsString> {
    let args = args.to_vec();
    #[cfg(feature = "postgres")]
    if args.first().is_some_and(|first| first == "exchange")
        && !args.iter().any(|arg| arg == "--database")
        && let Some(at) = args.iter().position(|arg| arg == "--data")
        && let Some(url) = postgres::database_of(_cwd)
    {
        let mut args = args;
        args.splice(at..at, ["--database".into(), url.into()]);
        return args;
    }
    args
}

/// Resets ignored signals to a handler, in case the tests were started with ignored signals
/// (`nohup`, a shell that runs them in the background): an ignored signal stays ignored across
/// `exec`, but a caught one is reset (POSIX.1-2024, `execve`). Other signals are left alone, so
/// that the tests themselves can be ended.
fn reset_ignored_signals() {
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| {
        let status = std::fs::read_to_string("/proc/self/status").unwrap();
        let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:")).unwrap();
        let mask = u64::from_str_radix(mask.trim(), 16).unwrap();
        for signal in [SIGHUP, SIGINT, SIGTERM].into_iter().filter(|it| mask >> (it - 1) & 1 == 1) {
            signal_hook::flag::register(signal, std::sync::Arc::default()).unwrap();
        }
    });
}

fn drain(mut pipe: impl Read) -> Vec<u8> {
    let mut bytes = Vec::new();
    pipe.read_to_end(&mut bytes).unwrap();
    bytes
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    /// With a status.
    Exit(i32),
    /// By a signal.
    Signal,
    /// Killed by the test.
    TimedOut,
}

#[expect(clippy::disallowed_methods, reason = "a deadline for another process")]
fn wait(child: &mut Child) -> Code {
    let deadline = Instant::now() + LIMIT;
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return status.code().map_or(Code::Signal, Code::Exit);
        }
        if Instant::now() > deadline {
            child.kill().unwrap();
            child.wait().unwrap();
            return Code::TimedOut;
        }
        thread::sleep(Duration::from_millis(2));
    }
}

/// A finished run.
pub struct Run {
    cwd: PathBuf,
    args: Vec<OsString>,
    /// How it ended.
    pub code: Code,
    /// What it wrote to standard output.
    pub stdout: Vec<u8>,
    /// What it wrote to standard error.
    pub stderr: Vec<u8>,
}

impl Run {
    /// Expects an exit status.
    #[track_caller]
    pub fn expect(self, status: i32) -> Run {
        let code = self.code;
        assert!(code == Code::Exit(status), "want exit {status}, got {code:?}\n{}", self.report());
        self
    }

    /// Expects a text in standard error.
    #[track_caller]
    pub fn expect_stderr(self, part: &str) -> Run {
        let stderr = String::from_utf8_lossy(&self.stderr);
        assert!(stderr.contains(part), "no {part:?} in stderr\n{}", self.report());
        self
    }

    /// Expects that a text is not in standard error.
    #[track_caller]
    pub fn expect_no_stderr(self, part: &str) -> Run {
        let stderr = String::from_utf8_lossy(&self.stderr);
        assert!(!stderr.contains(part), "{part:?} in stderr\n{}", self.report());
        self
    }

    /// Expects a text in standard output.
    #[track_caller]
    pub fn expect_stdout(self, part: &str) -> Run {
        assert!(self.text().contains(part), "no {part:?} in stdout\n{}", self.report());
        self
    }

    /// Standard output, as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.stdout).into_owned()
    }

    /// Standard output as JSON, one object a line.
    #[track_caller]
    pub fn json_lines(&self) -> Vec<serde_json::Value> {
        let text = self.text();
        let parse = |line| match serde_json::from_str(line) {
            Ok(value) => value,
            Err(error) => panic!("no JSON: {line}: {error}\n{}", self.report()),
        };
        text.lines().map(parse).collect()
    }

    /// Everything about the run.
    pub fn report(&self) -> String {
        let mut report = String::new();
        let args = self.args.iter().map(|arg| arg.display().to_string());
        let args = args.collect::<Vec<_>>().join(" ");
        let bar = "=".repeat(70);
        writeln!(report, "{bar}\ncommand: wiresift {args}").unwrap();
        writeln!(report, "status:  {:?}\ncwd:     {}", self.code, self.cwd.display()).unwrap();
        for entry in walkdir::WalkDir::new(&self.cwd).min_depth(1).sort_by_file_name() {
            let Ok(entry) = entry else { continue };
            let name = entry.path().strip_prefix(&self.cwd).unwrap_or(entry.path());
            let len = entry.metadata().map_or(0, |metadata| metadata.len());
            writeln!(report, "         {len:>9} {}", name.display()).unwrap();
        }
        for (name, stream) in [("stdout", &self.stdout), ("stderr", &self.stderr)] {
            writeln!(report, "---- {name}\n{}", String::from_utf8_lossy(stream)).unwrap();
        }
        report + &bar
    }
}

/// The project's root directory.
pub fn project() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A file or directory next to the project, in `../shared`, which may be missing. In that case
/// the test passes, and prints that it tested nothing.
pub fn shared(test: &str, name: &str) -> Option<PathBuf> {
    let path = project().join("../shared").join(name);
    if path.exists() {
        return Some(path);
    }
    skip(test, &format!("there is no ../shared/{name}"));
    None
}

/// Prints that a test, or a part of it, tests nothing here. Output of `eprintln!` is only shown
/// when a test fails, so the message is written to the stream itself, and to the list that `make
/// test` shows at its end.
pub fn skip(test: &str, why: &str) {
    let line = format!("!!! SKIPPED {test}: {why}\n");
    let _ = std::io::stderr().write_all(format!("\n{line}").as_bytes());
    let list = Path::new(env!("CARGO_TARGET_TMPDIR")).join("skipped-tests.txt");
    let list = std::fs::OpenOptions::new().append(true).create(true).open(list);
    let _ = list.and_then(|mut list| list.write_all(line.as_bytes()));
}

/// The same for a missing program that `make test-peers` installs: there it is a failure.
pub fn missing(test: &str, why: &str) {
    let is_required = std::env::var_os("WIRESIFT_PEERS").is_some_and(|it| it == "required");
    assert!(!is_required, "{test}: {why}");
    skip(test, why);
}

/// A capture of raw IP packets.
pub fn raw_ip_capture(packets: impl Iterator<Item = Vec<u8>>) -> Vec<u8> {
    let words = |words: &[u32]| -> Vec<u8> { words.iter().flat_map(|w| w.to_le_bytes()).collect() };
    let mut file = words(&[0xa1b2_c3d4, 0x0004_0002, 0, 0, 65_535, 101]);
    for packet in packets {
        let length = packet.len() as u32;
        file.extend(words(&[1_700_000_000, 0, length, length]));
        file.extend(packet);
    }
    file
}
