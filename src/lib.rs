//! Vestibule.
