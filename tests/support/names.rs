//! Topic and group names of one scenario, so that scenarios share a broker and nothing else.

use market_hub::market::Stream;

/// The contract's names behind a prefix; without one, the deployed names themselves.
#[derive(Clone, Debug)]
pub struct Names {
    prefix: String,
}

impl Names {
    /// The names as deployed: the hub is told no name at all.
    pub fn deployed() -> Self {
        Self { prefix: String::new() }
    }

    /// Names of their own for one scenario, or one round of it.
    pub fn of(scenario: &str) -> Self {
        Self { prefix: format!("{scenario}.") }
    }

    pub fn input(&self, stream: Stream) -> String {
        self.name(stream.input_topic())
    }

    pub fn output(&self, stream: Stream) -> String {
        self.name(stream.output_topic())
    }

    pub fn dead_letters(&self, stream: Stream) -> String {
        format!("{}-dlt", self.input(stream))
    }

    pub fn group(&self, stream: Stream) -> String {
        self.name(stream.group())
    }

    /// What a deployed name (also one with `-dlt`) is called here.
    pub fn name(&self, deployed: &str) -> String {
        format!("{}{deployed}", self.prefix)
    }

    /// All topics, input by input: input, output, dead letters; with the partitions the contract gives them.
    pub fn topics(&self) -> Vec<(String, i32)> {
        let of_stream = |stream: Stream| [self.input(stream), self.output(stream), self.dead_letters(stream)].map(|topic| (topic, stream.partitions()));
        Stream::ALL.into_iter().flat_map(of_stream).collect()
    }

    /// The environment that tells the hub these names: `HUB_KOREA_TICKER_INPUT`, ...
    pub fn environment(&self) -> Vec<(String, String)> {
        if self.prefix.is_empty() {
            return Vec::new();
        }
        let of_stream = |stream: Stream| {
            let variable = |what: &str| format!("HUB_{}_{what}", stream.name().to_uppercase().replace('-', "_"));
            [(variable("INPUT"), self.input(stream)), (variable("OUTPUT"), self.output(stream)), (variable("GROUP"), self.group(stream))]
        };
        Stream::ALL.into_iter().flat_map(of_stream).collect()
    }
}
