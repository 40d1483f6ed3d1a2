//! What is looked at for plans beside what everybody looks at; and a last look before one is carried out: what is in use by now
//! stays.

use std::{path::Path, time::Duration};

use crate::{
    error::{Error, Kind},
    node,
};

use super::{
    Runtime,
    action::{Action, Step},
    prune,
    types::{Inventory, Scope, Seen},
};

/// For a runtime to tell what it has.
const LOOK: Duration = Duration::from_secs(15);

/// Adds to what was seen what planning these takes: who answers, and what only some of them need.
pub async fn prepare(runtime: &dyn Runtime, actions: &[&Action], seen: &mut Inventory) {
    seen.info.get_or_insert_with(|| runtime.info().clone());
    if actions.iter().any(|a| matches!(a, Action::RestartContainer { .. } | Action::RestartPod { .. })) {
        seen.kubelet = kubelet().await;
    }
    if actions.iter().any(|action| matches!(action, Action::Collect)) && seen.silence.is_none() {
        let asked = tokio::time::timeout(LOOK, runtime.garbage()).await;
        let late = || Err(Error::new(Kind::DeadlineExceeded, format!("no answer in {} s", LOOK.as_secs())));
        seen.garbage = Seen::now(asked.unwrap_or_else(|_| late()), runtime.info().endpoint.clone());
    }
}

/// Whether a kubelet runs on this machine.
async fn kubelet() -> Seen<bool> {
    let found = node::within(LOOK, "look for a kubelet", || node::kubelet::pid(Path::new("/"))).await;
    Seen::now(found.map(|pid| pid.is_some()), "/proc")
}

/// Of each step why it must not be done any more, if so.
pub async fn outdated(runtime: &dyn Runtime, steps: &[Step]) -> Vec<Option<String>> {
    if !steps.iter().any(|step| matches!(step, Step::RemoveImage(_) | Step::RemoveContainer(_))) {
        return vec![None; steps.len()];
    }
    let scope = Scope { pods: true, images: true, ..Scope::default() };
    match tokio::time::timeout(LOOK, runtime.inventory(scope)).await {
        Ok(seen) => prune::outdated(steps, &seen),
        Err(_) => vec![Some(format!("the runtime did not answer in {} s", LOOK.as_secs())); steps.len()],
    }
}
