//! Where pairing codes are proved: the code itself stays in this process, see `vestibule_quic`.

use std::sync::atomic::{AtomicUsize, Ordering};

use vestibule_enabler_core::PairingCode;
use vestibule_model::{Refusal, RefusalCode};
use vestibule_protocol::{Request, Response, encode};
use vestibule_quic::{FrameError, PairStream};

use crate::{HubHandle, SessionHandle};

/// Proofs that are under way at the same time: each costs some curve arithmetic, and a person pairs one device.
const CONCURRENT: usize = 4;

/// Has clients prove the code that the hub has shown last: a proof is about one code.
#[derive(Debug, Default)]
pub(crate) struct Desk {
    running: AtomicUsize,
}

/// A proof under way.
struct Running<'a>(&'a Desk);

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.running.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Desk {
    async fn begin(&self, hub: &HubHandle) -> Result<(PairingCode, Running<'_>), &'static str> {
        self.running.fetch_add(1, Ordering::SeqCst);
        let running = Running(self);
        if self.running.load(Ordering::SeqCst) > CONCURRENT {
            return Err("others are pairing at this moment; try again");
        }
        match hub.newest_code().await {
            Ok(Some(code)) => Ok((code, running)),
            Ok(None) => Err("no pairing code is open: have the enabler show one (`vestibule-enabler pair`)"),
            Err(_) => Err("the enabler has stopped"),
        }
    }

    /// Lets a client prove the code. The hub counts what was wrong and makes known who was right.
    pub(crate) async fn pair(
        &self,
        stream: PairStream,
        hub: &HubHandle,
        session: &SessionHandle,
    ) -> Result<(), FrameError> {
        let (code, _running) = match self.begin(hub).await {
            Ok(begun) => begun,
            Err(words) => return stream.refuse(words).await,
        };
        let proof = stream.challenge(code.as_str()).await?;
        // No code has no digits: to the hub a wrong proof is a wrong code.
        let digits = if proof.is_right() { code.as_str().to_owned() } else { String::new() };
        let response = session.request(Request::Pair { code: digits, name: proof.name().to_owned() }).await;
        if !proof.is_right() {
            let words = if let Response::Refused(refusal) = &response { refusal.to_string() } else { String::new() };
            return proof.refuse(&words).await;
        }
        let frame = encode(&response).or_else(|_| encode(&too_long())).unwrap_or_default();
        proof.answer(&frame).await
    }
}

fn too_long() -> Response {
    Response::Refused(Refusal::new(RefusalCode::Overloaded, "the answer is longer than a frame may be"))
}
