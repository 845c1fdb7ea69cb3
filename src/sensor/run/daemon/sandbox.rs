//! The privileges that the daemon drops before it reads the first untrusted byte.
//!
//! It reads logs anywhere, starts `journalctl`, and connects to receivers, so it can give up less
//! than a tap: it writes only where the configuration says so (Landlock), keeps the capabilities
//! that its inputs need, and refuses system calls that change the machine or inspect other
//! processes (seccomp). Threads and programs that it starts inherit all of it.

use crate::sensor::config::{Address, Config, InputKind, SinkKind};
use crate::sensor::run::{Grant, Sandbox};
use caps::{CapSet, Capability, CapsHashSet};
use landlock::{
    ABI, Access as _, AccessFs, LandlockStatus, Ruleset, RulesetAttr as _, RulesetCreatedAttr as _,
    RulesetStatus, path_beneath_rules,
};
use seccompiler::{BpfProgram, SeccompAction, SeccompFilter, SeccompRule};
use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

/// The newest version of Landlock that was tested.
const NEWEST: ABI = ABI::V6;

/// Binding a port below this one requires a capability.
const PRIVILEGED: u16 = 1024;

/// Drops the privileges that the process no longer needs.
pub(super) fn enter(config: &Config) -> Sandbox {
    let refused = |e: &dyn fmt::Display| Grant::Refused(e.to_string());
    Sandbox {
        capabilities: drop_capabilities(&needed(config)).unwrap_or_else(|e| refused(&e)),
        landlock: restrict_files(config).unwrap_or_else(|e| refused(&e)),
        seccomp: restrict_calls().unwrap_or_else(|e| refused(&e)),
    }
}

/// The capabilities that inputs and sinks need, if the process has them.
fn needed(config: &Config) -> Vec<Capability> {
    // These two let root read the logs of other users and write into their folders.
    let mut needed = vec![Capability::CAP_DAC_READ_SEARCH, Capability::CAP_DAC_OVERRIDE];
    let mut listens = |addresses: &[Address]| {
        let is_low = |at: &Address| at.place().is_some_and(|place| place.port < PRIVILEGED);
        if addresses.iter().any(is_low) {
            needed.push(Capability::CAP_NET_BIND_SERVICE);
        }
    };
    let mut is_tap = false;
    for input in config.active_inputs() {
        match &input.kind {
            InputKind::Syslog(of) => listens(&of.listen),
            InputKind::Hec(of) => listens(&of.listen),
            InputKind::Tap(_) => is_tap = true,
            _ => {}
        }
    }
    if is_tap {
        needed.push(Capability::CAP_NET_RAW);
    }
    needed
}

fn drop_capabilities(needed: &[Capability]) -> Result<Grant, caps::errors::CapsError> {
    let had = caps::read(None, CapSet::Permitted)?;
    let kept: CapsHashSet = needed.iter().copied().filter(|it| had.contains(it)).collect();
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
    let mut names: Vec<String> = kept.iter().map(ToString::to_string).collect();
    names.sort();
    let words = match names.is_empty() {
        true => "none is left".to_string(),
        false => format!("{} left", names.join(", ")),
    };
    // Only root may shrink the bounding set, and other users would gain little from it.
    Ok(match is_bounded {
        true => Grant::Whole(words),
        false => Grant::Partly(words + "; the bounding set stays as it was"),
    })
}

/// The folders that the daemon writes to.
pub(super) fn writable(config: &Config) -> Vec<PathBuf> {
    let folder = |path: &Path| match path.parent() {
        Some(parent) if parent != Path::new("") => parent.to_path_buf(),
        _ => PathBuf::from("."),
    };
    let mut all = vec![config.daemon_state(), config.state.clone(), folder(&config.database)];
    // Temporary files of the journal and of feeds.
    all.push(std::env::temp_dir());
    all.push(PathBuf::from("/dev"));
    for sink in config.active_sinks() {
        if let SinkKind::File(file) = &sink.kind {
            all.push(folder(&file.path));
            // The target of a link.
            all.extend(std::fs::canonicalize(&file.path).iter().map(|path| folder(path)));
        }
    }
    for input in config.active_inputs() {
        match &input.kind {
            InputKind::Captures(of) => {
                all.push(of.folder.clone());
                all.extend(of.move_to.clone());
            }
            InputKind::Eve(of) => all.push(folder(&of.path)),
            InputKind::Syslog(of) => {
                for at in &of.listen {
                    if let Address::Unix(path) | Address::UnixDatagram(path) = at {
                        all.push(folder(path));
                    }
                }
            }
            _ => {}
        }
    }
    all.sort();
    all.dedup();
    all
}

fn restrict_files(config: &Config) -> Result<Grant, landlock::RulesetError> {
    // Landlock can only name folders that exist. A folder that can't be created fails later.
    for folder in [&config.daemon_state(), &config.state] {
        let _ = std::fs::create_dir_all(folder);
    }
    let writable = writable(config);
    let all = AccessFs::from_all(NEWEST);
    let reading = AccessFs::from_read(NEWEST);
    let status = Ruleset::default()
        .handle_access(all)?
        .create()?
        .add_rules(path_beneath_rules(["/"], reading))?
        .add_rules(path_beneath_rules(&writable, all))?
        .restrict_self()?;
    let version = match status.landlock {
        LandlockStatus::NotEnabled => {
            return Ok(Grant::Refused("not enabled in this kernel".to_string()));
        }
        LandlockStatus::NotImplemented => {
            return Ok(Grant::Refused("not in this kernel".to_string()));
        }
        LandlockStatus::Available { effective_abi, .. } => effective_abi as i32,
    };
    let words = format!("writes only below {} folders (ABI {version})", writable.len());
    Ok(match status.ruleset {
        RulesetStatus::FullyEnforced => Grant::Whole(words),
        RulesetStatus::PartiallyEnforced => Grant::Partly(words),
        RulesetStatus::NotEnforced => Grant::Refused("the kernel doesn't enforce it".to_string()),
    })
}

/// System calls that change the machine, or inspect other processes.
const DENIED: &[i64] = &[
    libc::SYS_acct,
    libc::SYS_add_key,
    libc::SYS_adjtimex,
    libc::SYS_bpf,
    libc::SYS_chroot,
    libc::SYS_clock_adjtime,
    libc::SYS_clock_settime,
    libc::SYS_delete_module,
    libc::SYS_finit_module,
    libc::SYS_init_module,
    libc::SYS_io_uring_setup,
    libc::SYS_kcmp,
    libc::SYS_kexec_file_load,
    libc::SYS_kexec_load,
    libc::SYS_keyctl,
    libc::SYS_mount,
    libc::SYS_move_mount,
    libc::SYS_open_by_handle_at,
    libc::SYS_open_tree,
    libc::SYS_perf_event_open,
    libc::SYS_pivot_root,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_ptrace,
    libc::SYS_quotactl,
    libc::SYS_reboot,
    libc::SYS_request_key,
    libc::SYS_setdomainname,
    libc::SYS_sethostname,
    libc::SYS_setns,
    libc::SYS_settimeofday,
    libc::SYS_swapoff,
    libc::SYS_swapon,
    libc::SYS_syslog,
    libc::SYS_umount2,
    libc::SYS_unshare,
    libc::SYS_userfaultfd,
];

fn restrict_calls() -> Result<Grant, Box<dyn std::error::Error>> {
    let rules: BTreeMap<i64, Vec<SeccompRule>> =
        DENIED.iter().map(|&call| (call, Vec::new())).collect();
    let count = rules.len();
    let filter = SeccompFilter::new(
        rules,
        SeccompAction::Allow,
        SeccompAction::Errno(libc::EPERM as u32),
        std::env::consts::ARCH.try_into()?,
    )?;
    let program: BpfProgram = filter.try_into()?;
    seccompiler::apply_filter(&program)?;
    Ok(Grant::Whole(format!("{count} system calls refused, all others allowed")))
}
