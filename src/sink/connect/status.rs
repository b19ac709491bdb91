//! The state of a connector and of its tasks, as the worker tells it.

use serde_json::Value;

use super::mask::Mask;
use super::trace;

/// How a connector or a task is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it all")]
pub enum State {
    Running,
    Paused,
    Stopped,
    Failed,
    Restarting,
    Unassigned,
    /// A word of a newer worker.
    Other,
}

impl State {
    fn of(word: &str) -> Self {
        match word {
            "RUNNING" => Self::Running,
            "PAUSED" => Self::Paused,
            "STOPPED" => Self::Stopped,
            "FAILED" => Self::Failed,
            "RESTARTING" => Self::Restarting,
            "UNASSIGNED" => Self::Unassigned,
            _ => Self::Other,
        }
    }

    /// The word of Kafka Connect.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Running => "RUNNING",
            Self::Paused => "PAUSED",
            Self::Stopped => "STOPPED",
            Self::Failed => "FAILED",
            Self::Restarting => "RESTARTING",
            Self::Unassigned => "UNASSIGNED",
            Self::Other => "UNKNOWN",
        }
    }
}

/// One task, or the connector itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// The number of the task; `None` for the connector itself.
    pub task: Option<u64>,
    /// How it is.
    pub state: State,
    /// Which worker has it.
    pub worker: String,
    /// Why it failed, shortened and masked; empty where it did not.
    pub trace: String,
}

impl Part {
    /// Whether this is a task of before its connector got a smaller `tasks.max`: it fails when it is started again, and goes as soon as the connector is.
    #[must_use]
    pub fn is_surplus(&self) -> bool {
        self.state == State::Failed && self.task.is_some() && self.trace.contains("TooManyTasksException")
    }
}

/// A connector and its tasks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// The connector itself.
    pub connector: Part,
    /// Its tasks, by number.
    pub tasks: Vec<Part>,
}

impl Status {
    /// Reads what the worker answers. What is not there is unknown.
    #[must_use]
    pub fn read(value: &Value, mask: &Mask) -> Self {
        let part = |value: &Value| Part {
            task: value["id"].as_u64(),
            state: State::of(value["state"].as_str().unwrap_or_default()),
            worker: mask.text(value["worker_id"].as_str().unwrap_or("?")),
            trace: trace::shortened(&mask.text(value["trace"].as_str().unwrap_or_default())),
        };
        let mut tasks: Vec<Part> = value["tasks"].as_array().into_iter().flatten().map(part).collect();
        tasks.sort_by_key(|task| task.task);
        Self { connector: part(&value["connector"]), tasks }
    }

    /// The connector, then its tasks.
    pub fn parts(&self) -> impl Iterator<Item = &Part> {
        std::iter::once(&self.connector).chain(&self.tasks)
    }

    /// Whether the connector and at least one task run, and nothing does not.
    #[must_use]
    pub fn runs(&self) -> bool {
        !self.tasks.is_empty() && self.all(State::Running)
    }

    /// Whether connector and tasks are all in this state.
    #[must_use]
    pub fn all(&self, state: State) -> bool {
        self.parts().all(|part| part.state == state)
    }

    /// How many tasks run.
    #[must_use]
    pub fn running_tasks(&self) -> usize {
        self.tasks.iter().filter(|task| task.state == State::Running).count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_connector_runs_when_all_of_it_does() {
        let status = |connector: &str, tasks: &[&str]| {
            let tasks: Vec<Value> = tasks.iter().enumerate().map(|(id, state)| json!({"id": id, "state": state, "worker_id": "w"})).collect();
            Status::read(&json!({"name": "a", "connector": {"state": connector, "worker_id": "w"}, "tasks": tasks}), &Mask::default())
        };
        assert!(status("RUNNING", &["RUNNING", "RUNNING"]).runs());
        assert!(!status("RUNNING", &[]).runs(), "a connector without tasks does nothing");
        assert!(!status("RUNNING", &["RUNNING", "FAILED"]).runs() && !status("FAILED", &["RUNNING"]).runs() && !status("RUNNING", &["NEW"]).runs());
        assert_eq!(status("RUNNING", &["RUNNING", "FAILED"]).running_tasks(), 1);
        assert!(status("PAUSED", &["PAUSED"]).all(State::Paused));
        assert!(!Status::read(&Value::Null, &Mask::default()).runs());
    }

    #[test]
    fn traces_are_short_and_masked() {
        let mut mask = Mask::default();
        mask.learn(&crate::config::Secret::new("hunter2"));
        let value = json!({"connector": {"state": "RUNNING"}, "tasks": [{"id": 1, "state": "FAILED", "trace": "X: hunter2 is wrong\n\tat a.b(C.java:1)\n"}]});
        assert_eq!(Status::read(&value, &mask).tasks[0].trace, "X: ******** is wrong");
    }
}
