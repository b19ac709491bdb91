//! Memory: pages, swap, and how far the network card is.

use std::collections::BTreeSet;

use super::{Check, Cpus, Finding, Host, Verdict, list, unlist};

pub(super) fn findings(host: &Host, cpus: &Cpus) -> Vec<Finding> {
    vec![huge_pages(host), swap(host), nodes(host, cpus)]
}

fn huge_pages(host: &Host) -> Finding {
    let check = Check::new("transparent huge pages", "madvise or never", "the kernel stops threads while it moves pages together");
    match host.read("sys/kernel/mm/transparent_hugepage/enabled") {
        Err(why) => check.unknown(why),
        Ok(text) if text.contains("[always]") => check.is(Verdict::Warn, "always", "echo madvise > /sys/kernel/mm/transparent_hugepage/enabled"),
        Ok(text) => check.good(text.split(['[', ']']).nth(1).unwrap_or(&text).to_owned()),
    }
}

fn swap(host: &Host) -> Finding {
    let check = Check::new("swap", "none, or vm.swappiness of at most 10", "a book that was paged out costs a disk's time");
    let (devices, swappiness) = match (host.read("proc/swaps"), host.read("proc/sys/vm/swappiness")) {
        (Ok(swaps), Ok(swappiness)) => (swaps.lines().count().saturating_sub(1), swappiness),
        (Err(why), _) | (_, Err(why)) => return check.unknown(why),
    };
    match devices {
        0 => check.good("none"),
        _ if swappiness.parse::<u32>().is_ok_and(|value| value <= 10) => check.good(format!("{devices} devices, swappiness {swappiness}")),
        _ => check.is(Verdict::Warn, format!("{devices} devices, swappiness {swappiness}"), "swapoff -a, or sysctl vm.swappiness=1"),
    }
}

fn nodes(host: &Host, cpus: &Cpus) -> Finding {
    let check = Check::new("NUMA", "pinned threads on one node, that of the network card", "memory of the other node takes twice as long");
    let dir = "sys/devices/system/node";
    let nodes: Vec<(String, BTreeSet<usize>)> = host
        .names(dir)
        .into_iter()
        .filter(|name| name.strip_prefix("node").is_some_and(|number| number.parse::<u32>().is_ok()))
        .filter_map(|name| Some((name.clone(), unlist(&host.read(&format!("{dir}/{name}/cpulist")).ok()?))))
        .collect();
    let used: Vec<&str> = nodes.iter().filter(|(_, of_node)| !of_node.is_disjoint(&cpus.pinned)).map(|(name, _)| name.as_str()).collect();
    let cards: BTreeSet<(String, String)> = host
        .names("sys/class/net")
        .into_iter()
        .filter_map(|card| {
            let node = host.read(&format!("sys/class/net/{card}/device/numa_node")).ok()?;
            (node != "-1").then(|| (card, format!("node{node}")))
        })
        .collect();
    match (nodes.len(), used.as_slice()) {
        (0, _) => check.unknown("the system does not tell of its nodes"),
        (1, _) => check.good("one node"),
        (_, []) => check.good("nothing is pinned"),
        (_, [node]) => match cards.iter().find(|(_, of_card)| of_card != node) {
            Some((card, of_card)) if !cards.iter().any(|(_, of_card)| of_card == node) => {
                let there = nodes.iter().find(|(name, _)| name == of_card).map_or_else(String::new, |(_, of_node)| list(of_node));
                check.is(Verdict::Warn, format!("threads on {node}, {card} on {of_card}"), format!("--worker-cpus and --producer-cpus from {there}"))
            }
            _ => check.good(format!("threads on {node}")),
        },
        (_, used) => {
            let (name, first) = &nodes[0];
            check.is(
                Verdict::Bad,
                format!("threads on {}", used.join(" and ")),
                format!("--worker-cpus and --producer-cpus from one node, {name} has {}", list(first)),
            )
        }
    }
}
