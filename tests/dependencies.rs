//! What the crate may be built from: the hub is threads and blocking calls, so no asynchronous runtime, not even by way of a dependency or of a test's.

use std::{fs, path::Path, process::Command};

/// Crates that would bring an executor of their own.
const FORBIDDEN: [&str; 3] = ["tokio", "async-std", "smol"];

#[test]
fn the_tree_has_no_asynchronous_runtime() {
    let tree = Command::new(env!("CARGO"))
        .args(["tree", "--edges", "normal,build,dev", "--prefix", "none", "--format", "{p}", "--locked", "--offline"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(tree.status.success(), "cargo tree: {}", String::from_utf8_lossy(&tree.stderr));
    let tree = String::from_utf8(tree.stdout).unwrap();
    let names = tree.lines().filter_map(|line| line.split(' ').next());
    assert!(names.clone().any(|name| name == "rdkafka"), "the tree was read:\n{tree}");
    assert_eq!(forbidden(names), [""; 0]);
}

/// The lock file has the packages of every feature (`ssl`), platform and kind of dependency, also those that no build here has ever fetched.
#[test]
fn neither_has_any_feature_or_platform() {
    let lock = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.lock")).unwrap();
    let names = lock.lines().filter_map(|line| line.strip_prefix("name = \"")?.strip_suffix('"'));
    assert!(names.clone().any(|name| name == "openssl-sys"), "the lock file has what only `ssl` needs");
    assert_eq!(forbidden(names), [""; 0]);
}

fn forbidden<'a>(names: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    names
        .filter(|name| FORBIDDEN.contains(name) || FORBIDDEN.iter().any(|forbidden| name.strip_prefix(forbidden).is_some_and(|rest| rest.starts_with('-'))))
        .collect()
}
