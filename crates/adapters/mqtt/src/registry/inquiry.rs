//! The enabler asks for one twin (P2.9, P2.10).

use vestibule_model::{InquiryId, Refusal, RefusalCode, TwinId, TwinPermission};
use vestibule_protocol::{DiiUp, InquiryAnswer};

use super::{Output, Registry};

impl Registry {
    /// What is known of a twin by now, as it was last described. A broker knows no users: who may do what with its
    /// things, the enabler's rules say.
    pub fn on_inquire(&mut self, inquiry: InquiryId, twin: &TwinId) -> Vec<Output> {
        let described = self.twins.get(twin).and_then(|twin| twin.described.clone());
        let answer = match described {
            Some(info) => InquiryAnswer::Twin { info: Box::new(info), permission: TwinPermission::Unrestricted },
            None => {
                let message = format!("{twin} is not announced at {}", self.config.broker);
                InquiryAnswer::Refused(Refusal::new(RefusalCode::NotFound, message))
            }
        };
        vec![Output::Up(DiiUp::Inquired { inquiry, answer })]
    }
}
