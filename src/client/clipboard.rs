//! The clipboard of an X server, so that a token can be copied out and pasted in. Bevy's own is not the system's here.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        mpsc::{Receiver, SyncSender, sync_channel},
    },
    thread,
};

use vestibule_hud::SystemClipboard;
use x11rb::{
    COPY_DEPTH_FROM_PARENT, CURRENT_TIME, NONE,
    connection::Connection,
    errors::ReplyOrIdError,
    protocol::{
        Event,
        xproto::{
            Atom, AtomEnum, ConnectionExt as _, CreateWindowAux, EventMask, PropMode, SELECTION_NOTIFY_EVENT,
            SelectionNotifyEvent, SelectionRequestEvent, Window, WindowClass,
        },
    },
    rust_connection::RustConnection,
    wrapper::ConnectionExt as _,
};

/// Bytes of a text that is pasted: more than a token or a path has.
const MOST_BYTES: u32 = 16 * 1024;
/// Pasted texts that wait: a person pastes one.
const MOST_PASTED: usize = 4;

x11rb::atom_manager! {
    /// Names that both sides of a copy agree on.
    Atoms: AtomsCookie {
        CLIPBOARD,
        TARGETS,
        UTF8_STRING,
        VESTIBULE_PASTE,
    }
}

/// A window that nobody sees owns what was copied.
struct Shared {
    server: RustConnection,
    window: Window,
    atoms: Atoms,
    copied: Mutex<Option<String>>,
}

/// The clipboard of the X server at `DISPLAY`.
pub(super) struct XClipboard {
    shared: Arc<Shared>,
    pasted: Mutex<Receiver<String>>,
}

impl XClipboard {
    /// The clipboard of the server of this name; of `DISPLAY` where none is given.
    pub(super) fn open(display: Option<&str>) -> Result<Self, Box<dyn std::error::Error>> {
        let (server, screen) = RustConnection::connect(display)?;
        let atoms = Atoms::new(&server)?.reply()?;
        let root = server.setup().roots.get(screen).ok_or("the X server has no such screen")?.root;
        let window = hidden(&server, root)?;
        let shared = Arc::new(Shared { server, window, atoms, copied: Mutex::default() });
        let (send, pasted) = sync_channel(MOST_PASTED);
        let served = Arc::clone(&shared);
        // It waits for the server, and ends with it.
        thread::Builder::new().name("vestibule-clipboard".to_owned()).spawn(move || {
            while let Ok(event) = served.server.wait_for_event() {
                if served.serve(&event, &send).is_err() {
                    return;
                }
            }
        })?;
        Ok(Self { shared, pasted: Mutex::new(pasted) })
    }
}

fn hidden(server: &RustConnection, root: Window) -> Result<Window, ReplyOrIdError> {
    let window = server.generate_id()?;
    let class = WindowClass::INPUT_OUTPUT;
    let look = CreateWindowAux::new().event_mask(EventMask::PROPERTY_CHANGE);
    server.create_window(COPY_DEPTH_FROM_PARENT, window, root, 0, 0, 1, 1, 0, class, 0, &look)?;
    server.flush()?;
    Ok(window)
}

impl Shared {
    fn copied(&self) -> Option<String> {
        self.copied.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn keep(&self, text: Option<String>) {
        *self.copied.lock().unwrap_or_else(PoisonError::into_inner) = text;
    }

    fn serve(&self, event: &Event, pasted: &SyncSender<String>) -> Result<(), Box<dyn std::error::Error>> {
        match event {
            Event::SelectionRequest(request) => self.give(request)?,
            Event::SelectionClear(_) => self.keep(None),
            Event::SelectionNotify(told) if told.property != NONE => {
                let (window, name) = (self.window, self.atoms.VESTIBULE_PASTE);
                let any = AtomEnum::ANY;
                let reply = self.server.get_property(true, window, name, any, 0, MOST_BYTES / 4)?.reply()?;
                if reply.bytes_after == 0
                    && let Ok(text) = String::from_utf8(reply.value)
                {
                    // Nobody reads: it is pasted another time.
                    let _ = pasted.try_send(text);
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// Somebody pastes what was copied here.
    fn give(&self, request: &SelectionRequestEvent) -> Result<(), Box<dyn std::error::Error>> {
        let Atoms { TARGETS, UTF8_STRING, .. } = self.atoms;
        // Old clients name no property: the target's name stands for it.
        let property = if request.property == NONE { request.target } else { request.property };
        let text = self.copied();
        let given = match (request.target, text) {
            (target, Some(_)) if target == TARGETS => {
                let kinds: [Atom; 3] = [TARGETS, UTF8_STRING, AtomEnum::STRING.into()];
                self.server.change_property32(
                    PropMode::REPLACE,
                    request.requestor,
                    property,
                    AtomEnum::ATOM,
                    &kinds,
                )?;
                property
            }
            (target, Some(text)) if target == UTF8_STRING || target == Atom::from(AtomEnum::STRING) => {
                self.server.change_property8(
                    PropMode::REPLACE,
                    request.requestor,
                    property,
                    target,
                    text.as_bytes(),
                )?;
                property
            }
            _ => NONE,
        };
        let told = SelectionNotifyEvent {
            response_type: SELECTION_NOTIFY_EVENT,
            sequence: 0,
            time: request.time,
            requestor: request.requestor,
            selection: request.selection,
            target: request.target,
            property: given,
        };
        self.server.send_event(false, request.requestor, EventMask::NO_EVENT, told)?;
        self.server.flush()?;
        Ok(())
    }
}

impl SystemClipboard for XClipboard {
    fn copy(&mut self, text: String) -> Result<(), String> {
        let shared = &self.shared;
        shared.keep(Some(text));
        let words = |error: &dyn std::fmt::Display| error.to_string();
        let taken = shared.server.set_selection_owner(shared.window, shared.atoms.CLIPBOARD, CURRENT_TIME);
        taken.map_err(|error| words(&error))?.check().map_err(|error| words(&error))
    }

    fn ask(&mut self) {
        let Shared { server, window, atoms, .. } = &*self.shared;
        let property = atoms.VESTIBULE_PASTE;
        // Where the server is gone nothing comes: the person sees that.
        let _ = server.convert_selection(*window, atoms.CLIPBOARD, atoms.UTF8_STRING, property, CURRENT_TIME);
        let _ = server.flush();
    }

    fn pasted(&mut self) -> Option<String> {
        self.pasted.lock().unwrap_or_else(PoisonError::into_inner).try_recv().ok()
    }
}

#[cfg(test)]
mod tests {
    use std::{
        io::{BufRead, BufReader},
        process::{Child, Command, Stdio},
        time::{Duration, Instant},
    };

    use super::*;

    struct Display(Child);

    impl Drop for Display {
        fn drop(&mut self) {
            let _ = self.0.kill();
            let _ = self.0.wait();
        }
    }

    fn display() -> (Display, String) {
        let mut command = Command::new("Xvfb");
        command.args(["-displayfd", "1", "-screen", "0", "64x64x24", "-nolisten", "tcp"]);
        let mut server = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut number = String::new();
        BufReader::new(server.stdout.take().unwrap()).read_line(&mut number).unwrap();
        (Display(server), format!(":{}", number.trim()))
    }

    fn pasted(clipboard: &mut XClipboard) -> String {
        clipboard.ask();
        let end = Instant::now() + Duration::from_secs(20);
        loop {
            if let Some(text) = clipboard.pasted() {
                return text;
            }
            assert!(Instant::now() < end, "nothing came");
            thread::sleep(Duration::from_millis(2));
        }
    }

    #[test]
    fn what_one_copies_another_pastes() {
        let (_display, name) = display();
        let mut one = XClipboard::open(Some(&name)).unwrap();
        let mut other = XClipboard::open(Some(&name)).unwrap();
        one.copy("EoQB-\u{fc}".to_owned()).unwrap();
        assert_eq!(pasted(&mut other), "EoQB-\u{fc}");
        let long = "a".repeat(4_096);
        other.copy(long.clone()).unwrap();
        assert_eq!(pasted(&mut one), long, "the newest copy counts");
        assert_eq!(pasted(&mut other), long, "one's own, too");
    }
}
