//! Plans and what they come to: made on what is there now, done step by step, each written down.

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use tokio::{sync::mpsc, time::timeout};

use super::{
    effect::{PULL, READ, journaled, tell},
    event::{Event, Token},
};
use crate::{
    client::{self, Runtime, action, audit::Intent, types::Scope},
    error::{Error, Kind},
};

const STEP: Duration = Duration::from_secs(120);

/// Plans on what is there now, not on what the screen shows.
pub async fn plan(
    runtime: Arc<dyn Runtime>,
    send: mpsc::Sender<Event>,
    token: Token,
    action: action::Action,
    more: Vec<action::Action>,
) {
    let result = match timeout(READ, runtime.inventory(Scope::ALL)).await {
        Ok(mut inventory) => {
            let all: Vec<&action::Action> = std::iter::once(&action).chain(&more).collect();
            client::prepare(runtime.as_ref(), &all, &mut inventory).await;
            let now = SystemTime::now();
            let plan = action::plan(&action, &inventory, now).and_then(|mut whole| {
                for action in &more {
                    let part = action::plan(action, &inventory, now)?;
                    whole.steps.extend(part.steps);
                    whole.keeps.extend(part.keeps);
                }
                Ok(whole)
            });
            let plan = plan.map_err(|e| format!("{e:#}"));
            tell(&send, Event::Inventory(Arc::new(inventory))).await;
            plan
        }
        Err(_) => Err(format!("the runtime did not answer in {} s", READ.as_secs())),
    };
    tell(&send, Event::Planned { token, result }).await;
}

/// How long a step may take.
fn limit(step: &action::Step) -> Duration {
    match step {
        action::Step::StopContainer(_, grace) | action::Step::Restart { grace, .. } => STEP.saturating_add(*grace),
        action::Step::PullImage(_) => PULL,
        _ => STEP,
    }
}

/// Every step is tried: one image in use must not keep the others.
pub async fn apply(runtime: Arc<dyn Runtime>, send: mpsc::Sender<Event>, token: Token, steps: Vec<action::Step>) {
    // Without its image nothing is run.
    let bears_all = steps.iter().any(|step| matches!(step, action::Step::RunPod(_)));
    let mut outdated = client::outdated(runtime.as_ref(), &steps).await;
    for (step, what) in steps.iter().enumerate() {
        let intent = Intent::of(what);
        let begun = match outdated[step].take() {
            Some(why) => Err(Error::new(Kind::FailedPrecondition, format!("not done: {why}"))),
            None => intent.begin(runtime.info()).await,
        };
        let done = match begun {
            Ok(begun) => {
                let limit = limit(what);
                let done = match timeout(limit, runtime.apply(what)).await {
                    Ok(result) => result,
                    Err(_) => Err(Error::new(Kind::DeadlineExceeded, format!("timeout after {} s", limit.as_secs()))),
                };
                journaled(&send, begun.told(&done), &done).await;
                done
            }
            Err(error) => Err(error),
        };
        let result = done.map_err(|e| format!("{e:#}"));
        let failed = result.is_err() && (what.bears() || bears_all);
        tell(&send, Event::StepDone { token, step, result }).await;
        if failed {
            for step in step + 1..steps.len() {
                let result = Err("not done, because the step before it failed".to_owned());
                tell(&send, Event::StepDone { token, step, result }).await;
            }
            return;
        }
    }
}
