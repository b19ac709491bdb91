//! Records into a real S3 store: the native writer and the proof of what it has written, with a real broker and a real MinIO.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "sink/s3.rs"]
mod s3;
#[path = "sink/store_proxy.rs"]
mod store_proxy;
mod support;
