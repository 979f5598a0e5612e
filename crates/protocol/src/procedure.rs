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

/// What the steps of P1 are, in a few words.
const P1: [&str; 19] = [
    "registers itself",
    "keeps the registration",
    "confirms the registration",
    "searches systems",
    "answers the search",
    "asks to use a service",
    "passes the question on",
    "answers with user and permissions",
    "keeps user and permissions",
    "answers who asked",
    "runs the service",
    "asks to use a system or share data",
    "verifies the permission",
    "has it executed, or rejects it",
    "asks for a twin's information",
    "passes it on to the DTIF",
    "gathers the twin's information",
    "answers with it",
    "answers the third-party system",
];

/// What the steps of P2 are.
const P2: [&str; 18] = [
    "registers itself and its twins",
    "keeps the registration and the twins",
    "confirms the registration",
    "searches twin systems",
    "answers the search",
    "looks through twins and chooses",
    "answers with the twins",
    "asks for properties and permissions",
    "passes the question on",
    "answers with properties and permissions",
    "keeps properties and permissions",
    "answers who asked",
    "runs the service",
    "reflects a change of the physical object",
    "asks for a change",
    "verifies the permission",
    "has it executed, or rejects it",
    "answers what came of it",
];

impl Procedure {
    /// What its steps are, in a few words each, from its first.
    #[must_use]
    pub const fn steps(self) -> &'static [&'static str] {
        match self {
            Self::P1 => &P1,
            Self::P2 => &P2,
        }
    }
}

impl Participant {
    /// Who it is, for a person.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Self::Metaverse(user) => format!("{user}'s world"),
            Self::Sif => "SIF".to_owned(),
            Self::Dtif => "DTIF".to_owned(),
            Self::TwinSystem(system) | Self::ThirdParty(system) => system.to_string(),
        }
    }
}

impl ProcedureStep {
    /// Its id as the requirements write it: `P2.15`.
    #[must_use]
    pub fn id(&self) -> String {
        format!("{:?}.{}", self.procedure, self.step)
    }

    /// What the step is, in a few words; nothing for a number that the procedure does not have.
    #[must_use]
    pub fn what(&self) -> &'static str {
        let place = usize::from(self.step).checked_sub(1);
        place.and_then(|place| self.procedure.steps().get(place)).copied().unwrap_or_default()
    }
}
