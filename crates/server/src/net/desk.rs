//! Where pairing codes are proved: the code itself stays in this process, see `vestibule_quic`.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use vestibule_enabler_core::PairingCode;
use vestibule_model::{Refusal, RefusalCode, RoleId};
use vestibule_protocol::{Request, Response, encode};
use vestibule_quic::{FrameError, PairStream};

use crate::{HubError, HubHandle, SessionHandle};

/// As long as the hub takes a code.
const LIFE: Duration = Duration::from_secs(5 * 60);
/// Proofs that are under way at the same time: each costs some curve arithmetic, and a person pairs one device.
const CONCURRENT: usize = 4;

#[derive(Debug, Default)]
struct Book {
    /// The code that was shown last. A proof is about one code, so an older one ends with it.
    open: Option<(PairingCode, Instant)>,
    running: usize,
}

/// Has codes shown, and has clients prove them.
#[derive(Debug, Default)]
pub(crate) struct Desk {
    book: Mutex<Book>,
}

/// A proof under way.
struct Running<'a>(&'a Desk);

impl Drop for Running<'_> {
    fn drop(&mut self) {
        let mut book = self.0.book();
        book.running = book.running.saturating_sub(1);
    }
}

impl Desk {
    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A new code for one device with `role`; one that was open before is void.
    pub(crate) async fn open(&self, hub: &HubHandle, role: RoleId) -> Result<PairingCode, HubError> {
        let code = hub.pairing_code(role).await?;
        self.book().open = Some((code.clone(), Instant::now()));
        Ok(code)
    }

    fn begin(&self) -> Result<(PairingCode, Running<'_>), &'static str> {
        let mut book = self.book();
        book.open.take_if(|(_, since)| since.elapsed() > LIFE);
        let Some((code, _)) = book.open.clone() else {
            return Err("no pairing code is open: have the enabler show one (`vestibule-enabler pair`)");
        };
        if book.running >= CONCURRENT {
            return Err("others are pairing at this moment; try again");
        }
        book.running += 1;
        drop(book);
        Ok((code, Running(self)))
    }

    fn close(&self, code: &PairingCode) {
        self.book().open.take_if(|(open, _)| open == code);
    }

    /// The code was used over another transport: nobody need prove it any more.
    pub(crate) fn used(&self, digits: &str) {
        self.book().open.take_if(|(open, _)| open.as_str() == digits);
    }

    /// Lets a client prove the code. The hub counts what was wrong and makes known who was right.
    pub(crate) async fn pair(&self, stream: PairStream, session: &SessionHandle) -> Result<(), FrameError> {
        let (code, _running) = match self.begin() {
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
        if matches!(response, Response::Paired { .. }) {
            self.close(&code);
        }
        let frame = encode(&response).or_else(|_| encode(&too_long())).unwrap_or_default();
        proof.answer(&frame).await
    }
}

fn too_long() -> Response {
    Response::Refused(Refusal::new(RefusalCode::Overloaded, "the answer is longer than a frame may be"))
}
