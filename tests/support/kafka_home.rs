//! Where the jars of Apache Kafka and of Kafka Connect come from: Maven copies them once into the target directory. Never starts anything that stays.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

pub const VERSION: &str = "4.3.1";

/// A set of jars: its folder in the target directory, and the artifacts of Apache Kafka that Maven gets with all they need.
struct Jars {
    folder: &'static str,
    artifacts: &'static [&'static str],
}

const BROKER: Jars = Jars { folder: "kafka", artifacts: &["kafka_2.13"] };
const CONNECT: Jars = Jars { folder: "kafka-connect", artifacts: &["connect-runtime", "connect-json", "connect-file"] };
/// The plugin stands apart from the worker, as operators have it: on the class path of the worker it would not be found by its folder.
const PLUGIN: &str = "connect-file";
const PLUGINS: &str = "plugins";

/// What is missing to run a broker here, in words; `None` when all is there.
pub fn missing() -> Option<String> {
    BROKER.missing()
}

/// What is missing to run a worker of Kafka Connect as well.
pub fn connect_missing() -> Option<String> {
    BROKER.missing().or_else(|| CONNECT.missing())
}

/// The folder of the broker's jars, filled on first use.
pub fn jars() -> PathBuf {
    BROKER.filled()
}

/// The folder of a Kafka Connect worker's jars, filled on first use, and the parent of its plugins' folders, of which `connect-file` is the only one.
pub fn connect() -> (PathBuf, PathBuf) {
    let home = CONNECT.filled();
    (home.clone(), home.join(PLUGINS))
}

impl Jars {
    fn home(&self) -> PathBuf {
        target().join(format!("{}-{VERSION}", self.folder))
    }

    fn missing(&self) -> Option<String> {
        let answers = |program: &str| Command::new(program).arg("-version").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok();
        if !answers("java") {
            return Some("no `java` (17 or newer) on the PATH: apt-get install openjdk-17-jre-headless".to_owned());
        }
        (!self.home().is_dir() && !answers("mvn")).then(|| format!("no `mvn` on the PATH to get Kafka {VERSION}: apt-get install maven"))
    }

    /// Two test processes at once: the second waits for the first's lock, which its end gives back in any case.
    fn filled(&self) -> PathBuf {
        let home = self.home();
        let lock = File::create(target().join(format!("{}-{VERSION}.lock", self.folder))).expect("a lock file in the target directory");
        lock.lock().expect("the lock on the jars");
        if !home.is_dir() {
            self.copy_to(&home);
        }
        home
    }

    /// Copies next to `home` and renames at the end, so that `home` is complete whenever it is there.
    fn copy_to(&self, home: &Path) {
        let build = tempfile::tempdir_in(target()).expect("a directory for Maven");
        fs::write(build.path().join("pom.xml"), self.pom()).expect("pom.xml");
        let maven = Command::new("mvn")
            .args(["-q", "-B", "dependency:copy-dependencies", "-DincludeScope=runtime", "-DoutputDirectory=jars"])
            .current_dir(build.path())
            .stdin(Stdio::null())
            .output()
            .expect("mvn runs");
        let said = || format!("{}{}", String::from_utf8_lossy(&maven.stdout), String::from_utf8_lossy(&maven.stderr));
        assert!(maven.status.success(), "mvn could not get Kafka {VERSION}:\n{}", said());
        let made = build.path().join("jars");
        if self.artifacts.contains(&PLUGIN) {
            let (folder, jar) = (made.join(PLUGINS).join(PLUGIN), format!("{PLUGIN}-{VERSION}.jar"));
            fs::create_dir_all(&folder).expect("a folder for the plugin");
            fs::rename(made.join(&jar), folder.join(&jar)).expect("the plugin in its folder");
        }
        fs::rename(made, home).expect("the jars in place");
    }

    /// `slf4j-api` alone swallows the log, and with it the reason of a failed start: the binding to log4j is asked for as well.
    fn pom(&self) -> String {
        let dependency = |group: &str, artifact: &str, version: &str| {
            format!("    <dependency><groupId>{group}</groupId><artifactId>{artifact}</artifactId><version>{version}</version></dependency>\n")
        };
        let kafka: String = self.artifacts.iter().map(|artifact| dependency("org.apache.kafka", artifact, VERSION)).collect();
        let log = dependency("org.apache.logging.log4j", "log4j-slf4j-impl", "2.25.4");
        format!(
            "<project xmlns=\"http://maven.apache.org/POM/4.0.0\">
  <modelVersion>4.0.0</modelVersion>
  <groupId>market-hub</groupId>
  <artifactId>{}-for-tests</artifactId>
  <version>1</version>
  <packaging>pom</packaging>
  <dependencies>
{kafka}{log}  </dependencies>
</project>
",
            self.folder
        )
    }
}

/// Cargo's target directory: where `CARGO_TARGET_TMPDIR` is, whatever the profile.
fn target() -> &'static Path {
    Path::new(env!("CARGO_TARGET_TMPDIR")).parent().expect("the target directory")
}
