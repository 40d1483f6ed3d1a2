//! Evidence that is there already: of a recording, or of a fixture.

use std::time::SystemTime;

use futures::{FutureExt, future::BoxFuture};

use super::{Evidence, Fact, Params, Probe, Update};
use crate::node::Seen;

#[derive(Debug, Clone)]
pub struct Saved(pub Evidence);

impl Probe for Saved {
    fn now(&self) -> SystemTime {
        self.0.at.unwrap_or(SystemTime::UNIX_EPOCH)
    }

    /// What was asked of a registry or of the API server holds only for the case it was asked about.
    fn collect<'a>(&'a self, fact: Fact, params: &'a Params) -> BoxFuture<'a, Update> {
        let saved = &self.0;
        let same = params.iter().all(|(name, value)| saved.params.get(name) == Some(value));
        let work = async move {
            let mut only = Evidence::default();
            only.take(fact, saved);
            if !same && matches!(fact, Fact::Image | Fact::Cluster) {
                let error =
                    "the recording was made without this question: --set it when the node is captured".to_owned();
                only.image = Seen::Failed { error: error.clone(), at: self.now() };
                only.cluster = Seen::Failed { error, at: self.now() };
            }
            Box::new(move |seen: &mut Evidence| seen.take(fact, &only)) as Update
        };
        work.boxed()
    }
}
