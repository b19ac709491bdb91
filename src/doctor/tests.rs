//! The checks of the host against made-up `/sys` and `/proc` trees.

use std::fs;
use std::path::Path;

use super::*;

/// A host made of files.
struct Made(tempfile::TempDir);

impl Made {
    fn with(files: &[(&str, &str)]) -> Self {
        let made = Self(tempfile::tempdir().unwrap());
        files.iter().for_each(|(path, text)| made.put(path, text));
        made
    }

    fn put(&self, path: &str, text: &str) {
        let path = self.0.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, format!("{text}\n")).unwrap();
    }

    fn examined(&self) -> Vec<Finding> {
        examine(&Host::at(self.0.path()), &cpus())
    }

    fn finding(&self, what: &str) -> Finding {
        self.examined().into_iter().find(|finding| finding.what == what).unwrap()
    }
}

fn cpus() -> Cpus {
    Cpus { pinned: BTreeSet::from([2, 3]), threads: 2, allowed: (0..4).collect() }
}

/// As it should be.
const GOOD: &[(&str, &str)] = &[
    ("sys/devices/system/cpu/cpu2/cpufreq/scaling_governor", "performance"),
    ("sys/devices/system/cpu/cpu3/cpufreq/scaling_governor", "performance"),
    ("sys/devices/system/cpu/cpu2/cpuidle/state0/latency", "0"),
    ("sys/devices/system/cpu/cpu2/cpuidle/state1/latency", "2"),
    ("sys/devices/system/cpu/cpu2/cpuidle/state2/latency", "133"),
    ("sys/devices/system/cpu/cpu2/cpuidle/state2/disable", "1"),
    ("sys/devices/system/cpu/cpu2/topology/thread_siblings_list", "2"),
    ("sys/devices/system/cpu/cpu3/topology/thread_siblings_list", "3"),
    ("sys/devices/system/cpu/isolated", "2-3"),
    ("sys/devices/system/cpu/nohz_full", "2-3"),
    ("sys/devices/system/cpu/online", "0-3"),
    ("sys/devices/system/cpu/vulnerabilities/spectre_v2", "Mitigation: IBRS"),
    ("sys/devices/system/node/node0/cpulist", "0-3"),
    ("proc/irq/24/smp_affinity_list", "0-1"),
    ("sys/kernel/mm/transparent_hugepage/enabled", "always [madvise] never"),
    ("proc/swaps", "Filename Type Size Used Priority"),
    ("proc/sys/vm/swappiness", "60"),
    ("proc/self/cgroup", "0::/system.slice/market-hub.service"),
    ("sys/fs/cgroup/system.slice/market-hub.service/cpu.max", "max 100000"),
    (
        "proc/self/limits",
        "Limit Soft Hard Units\nMax open files            65536                65536                files\nMax locked memory         unlimited            unlimited            bytes",
    ),
    ("proc/sys/kernel/sched_rt_runtime_us", "950000"),
    ("sys/devices/system/clocksource/clocksource0/current_clocksource", "tsc"),
    ("run/chrony/chronyd.pid", "1"),
];

/// What is wrong, in files of the good host, and what is said of it: name, verdict, a part of what was found, a part of the remedy.
const BAD: &[(&str, &str, &str, Verdict, &str, &str)] = &[
    ("sys/devices/system/cpu/cpu3/cpufreq/scaling_governor", "powersave", "CPU governor", Verdict::Warn, "powersave on CPUs 3", "cpupower -c 3"),
    ("sys/devices/system/cpu/cpu2/cpuidle/state2/disable", "0", "C-states", Verdict::Warn, "state2 (133 us)", "idle-set -D 20"),
    ("sys/devices/system/cpu/cpu2/topology/thread_siblings_list", "0,2", "SMT siblings", Verdict::Warn, "CPUs 0", "cpu0/online"),
    ("sys/devices/system/cpu/cpu2/topology/thread_siblings_list", "2-3", "SMT siblings", Verdict::Bad, "share cores", "--worker-cpus"),
    ("sys/devices/system/cpu/isolated", "3", "isolated CPUs", Verdict::Warn, "3, not 2", "isolcpus=managed_irq,domain,2-3"),
    ("sys/devices/system/cpu/nohz_full", "", "nohz_full", Verdict::Warn, "none", "nohz_full=2-3"),
    ("proc/irq/25/smp_affinity_list", "0-3", "interrupts", Verdict::Warn, "1 of 2", "echo 0-1 > /proc/irq/$irq/smp_affinity_list"),
    ("sys/kernel/mm/transparent_hugepage/enabled", "[always] madvise never", "transparent huge pages", Verdict::Warn, "always", "madvise"),
    ("proc/swaps", "Filename\n/dev/sda2 partition 8 0 -2", "swap", Verdict::Warn, "1 devices, swappiness 60", "swapoff"),
    ("sys/devices/system/node/node1/cpulist", "3", "NUMA", Verdict::Bad, "node0 and node1", "--worker-cpus"),
    ("sys/fs/cgroup/system.slice/cpu.max", "50000 100000", "CPU quota", Verdict::Bad, "50000 100000", "CPUQuota="),
    ("proc/self/limits", "Max open files 64 64 files\nMax locked memory 65536 65536 bytes", "file descriptors", Verdict::Bad, "64", "LimitNOFILE"),
    ("proc/self/limits", "Max open files 64 64 files\nMax locked memory 65536 65536 bytes", "locked memory", Verdict::Warn, "65536", "LimitMEMLOCK"),
    ("sys/devices/system/clocksource/clocksource0/current_clocksource", "hpet", "clock source", Verdict::Warn, "hpet", "clocksource=tsc"),
];

#[test]
fn a_good_host_is_well() {
    for finding in Made::with(GOOD).examined() {
        assert_eq!(finding.verdict, Verdict::Good, "{finding:?}");
    }
}

#[test]
fn each_fault_is_found_and_named_with_its_remedy() {
    for (path, text, what, verdict, found, mend) in BAD {
        let host = Made::with(GOOD);
        host.put(path, text);
        // Two CPUs are on a node once only.
        if path.contains("node1") {
            host.put("sys/devices/system/node/node0/cpulist", "0-2");
        }
        let finding = host.finding(what);
        assert_eq!(finding.verdict, *verdict, "{finding:?}");
        assert!(finding.found.contains(found) && finding.mend.contains(mend), "{finding:?}");
    }
}

#[test]
fn what_cannot_be_read_is_unknown_and_never_good() {
    let findings = examine(&Host::at(Path::new("/nowhere/at/all")), &cpus());
    for finding in findings.iter().filter(|finding| !["CPUs", "time synchronisation"].contains(&finding.what)) {
        assert_eq!(finding.verdict, Verdict::Unknown, "{finding:?}");
        assert!(!finding.found.is_empty());
    }
}

#[test]
fn the_first_version_of_control_groups_has_its_own_files() {
    let host = Made::with(GOOD);
    host.put("proc/self/cgroup", "4:cpu,cpuacct:/docker/1234\n1:name=systemd:/x");
    host.put("sys/fs/cgroup/cpu/docker/1234/cpu.cfs_quota_us", "20000");
    assert_eq!(host.finding("CPU quota").verdict, Verdict::Bad);
}

#[test]
fn a_card_on_another_node_is_far() {
    let host = Made::with(GOOD);
    host.put("sys/devices/system/node/node1/cpulist", "4-7");
    host.put("sys/class/net/eth0/device/numa_node", "1");
    let finding = host.finding("NUMA");
    assert_eq!((finding.verdict, finding.found.as_str()), (Verdict::Warn, "threads on node0, eth0 on node1"));
    host.put("sys/class/net/eth1/device/numa_node", "0");
    assert_eq!(host.finding("NUMA").verdict, Verdict::Good);
}

#[test]
fn lists_of_cpus_are_read_as_they_are_written() {
    for text in ["", "0", "0-3", "1,3", "0-1,4,6-9"] {
        assert_eq!(list(&unlist(text)), text);
    }
}
