-- Times are wall-clock milliseconds since 1970 (UTC) unless a name says otherwise.

CREATE TABLE contact (
  id INTEGER PRIMARY KEY,
  phone TEXT UNIQUE,                          -- E.164 digits
  lid TEXT UNIQUE,                            -- WhatsApp's private id, `…@lid`
  name TEXT NOT NULL DEFAULT '',
  consent TEXT NOT NULL DEFAULT 'unknown' CHECK (consent IN ('unknown', 'in', 'out')),
  consent_at INTEGER,
  first_seen_at INTEGER NOT NULL,
  last_inbound_at INTEGER,
  free_at INTEGER NOT NULL DEFAULT 0,         -- cache of send_log: when the window admits one more
  reply_free_at INTEGER NOT NULL DEFAULT 0,   -- the same for replies
  hold_until INTEGER NOT NULL DEFAULT 0,      -- nothing goes to this contact before
  inflight INTEGER NOT NULL DEFAULT 0,        -- 1 while one of its messages is being sent
  CHECK (phone IS NOT NULL OR lid IS NOT NULL)
);

CREATE TABLE inbox (
  id INTEGER PRIMARY KEY,
  wa_id TEXT NOT NULL UNIQUE,
  contact_id INTEGER NOT NULL REFERENCES contact (id),
  written_at INTEGER NOT NULL,
  received_at INTEGER NOT NULL,
  kind TEXT NOT NULL,                         -- text, media, …
  body TEXT NOT NULL,
  state INTEGER NOT NULL DEFAULT 0,           -- 0 pending, 1 handled
  handled_at INTEGER,
  rule TEXT NOT NULL DEFAULT '',
  explanation TEXT NOT NULL DEFAULT ''
);
CREATE INDEX inbox_pending ON inbox (contact_id, id) WHERE state = 0;

CREATE TABLE trigger_fired (
  contact_id INTEGER NOT NULL REFERENCES contact (id),
  trigger_name TEXT NOT NULL,
  fired_at INTEGER NOT NULL,
  PRIMARY KEY (contact_id, trigger_name)
) WITHOUT ROWID;

CREATE TABLE outbox (
  id INTEGER PRIMARY KEY AUTOINCREMENT,       -- the order of enqueueing
  contact_id INTEGER NOT NULL REFERENCES contact (id),
  class INTEGER NOT NULL,                     -- 10 - priority: lower is more urgent
  quota INTEGER NOT NULL,                     -- which window bounds it: 0 contact, 1 reply, 2 none of the contact's
  due_at INTEGER NOT NULL,                    -- enqueued or not_before, whichever is later
  not_before INTEGER,
  expires_at INTEGER,
  retry_at INTEGER NOT NULL DEFAULT 0,        -- back-off after a failure; holds its lane
  state INTEGER NOT NULL DEFAULT 0,           -- 0 queued, 1 sending, 2 sent, 3 dead, 4 cancelled, 5 unconfirmed
  attempts INTEGER NOT NULL DEFAULT 0,
  ack INTEGER NOT NULL DEFAULT 0,             -- 0 none, 1 sent, 2 delivered, 3 read
  wa_id TEXT,                                 -- chosen before the first attempt, kept for all
  enqueued_at INTEGER NOT NULL,
  claimed_at INTEGER,
  done_at INTEGER,
  source TEXT NOT NULL,                       -- manual, trigger:NAME, consent:opt_out, …
  error TEXT NOT NULL DEFAULT '',
  dedup TEXT,
  body TEXT NOT NULL
);
CREATE INDEX outbox_lane ON outbox (contact_id, class, due_at, id) WHERE state = 0;
CREATE INDEX outbox_due ON outbox (due_at, id) WHERE state = 0;
CREATE INDEX outbox_expiry ON outbox (expires_at) WHERE state = 0 AND expires_at IS NOT NULL;
CREATE INDEX outbox_sending ON outbox (id) WHERE state = 1;
CREATE INDEX outbox_dead ON outbox (id) WHERE state = 3;
CREATE INDEX outbox_unconfirmed ON outbox (id) WHERE state = 5;
CREATE INDEX outbox_done ON outbox (done_at, id) WHERE done_at IS NOT NULL;
CREATE UNIQUE INDEX outbox_wa_id ON outbox (wa_id) WHERE wa_id IS NOT NULL;
CREATE UNIQUE INDEX outbox_dedup ON outbox (dedup) WHERE dedup IS NOT NULL;

-- One row for each contact and class with something queued: the pick never looks at blocked messages.
CREATE TABLE lane (
  contact_id INTEGER NOT NULL,
  class INTEGER NOT NULL,
  eligible_at INTEGER NOT NULL,
  head_id INTEGER NOT NULL,
  PRIMARY KEY (contact_id, class)
) WITHOUT ROWID;
CREATE INDEX lane_pick ON lane (class, eligible_at, head_id);

-- The sliding windows' only truth; never more rows than the windows hold.
CREATE TABLE send_log (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  ts INTEGER NOT NULL,
  contact_id INTEGER NOT NULL,
  message_id INTEGER NOT NULL
);
CREATE INDEX send_log_contact ON send_log (contact_id, ts);

-- Counts of the queue, kept by the transaction that changes it: `queued:CLASS`, `sending`, `dead`, `unconfirmed`.
CREATE TABLE tally (name TEXT PRIMARY KEY, n INTEGER NOT NULL) WITHOUT ROWID;
-- Queued messages with a not_before, by the minute it falls in.
CREATE TABLE scheduled (minute INTEGER PRIMARY KEY, n INTEGER NOT NULL);

CREATE TABLE breaker (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  state TEXT NOT NULL DEFAULT 'closed',
  mode TEXT NOT NULL DEFAULT 'auto',
  generation INTEGER NOT NULL DEFAULT 0,      -- a result of an earlier generation is not counted
  multiplier INTEGER NOT NULL DEFAULT 1,
  opened_at INTEGER,
  open_until INTEGER,
  probes_ok INTEGER NOT NULL DEFAULT 0,
  probes_failed INTEGER NOT NULL DEFAULT 0,
  probe_generation INTEGER,                   -- of the probe in flight
  last_probe_at INTEGER
);
INSERT INTO breaker (id) VALUES (1);
-- The breaker's window: outcomes that are younger than it, never more than it counts.
CREATE TABLE outcome (id INTEGER PRIMARY KEY, ts INTEGER NOT NULL, ok INTEGER NOT NULL);
CREATE TABLE breaker_transition (
  id INTEGER PRIMARY KEY,
  at INTEGER NOT NULL,
  from_state TEXT NOT NULL,
  to_state TEXT NOT NULL,
  cause TEXT NOT NULL
);

CREATE TABLE stat_day (day TEXT NOT NULL, counter TEXT NOT NULL, n INTEGER NOT NULL, PRIMARY KEY (day, counter)) WITHOUT ROWID;
CREATE TABLE stat_hour (hour INTEGER NOT NULL, counter TEXT NOT NULL, n INTEGER NOT NULL, PRIMARY KEY (hour, counter)) WITHOUT ROWID;

CREATE TABLE alert (
  id INTEGER PRIMARY KEY,
  kind TEXT NOT NULL,
  severity TEXT NOT NULL,
  text TEXT NOT NULL,
  raised_at INTEGER NOT NULL,
  cleared_at INTEGER,
  acknowledged_at INTEGER
);
CREATE UNIQUE INDEX alert_active ON alert (kind) WHERE cleared_at IS NULL;

CREATE TABLE robot (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  paused INTEGER NOT NULL DEFAULT 0,
  transport_kind TEXT NOT NULL DEFAULT 'simulator',
  transport_state TEXT NOT NULL DEFAULT 'stopped',
  transport_detail TEXT NOT NULL DEFAULT ''
);
INSERT INTO robot (id) VALUES (1);

-- Commands carried out, so that none is carried out twice.
CREATE TABLE command (
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  done_at INTEGER NOT NULL,
  result TEXT NOT NULL                        -- JSON
) WITHOUT ROWID;
CREATE INDEX command_done ON command (done_at);

CREATE TABLE config_change (
  id INTEGER PRIMARY KEY,
  at INTEGER NOT NULL,
  who TEXT NOT NULL,
  file TEXT NOT NULL,
  field TEXT NOT NULL,
  old TEXT NOT NULL,
  new TEXT NOT NULL
);
