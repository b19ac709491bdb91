//! The CPUs: their clocks, their sleep, who else runs on them.

use std::collections::BTreeSet;

use super::{Check, Cpus, Finding, Host, Verdict, list, unlist};

/// Microseconds that leaving a sleep state may take.
const WAKE_UP_US_MAX: u64 = 20;

pub(super) fn findings(host: &Host, cpus: &Cpus) -> Vec<Finding> {
    vec![
        enough(cpus),
        governor(host, cpus),
        sleep(host, cpus),
        siblings(host, cpus),
        isolated(host, cpus),
        tickless(host, cpus),
        interrupts(host, cpus),
        mitigations(host),
    ]
}

fn enough(cpus: &Cpus) -> Finding {
    let check =
        Check::new("CPUs", "one for each worker and the sender, and one for everything else", "threads that share a CPU wait for each other's time slices");
    let (allowed, pinned) = (cpus.allowed.len(), cpus.pinned.len());
    let found = format!("{allowed} CPUs ({}), {} pinned threads on {pinned} of them", list(&cpus.allowed), cpus.threads);
    match () {
        () if cpus.pinned.is_empty() => check.good(format!("{found}: nothing is pinned")),
        () if cpus.threads > pinned || pinned >= allowed => check.is(Verdict::Warn, found, "market-hub run --pin=false, or fewer --workers"),
        () => check.good(found),
    }
}

/// What each of these CPUs has in a file of its own, and which have something else than `wanted`.
fn differing(host: &Host, cpus: &BTreeSet<usize>, file: &str, wanted: &str) -> Result<(BTreeSet<usize>, BTreeSet<String>), String> {
    let (mut others, mut seen) = (BTreeSet::new(), BTreeSet::new());
    for &cpu in cpus {
        let value = host.read(&format!("sys/devices/system/cpu/cpu{cpu}/{file}"))?;
        if value != wanted {
            others.insert(cpu);
        }
        seen.insert(value);
    }
    Ok((others, seen))
}

/// The CPUs that matter: those that threads are pinned to, or all.
fn that_matter(cpus: &Cpus) -> &BTreeSet<usize> {
    if cpus.pinned.is_empty() { &cpus.allowed } else { &cpus.pinned }
}

fn governor(host: &Host, cpus: &Cpus) -> Finding {
    let check = Check::new("CPU governor", "performance", "a thread that was asleep begins on a slow clock");
    match differing(host, that_matter(cpus), "cpufreq/scaling_governor", "performance") {
        Err(why) => check.unknown(format!("{why}: the firmware or the hypervisor decides")),
        Ok((others, seen)) if others.is_empty() => check.good(seen.into_iter().collect::<Vec<_>>().join(", ")),
        Ok((others, seen)) => {
            let found = format!("{} on CPUs {}", seen.into_iter().collect::<Vec<_>>().join(", "), list(&others));
            check.is(Verdict::Warn, found, format!("cpupower -c {} frequency-set -g performance", list(&others)))
        }
    }
}

fn sleep(host: &Host, cpus: &Cpus) -> Finding {
    let check = Check::new("C-states", "none that takes over 20 us to leave", "leaving a deep sleep is part of the first record after each pause");
    let mut deep: Vec<(String, u64)> = Vec::new();
    let mut known = false;
    for &cpu in that_matter(cpus) {
        let dir = format!("sys/devices/system/cpu/cpu{cpu}/cpuidle");
        for state in host.names(&dir) {
            let of = |file: &str| host.read(&format!("{dir}/{state}/{file}")).ok();
            let (Some(latency), is_off) = (of("latency").and_then(|text| text.parse().ok()), of("disable").is_some_and(|off| off == "1")) else { continue };
            known = true;
            if latency > WAKE_UP_US_MAX && !is_off {
                deep.push((of("name").unwrap_or(state), latency));
            }
        }
    }
    deep.sort();
    deep.dedup();
    match deep.iter().map(|(_, latency)| *latency).max() {
        _ if !known => check.unknown("no CPU here tells of its idle states: the hypervisor decides, or idle=poll"),
        None => check.good("no deep state is on"),
        Some(_) => {
            let found = deep.iter().map(|(name, latency)| format!("{name} ({latency} us)")).collect::<Vec<_>>().join(", ");
            check.is(Verdict::Warn, found, format!("cpupower idle-set -D {WAKE_UP_US_MAX}"))
        }
    }
}

fn siblings(host: &Host, cpus: &Cpus) -> Finding {
    let check = Check::new("SMT siblings", "offline, for CPUs that threads are pinned to", "a sibling takes half of the core whenever it runs");
    let mut shared = BTreeSet::new();
    for &cpu in &cpus.pinned {
        match host.read(&format!("sys/devices/system/cpu/cpu{cpu}/topology/thread_siblings_list")) {
            Err(why) => return check.unknown(why),
            Ok(list) => shared.extend(unlist(&list).into_iter().filter(|&sibling| sibling != cpu)),
        }
    }
    match () {
        () if cpus.pinned.is_empty() => check.good("nothing is pinned"),
        () if shared.is_empty() => check.good("none"),
        () if shared.iter().any(|sibling| cpus.pinned.contains(sibling)) => {
            let found = format!("pinned threads share cores: {}", list(&shared));
            check.is(Verdict::Bad, found, "choose one CPU of each core by --worker-cpus and --producer-cpus")
        }
        () => {
            let mend = shared.iter().map(|cpu| format!("echo 0 > /sys/devices/system/cpu/cpu{cpu}/online")).collect::<Vec<_>>().join("; ");
            check.is(Verdict::Warn, format!("CPUs {} are siblings of pinned ones", list(&shared)), mend)
        }
    }
}

fn isolated(host: &Host, cpus: &Cpus) -> Finding {
    let check = Check::new("isolated CPUs", "those that threads are pinned to", "the scheduler puts other threads there");
    kept_for(check, host.read("sys/devices/system/cpu/isolated"), cpus, "isolcpus=managed_irq,domain,")
}

fn tickless(host: &Host, cpus: &Cpus) -> Finding {
    let check = Check::new("nohz_full", "the CPUs that threads are pinned to", "the tick interrupts a busy thread up to a thousand times a second");
    kept_for(check, host.read("sys/devices/system/cpu/nohz_full"), cpus, "nohz_full=")
}

/// Whether a list of CPUs has all those that threads are pinned to.
fn kept_for(check: Check, listed: Result<String, String>, cpus: &Cpus, parameter: &str) -> Finding {
    let kept = match listed {
        Err(why) => return check.unknown(why),
        Ok(text) => unlist(&text),
    };
    let left_out: BTreeSet<usize> = cpus.pinned.difference(&kept).copied().collect();
    match () {
        () if cpus.pinned.is_empty() => check.good("nothing is pinned"),
        () if left_out.is_empty() => check.good(list(&kept)),
        () => {
            let found = if kept.is_empty() { "none".to_owned() } else { format!("{}, not {}", list(&kept), list(&left_out)) };
            check.is(Verdict::Warn, found, format!("on the kernel's command line: {parameter}{}", list(&cpus.pinned)))
        }
    }
}

fn interrupts(host: &Host, cpus: &Cpus) -> Finding {
    let check = Check::new("interrupts", "none on CPUs that threads are pinned to", "each takes the CPU for 5 to 50 us");
    let numbers: Vec<String> = host.names("proc/irq").into_iter().filter(|name| name.bytes().all(|byte| byte.is_ascii_digit())).collect();
    if numbers.is_empty() {
        return check.unknown("/proc/irq has none");
    }
    let may_come = |number: &String| host.read(&format!("proc/irq/{number}/smp_affinity_list")).is_ok_and(|list| !unlist(&list).is_disjoint(&cpus.pinned));
    let coming: Vec<&str> = numbers.iter().filter(|number| may_come(number)).map(String::as_str).collect();
    let rest: BTreeSet<usize> = cpus.allowed.difference(&cpus.pinned).copied().collect();
    match () {
        () if cpus.pinned.is_empty() => check.good("nothing is pinned"),
        () if coming.is_empty() => check.good(format!("none of {}", numbers.len())),
        () if rest.is_empty() => check.is(Verdict::Warn, format!("{} of {}, and no CPU is left for them", coming.len(), numbers.len()), "fewer --workers"),
        () => {
            let mend = format!("systemctl stop irqbalance; for irq in {}; do echo {} > /proc/irq/$irq/smp_affinity_list; done", coming.join(" "), list(&rest));
            check.is(Verdict::Warn, format!("{} of {}", coming.len(), numbers.len()), mend)
        }
    }
}

fn mitigations(host: &Host) -> Finding {
    let check = Check::new("kernel mitigations", "as the policy of the site has them", "they make system calls slower, of which Kafka clients do many");
    let names = host.names("sys/devices/system/cpu/vulnerabilities");
    if names.is_empty() {
        return check.unknown("the kernel does not tell");
    }
    let read = |name: &String| host.read(&format!("sys/devices/system/cpu/vulnerabilities/{name}")).ok();
    let on = names.iter().filter(|name| read(name).is_some_and(|text| text.starts_with("Mitigation"))).count();
    // Not a fault: safety is for the site to weigh.
    check.good(format!("{on} of {} are on; mitigations=off is for hosts that run nothing foreign", names.len()))
}
