use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use vestibule_model::{SystemId, Timestamp, TraceId, UserId};

/// A procedure of FGMV-29, clause 9.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
pub enum Procedure {
    /// 9.1, integrating third-party systems: 19 steps.
    P1,
    /// 9.2, integrating digital twin systems: 18 steps.
    P2,
}

/// Who takes part in a procedure: a column of its sequence diagram.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Participant {
    /// A metaverse system, by its user.
    Metaverse(UserId),
    /// The enabler's systems integration functions.
    Sif,
    /// The enabler's digital twin integration functions.
    Dtif,
    /// A digital twin system.
    TwinSystem(SystemId),
    /// A third-party system.
    ThirdParty(SystemId),
}

/// A step of a procedure, recorded where it happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ProcedureStep {
    /// Grows with each step since the enabler's start.
    pub sequence: u64,
    /// Which procedure.
    pub procedure: Procedure,
    /// Its number there: 1 to 19 or 1 to 18.
    pub step: u8,
    /// When.
    pub at: Timestamp,
    /// Who did something.
    pub from: Participant,
    /// To whom; the same as `from` where it is done inside.
    pub to: Participant,
    /// What it was about: a twin, a system, a command, in one line.
    pub about: String,
    /// Whether what was asked for was refused in this step.
    pub refused: bool,
    /// On whose behalf, where it was on somebody's.
    pub user: Option<UserId>,
    /// Which click it followed from, where the click named one.
    pub trace: Option<TraceId>,
}

impl ProcedureStep {
    /// Its id as the requirements write it: `P2.15`.
    #[must_use]
    pub fn id(&self) -> String {
        format!("{:?}.{}", self.procedure, self.step)
    }
}
