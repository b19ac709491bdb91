//! What the process may have: CPU time, memory that stays, descriptors.

use super::{Check, Cpus, Finding, Host, Verdict, list};

/// Descriptors that the hub and librdkafka take at the most, with room to spare.
const DESCRIPTORS_MIN: u64 = 1024;
/// Bytes that the hub would lock.
const LOCKED_MIN: u64 = 512 << 20;

pub(super) fn findings(host: &Host, cpus: &Cpus) -> Vec<Finding> {
    vec![quota(host), cpu_set(host, cpus), descriptors(host), locked(host), realtime(host)]
}

/// The group of this process below a controller's directory, with what lies above it: a limit there holds here too.
fn groups(host: &Host, controller: &str) -> Vec<String> {
    let of = |line: &str| {
        let mut parts = line.splitn(3, ':');
        let (_, controllers, path) = (parts.next()?, parts.next()?, parts.next()?);
        let is_it = if controller.is_empty() { controllers.is_empty() } else { controllers.split(',').any(|name| name == controller) };
        is_it.then(|| path.trim_matches('/').to_owned())
    };
    let own = host.read("proc/self/cgroup").ok().and_then(|text| text.lines().find_map(of)).unwrap_or_default();
    let base = if controller.is_empty() { "sys/fs/cgroup".to_owned() } else { format!("sys/fs/cgroup/{controller}") };
    let mut dirs = vec![base.clone()];
    let mut path = base;
    for part in own.split('/').filter(|part| !part.is_empty()) {
        path = format!("{path}/{part}");
        dirs.push(path.clone());
    }
    dirs.reverse();
    dirs
}

fn quota(host: &Host) -> Finding {
    let check = Check::new("CPU quota", "none", "once it is used up all threads stand still for the rest of its period");
    // Version 2: "QUOTA PERIOD" or "max PERIOD"; version 1: a quota of -1 is none.
    let second = groups(host, "").into_iter().filter_map(|dir| host.read(&format!("{dir}/cpu.max")).ok()).find(|text| !text.starts_with("max"));
    let first = groups(host, "cpu").into_iter().filter_map(|dir| host.read(&format!("{dir}/cpu.cfs_quota_us")).ok()).find(|text| text != "-1" && text != "0");
    match second.or(first) {
        Some(found) => check.is(Verdict::Bad, found, "systemctl set-property market-hub.service CPUQuota=, or the container's limit"),
        None if host.read("proc/self/cgroup").is_err() => check.unknown("/proc/self/cgroup cannot be read"),
        None => check.good("none"),
    }
}

fn cpu_set(host: &Host, cpus: &Cpus) -> Finding {
    let check = Check::new("allowed CPUs", "all that are online, or those that are meant for the hub", "a container or a service may have fewer than the host");
    match host.read("sys/devices/system/cpu/online") {
        Err(why) => check.unknown(why),
        Ok(online) if super::unlist(&online) == cpus.allowed => check.good(online),
        Ok(online) => check.good(format!("{} of {online}", list(&cpus.allowed))),
    }
}

/// The soft limit of this process by the name it has in `/proc/self/limits`; `None` is unlimited.
fn limit(host: &Host, name: &str) -> Result<Option<u64>, String> {
    let text = host.read("proc/self/limits")?;
    let line = text.lines().find_map(|line| line.strip_prefix(name)).ok_or_else(|| format!("/proc/self/limits has no {name}"))?;
    match line.split_whitespace().next() {
        Some("unlimited") => Ok(None),
        Some(number) => number.parse().map(Some).map_err(|_| format!("/proc/self/limits: {name} {number}")),
        None => Err(format!("/proc/self/limits: {name} without a value")),
    }
}

fn at_least(host: &Host, check: Check, name: &str, least: u64, verdict: Verdict, setting: &str) -> Finding {
    match limit(host, name) {
        Err(why) => check.unknown(why),
        Ok(None) => check.good("unlimited"),
        Ok(Some(limit)) if limit >= least => check.good(limit.to_string()),
        Ok(Some(limit)) => check.is(verdict, limit.to_string(), setting),
    }
}

fn descriptors(host: &Host) -> Finding {
    let check = Check::new("file descriptors", "at least 1024", "each client takes some for each broker; without one it cannot connect again");
    at_least(host, check, "Max open files", DESCRIPTORS_MIN, Verdict::Bad, "ulimit -n 65536, or LimitNOFILE=65536 in the unit")
}

fn locked(host: &Host) -> Finding {
    let check = Check::new("locked memory", "512 MiB or more", "memory that may be paged out is, in the moment it is least needed");
    at_least(host, check, "Max locked memory", LOCKED_MIN, Verdict::Warn, "ulimit -l unlimited, or LimitMEMLOCK=infinity in the unit")
}

fn realtime(host: &Host) -> Finding {
    let check = Check::new("realtime share", "not limited, or no realtime threads", "the kernel stops realtime threads for 5 per cent of each second");
    match host.read("proc/sys/kernel/sched_rt_runtime_us") {
        Err(why) => check.unknown(why),
        Ok(share) if share == "-1" => check.good("not limited"),
        Ok(share) => check.good(format!("{share} us of each second; the hub asks for no realtime class")),
    }
}
