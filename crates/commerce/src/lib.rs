//! Merchants: a shop, a manufacturer and a supplier, each a process with a database of its own.
