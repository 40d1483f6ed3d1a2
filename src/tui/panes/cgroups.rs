//! Which cgroup driver each party uses: the kubelet, the runtime and its handlers, and what live pods prove. Two of them
//! that disagree are the fault behind pods that the kubelet kills or cannot start.

use std::collections::BTreeMap;

use super::{Fact, Pane, PaneId, col};
use crate::{
    client::types::CgroupFact,
    tui::{
        model::Model,
        table::{Cell, Column, Row},
        theme::Tone,
    },
};

const COLUMNS: &[Column] =
    &[col("WHO", 22, 2, 0), col("DRIVER", 9, 0, 0), col("AGREES", 12, 0, 0), col("KNOWN BY", 24, 4, 0)];

pub const PANE: Pane = Pane {
    id: PaneId::Cgroups,
    name: "Cgroups",
    short: "Cgrp",
    aliases: &["cg", "cgroup", "driver"],
    columns: COLUMNS,
    rows,
    count: super::none,
    part: "cgroups",
    sort: 2,
    extra: 0,
    draw: None,
    facts: Some(facts),
};

/// What most say; the kubelet's word breaks a tie, as it is the kubelet that makes the pods' cgroups.
pub fn prevailing(facts: &[CgroupFact]) -> Option<&str> {
    let mut votes: BTreeMap<&str, (usize, bool)> = BTreeMap::new();
    for fact in facts {
        if let Some(driver) = &fact.driver {
            let vote = votes.entry(driver).or_default();
            vote.0 += 1;
            vote.1 |= fact.who == "kubelet";
        }
    }
    votes.into_iter().max_by_key(|(_, vote)| *vote).map(|(driver, _)| driver)
}

/// Whether two parties use different drivers.
pub fn disagree(facts: &[CgroupFact]) -> bool {
    let mut drivers = facts.iter().filter_map(|f| f.driver.as_deref());
    drivers.next().is_some_and(|first| drivers.any(|d| d != first))
}

fn rows(model: &Model) -> Vec<Row> {
    let facts = model.cgroups.value().map(Vec::as_slice).unwrap_or_default();
    let (most, differ) = (prevailing(facts), disagree(facts));
    let row = |(at, fact): (usize, &CgroupFact)| {
        let (agrees, tone, rank) = match (&fact.driver, differ) {
            (None, _) => ("not known", Tone::Warn, 1_u64),
            (Some(_), false) => ("yes", Tone::Good, 2),
            (Some(driver), true) if Some(driver.as_str()) == most => ("with most", Tone::Plain, 2),
            (Some(_), true) => ("✗ DISAGREES", Tone::Bad, 0),
        };
        Row {
            id: format!("{at} {}", fact.who),
            object: None,
            name: fact.who.clone(),
            cells: vec![
                Cell::new(fact.who.as_str()),
                Cell::new(fact.driver.as_deref().unwrap_or("?")).tone(tone),
                Cell::number(agrees, rank << 32 | at as u64).tone(tone),
                Cell::new(fact.source.as_str()).tone(Tone::Dim),
            ],
            tie: 0,
        }
    };
    facts.iter().enumerate().map(row).collect()
}

fn facts(model: &Model, row: &Row) -> Vec<Fact> {
    let all = model.cgroups.value().map(Vec::as_slice).unwrap_or_default();
    let Some(fact) = row.id.split(' ').next().and_then(|at| all.get(at.parse::<usize>().ok()?)) else {
        return Vec::new();
    };
    let mut facts = vec![
        ("who", fact.who.clone()),
        ("driver", fact.driver.clone().unwrap_or_else(|| "could not be read".into())),
        ("known by", fact.source.clone()),
        ("", String::new()),
    ];
    facts.push(match disagree(all) {
        true => ("verdict", "drivers differ: pods are made by one and limited by the other. Set the kubelet's cgroupDriver and the runtime's to the same, systemd where systemd runs.".into()),
        false => ("verdict", "all that could be asked agree".into()),
    });
    facts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fact(who: &str, driver: &str) -> CgroupFact {
        let driver = (!driver.is_empty()).then(|| driver.to_owned());
        CgroupFact { who: who.into(), driver, source: String::new() }
    }

    #[test]
    fn who_disagrees_with_whom() {
        let tie = [fact("kubelet", "systemd"), fact("runtime", "cgroupfs"), fact("x", "")];
        assert!(disagree(&tie));
        assert_eq!(prevailing(&tie), Some("systemd"));
        let most = [fact("kubelet", "systemd"), fact("runtime", "cgroupfs"), fact("pod a", "cgroupfs")];
        assert_eq!(prevailing(&most), Some("cgroupfs"));
        assert!(!disagree(&most[1..]) && !disagree(&[]) && prevailing(&[]).is_none());
    }
}
