//! Closes the doors before the first hostile byte is read: from here on this process can read its
//! source, write below its folder, compute, and nothing else.
//!
//! Four locks, each enough against most of what a broken decoder could be made to do: a network
//! namespace of its own (where permitted), Landlock on paths, seccomp on system calls (what no media
//! library does ends the process), limits on resources. They hold for threads that begin later; so there must be only one when they close.
//! `docs/security.md` lists what each one promises and its test.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;

use landlock::{
    ABI, Access, AccessFs, AccessNet, CompatLevel, Compatible, PathBeneath, Ruleset, RulesetAttr,
    RulesetCreatedAttr, RulesetStatus, Scope,
};
use nix::libc;
use nix::sched::{CloneFlags, unshare};
use nix::sys::resource::{Resource, setrlimit};
use seccompiler::{
    SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule,
    TargetArch,
};

/// Address space: decoding 8K with its threads takes 6 GiB of it, most never touched.
const MOST_ADDRESSES: u64 = 16 << 30;
/// Memory of its own: what a picture of the largest size takes, and more for each core, whose threads hold pictures, too.
const MOST_DATA: u64 = 4 << 30;
const MOST_DATA_PER_CORE: u64 = 128 << 20;
/// One output file. A segment of 60 s at 500 Mbit/s is below 4 GiB.
const MOST_FILE_BYTES: u64 = 4 << 30;
/// Open files: the source, a few at a time of the output, pipes of GStreamer's buses.
const MOST_FILES: u64 = 256;

/// Why the doors did not close.
#[derive(Debug, thiserror::Error)]
pub enum Open {
    /// Locks do not reach threads that exist already.
    #[error("{0} threads run already")]
    Threads(usize),
    /// A system call failed.
    #[error("{what}: {error}")]
    System {
        /// Which lock.
        what: &'static str,
        /// The system's word.
        error: io::Error,
    },
    /// Landlock.
    #[error("landlock: {0}")]
    Landlock(#[from] landlock::RulesetError),
    /// Seccomp.
    #[error("seccomp: {0}")]
    Seccomp(String),
}

/// What holds from now on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Closed {
    /// Whether the kernel knows Landlock.
    pub paths: bool,
    /// Whether the process has a network namespace of its own.
    pub network: bool,
}

/// What a worker may read, and how far it stands back.
#[derive(Debug, Clone, Copy)]
pub struct Terms<'a> {
    /// Open descriptors by their paths.
    pub inputs: &'a [&'a str],
    /// At least so nice: the daemon and its answers come first.
    pub niceness: i32,
}

/// Closes everything but the terms' inputs, which may be read. To be called by the only thread, in the output folder.
pub fn close(terms: Terms<'_>) -> Result<Closed, Open> {
    let threads = std::fs::read_dir("/proc/self/task")
        .map(Iterator::count)
        .unwrap_or(0);
    if threads != 1 {
        return Err(Open::Threads(threads));
    }
    step_back(terms.niceness);
    limit()?;
    let network = leave_network();
    nix::sys::prctl::set_no_new_privs().map_err(|e| system("no_new_privs", e))?;
    let paths = close_paths(terms.inputs)?;
    close_calls()?;
    Ok(Closed { paths, network })
}

fn limit() -> Result<(), Open> {
    let cores = std::thread::available_parallelism().map_or(1, |cores| cores.get() as u64);
    for (resource, most) in [
        (Resource::RLIMIT_AS, MOST_ADDRESSES),
        (
            Resource::RLIMIT_DATA,
            MOST_DATA + MOST_DATA_PER_CORE * cores,
        ),
        (Resource::RLIMIT_FSIZE, MOST_FILE_BYTES),
        (Resource::RLIMIT_NOFILE, MOST_FILES),
        (Resource::RLIMIT_CORE, 0),
    ] {
        setrlimit(resource, most, most).map_err(|e| system("a limit", e))?;
    }
    Ok(())
}

/// Threads that begin later inherit it.
#[allow(unsafe_code)]
fn step_back(niceness: i32) {
    // Where memory runs out, this process goes first. (A kernel without it has another order.)
    let _ = std::fs::write("/proc/self/oom_score_adj", "1000");
    // SAFETY: both take numbers and touch no memory; a refusal only leaves the priority as it is. Who was started
    // further back stays there.
    unsafe {
        let now = libc::getpriority(libc::PRIO_PROCESS, 0);
        libc::setpriority(libc::PRIO_PROCESS, 0, now.max(niceness));
    }
}

/// An empty network. Needs a privilege, or user namespaces; without either, seccomp alone keeps the
/// worker from making sockets.
fn leave_network() -> bool {
    let apart = CloneFlags::CLONE_NEWNET | CloneFlags::CLONE_NEWIPC;
    unshare(apart).is_ok() || unshare(apart | CloneFlags::CLONE_NEWUSER).is_ok()
}

fn close_paths(inputs: &[&str]) -> Result<bool, Open> {
    let abi = ABI::V6;
    let open = |path: &str, what| File::open(path).map_err(|error| Open::System { what, error });
    let folder = open(".", "the folder")?;
    let below = AccessFs::ReadFile
        | AccessFs::ReadDir
        | AccessFs::WriteFile
        | AccessFs::MakeReg
        | AccessFs::MakeDir
        | AccessFs::RemoveFile
        | AccessFs::Truncate;
    let mut rules = Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_all(abi))?
        .handle_access(AccessNet::from_all(abi))?
        .scope(Scope::from_all(abi))?
        .create()?
        .add_rule(PathBeneath::new(folder, below))?;
    for input in inputs {
        let file = open(input, "an input")?;
        rules = rules.add_rule(PathBeneath::new(file, AccessFs::ReadFile))?;
    }
    let status = rules.restrict_self()?;
    Ok(status.ruleset != RulesetStatus::NotEnforced)
}

/// Three filters, of which the strictest word counts for each call.
fn close_calls() -> Result<(), Open> {
    let wrong = |e: seccompiler::BackendError| Open::Seccomp(e.to_string());
    let arch: TargetArch = std::env::consts::ARCH.try_into().map_err(wrong)?;
    let filter = |calls, otherwise, then| SeccompFilter::new(calls, otherwise, then, arch);

    // glibc falls back to `clone`, whose flags can be looked at; those of `clone3` lie in memory.
    let unknown = BTreeMap::from([(libc::SYS_clone3, Vec::new())]);
    let no_such_call = SeccompAction::Errno(libc::ENOSYS.unsigned_abs());
    install(filter(unknown, SeccompAction::Allow, no_such_call).map_err(wrong)?)?;
    let breaches = breaches().map_err(wrong)?;
    install(filter(breaches, SeccompAction::Allow, SeccompAction::KillProcess).map_err(wrong)?)?;
    // The last one: it lets no other be installed.
    let refused = SeccompAction::Errno(libc::EPERM.unsigned_abs());
    install(filter(allowed().map_err(wrong)?, refused, SeccompAction::Allow).map_err(wrong)?)
}

type Calls = BTreeMap<i64, Vec<SeccompRule>>;

fn whatever_their_arguments(calls: &[i64], old: &[i64]) -> Calls {
    let all = calls.iter().chain(old);
    all.map(|call| (*call, Vec::new())).collect()
}

/// A rule for calls of which one argument compares so.
fn where_argument(
    number: u8,
    compare: SeccompCmpOp,
    value: i32,
) -> Result<Vec<SeccompRule>, seccompiler::BackendError> {
    let value = u64::from(value.unsigned_abs());
    let condition = SeccompCondition::new(number, SeccompCmpArgLen::Qword, compare, value)?;
    Ok(vec![SeccompRule::new(vec![condition])?])
}

fn mask(bits: i32) -> SeccompCmpOp {
    SeccompCmpOp::MaskedEq(u64::from(bits.unsigned_abs()))
}

/// What the work needs. Everything else answers `EPERM`: libraries try this and that, and do without.
fn allowed() -> Result<Calls, seccompiler::BackendError> {
    let mut calls = whatever_their_arguments(CALLS, OLD_CALLS);
    calls.insert(libc::SYS_clone3, Vec::new());
    // Threads, but no processes and no namespaces.
    let namespaces = libc::CLONE_NEWNS
        | libc::CLONE_NEWUSER
        | libc::CLONE_NEWPID
        | libc::CLONE_NEWNET
        | libc::CLONE_NEWIPC
        | libc::CLONE_NEWUTS
        | libc::CLONE_NEWCGROUP;
    let thread = libc::CLONE_THREAD;
    let this = i32::try_from(std::process::id()).unwrap_or(0);
    for (call, argument, compare, value) in [
        (libc::SYS_clone, 0, mask(thread | namespaces), thread),
        // No code but what is loaded: memory never becomes executable.
        (libc::SYS_mmap, 2, mask(libc::PROT_EXEC), 0),
        (libc::SYS_mprotect, 2, mask(libc::PROT_EXEC), 0),
        // Signals to ourselves (an abort), reading our limits, naming our threads.
        (libc::SYS_tgkill, 0, SeccompCmpOp::Eq, this),
        (libc::SYS_prlimit64, 2, SeccompCmpOp::Eq, 0),
        (libc::SYS_prctl, 0, SeccompCmpOp::Eq, libc::PR_SET_NAME),
        // GStreamer's buses wake each other through socket pairs; a pair reaches nobody else.
        (libc::SYS_socketpair, 0, SeccompCmpOp::Eq, libc::AF_UNIX),
    ] {
        let rules = where_argument(argument, compare, value)?;
        calls.entry(call).or_default().extend(rules);
    }
    Ok(calls)
}

/// What no library tries for media: whoever calls it here runs somebody else's code, and is ended at once.
fn breaches() -> Result<Calls, seccompiler::BackendError> {
    let mut calls = whatever_their_arguments(BREACHES, OLD_BREACHES);
    let executable = || where_argument(2, mask(libc::PROT_EXEC), libc::PROT_EXEC);
    calls.insert(libc::SYS_mmap, executable()?);
    calls.insert(libc::SYS_mprotect, executable()?);
    calls.insert(
        libc::SYS_clone,
        where_argument(0, mask(libc::CLONE_THREAD), 0)?,
    );
    // A local socket is what the C library asks for names over: it is refused, not a breach.
    calls.insert(
        libc::SYS_socket,
        where_argument(0, SeccompCmpOp::Ne, libc::AF_UNIX)?,
    );
    Ok(calls)
}

fn install(filter: SeccompFilter) -> Result<(), Open> {
    let program: seccompiler::BpfProgram = filter
        .try_into()
        .map_err(|e: seccompiler::BackendError| Open::Seccomp(e.to_string()))?;
    seccompiler::apply_filter(&program).map_err(|e| Open::Seccomp(e.to_string()))
}

fn system(what: &'static str, errno: nix::errno::Errno) -> Open {
    Open::System {
        what,
        error: errno.into(),
    }
}

/// Other programs, other processes' memory, the kernel's insides, the system's shape, other identities.
const BREACHES: &[i64] = &[
    libc::SYS_execve,
    libc::SYS_execveat,
    libc::SYS_ptrace,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_pidfd_getfd,
    libc::SYS_kcmp,
    libc::SYS_bpf,
    libc::SYS_perf_event_open,
    libc::SYS_userfaultfd,
    libc::SYS_io_uring_setup,
    libc::SYS_io_uring_enter,
    libc::SYS_io_uring_register,
    libc::SYS_init_module,
    libc::SYS_finit_module,
    libc::SYS_delete_module,
    libc::SYS_kexec_load,
    libc::SYS_reboot,
    libc::SYS_add_key,
    libc::SYS_request_key,
    libc::SYS_keyctl,
    libc::SYS_open_by_handle_at,
    libc::SYS_mount,
    libc::SYS_umount2,
    libc::SYS_pivot_root,
    libc::SYS_chroot,
    libc::SYS_move_mount,
    libc::SYS_open_tree,
    libc::SYS_fsopen,
    libc::SYS_unshare,
    libc::SYS_setns,
    libc::SYS_swapon,
    libc::SYS_acct,
    libc::SYS_settimeofday,
    libc::SYS_clock_settime,
    libc::SYS_setuid,
    libc::SYS_setgid,
    libc::SYS_setreuid,
    libc::SYS_setregid,
    libc::SYS_setresuid,
    libc::SYS_setresgid,
    libc::SYS_setgroups,
    libc::SYS_capset,
    libc::SYS_connect,
    libc::SYS_bind,
    libc::SYS_listen,
    libc::SYS_accept,
    libc::SYS_accept4,
];

/// The same under the names that only older architectures have.
#[cfg(target_arch = "x86_64")]
const OLD_BREACHES: &[i64] = &[
    libc::SYS_fork,
    libc::SYS_vfork,
    libc::SYS_modify_ldt,
    libc::SYS_iopl,
    libc::SYS_ioperm,
];
#[cfg(not(target_arch = "x86_64"))]
const OLD_BREACHES: &[i64] = &[];

/// What decoding, encoding and writing files need.
const CALLS: &[i64] = &[
    // Files that are open, and those that Landlock allows.
    libc::SYS_read,
    libc::SYS_write,
    libc::SYS_readv,
    libc::SYS_writev,
    libc::SYS_pread64,
    libc::SYS_pwrite64,
    libc::SYS_lseek,
    libc::SYS_close,
    libc::SYS_fstat,
    libc::SYS_newfstatat,
    libc::SYS_statx,
    libc::SYS_openat,
    libc::SYS_faccessat,
    libc::SYS_faccessat2,
    libc::SYS_getdents64,
    libc::SYS_mkdirat,
    libc::SYS_renameat,
    libc::SYS_renameat2,
    libc::SYS_unlinkat,
    libc::SYS_fsync,
    libc::SYS_fdatasync,
    libc::SYS_ftruncate,
    libc::SYS_fcntl,
    libc::SYS_dup,
    libc::SYS_readlinkat,
    libc::SYS_getcwd,
    libc::SYS_fadvise64,
    libc::SYS_fstatfs,
    // Waiting.
    libc::SYS_ppoll,
    libc::SYS_pselect6,
    libc::SYS_eventfd2,
    libc::SYS_pipe2,
    libc::SYS_epoll_create1,
    libc::SYS_epoll_ctl,
    libc::SYS_epoll_pwait,
    libc::SYS_futex,
    libc::SYS_nanosleep,
    libc::SYS_clock_nanosleep,
    libc::SYS_restart_syscall,
    // Memory.
    libc::SYS_munmap,
    libc::SYS_mremap,
    libc::SYS_madvise,
    libc::SYS_brk,
    // Threads.
    libc::SYS_set_robust_list,
    libc::SYS_get_robust_list,
    libc::SYS_rseq,
    libc::SYS_gettid,
    libc::SYS_set_tid_address,
    libc::SYS_exit,
    libc::SYS_exit_group,
    libc::SYS_sched_yield,
    libc::SYS_sched_getaffinity,
    libc::SYS_sched_getparam,
    libc::SYS_sched_getscheduler,
    libc::SYS_membarrier,
    libc::SYS_getpriority,
    // Signals to ourselves.
    libc::SYS_rt_sigaction,
    libc::SYS_rt_sigprocmask,
    libc::SYS_rt_sigreturn,
    libc::SYS_sigaltstack,
    // Facts.
    libc::SYS_clock_gettime,
    libc::SYS_clock_getres,
    libc::SYS_gettimeofday,
    libc::SYS_getrandom,
    libc::SYS_getpid,
    libc::SYS_getppid,
    libc::SYS_getuid,
    libc::SYS_geteuid,
    libc::SYS_getgid,
    libc::SYS_getegid,
    libc::SYS_getrusage,
    libc::SYS_sysinfo,
    libc::SYS_uname,
    libc::SYS_times,
];

/// The same under the names that only older architectures have.
#[cfg(target_arch = "x86_64")]
const OLD_CALLS: &[i64] = &[
    libc::SYS_open,
    libc::SYS_stat,
    libc::SYS_lstat,
    libc::SYS_access,
    libc::SYS_readlink,
    libc::SYS_mkdir,
    libc::SYS_rename,
    libc::SYS_unlink,
    libc::SYS_poll,
    libc::SYS_select,
    libc::SYS_dup2,
    libc::SYS_pipe,
    libc::SYS_epoll_wait,
    libc::SYS_getrlimit,
    libc::SYS_time,
    libc::SYS_arch_prctl,
];
#[cfg(not(target_arch = "x86_64"))]
const OLD_CALLS: &[i64] = &[];
