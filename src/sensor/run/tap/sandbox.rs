//! The privileges that the process drops once its sockets are open.
//!
//! A packet that exploits a bug then gains little: of the capabilities only CAP_NET_RAW is left,
//! which is required to reopen an interface that disappeared; Landlock allows no files except what
//! the kernel says about network devices and the folder of the database, because a newer database
//! is a new file there; seccomp refuses every system call that listening does not need. Each layer
//! is requested regardless of the others, and [`Sandbox`] says which of them the kernel granted.
//! Threads inherit all of it, so it is set up before they start.

use caps::{CapSet, Capability, CapsHashSet};
use landlock::{
    ABI, Access, AccessFs, AccessNet, LandlockStatus, Ruleset, RulesetAttr, RulesetCreatedAttr,
    RulesetStatus, Scope, path_beneath_rules,
};
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
    SeccompRule,
};
use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

/// What libpcap reads about interfaces: drops of the hardware, switch tags.
const READABLE: [&str; 2] = ["/sys/class/net", "/sys/devices"];

/// The newest version of Landlock that was tested.
const NEWEST: ABI = ABI::V6;

/// How much of a layer the kernel granted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Grant {
    /// All of it.
    Whole(String),
    /// Only what the text says.
    Partly(String),
    /// Nothing; the text says why.
    Refused(String),
}

impl fmt::Display for Grant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Grant::Whole(words) => write!(f, "{words}"),
            Grant::Partly(words) => write!(f, "in part: {words}"),
            Grant::Refused(words) => write!(f, "NOT in force: {words}"),
        }
    }
}

/// The layers, in the order in which they are applied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sandbox {
    /// Capabilities that were dropped.
    pub capabilities: Grant,
    /// Inaccessible files and networks.
    pub landlock: Grant,
    /// System calls that are refused.
    pub seccomp: Grant,
}

/// Drops the privileges that the calling thread, and the threads that it will start, no longer
/// need. `database` is the file of a followed database, and `output` a file that is reopened after
/// it was renamed.
pub(super) fn enter(database: Option<&Path>, output: Option<&Path>) -> Sandbox {
    let refused = |e: &dyn fmt::Display| Grant::Refused(e.to_string());
    Sandbox {
        capabilities: drop_capabilities().unwrap_or_else(|e| refused(&e)),
        landlock: restrict_files(database, output).unwrap_or_else(|e| refused(&e)),
        seccomp: restrict_calls(output.is_some()).unwrap_or_else(|e| refused(&e)),
    }
}

/// Whether listening to interfaces is permitted at all.
pub(super) fn may_listen() -> bool {
    caps::has_cap(None, CapSet::Effective, Capability::CAP_NET_RAW).unwrap_or(true)
}

fn drop_capabilities() -> Result<Grant, caps::errors::CapsError> {
    let kept = CapsHashSet::from([Capability::CAP_NET_RAW]);
    // The bounding set limits what a program that is started could regain. Only root may shrink it,
    // and other users would gain little from it.
    let mut is_bounded = true;
    for capability in caps::runtime::thread_all_supported() {
        if !kept.contains(&capability) {
            is_bounded &= caps::drop(None, CapSet::Bounding, capability).is_ok();
        }
    }
    // There are none if the kernel doesn't know ambient sets.
    let _ = caps::clear(None, CapSet::Ambient);
    caps::set(None, CapSet::Inheritable, &CapsHashSet::new())?;
    caps::set(None, CapSet::Effective, &kept)?;
    caps::set(None, CapSet::Permitted, &kept)?;
    let words = "only CAP_NET_RAW is left".to_string();
    Ok(if is_bounded {
        Grant::Whole(words)
    } else {
        Grant::Partly(words + "; the bounding set stays as it was")
    })
}

/// The folders in which a newer database appears: that of the path, and if the path is a link, that
/// of its target.
fn folders(database: &Path) -> Vec<PathBuf> {
    let folder = |path: &Path| match path.parent() {
        Some(parent) if parent != Path::new("") => parent.to_path_buf(),
        _ => PathBuf::from("."),
    };
    let mut folders = vec![folder(database)];
    folders.extend(std::fs::canonicalize(database).iter().map(|path| folder(path)));
    folders
}

fn restrict_files(
    database: Option<&Path>,
    output: Option<&Path>,
) -> Result<Grant, landlock::RulesetError> {
    let outputs = output.map(folders).unwrap_or_default();
    let appended = AccessFs::WriteFile | AccessFs::MakeReg;
    let folders = database.map(folders).unwrap_or_default();
    let status = Ruleset::default()
        .handle_access(AccessFs::from_all(NEWEST))?
        .handle_access(AccessNet::from_all(NEWEST))?
        .scope(Scope::from_all(NEWEST))?
        .create()?
        .add_rules(path_beneath_rules(READABLE, AccessFs::from_read(NEWEST)))?
        .add_rules(path_beneath_rules(folders, AccessFs::ReadFile))?
        .add_rules(path_beneath_rules(outputs, appended))?
        .restrict_self()?;
    let version = match status.landlock {
        LandlockStatus::NotEnabled => return Ok(refused("not enabled in this kernel")),
        LandlockStatus::NotImplemented => return Ok(refused("not in this kernel")),
        LandlockStatus::Available { effective_abi, .. } => effective_abi as i32,
    };
    let files = if database.is_some() { ", and reading next to the database" } else { "" };
    let appended = if output.is_some() { ", and appending next to the output" } else { "" };
    let words =
        format!("only files about interfaces{files}{appended}; no TCP, no signals (ABI {version})");
    Ok(match status.ruleset {
        RulesetStatus::FullyEnforced => Grant::Whole(words),
        RulesetStatus::PartiallyEnforced => {
            Grant::Partly(format!("as far as its ABI {version} supports"))
        }
        RulesetStatus::NotEnforced => refused("the kernel doesn't enforce it"),
    })
}

fn refused(why: &str) -> Grant {
    Grant::Refused(why.to_string())
}

/// System calls that listening, its threads and its output need, with any arguments.
const ALLOWED: &[i64] = &[
    // Output, and descriptors that are already open.
    libc::SYS_read,
    libc::SYS_write,
    libc::SYS_writev,
    libc::SYS_lseek,
    libc::SYS_fcntl,
    libc::SYS_fstat,
    libc::SYS_fsync,
    libc::SYS_fdatasync,
    // Removing an incomplete record.
    libc::SYS_ftruncate,
    libc::SYS_close,
    // Sockets of interfaces that come back.
    libc::SYS_bind,
    libc::SYS_setsockopt,
    libc::SYS_getsockopt,
    libc::SYS_getsockname,
    libc::SYS_recvfrom,
    libc::SYS_ioctl,
    libc::SYS_eventfd2,
    libc::SYS_ppoll,
    libc::SYS_uname,
    // Accessing files; Landlock decides which ones.
    libc::SYS_newfstatat,
    libc::SYS_statx,
    libc::SYS_readlinkat,
    libc::SYS_getcwd,
    libc::SYS_faccessat,
    libc::SYS_faccessat2,
    libc::SYS_getdents64,
    // Memory.
    libc::SYS_brk,
    libc::SYS_mmap,
    libc::SYS_munmap,
    libc::SYS_mremap,
    libc::SYS_mprotect,
    libc::SYS_madvise,
    // Threads, locks and time.
    libc::SYS_clone,
    libc::SYS_clone3,
    libc::SYS_set_robust_list,
    libc::SYS_rseq,
    libc::SYS_futex,
    libc::SYS_gettid,
    libc::SYS_getpid,
    libc::SYS_getrandom,
    libc::SYS_membarrier,
    libc::SYS_sched_getaffinity,
    libc::SYS_sched_yield,
    libc::SYS_sigaltstack,
    libc::SYS_clock_gettime,
    libc::SYS_clock_nanosleep,
    libc::SYS_nanosleep,
    libc::SYS_restart_syscall,
    // Signals to this process, and its exit.
    libc::SYS_rt_sigaction,
    libc::SYS_rt_sigprocmask,
    libc::SYS_rt_sigreturn,
    libc::SYS_tgkill,
    libc::SYS_exit,
    libc::SYS_exit_group,
];

/// The older forms of some of them, which newer architectures lack.
#[cfg(target_arch = "x86_64")]
const ALLOWED_OLD: &[i64] = &[
    libc::SYS_poll,
    libc::SYS_stat,
    libc::SYS_lstat,
    libc::SYS_access,
    libc::SYS_readlink,
    libc::SYS_time,
    libc::SYS_gettimeofday,
];
#[cfg(not(target_arch = "x86_64"))]
const ALLOWED_OLD: &[i64] = &[];

/// `is_appended`: files may be created, and opened for appending.
fn restrict_calls(is_appended: bool) -> Result<Grant, Box<dyn std::error::Error>> {
    let mut rules: BTreeMap<i64, Vec<SeccompRule>> =
        ALLOWED.iter().chain(ALLOWED_OLD).map(|&call| (call, Vec::new())).collect();
    let opened = |argument: u8| {
        let read_only = libc::O_ACCMODE | libc::O_CREAT | libc::O_TRUNC;
        let mut rules = vec![SeccompRule::new(vec![masked(argument, read_only as u64, 0)?])?];
        if is_appended {
            let append = libc::O_WRONLY | libc::O_CREAT | libc::O_APPEND;
            let mask = read_only | libc::O_APPEND;
            rules.push(SeccompRule::new(vec![masked(argument, mask as u64, append as u64)?])?);
        }
        Ok::<_, seccompiler::BackendError>(rules)
    };
    rules.insert(libc::SYS_openat, opened(2)?);
    #[cfg(target_arch = "x86_64")]
    rules.insert(libc::SYS_open, opened(1)?);
    // Packet sockets, and sockets for queries about interfaces.
    let domains = [libc::AF_PACKET, libc::AF_UNIX, libc::AF_INET];
    let domains = domains.map(|domain| SeccompRule::new(vec![equal(0, domain as u64)?]));
    rules.insert(libc::SYS_socket, domains.into_iter().collect::<Result<_, _>>()?);
    // Names of threads and of memory.
    let prctl = [libc::PR_SET_NAME, PR_SET_VMA];
    let prctl = prctl.map(|what| SeccompRule::new(vec![equal(0, what as u64)?]));
    rules.insert(libc::SYS_prctl, prctl.into_iter().collect::<Result<_, _>>()?);
    let count = rules.len();
    // Return an error instead of killing the process: a library that can do without the call
    // continues.
    let filter = SeccompFilter::new(
        rules,
        SeccompAction::Errno(libc::EPERM as u32),
        SeccompAction::Allow,
        std::env::consts::ARCH.try_into()?,
    )?;
    let program: BpfProgram = filter.try_into()?;
    seccompiler::apply_filter(&program)?;
    Ok(Grant::Whole(format!("{count} system calls allowed, all others refused")))
}

/// `prctl(2)`: names of anonymous memory, which glibc gives.
const PR_SET_VMA: libc::c_int = 0x5356_4d41;

fn equal(argument: u8, value: u64) -> Result<SeccompCondition, seccompiler::BackendError> {
    SeccompCondition::new(argument, SeccompCmpArgLen::Dword, SeccompCmpOp::Eq, value)
}

fn masked(
    argument: u8,
    mask: u64,
    value: u64,
) -> Result<SeccompCondition, seccompiler::BackendError> {
    SeccompCondition::new(argument, SeccompCmpArgLen::Dword, SeccompCmpOp::MaskedEq(mask), value)
}
