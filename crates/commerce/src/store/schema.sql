-- Who buys: the thumbprint of its key is who it is, its addresses may change.
CREATE TABLE IF NOT EXISTS platform (
    thumbprint TEXT PRIMARY KEY, profile TEXT NOT NULL, webhook TEXT
) STRICT;
CREATE TABLE IF NOT EXISTS session (
    id TEXT PRIMARY KEY, platform TEXT NOT NULL, stage TEXT NOT NULL, body TEXT NOT NULL,
    expires INTEGER NOT NULL, due INTEGER
) STRICT;
CREATE INDEX IF NOT EXISTS session_due ON session (due) WHERE due IS NOT NULL;
CREATE INDEX IF NOT EXISTS session_open ON session (expires, platform) WHERE stage IN ('open', 'challenged');
-- One session becomes one order.
CREATE TABLE IF NOT EXISTS orders (
    id TEXT PRIMARY KEY, session TEXT NOT NULL UNIQUE REFERENCES session, platform TEXT NOT NULL, number INTEGER NOT NULL
    UNIQUE, stage TEXT NOT NULL, due INTEGER, body TEXT NOT NULL, created INTEGER NOT NULL, changed INTEGER NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS orders_due ON orders (due) WHERE due IS NOT NULL;
CREATE INDEX IF NOT EXISTS orders_stage ON orders (stage);
-- Who bought and where they live: apart, so that it can be forgotten.
CREATE TABLE IF NOT EXISTS person (
    orders TEXT PRIMARY KEY REFERENCES orders ON DELETE CASCADE, buyer TEXT NOT NULL, destination TEXT NOT NULL
) STRICT;
-- Events and adjustments only grow.
CREATE TABLE IF NOT EXISTS event (
    orders TEXT NOT NULL REFERENCES orders, n INTEGER NOT NULL, body TEXT NOT NULL, PRIMARY KEY (orders, n)
) STRICT;
CREATE TABLE IF NOT EXISTS adjustment (
    orders TEXT NOT NULL REFERENCES orders, n INTEGER NOT NULL, amount INTEGER NOT NULL, body TEXT NOT NULL,
    PRIMARY KEY (orders, n)
) STRICT;
CREATE TABLE IF NOT EXISTS token (
    token TEXT PRIMARY KEY, session TEXT NOT NULL, amount INTEGER NOT NULL, currency TEXT NOT NULL, card TEXT NOT NULL,
    until INTEGER NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS token_session ON token (session);
CREATE TABLE IF NOT EXISTS payment (
    orders TEXT PRIMARY KEY REFERENCES orders, session TEXT NOT NULL UNIQUE, token TEXT NOT NULL UNIQUE,
    authorized INTEGER NOT NULL, held INTEGER NOT NULL CHECK (held >= 0), captured INTEGER NOT NULL,
    refunded INTEGER NOT NULL, CHECK (captured + held <= authorized), CHECK (refunded <= captured)
) STRICT;
CREATE TABLE IF NOT EXISTS idempotency (
    platform TEXT NOT NULL, operation TEXT NOT NULL, key TEXT NOT NULL, request BLOB NOT NULL, status INTEGER NOT NULL,
    body BLOB NOT NULL, until INTEGER NOT NULL, PRIMARY KEY (platform, operation, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS idempotency_until ON idempotency (until);
-- `listed` is the book's price: where the book changes, the price does.
CREATE TABLE IF NOT EXISTS stock (
    item TEXT PRIMARY KEY, left INTEGER NOT NULL CHECK (left >= 0), sold INTEGER NOT NULL CHECK (sold >= 0),
    price INTEGER NOT NULL CHECK (price >= 0), listed INTEGER NOT NULL, gone INTEGER NOT NULL
) STRICT;
-- Snapshots that have to be told: one open row an order, always about the newest.
CREATE TABLE IF NOT EXISTS hook (
    orders TEXT PRIMARY KEY REFERENCES orders, id TEXT NOT NULL, made INTEGER NOT NULL, due INTEGER NOT NULL,
    attempts INTEGER NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS hook_due ON hook (due);
-- Confirmations that have to be written.
CREATE TABLE IF NOT EXISTS mail (orders TEXT PRIMARY KEY REFERENCES orders) STRICT;
-- Packages that are kept, beside in designs/HASH.
CREATE TABLE IF NOT EXISTS design (package TEXT PRIMARY KEY, bytes INTEGER NOT NULL, used INTEGER NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS quote (
    item TEXT PRIMARY KEY, package TEXT NOT NULL, title TEXT NOT NULL, price INTEGER NOT NULL, body TEXT NOT NULL,
    until INTEGER NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS quote_until ON quote (until);
CREATE TABLE IF NOT EXISTS serial (
    serial TEXT PRIMARY KEY, orders TEXT NOT NULL REFERENCES orders, line TEXT NOT NULL, certificate TEXT NOT NULL
) STRICT;
