//! What a step may read: decided before it leaves, by what the user shares with its system and may read themselves.

use serde_json::{Value, json};
use vestibule_model::{
    CallStep, Collaboration, Json, Refusal, RefusalCode, Right, Sharing, Source, Timestamp, Truth, Value as Reading,
};

use super::{
    record::CallRecord,
    transform::{TransformError, make},
};
use crate::{Hot, State, Viewer, dtif::dtac};

/// Whether what is in `source` may be given to the system of `step`.
pub(super) fn may_leave(
    state: &State,
    viewer: &Viewer,
    share: &Sharing,
    call: &Collaboration,
    step: &CallStep,
    source: &Source,
) -> Result<(), Refusal> {
    let forbidden = |message: String| Err(Refusal::new(RefusalCode::Forbidden, message));
    match source {
        Source::Step(key) => {
            let giver = call.steps.iter().find(|other| other.key == *key).map(|other| &other.system);
            match giver {
                Some(giver) if *giver != step.system && !share.answers_of.contains(giver) => forbidden(format!(
                    "what {giver} answers may not be passed on to {}: {} has not shared that with it",
                    step.system, viewer.user
                )),
                _ => Ok(()),
            }
        }
        Source::Twin { twin, feature, .. } => {
            if !share.has(twin, Some(feature)) {
                let (user, system) = (&viewer.user, &step.system);
                return forbidden(format!("{user} does not share {feature} of {twin} with {system}"));
            }
            dtac::may(state, viewer, twin, Some(feature), &Right::Read).map(|_| ())
        }
        Source::Input | Source::Sent | Source::Made => Ok(()),
    }
}

/// The input of the step at `place`, and what it reads checked once more: much can have changed since it was accepted.
pub(super) fn input(
    state: &State,
    hot: &Hot,
    now: Timestamp,
    viewer: &Viewer,
    share: &Sharing,
    record: &CallRecord,
    place: usize,
) -> Result<Json, TransformError> {
    let Some(step) = record.call.steps.get(place) else { return Err(TransformError::Nothing("the step".to_owned())) };
    if step.input.is_empty() {
        return Ok(record.call.input.clone());
    }
    make(&step.input, &|source| {
        may_leave(state, viewer, share, &record.call, step, source)
            .map_err(|refusal| TransformError::NotShared(refusal.to_string()))?;
        match source {
            Source::Input => Ok(record.call.input.value()),
            Source::Step(key) => given(record, record.place(key)),
            Source::Twin { twin, feature, property } => {
                let found = state.twins.get(twin).and_then(|known| {
                    let place = known.info.properties().position(|(f, p, _)| f == feature && p == property)?;
                    hot.reading(twin, u16::try_from(place).ok()?, now)
                });
                let reading =
                    found.ok_or_else(|| TransformError::Nothing(format!("{property} of {feature} of {twin}")))?;
                let value = reading.value.as_ref().map(plain);
                Ok(json!({"value": value, "truth": truth(reading.truth), "age_ms": reading.age_ms}))
            }
            Source::Sent | Source::Made => Err(TransformError::Nothing("what was sent".to_owned())),
        }
    })
}

/// The input of the service that takes the step at `place` back.
pub(super) fn undo_input(record: &CallRecord, place: usize) -> Result<Json, TransformError> {
    let (step, known) = match (record.call.steps.get(place), record.steps.get(place)) {
        (Some(step), Some(known)) => (step, known),
        _ => return Err(TransformError::Nothing("the step".to_owned())),
    };
    let sent = known.input.as_ref().map(Json::value).unwrap_or_default();
    if step.undo.is_empty() {
        let output = known.output.as_ref().map(Json::value);
        return Ok(Json::of(&json!({"input": sent, "output": output}))?);
    }
    make(&step.undo, &|source| match source {
        Source::Sent => Ok(sent.clone()),
        Source::Step(key) if *key == step.key => given(record, Some(place)),
        _ => Err(TransformError::NotShared("a step is undone with what its system knows already".to_owned())),
    })
}

fn given(record: &CallRecord, place: Option<usize>) -> Result<Value, TransformError> {
    let output = place.and_then(|place| record.steps.get(place)).and_then(|step| step.output.as_ref());
    // A step in doubt gave nothing that anybody knows of.
    Ok(output.map(Json::value).unwrap_or_default())
}

fn plain(value: &Reading) -> Value {
    match value {
        Reading::Bool(yes) => json!(yes),
        Reading::Int(number) => json!(number),
        Reading::Float(number) => json!(number),
        Reading::Text(text) => json!(text),
        Reading::Color(_) => json!(value.to_string()),
        Reading::Blob(blob) => json!({"hash": blob.hash, "size": blob.size, "media": blob.media}),
    }
}

const fn truth(truth: Truth) -> &'static str {
    match truth {
        Truth::Live => "live",
        Truth::Pending => "pending",
        Truth::Stale => "stale",
        Truth::Diverged => "diverged",
        Truth::Commanded => "commanded",
    }
}
