-- The message that would be typed now, and when it goes: a person takes a while before each send.
CREATE TABLE pace (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  message_id INTEGER NOT NULL,
  typing_at INTEGER NOT NULL,
  send_at INTEGER NOT NULL
);

-- When the first message to somebody who never wrote was claimed; NULL for everybody else.
ALTER TABLE contact ADD COLUMN approached_at INTEGER;
ALTER TABLE contact ADD COLUMN approached_by INTEGER;   -- that message
UPDATE contact SET approached_at =
  (SELECT min(claimed_at) FROM outbox WHERE contact_id = contact.id AND claimed_at IS NOT NULL)
WHERE last_inbound_at IS NULL;
CREATE INDEX contact_approached ON contact (approached_at) WHERE approached_at IS NOT NULL;

-- What bounds a lane beside its contact's own windows. 1: the contact never wrote and was never written to,
-- so the day's number of such messages does.
ALTER TABLE lane ADD COLUMN gate INTEGER NOT NULL DEFAULT 0;
UPDATE lane SET gate = 1
WHERE contact_id IN (SELECT id FROM contact WHERE last_inbound_at IS NULL AND approached_at IS NULL);
DROP INDEX lane_pick;
CREATE INDEX lane_pick ON lane (gate, class, eligible_at, head_id);

-- How many queued messages have a not_before: what is ahead is this without the minutes that have come.
INSERT INTO tally (name, n) SELECT 'scheduled', coalesce(sum(n), 0) FROM scheduled;

-- 1: an attempt had no answer, so that it may arrive late: it is looked up before it is repeated.
ALTER TABLE outbox ADD COLUMN doubtful INTEGER NOT NULL DEFAULT 0;

-- What became of a message's attempts that did not simply succeed, and what the operator decided then.
CREATE TABLE attempt (
  id INTEGER PRIMARY KEY,
  message_id INTEGER NOT NULL REFERENCES outbox (id),
  at INTEGER NOT NULL,
  number INTEGER NOT NULL,                    -- which attempt it was, from 1; 0 for a decision of the operator
  result TEXT NOT NULL,                       -- retry, failed, unconfirmed, …
  reason TEXT NOT NULL
);
CREATE INDEX attempt_message ON attempt (message_id, id);
