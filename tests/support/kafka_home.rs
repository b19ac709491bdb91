//! Where Apache Kafka's jars come from: Maven copies them once into the target directory. Never starts anything that stays.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

pub const VERSION: &str = "4.3.1";

/// `slf4j-api` alone swallows the broker's log, and with it the reason of a failed start: the binding to log4j is asked for as well.
const POM: &str = r#"<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>market-hub</groupId>
  <artifactId>kafka-for-tests</artifactId>
  <version>1</version>
  <packaging>pom</packaging>
  <dependencies>
    <dependency><groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId><version>4.3.1</version></dependency>
    <dependency><groupId>org.apache.logging.log4j</groupId><artifactId>log4j-slf4j-impl</artifactId><version>2.25.4</version></dependency>
  </dependencies>
</project>
"#;

/// What is missing to run a broker here, in words; `None` when all is there.
pub fn missing() -> Option<String> {
    let answers = |program: &str| Command::new(program).arg("-version").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok();
    if !answers("java") {
        return Some("no `java` (17 or newer) on the PATH: apt-get install openjdk-17-jre-headless".to_owned());
    }
    if !target().join(folder()).is_dir() && !answers("mvn") {
        return Some(format!("no `mvn` on the PATH to get Kafka {VERSION}: apt-get install maven"));
    }
    None
}

/// The folder of jars, filled on first use. Two test processes at once: the second waits for the first's lock, which its end gives back in any case.
pub fn jars() -> PathBuf {
    assert!(POM.contains(VERSION), "one version");
    let home = target().join(folder());
    let lock = File::create(target().join(format!("{}.lock", folder()))).expect("a lock file in the target directory");
    lock.lock().expect("the lock on Kafka's jars");
    if !home.is_dir() {
        copy_jars_to(&home);
    }
    home
}

/// Copies next to `home` and renames at the end, so that `home` is complete whenever it is there.
fn copy_jars_to(home: &Path) {
    let build = tempfile::tempdir_in(target()).expect("a directory for Maven");
    fs::write(build.path().join("pom.xml"), POM).expect("pom.xml");
    let maven = Command::new("mvn")
        .args(["-q", "-B", "dependency:copy-dependencies", "-DincludeScope=runtime", "-DoutputDirectory=jars"])
        .current_dir(build.path())
        .stdin(Stdio::null())
        .output()
        .expect("mvn runs");
    assert!(maven.status.success(), "mvn could not get Kafka {VERSION}:\n{}{}", String::from_utf8_lossy(&maven.stdout), String::from_utf8_lossy(&maven.stderr));
    fs::rename(build.path().join("jars"), home).expect("Kafka's jars in place");
}

fn folder() -> String {
    format!("kafka-{VERSION}")
}

/// Cargo's target directory: where `CARGO_TARGET_TMPDIR` is, whatever the profile.
fn target() -> &'static Path {
    Path::new(env!("CARGO_TARGET_TMPDIR")).parent().expect("the target directory")
}
