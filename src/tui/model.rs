//! Everything the screen shows, as plain values. Changed by `update` only, drawn by `view`.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    hash::{DefaultHasher, Hash, Hasher},
    time::{Duration, SystemTime},
};

use super::{
    books::Books,
    copying::Running,
    detail::Detail,
    event::{Host, Token},
    graphs::Graphs,
    happen::Ring,
    keymap::Keymap,
    log::LogView,
    panes::{self, PaneId},
    table::{Row, TableState},
    terminals::Terminals,
    text::SafeText,
    theme::{Theme, Tone},
};
use crate::client::{
    action::{Plan, Step},
    change::Change,
    types::{CgroupFact, ContainerStats, Inventory, ObjectRef, PullProgress, RuntimeInfo, Scope, Seen, Silence},
};

/// Keys read this soon after a dialog came up do not press its buttons.
pub const GUARD: Duration = Duration::from_millis(150);
/// In which a prune can be called off.
pub const GRACE: Duration = Duration::from_secs(5);
pub const NEEDS: (u16, u16) = (80, 24);
const SAMPLES: usize = 240;
/// Of each container: there may be a thousand.
const EACH: usize = 100;

#[derive(Debug)]
pub struct Model {
    pub info: RuntimeInfo,
    pub read_only: bool,
    pub theme: Theme,
    /// What the terminal asks for, without settings.
    pub bare: Theme,
    pub keymap: Keymap,
    pub size: (u16, u16),
    pub now: SystemTime,
    pub pane: PaneId,
    /// Where Esc in the logs goes.
    pub before: PaneId,
    /// Where Esc goes after a row was opened into another pane.
    pub opened_from: Option<PaneId>,
    /// The last good value of every part.
    pub seen: Inventory,
    /// Parts whose last reading failed.
    pub faults: BTreeMap<&'static str, Fault>,
    /// The runtime does not answer, and parts are shown from the disk.
    pub silence: Option<Silence>,
    /// Those parts.
    pub from_disk: BTreeSet<&'static str>,
    pub host: Option<Host>,
    pub happened: Ring,
    /// Asked for while its pane is looked at.
    pub cgroups: Seen<Vec<CgroupFact>>,
    pub history: History,
    pub graphs: Graphs,
    pub tables: BTreeMap<PaneId, TableState>,
    /// Of the current pane.
    pub rows: Vec<Row>,
    pub order: Vec<usize>,
    /// When they were made: their ages are of then.
    pub made: SystemTime,
    pub popup: Option<Popup>,
    /// The pod whose tree is asked for or shown.
    pub tree_of: Option<String>,
    pub input: Option<Input>,
    pub log: Option<LogView>,
    pub job: Option<Job>,
    pub books: Books,
    pub pulls: Vec<Pull>,
    pub terminals: Terminals,
    pub copies: Vec<Running>,
    pub toast: Option<Toast>,
    /// A letter is waited for, to sort by its column.
    pub picking: bool,
    pub mouse: bool,
    /// When the log of a silent runtime was last asked for, and up to when it is told.
    pub listened: Option<SystemTime>,
    pub heard: Option<SystemTime>,
    /// The terminal reports the mouse: for the app, or for a program in a terminal of the app that asks for it.
    pub captured: bool,
    /// Commands that were given, newest last, and where in them the input is.
    pub said: Vec<String>,
    /// The last refresh asked for, and whether its answer is still to come.
    pub asked: Option<SystemTime>,
    pub pending: bool,
    pub full: Option<SystemTime>,
    /// The runtime's events are heard: what came and what went need not be asked for.
    pub hearing: bool,
    /// The last time that somebody did something.
    pub touched: SystemTime,
    /// Containers or images came or went since the snapshots were read.
    pub moved: bool,
    /// A first ctrl-c came while something ran.
    pub warned: bool,
    pub dirty: bool,
    pub token: Token,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    pub error: SafeText,
    /// When it first failed.
    pub since: SystemTime,
}

#[derive(Debug, Clone)]
pub enum Popup {
    Help {
        scroll: usize,
    },
    Detail(Detail),
    /// A plan is being made.
    Planning {
        token: Token,
        what: SafeText,
        aims: Vec<Aim>,
        grace: bool,
    },
    /// The plan or its progress, in `Model::job`.
    Job,
    Pulls,
    /// Of `Model::graphs`.
    Graphs,
    /// The columns of the pane, in the order they are to have, and whether they are shown.
    Columns {
        at: usize,
        list: Vec<(usize, bool)>,
    },
}

/// What a key was pressed on, and what it looked like then.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Aim {
    pub object: ObjectRef,
    pub stamp: Option<String>,
}

#[derive(Debug, Clone)]
pub struct Job {
    pub token: Token,
    pub title: SafeText,
    pub plan: Plan,
    /// What the objects of the steps looked like when the plan was made.
    pub stamps: Vec<Aim>,
    pub phase: Phase,
    pub shown: Option<SystemTime>,
    pub scroll: usize,
    pub results: Vec<Option<Result<SafeText, SafeText>>>,
    /// Digits, where the plan asks for a number.
    pub typed: String,
}

impl Job {
    /// How many containers end with it: who starts it types that.
    pub fn ends(&self) -> Option<usize> {
        self.plan.steps.iter().find_map(|planned| match &planned.step {
            Step::Change(Change::Restart(restart)) => restart.kills,
            _ => None,
        })
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Starts by itself when the grace is over.
    Grace,
    /// Waits for a button; `true` has the start button marked.
    Review(bool),
    Running,
    Done,
}

#[derive(Debug, Clone)]
pub struct Pull {
    pub token: Token,
    pub reference: SafeText,
    pub layers: BTreeMap<String, PullProgress>,
    pub outcome: Option<Result<SafeText, SafeText>>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Input {
    pub command: bool,
    /// For the search in a log rather than for a filter.
    pub search: bool,
    pub text: String,
    /// The line of the palette's list that Tab and Enter take; none takes the text as it is.
    pub choice: Option<usize>,
    /// The filter that Esc brings back.
    pub was: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Toast {
    pub text: SafeText,
    pub tone: Tone,
    pub until: SystemTime,
}

/// Use of the node over time, for graphs.
#[derive(Debug, Clone, Default)]
pub struct History {
    /// Tenths of a percent.
    pub cpu: VecDeque<u64>,
    pub memory: VecDeque<u64>,
    /// Bytes in a second, both ways: in and out.
    pub network: [VecDeque<u64>; 2],
    pub disk: [VecDeque<u64>; 2],
    /// Tenths of a percent of the time that some task waited for CPU, memory, I/O.
    pub waits: [VecDeque<u64>; 3],
    pub each: BTreeMap<String, VecDeque<Sample>>,
    last: BTreeMap<String, (u64, SystemTime)>,
}

/// What a container used when all of them were read.
#[derive(Debug, Clone, Copy)]
pub struct Sample {
    pub at: SystemTime,
    /// Nanocores.
    pub cores: Option<u64>,
    pub memory: Option<u64>,
}

fn push<T>(ring: &mut VecDeque<T>, value: T, most: usize) {
    ring.push_back(value);
    if ring.len() > most {
        ring.pop_front();
    }
}

impl History {
    pub fn sample(&mut self, stats: &[ContainerStats], read: SystemTime) {
        let mut last = BTreeMap::new();
        let mut each = BTreeMap::new();
        for s in stats {
            let before = self.last.get(&s.id).copied();
            let now = s.cpu_nanos.zip(s.at);
            let computed = before.zip(now).and_then(|((used, at), (use_now, t))| {
                let nanos = t.duration_since(at).ok()?.as_nanos();
                (nanos > 0).then(|| (u128::from(use_now.saturating_sub(used)) * 1_000_000_000 / nanos) as u64)
            });
            last.extend(now.map(|n| (s.id.clone(), n)));
            let mut ring = self.each.remove(&s.id).unwrap_or_default();
            let sample = Sample { at: read, cores: s.cpu_nanocores.or(computed), memory: s.memory_working_set };
            if sample.cores.or(sample.memory).is_some() {
                push(&mut ring, sample, EACH);
            }
            each.insert(s.id.clone(), ring);
        }
        (self.last, self.each) = (last, each);
    }

    pub fn host(&mut self, host: &Host) {
        push(&mut self.cpu, (host.cpu_percent * 10.0) as u64, SAMPLES);
        push(&mut self.memory, host.memory_used, SAMPLES);
        for (rings, flow) in [(&mut self.network, &host.network), (&mut self.disk, &host.disk)] {
            for (ring, bytes) in rings.iter_mut().zip(flow.value().into_iter().flat_map(|f| [f.inward, f.outward])) {
                push(ring, bytes, SAMPLES);
            }
        }
        for (ring, some) in self.waits.iter_mut().zip(host.pressure) {
            if let Some(some) = some {
                push(ring, (some * 10.0) as u64, SAMPLES);
            }
        }
    }

    pub fn cores(&self, id: &str) -> Option<u64> {
        self.each.get(id)?.back()?.cores
    }
}

impl Model {
    pub fn new(info: RuntimeInfo, read_only: bool, theme: Theme, size: (u16, u16), now: SystemTime) -> Self {
        let tables =
            panes::panes().iter().map(|p| (p.id, TableState { sort: p.sort, ..TableState::default() })).collect();
        Self {
            read_only: read_only || info.read_only,
            info,
            theme,
            bare: theme,
            keymap: Keymap::default(),
            size,
            now,
            pane: PaneId::Pods,
            before: PaneId::Pods,
            opened_from: None,
            seen: Inventory::default(),
            faults: BTreeMap::new(),
            silence: None,
            from_disk: BTreeSet::new(),
            host: None,
            happened: Ring::default(),
            cgroups: Seen::NotAsked,
            history: History::default(),
            graphs: Graphs::default(),
            tables,
            rows: Vec::new(),
            order: Vec::new(),
            made: now,
            popup: None,
            tree_of: None,
            input: None,
            log: None,
            job: None,
            books: Books::default(),
            pulls: Vec::new(),
            terminals: Terminals::default(),
            copies: Vec::new(),
            toast: None,
            picking: false,
            mouse: false,
            listened: None,
            heard: None,
            captured: false,
            said: Vec::new(),
            asked: None,
            pending: false,
            full: None,
            hearing: false,
            touched: now,
            moved: false,
            warned: false,
            dirty: true,
            token: 0,
        }
    }

    /// Takes the parts that were read; a part that failed keeps its old value and gets a fault. What the disk tells of a
    /// silent runtime replaces what was seen last unless it is less.
    pub fn merge(&mut self, new: &Inventory) {
        if let Seen::At { value, at, .. } = &new.stats {
            self.history.sample(value, *at);
        }
        // From one source to the other, differences are of the sources and not of the node.
        let other = new.silence.is_some() && self.silence.is_none() && self.seen.containers.value().is_some();
        if !other {
            self.happened.compare(&self.seen, new, self.now);
        }
        if let Some(info) = &new.info {
            self.info.clone_from(info);
        }
        self.silence.clone_from(&new.silence);
        let silent = new.silence.as_ref();
        let before = population(&self.seen);
        let (seen, faults, disk) = (&mut self.seen, &mut self.faults, &mut self.from_disk);
        take("pods", &mut seen.pods, &new.pods, faults, disk, silent);
        take("containers", &mut seen.containers, &new.containers, faults, disk, silent);
        take("images", &mut seen.images, &new.images, faults, disk, silent);
        take("stats", &mut seen.stats, &new.stats, faults, disk, silent);
        take("snapshots", &mut seen.snapshots, &new.snapshots, faults, disk, silent);
        take("disk", &mut seen.disk, &new.disk, faults, disk, silent);
        take("conditions", &mut seen.conditions, &new.conditions, faults, disk, silent);
        if !new.sandbox_image.is_empty() {
            seen.sandbox_image.clone_from(&new.sandbox_image);
        }
        self.moved = (self.moved || before != population(&self.seen)) && new.snapshots.value().is_none();
    }

    /// Why the runtime counts as dead, if it does: since when, and the error.
    pub fn dead(&self) -> Option<Fault> {
        let silent = self.silence.as_ref().map(|s| Fault { error: s.error.as_str().into(), since: s.since });
        silent.or_else(|| self.faults.get("containers").or_else(|| self.faults.get("pods")).cloned())
    }

    /// When and where what a pane shows was read from the disk, if it was.
    pub fn disk_of(&self, part: &str) -> Option<(SystemTime, &str)> {
        fn of<T>(seen: &Seen<T>) -> Option<(SystemTime, &str)> {
            match seen {
                Seen::At { at, source, .. } => Some((*at, source)),
                _ => None,
            }
        }
        let seen = &self.seen;
        match part {
            // Asked for by itself.
            "cgroups" => {
                let (at, _) = of(&self.cgroups)?;
                self.silence.as_ref().is_some_and(|s| at >= s.since).then_some((at, "/proc, the kubelet's files"))
            }
            part if !self.from_disk.contains(part) => None,
            "pods" => of(&seen.pods),
            "containers" => of(&seen.containers),
            "images" => of(&seen.images),
            "snapshots" => of(&seen.snapshots),
            "disk" => of(&seen.disk),
            _ => None,
        }
    }

    /// When what is shown was read.
    pub fn read_at(&self) -> Option<SystemTime> {
        match &self.seen.containers {
            Seen::At { at, .. } => Some(*at),
            _ => None,
        }
    }

    pub fn table(&self) -> &TableState {
        static NONE: TableState = TableState {
            selected: None,
            at: 0,
            lost: false,
            offset: 0,
            sort: 0,
            reversed: false,
            filter: String::new(),
            columns: Vec::new(),
            marked: BTreeSet::new(),
        };
        self.tables.get(&self.pane).unwrap_or(&NONE)
    }

    pub fn selected(&self) -> Option<&Row> {
        let id = self.table().selected.as_deref()?;
        self.rows.iter().find(|r| r.id == id)
    }

    /// Makes the rows of the pane again; true if they look different.
    pub fn rebuild(&mut self) -> bool {
        let pane = panes::of(self.pane);
        let rows = (pane.rows)(self);
        let changed = rows != self.rows;
        self.rows = rows;
        self.made = self.now;
        self.settle();
        changed
    }

    pub fn settle(&mut self) {
        let (pane, height) = (panes::of(self.pane), self.page());
        if let Some(state) = self.tables.get_mut(&self.pane) {
            self.order = state.order(&self.rows, pane.columns, self.now);
            state.marked.retain(|id| self.rows.iter().any(|r| r.id == *id));
            state.settle(&self.rows, &self.order, height);
        }
    }

    /// Rows of a table, lines of a log or of a text that fit.
    pub fn page(&self) -> usize {
        self.inside().1.saturating_sub(usize::from(panes::of(self.pane).extra)).max(1)
    }

    /// Columns and rows inside the frame of a pane, or of a popup that covers it.
    pub fn inside(&self) -> (usize, usize) {
        let around = 5 + u16::from(self.dead().is_some());
        (usize::from(self.size.0.saturating_sub(2)), usize::from(self.size.1.saturating_sub(around)))
    }

    pub fn say(&mut self, tone: Tone, text: impl Into<SafeText>) {
        let stays = Duration::from_secs(if tone == Tone::Bad { 12 } else { 6 });
        self.toast = Some(Toast { text: text.into(), tone, until: self.now + stays });
        self.dirty = true;
    }

    pub fn next_token(&mut self) -> Token {
        self.token += 1;
        self.token
    }

    pub fn small(&self) -> bool {
        self.size.0 < NEEDS.0 || self.size.1 < NEEDS.1
    }

    /// A countdown is on the screen.
    pub fn counting(&self) -> bool {
        matches!((&self.popup, &self.job), (Some(Popup::Job), Some(job)) if job.phase == Phase::Grace)
    }
}

/// Another figure when containers or images come or go, in whatever order they are listed.
fn population(seen: &Inventory) -> u64 {
    let hash = |id: &str| {
        let mut hasher = DefaultHasher::new();
        id.hash(&mut hasher);
        hasher.finish()
    };
    let containers = seen.containers.value().into_iter().flatten().map(|c| hash(&c.id));
    let images = seen.images.value().into_iter().flatten().map(|i| hash(&i.id));
    containers.chain(images).fold(0, u64::wrapping_add)
}

fn take<T: Clone>(
    name: &'static str,
    old: &mut Seen<Vec<T>>,
    new: &Seen<Vec<T>>,
    faults: &mut BTreeMap<&'static str, Fault>,
    disk: &mut BTreeSet<&'static str>,
    silent: Option<&Silence>,
) {
    match (new, silent) {
        (Seen::At { value, .. }, Some(silence))
            if !disk.contains(name) && old.value().is_some_and(|o| o.len() > value.len()) =>
        {
            // It knew more than the disk tells.
            let fault = Fault { error: silence.error.as_str().into(), since: silence.since };
            faults.insert(name, fault);
        }
        (Seen::At { .. }, silent) => {
            *old = new.clone();
            faults.remove(name);
            if silent.is_some() {
                disk.insert(name)
            } else {
                disk.remove(name)
            };
        }
        (Seen::NotAsked, _) => {}
        (Seen::Failed { error, at }, _) => {
            if !matches!(old, Seen::At { .. }) {
                *old = new.clone();
            }
            let fault = faults.entry(name).or_insert_with(|| Fault { error: SafeText::default(), since: *at });
            fault.error = error.as_str().into();
        }
    }
}

/// What an object looks like: changes when another thing hides behind the same id, or it is in another state.
pub fn stamp(seen: &Inventory, object: &ObjectRef) -> Option<String> {
    match object {
        ObjectRef::Pod(id) => {
            let pod = seen.pods.value()?.iter().find(|p| p.id == *id)?;
            Some(format!("{:?} {:?} {}", pod.created, pod.state, pod.attempt))
        }
        ObjectRef::Container(id) => {
            let c = seen.containers.value()?.iter().find(|c| c.id == *id)?;
            Some(format!("{:?} {:?} {}", c.created, c.state, c.attempt))
        }
        ObjectRef::Image(id) => {
            let image = seen.images.value()?.iter().find(|i| i.id == *id)?;
            Some(format!("{:?} {:?} {}", image.tags, image.digests, image.pinned))
        }
        ObjectRef::Snapshot { snapshotter, namespace, key } => {
            let same = |s: &&crate::client::types::SnapshotRow| {
                s.snapshotter == *snapshotter && s.namespace == *namespace && s.key == *key
            };
            seen.snapshots.value()?.iter().find(same).map(|s| s.kind.clone())
        }
    }
}

/// What a step acts on, as far as it is there already.
pub fn object_of(step: &Step) -> Option<ObjectRef> {
    match step {
        Step::StopPod(id) | Step::RemovePod(id) => Some(ObjectRef::Pod(id.clone())),
        Step::StopContainer(id, _) | Step::RemoveContainer(id) | Step::Restart { container: id, .. } => {
            Some(ObjectRef::Container(id.clone()))
        }
        Step::RemoveImage(id) | Step::TagImage { image: id, .. } | Step::PinImage { image: id, .. } => {
            Some(ObjectRef::Image(id.clone()))
        }
        Step::Change(_) | Step::Collect => None,
        Step::RunPod(_) | Step::CreateContainer(_) | Step::StartContainer(_) => None,
        Step::PullImage(_) => None,
    }
}

/// What to read for a pane every few seconds.
pub fn scope(pane: PaneId) -> Scope {
    Scope {
        pods: true,
        stats: true,
        images: pane == PaneId::Images,
        snapshots: pane == PaneId::Snapshots,
        disk: matches!(pane, PaneId::Disk | PaneId::Node),
        whole: pane == PaneId::Disk,
    }
}
