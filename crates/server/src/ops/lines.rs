//! Lines of the log that people search: a command, from the click to its end, under its trace.

use vestibule_model::{Command, SystemId};
use vestibule_protocol::{CommandUpdate, Execution, Request, Response};

/// A request was answered: of a command this is the first line, with who wants what.
pub(crate) fn answered(request: &Request, response: &Response) {
    let Request::Actuate(command) = request else { return };
    let Command { id, twin, action, trace, .. } = command;
    let trace = trace.map(tracing::field::display);
    match response {
        Response::Command(update) => {
            let (user, status) = (&update.user, &update.status);
            tracing::info!(trace, command = %id, %twin, %action, %user, %status, "accepted");
        }
        Response::Refused(refusal) => tracing::info!(trace, command = %id, %twin, %action, %refusal, "refused"),
        _ => {}
    }
}

/// An execution is on its way.
pub(crate) fn given(system: &SystemId, execution: &Execution) {
    let Execution { command, twin, action, trace, .. } = execution;
    let trace = trace.map(tracing::field::display);
    tracing::info!(trace, %command, %system, %twin, %action, "given to its system");
}

/// A command has another status.
pub(crate) fn further(update: &CommandUpdate) {
    tracing::info!(command = %update.command, twin = %update.twin, status = %update.status, "came further");
}
