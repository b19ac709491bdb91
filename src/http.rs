//! The HTTP client: blocking, bounded in time, and silent about what it sends.

use std::time::Duration;

use ureq::Agent;
#[cfg(feature = "ssl")]
use ureq::tls::{RootCerts, TlsConfig, TlsProvider};

/// An agent whose connections are kept. `connect` is the time for one to open, `total` that for a whole request; an answer with an error code is an answer.
#[must_use]
pub fn agent(connect: Duration, total: Duration) -> Agent {
    let settings = Agent::config_builder()
        .timeout_connect(Some(connect))
        .timeout_global(Some(total))
        .http_status_as_error(false)
        // What is asked of one host must not be sent, signed, to another.
        .max_redirects(0)
        .user_agent(concat!("market-hub/", env!("CARGO_PKG_VERSION")));
    #[cfg(feature = "ssl")]
    let settings = settings.tls_config(TlsConfig::builder().provider(TlsProvider::NativeTls).root_certs(RootCerts::PlatformVerifier).build());
    settings.build().new_agent()
}
