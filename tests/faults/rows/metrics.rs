//! Row 20: the metrics port is abused.

#[test]
#[ignore = "open: the hub has no metrics port"]
fn row_20_metrics_abused() {}
