//! What the system says: how much memory this process may take, and how much it has. Decides nothing.

use std::fs::read_to_string;
use std::path::{Path, PathBuf};

/// The smallest of the machine's memory and the limits of the control groups that the process is in; `None`: not to be found out.
pub fn limit_bytes() -> Option<u64> {
    let groups = read_to_string("/proc/self/cgroup").unwrap_or_default();
    let of_groups = limit_files(&groups).into_iter().filter_map(|file| limit(&read_to_string(file).ok()?));
    let of_machine = read_to_string("/proc/meminfo").ok().and_then(|text| total(&text));
    of_groups.chain(of_machine).min()
}

/// What of this process is in memory.
pub fn used_bytes() -> Option<u64> {
    resident_pages(&read_to_string("/proc/self/statm").ok()?).map(|pages| pages * rustix::param::page_size() as u64)
}

/// What this process has asked for and not given back: `used_bytes` has its code, and what the allocator keeps for later, too.
/// `None`: another allocator serves the process.
pub fn allocated_bytes() -> Option<u64> {
    tikv_jemalloc_ctl::epoch::advance().ok()?;
    Some(tikv_jemalloc_ctl::stats::allocated::read().ok()? as u64).filter(|bytes| *bytes > 0)
}

/// The files that may name a limit, of every group from the process's own up to the root.
fn limit_files(groups: &str) -> Vec<PathBuf> {
    let of = |root: &str, path: &str, name: &str| -> Vec<PathBuf> {
        let inside = Path::new(path.trim_start_matches('/'));
        inside.ancestors().map(|group| Path::new(root).join(group).join(name)).collect()
    };
    let mut files = Vec::new();
    for line in groups.lines() {
        let mut fields = line.splitn(3, ':').skip(1);
        match (fields.next(), fields.next()) {
            (Some(""), Some(path)) => files.extend(of("/sys/fs/cgroup", path, "memory.max")),
            (Some(kinds), Some(path)) if kinds.split(',').any(|kind| kind == "memory") => {
                files.extend(of("/sys/fs/cgroup/memory", path, "memory.limit_in_bytes"));
            }
            _ => {}
        }
    }
    files
}

/// "max", and the largest number there is, say that there is none.
fn limit(text: &str) -> Option<u64> {
    const NONE: u64 = 1 << 60;
    text.trim().parse().ok().filter(|bytes| *bytes < NONE)
}

fn total(meminfo: &str) -> Option<u64> {
    let kib: u64 = meminfo.lines().find_map(|line| line.strip_prefix("MemTotal:"))?.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(kib << 10)
}

fn resident_pages(statm: &str) -> Option<u64> {
    statm.split_whitespace().nth(1)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_group_from_the_own_one_up_may_name_a_limit() {
        let files = |groups| limit_files(groups).iter().map(|file| file.display().to_string()).collect::<Vec<_>>();
        assert_eq!(
            files("0::/kube/pod7\n"),
            ["/sys/fs/cgroup/kube/pod7/memory.max", "/sys/fs/cgroup/kube/memory.max", "/sys/fs/cgroup/memory.max"]
        );
        assert_eq!(files("0::/\n"), ["/sys/fs/cgroup/memory.max"]);
        assert_eq!(
            files("5:cpu,cpuacct:/x\n4:memory:/x\n"),
            ["/sys/fs/cgroup/memory/x/memory.limit_in_bytes", "/sys/fs/cgroup/memory/memory.limit_in_bytes"]
        );
    }

    #[test]
    fn no_limit_is_not_a_large_one() {
        assert_eq!(limit("536870912\n"), Some(512 << 20));
        assert_eq!((limit("max\n"), limit("9223372036854771712\n"), limit("")), (None, None, None));
    }

    #[test]
    fn the_machine_and_the_process_are_read_as_the_kernel_writes_them() {
        assert_eq!(total("MemFree: 1 kB\nMemTotal:       24576 kB\n"), Some(24 << 20));
        assert_eq!(resident_pages("1000 250 30 1 0 90 0\n"), Some(250));
        assert!(used_bytes().is_some_and(|used| used > 0 && used < limit_bytes().unwrap()));
    }
}
