-- A file that goes out with a message, whose body is its caption then: JSON with `file` (its name in the folder
-- of outgoing files), `kind`, `mimetype` and `name`.
ALTER TABLE outbox ADD COLUMN attachment TEXT;
CREATE INDEX outbox_attachment ON outbox (id) WHERE attachment IS NOT NULL AND state IN (0, 1, 3, 5);

-- Ids under which a message was tried and never will be again; one may still turn up.
CREATE TABLE spent_id (
  wa_id TEXT PRIMARY KEY,
  message_id INTEGER NOT NULL REFERENCES outbox (id)
) WITHOUT ROWID;

-- Further addresses of a contact beside its `phone` and `lid`: phone digits, or a LID.
CREATE TABLE contact_alias (
  address TEXT PRIMARY KEY,
  contact_id INTEGER NOT NULL REFERENCES contact (id)
) WITHOUT ROWID;
CREATE INDEX contact_alias_contact ON contact_alias (contact_id);

-- Everything of one contact, in the order of arrival: two contacts may turn out to be one person.
CREATE INDEX inbox_contact ON inbox (contact_id, id);
CREATE INDEX outbox_contact ON outbox (contact_id, id);

-- `inflight` of a contact is a number: both of two contacts that are merged may have a message in flight.

-- The limits that `free_at` and `reply_free_at` of all contacts were worked out with; no row before the first send.
CREATE TABLE window_limits (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  per_contact INTEGER NOT NULL,
  per_contact_reply INTEGER NOT NULL,
  contact_window INTEGER NOT NULL             -- milliseconds
);

ALTER TABLE inbox ADD COLUMN wa_key TEXT NOT NULL DEFAULT '';      -- WhatsApp's full id; empty if it has told none
ALTER TABLE inbox ADD COLUMN mimetype TEXT;                        -- NULL: there is no medium; empty: of unknown type
ALTER TABLE inbox ADD COLUMN file_name TEXT NOT NULL DEFAULT '';
ALTER TABLE inbox ADD COLUMN size_bytes INTEGER;
ALTER TABLE inbox ADD COLUMN original TEXT;                        -- the first text of a message that was edited
ALTER TABLE inbox ADD COLUMN edited_at INTEGER;
ALTER TABLE inbox ADD COLUMN revoked_at INTEGER;                   -- taken back by its sender
CREATE INDEX inbox_media ON inbox (id) WHERE mimetype IS NOT NULL;

-- How far each chat was recorded without a gap when it was compared with WhatsApp: where catching up begins.
CREATE TABLE chat_cursor (
  chat TEXT PRIMARY KEY,                      -- as WhatsApp addresses it
  key TEXT NOT NULL,                          -- full id of the last message received
  written_at INTEGER NOT NULL                 -- when the last message was written, ours included
) WITHOUT ROWID;

-- The account of the business.
CREATE TABLE whatsapp (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  account TEXT NOT NULL DEFAULT '',           -- its phone, digits; empty before the first pairing
  paired_at INTEGER,
  caught_up_at INTEGER,                       -- when everything missed had been fetched last
  blocked_at INTEGER,                         -- WhatsApp refused the account then; NULL: it does not
  blocked_reason TEXT NOT NULL DEFAULT ''
);
INSERT INTO whatsapp (id) VALUES (1);
