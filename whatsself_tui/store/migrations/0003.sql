-- What the rules remember of a contact between two messages.
ALTER TABLE contact ADD COLUMN welcomed INTEGER NOT NULL DEFAULT 0;   -- 1: the first contact lies behind
UPDATE contact SET welcomed = 1 WHERE last_inbound_at IS NOT NULL;
ALTER TABLE contact ADD COLUMN away_period INTEGER;                   -- the closed period whose away message they got
ALTER TABLE contact ADD COLUMN unmatched INTEGER NOT NULL DEFAULT 0;  -- messages in a row that nothing matched
ALTER TABLE contact ADD COLUMN handover_reason TEXT;                  -- set: left to a person ...
ALTER TABLE contact ADD COLUMN handover_until INTEGER;                -- ... until then; NULL: until released
ALTER TABLE contact ADD COLUMN person_at INTEGER;                     -- when a person wrote to them last
CREATE INDEX contact_handover ON contact (handover_until) WHERE handover_reason IS NOT NULL;
CREATE INDEX contact_handover_end ON contact (handover_until) WHERE handover_until IS NOT NULL;

-- What a person sends overtakes what is automatic while a contact is left to a person.
CREATE INDEX outbox_lane_manual ON outbox (contact_id, class, due_at, id) WHERE state = 0 AND source = 'manual';

-- 1: goes out only in business hours; its lane then has gate 2 (3 for a stranger).
ALTER TABLE outbox ADD COLUMN in_hours INTEGER NOT NULL DEFAULT 0;

CREATE TABLE contact_flow (
  contact_id INTEGER PRIMARY KEY REFERENCES contact (id),
  flow TEXT NOT NULL,
  step TEXT NOT NULL,
  collected TEXT NOT NULL,                    -- JSON: what the contact answered so far, by name
  tries INTEGER NOT NULL,
  since INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  version TEXT NOT NULL                       -- of the flow at that time
);
CREATE INDEX contact_flow_expiry ON contact_flow (expires_at);

CREATE TABLE contact_variant (
  contact_id INTEGER NOT NULL REFERENCES contact (id),
  template TEXT NOT NULL,
  variant INTEGER NOT NULL,                   -- the text they got last
  PRIMARY KEY (contact_id, template)
) WITHOUT ROWID;

-- How often which rule decided, by the business's day.
CREATE TABLE rule_day (day TEXT NOT NULL, rule TEXT NOT NULL, n INTEGER NOT NULL, PRIMARY KEY (day, rule)) WITHOUT ROWID;
