//! The client that a person starts: a window (or none), the simulated home (or real devices), an enabler (embedded, or
//! somewhere else), and Vestibule's plugins around them.

mod app;
mod backend;
#[cfg(target_os = "linux")]
mod clipboard;
mod courier;
mod doormat;
mod error;
mod flags;
mod folders;
mod glue;
mod gpu;
mod introduce;
mod keep;
mod kept;
mod me;
mod measure;
mod merchants;
mod page;
mod private;
mod shining;
mod table;
mod visitor;
mod xr;

pub use app::run;
pub use error::ClientError;
pub use flags::Flags;
pub(crate) use xr::views as xr_views;
