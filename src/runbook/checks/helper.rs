//! Programs that shall know the login of a registry: docker's credential helpers.

use super::image::{asked, not_reached};
use crate::runbook::{
    Check, Cite, Evidence, Fact, Finding, Missing,
    helpers::{Helper, HelperState},
    registry::{Outcome, Trial},
};

pub static HELPERS: Check = Check {
    id: "pull-helpers",
    title: "Do its credential helpers give a login?",
    needs: &[Fact::Image],
    command: |seen| match seen.image.value().and_then(|i| i.trials.iter().flat_map(|t| &t.helpers).next()) {
        Some(helper) => format!(
            "grep -E 'credHelpers|credsStore' {}; echo {} | {} get >/dev/null",
            helper.file, helper.server, helper.program
        ),
        None => "grep -E 'credHelpers|credsStore' /var/lib/kubelet/config.json /root/.docker/config.json".to_owned(),
    },
    judge: helpers,
};

fn helpers(seen: &Evidence) -> Result<Finding, Missing> {
    let (image, trial) = asked!(seen);
    if trial.outcome == Outcome::Unreachable {
        return Ok(not_reached());
    }
    let registry = image.reference.as_ref().map(|r| r.registry.clone()).unwrap_or_default();
    let Some(helper) =
        trial.helpers.iter().find(|h| !matches!(h.state, HelperState::Gave(_))).or(trial.helpers.first())
    else {
        return Ok(Finding::not_applicable(format!("no file names one for {registry}")));
    };
    let Some((cause, what, advice)) = wrong(helper, trial, &registry) else {
        return Ok(Finding::pass(format!("yes, {}", helper.program)).cites([cite(helper)]));
    };
    // A login from elsewhere may do.
    let finding = if refused(trial) { Finding::cause(cause, what) } else { Finding::warn(what) };
    Ok(finding.cites(trial.helpers.iter().map(cite)).advise(advice))
}

fn refused(trial: &Trial) -> bool {
    trial.realm.iter().any(|e| matches!(e.status, Some(401 | 403)))
        || matches!(trial.outcome, Outcome::Unauthorized | Outcome::Denied)
}

fn wrong(helper: &Helper, trial: &Trial, registry: &str) -> Option<(&'static str, String, String)> {
    let (program, file) = (&helper.program, &helper.file);
    Some(match &helper.state {
        HelperState::Unused => (
            "credential-helper-unused",
            format!("{file} names {program} for {registry}, which neither this runtime nor the kubelet runs: docker alone does"),
            "a login must stand in the file itself, or be the pod's imagePullSecret; or set up a credential provider for the kubelet (--image-credential-provider-config)".to_owned(),
        ),
        HelperState::Missing(places) => (
            "credential-helper-missing",
            format!("{file} names {program} for {registry}, and there is no such program in {places}"),
            format!("install it there, executable for root; or take {registry} out of credHelpers and write its login into the file"),
        ),
        HelperState::Failed(why) => (
            "credential-helper-failed",
            format!("{program}, which {file} names for {registry}, gives no login: {why}"),
            format!("run it as root without a terminal: echo {registry} | {program} get; it needs its own login, key store or cloud identity there"),
        ),
        HelperState::Nothing => (
            "credential-helper-empty",
            format!("{program}, which {file} names for {registry}, knows no login for {}", helper.server),
            format!("log in with docker login {registry} as root, or correct the registry's name in credHelpers: it is asked for letter by letter"),
        ),
        // Only if nobody else's login was refused as well.
        HelperState::Gave(user) if refused(trial) && trial.credentials.iter().all(|c| c.ends_with(program)) => (
            "credential-helper-refused",
            format!("the login of {program} for {registry} (user {user}) is refused"),
            "what the helper keeps is out of date, or of another account: log in anew with it (docker login), then ask it again".to_owned(),
        ),
        HelperState::Gave(_) => return None,
    })
}

fn cite(helper: &Helper) -> Cite {
    let text = match &helper.state {
        HelperState::Unused => "it is not run".to_owned(),
        HelperState::Missing(_) => "it is not there".to_owned(),
        HelperState::Failed(why) => why.clone(),
        HelperState::Nothing => "it knows no login".to_owned(),
        HelperState::Gave(user) => format!("it gives a login of {user}"),
    };
    Cite { text: format!("{}: {text}", helper.program), source: helper.file.clone() }
}
