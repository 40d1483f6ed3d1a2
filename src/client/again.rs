//! A last look before a plan is carried out: what is in use by now stays.

use std::time::Duration;

use super::{Runtime, action::Step, prune, types::Scope};

/// For a runtime to tell what it has.
const LOOK: Duration = Duration::from_secs(15);

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
