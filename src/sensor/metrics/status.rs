//! `/status`: what is running, and its progress, as JSON for people and scripts.

use crate::engine::indicator::Timestamp;
use serde::{Serialize, Serializer};

/// The whole page. Unknown values are left out.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Status {
    /// The version of the sensor.
    pub version: String,
    /// `running`, `degraded`, `stopping`.
    pub state: String,
    /// What is wrong, as text. Empty if all is well.
    pub obstacles: Vec<String>,
    /// When the process started.
    #[serde(serialize_with = "time")]
    pub started: Timestamp,
    /// The last reload of the configuration, if it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failed_reload: Option<FailedReload>,
    /// The current database.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub database: Option<DatabaseStatus>,
    /// In the order of the configuration.
    pub inputs: Vec<InputStatus>,
    /// In the order of the configuration.
    pub sinks: Vec<SinkStatus>,
    /// Bytes of the spool on disk.
    pub spool_bytes: u64,
    /// Open suppression windows.
    pub suppression_keys: usize,
}

/// A reload of the configuration that failed. The next one that succeeds removes it.
#[derive(Clone, Debug, Default, Serialize)]
pub struct FailedReload {
    /// When it failed.
    #[serde(serialize_with = "time")]
    pub time: Timestamp,
    /// Why, and which configuration is in use.
    pub message: String,
}

/// A database.
#[derive(Clone, Debug, Default, Serialize)]
pub struct DatabaseStatus {
    /// Its path.
    pub path: String,
    /// Its build identifier.
    pub id: String,
    /// When it was built.
    #[serde(serialize_with = "time")]
    pub built: Timestamp,
    /// When it was loaded.
    #[serde(serialize_with = "time")]
    pub loaded: Timestamp,
    /// The number of indicators.
    pub indicators: u64,
}

/// An input.
#[derive(Clone, Debug, Default, Serialize)]
pub struct InputStatus {
    /// Its name.
    pub name: String,
    /// `tail`, `syslog`, `kafka`…
    pub kind: String,
    /// `open`, `waiting`, `paused`, `failing`, `closed`.
    pub state: String,
    /// What is wrong at present.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trouble: Option<String>,
    /// The address that it listens on.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub addresses: Vec<String>,
    /// Lines so far.
    pub lines: u64,
    /// Bytes so far.
    pub bytes: u64,
    /// What was counted, by name.
    #[serde(skip_serializing_if = "serde_json::Map::is_empty")]
    pub counts: serde_json::Map<String, serde_json::Value>,
    /// The files of a tail.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<FileStatus>,
    /// The partitions of Kafka's topics that are assigned to it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub partitions: Vec<PartitionStatus>,
}

/// A partition of a Kafka topic.
#[derive(Clone, Debug, Default, Serialize)]
pub struct PartitionStatus {
    /// The topic.
    pub topic: String,
    /// The number of the partition.
    pub partition: i32,
    /// The next record that is not committed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub offset: Option<i64>,
    /// Records that are not committed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lag: Option<u64>,
}

/// A followed file. Per-file lag is shown here, because it would be too many series for metrics.
#[derive(Clone, Debug, Default, Serialize)]
pub struct FileStatus {
    /// Its path.
    pub path: String,
    /// How far it was read, in bytes.
    pub offset: u64,
    /// Its length in bytes.
    pub size: u64,
    /// What is wrong at present.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trouble: Option<String>,
}

/// A sink.
#[derive(Clone, Debug, Default, Serialize)]
pub struct SinkStatus {
    /// Its name.
    pub name: String,
    /// `file`, `webhook`…
    pub kind: String,
    /// `ok`, `retrying`, `held`.
    pub state: String,
    /// What is wrong at present.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trouble: Option<String>,
    /// Records that were delivered.
    pub records: u64,
    /// Bytes in the spool that were not delivered yet.
    pub pending_bytes: u64,
    /// The folder of the spool, if anything is waiting there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub spool: Option<String>,
    /// Records that never reached it.
    pub dropped: u64,
    /// Records that it permanently refused.
    pub dead_letters: u64,
}

fn time<S: Serializer>(time: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(time)
}

impl Status {
    /// The page.
    pub fn to_json(&self) -> Vec<u8> {
        // There are only texts, numbers, and maps with text keys, which JSON can always represent.
        let mut page = serde_json::to_vec_pretty(self).unwrap_or_default();
        page.push(b'\n');
        page
    }
}
