//! The operation engine: sequential steps with run and undo over an append-only journal. It knows nothing of storage or
//! VMware.
//!
//! What always holds:
//! 1. An operation exists from the flush of its `Accepted` on. Before that nobody has heard of it.
//! 2. A step acts only after its planned names and its `Started` are durable; the next one only after its outcome is.
//!    The types allow nothing else: a run needs a permit, and only the flush grants one.
//! 3. A step that started is undone when the operation turns back, whether it succeeded or not, by planned names: a
//!    time-out is not a no.
//! 4. Past the pivot there is only forward: cancel is refused, and a failure waits for a person.
//! 5. Whatever is shown, decided or recovered is computed from the events by pure functions (`status::next`,
//!    [`History`], [`recovery::plan`]); what they do not allow is never written.
//! 6. Two operations never hold the same resource unless both share it; claims end with `Finished`.
//!
//! Where to read next: [`Operation`] (what a host writes), `history.rs` (what comes next), `drive.rs` (the loop).

mod claims;
pub mod clock;
mod context;
mod drive;
pub mod engine;
pub mod error;
pub mod event;
pub mod faults;
pub mod history;
pub mod journal;
mod log;
pub mod operation;
pub mod plan_context;
pub mod recovery;
mod request;
pub mod status;
pub mod step;
pub mod testing;
pub mod watch;

pub use claims::{Claim, ClaimMode};
pub use clock::Clock;
pub use context::{RunContext, UndoContext};
pub use engine::{Engine, EngineBuilder, Submission, Submitted};
pub use error::{SagaError, StepError};
pub use event::{Accepted, Event, OperationId, Outcome, Record, RequestKey, StuckAction};
pub use faults::{Fault, Faults, NoFaults, Point};
pub use history::{History, State};
pub use journal::{Journal, JournalError};
pub use operation::{Operation, Outputs};
pub use plan_context::PlanContext;
pub use status::StepStatus;
pub use step::{Progress, Retry, Step, StepResult, Undo};
pub use watch::{Held, Status, Update, Watch};
