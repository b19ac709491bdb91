//! Clocks: what a reading costs, and whether it is right.

use super::{Check, Finding, Host, Verdict};

pub(super) fn findings(host: &Host) -> Vec<Finding> {
    vec![source(host), synchronised(host)]
}

fn source(host: &Host) -> Finding {
    let check = Check::new("clock source", "tsc, or the hypervisor's", "the clock is read for every envelope; others take a microsecond");
    match host.read("sys/devices/system/clocksource/clocksource0/current_clocksource") {
        Err(why) => check.unknown(why),
        Ok(name) if ["tsc", "kvm-clock", "hyperv_clocksource_tsc_page", "arch_sys_counter"].contains(&name.as_str()) => check.good(name),
        Ok(name) => check.is(Verdict::Warn, name, "on the kernel's command line: clocksource=tsc tsc=reliable"),
    }
}

fn synchronised(host: &Host) -> Finding {
    let check = Check::new("time synchronisation", "a service that keeps the clock", "clock skew of exchanges and lag in seconds are measured by it");
    let marks = ["run/systemd/timesync/synchronized", "run/chrony/chronyd.pid", "run/ntpd.pid", "var/run/ptp4l", "run/openntpd.pid"];
    let found = marks.iter().find(|mark| host.read(mark).is_ok());
    // What another machine or a container keeps is not seen from here.
    match found {
        Some(mark) => check.good(format!("/{mark}")),
        None => check.is(Verdict::Warn, "no service is seen here", "timedatectl set-ntp true, or install chrony"),
    }
}
