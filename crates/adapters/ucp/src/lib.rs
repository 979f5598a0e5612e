//! Merchants that speak the Universal Commerce Protocol (REST, 2026-04-08), asked on behalf of the enabler.
