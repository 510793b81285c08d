//! What goes wrong, by rules that a test sets and a seed decides: refusals, delays, silence, broken connections, answers
//! lost after the effect, and effects that come later. Every skin asks before it acts.

mod layer;

pub use layer::{ConnectionDropped, EffectLater, around, dropped};

use rand::{Rng as _, SeedableRng as _, rngs::StdRng};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// What a face is about to do.
#[derive(Debug, Clone, Copy)]
pub struct Ask<'a> {
    /// The face: `reference`, `vcenter`, or an array's name in the form `reference/<array>`.
    pub face: &'a str,
    /// The HTTP method, or the SOAP operation.
    pub method: &'a str,
    /// The path, or the managed object.
    pub path: &'a str,
    /// Whatever names the object: query and body.
    pub object: &'a str,
}

/// What goes wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Wait by the world's clock, then go on.
    Delay {
        /// How long, in milliseconds.
        ms: u64,
    },
    /// No effect; an error in the face's own words.
    Refuse {
        /// The HTTP status.
        status: u16,
        /// The face's error code.
        code: String,
        /// The text.
        message: String,
    },
    /// No effect and no answer, ever.
    Hang,
    /// No effect; the connection breaks.
    Drop,
    /// The effect happens; then the connection breaks.
    LoseAnswer,
    /// The effect happens; no answer ever comes.
    HangAfterEffect,
    /// The effect happens later. A face with jobs answers with a job; on others the connection breaks now.
    EffectLater {
        /// How much later, in milliseconds.
        ms: u64,
    },
}

/// When something goes wrong. A filter that is not set fits everything.
#[derive(Debug, Clone)]
pub struct Rule {
    face: Option<String>,
    method: Option<String>,
    path: Option<String>,
    object: Option<String>,
    skip: u64,
    times: Option<u64>,
    chance: f64,
    action: Action,
}

impl Rule {
    /// Always and everywhere; the calls below narrow it.
    pub fn new(action: Action) -> Self {
        let (face, method, path, object) = (None, None, None, None);
        Rule { face, method, path, object, skip: 0, times: None, chance: 1.0, action }
    }

    /// Only faces that start with this (`reference` fits `reference/nas1`).
    #[must_use]
    pub fn face(mut self, start: &str) -> Self {
        self.face = Some(start.to_owned());
        self
    }

    /// Only this method or operation, whole.
    #[must_use]
    pub fn method(mut self, method: &str) -> Self {
        self.method = Some(method.to_owned());
        self
    }

    /// Only paths that hold this text.
    #[must_use]
    pub fn path(mut self, part: &str) -> Self {
        self.path = Some(part.to_owned());
        self
    }

    /// Only asks whose path, query or body holds this text.
    #[must_use]
    pub fn object(mut self, part: &str) -> Self {
        self.object = Some(part.to_owned());
        self
    }

    /// Lets the first `count` fitting asks pass.
    #[must_use]
    pub fn skip(mut self, count: u64) -> Self {
        self.skip = count;
        self
    }

    /// Acts so many times and then no more.
    #[must_use]
    pub fn times(mut self, count: u64) -> Self {
        self.times = Some(count);
        self
    }

    /// Acts with this probability, 0 to 1, decided by the seed.
    #[must_use]
    pub fn chance(mut self, probability: f64) -> Self {
        self.chance = probability.clamp(0.0, 1.0);
        self
    }

    fn fits(&self, ask: &Ask<'_>) -> bool {
        let unset_or = |filter: &Option<String>, fits: &dyn Fn(&str) -> bool| filter.as_deref().is_none_or(fits);
        unset_or(&self.face, &|start| ask.face.starts_with(start))
            && unset_or(&self.method, &|method| ask.method == method)
            && unset_or(&self.path, &|part| ask.path.contains(part))
            && unset_or(&self.object, &|part| ask.object.contains(part) || ask.path.contains(part))
    }
}

#[derive(Debug)]
struct Armed {
    id: u64,
    rule: Rule,
    seen: u64,
    acted: u64,
    rng: StdRng,
}

#[derive(Debug, Default)]
struct State {
    armed: Vec<Armed>,
    next_id: u64,
}

/// What a face has to do about one ask.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Verdict {
    /// Wait so long first, in milliseconds.
    pub delay_ms: u64,
    /// Then this, instead of doing what was asked.
    pub action: Option<Action>,
}

/// The rules of one world.
#[derive(Debug)]
pub struct Faults {
    seed: u64,
    state: Mutex<State>,
}

impl Faults {
    /// No rules yet.
    pub fn new(seed: u64) -> Self {
        Faults { seed, state: Mutex::default() }
    }

    /// Adds a rule; the answer is its id. Each rule draws its own chances, so that another rule does not change them.
    pub fn add(&self, rule: Rule) -> u64 {
        let mut state = self.lock();
        state.next_id += 1;
        let id = state.next_id;
        let rng = StdRng::seed_from_u64(self.seed.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(id));
        state.armed.push(Armed { id, rule, seen: 0, acted: 0, rng });
        id
    }

    /// Takes a rule away.
    pub fn remove(&self, id: u64) {
        self.lock().armed.retain(|armed| armed.id != id);
    }

    /// Takes all rules away.
    pub fn clear(&self) {
        self.lock().armed.clear();
    }

    /// How often a rule has acted; 0 once it was taken away.
    pub fn acted(&self, id: u64) -> u64 {
        self.lock().armed.iter().find(|armed| armed.id == id).map_or(0, |armed| armed.acted)
    }

    /// What happens to this ask. Delays add up; of the other actions the first rule's wins and the later ones do not count.
    pub fn decide(&self, ask: &Ask<'_>) -> Verdict {
        let mut verdict = Verdict::default();
        for armed in &mut self.lock().armed {
            let is_delay = matches!(armed.rule.action, Action::Delay { .. });
            if !armed.rule.fits(ask) || (verdict.action.is_some() && !is_delay) {
                continue;
            }
            armed.seen += 1;
            let over = armed.rule.times.is_some_and(|times| armed.acted >= times);
            if armed.seen <= armed.rule.skip || over || !armed.rng.random_bool(armed.rule.chance) {
                continue;
            }
            armed.acted += 1;
            match &armed.rule.action {
                Action::Delay { ms } => verdict.delay_ms = verdict.delay_ms.saturating_add(*ms),
                action => verdict.action = Some(action.clone()),
            }
        }
        verdict
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
