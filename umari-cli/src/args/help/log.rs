//! The examples and notes of what writes and reads the log, and what follows from it.

pub(in crate::args) const EXECUTE: &str = "\
With --json: {\"position\", \"events\": [{\"id\", \"event_type\", \"domain_ids\"}], \"attempts\"}, and with
--wait-for \"caught_up\" and \"projectors\": [{\"name\", \"position\", \"reached\", \"failure\"}]. A refusal is
a problem document: {\"type\", \"title\", \"status\", \"code\", \"detail\"}, and \"violations\" of an input.

Examples:
  umari execute connect-shop --input '{\"shop_id\": 1}'
  umari execute connect-shop --input {} --idempotency-key 0190b0e4-6a5f-7cc0-9f3b-3f1c5a1d2e4f
  jq -n '{shop_id: 1}' | umari execute connect-shop --input - --json
  umari execute connect-shop --input @shop.json --wait-for shops,plans --timeout 10s";

pub(in crate::args) const EVENTS: &str = "\
With --json: {\"events\": [EVENT], \"head\", \"next_after\"}; \"next_after\" is there when more may follow,
and is what to give --after. An EVENT is {\"id\", \"position\", \"event_type\", \"tags\", \"timestamp\",
\"correlation_id\", \"causation_id\", \"triggering_event_id\", \"idempotency_key\", \"encryption_scope\",
\"encryption_key_id\", \"schema_version\", \"author\": {\"module\", \"version\", \"command\"}, \"data\",
\"shredded\"}; what is shredded has null for \"data\".

Examples:
  umari events --limit 20
  umari events --type shop.connected --tag shop_id:1
  umari events --after 1000 --json
  umari events show 17
  umari events graph 0190b0e4-6a5f-7cc0-9f3b-3f1c5a1d2e4f
  umari events tail --type shop.connected";

pub(in crate::args) const EVENTS_SHOW: &str = "\
With --json: the event as `umari events list --help` describes it.

Examples:
  umari events show 17
  umari events show 0190b0e4-6a5f-7cc0-9f3b-3f1c5a1d2e4f --json";

pub(in crate::args) const EVENTS_GRAPH: &str = "\
With --json: {\"correlation_id\", \"executions\": [{\"causation_id\", \"triggering_event_id\", \"author\",
\"events\"}], \"truncated\"}, with events as `umari events list --help` describes them.

Examples:
  umari events graph 0190b0e4-6a5f-7cc0-9f3b-3f1c5a1d2e4f
  umari events graph $(umari events show 17 --json | jq -r .correlation_id)";

pub(in crate::args) const EVENTS_TAIL: &str = "\
Follows until Ctrl-C, or until the server ends; the last line then says how to go on.

With --json: one event a line, as `umari events list --help` describes them.

Examples:
  umari events tail
  umari events tail --type shop.connected --tag shop_id:1
  umari events tail --since 0 --json | jq .data";

pub(in crate::args) const QUERY: &str = "\
The statement may only read. A parameter that reads as a number, true, false, null or a JSON string
is that, and everything else is text; a blob is '{\"base64\": \"AP8=\"}'.

With --json: {\"columns\", \"rows\": [[...]], \"position\", \"truncated\"}; a blob is {\"base64\"}.

Examples:
  umari projectors query plans 'SELECT plan_id, title FROM plans LIMIT 20'
  umari projectors query plans 'SELECT * FROM plans WHERE shop_id = ?1' --param 1
  umari projectors query plans 'SELECT * FROM plans WHERE title = :t' --param ':t=Two years' --json
  umari projectors query plans 'SELECT count(*) FROM plans' --min-position 1042";

pub(in crate::args) const REPLAY: &str = "\
The projector handles the whole log again, into a file beside its read model, which is read and kept
up to date meanwhile. When the new one knows as much it takes the old one's place, at once for all
who have it open. A replay that fails or is cancelled changes nothing. A new major version of a
projector is replayed by itself when it is activated.

With --until and --into nothing is replaced: the file, which any SQLite program opens, has what the
read model said then. A time is written with its zone, as in 2026-01-31T09:30:00Z, goes by the
server's clock when events were written, and stands for a position: that of the last event up to it.
Where that clock was set back, several events are the last ones up to a time, and one of them is
taken; the answer says which position it is. With a position there is no doubt.

With --json: {\"name\", \"version\", \"replaces\", \"state\", \"position\", \"head\", \"events_per_second\",
\"remaining_seconds\", \"started_at\", \"ended_at\", \"cancelled\", \"failure\"}, where \"state\" is \"queued\",
\"replaying\", \"done\", \"failed\" or \"cancelled\". With --into: {\"name\", \"into\", \"position\", \"size\"}.

Examples:
  umari projectors replay plans --follow
  umari projectors replay plans --status
  umari projectors replay plans --cancel
  umari projectors replay plans --until 2026-01-31T23:59:59Z --into plans-january.sqlite
  umari projectors replay plans --until 1042 --into plans.sqlite --force";

pub(in crate::args) const REPLAY_EFFECT: &str = "\
The effect handles the whole log again, with a database that is empty. An effect that looks in the
log for what it did before, as it should, repeats nothing; one that does not sends everything twice.

With --json: {\"name\", \"state\"}

Examples:
  umari effects replay register-webhooks";

pub(in crate::args) const EVENTS_LIST: &str = "\
With --json: {\"events\": [EVENT], \"head\", \"next_after\"}; \"next_after\" is there when more may follow,
and is what to give --after. An EVENT is {\"id\", \"position\", \"event_type\", \"tags\", \"timestamp\",
\"correlation_id\", \"causation_id\", \"triggering_event_id\", \"idempotency_key\", \"encryption_scope\",
\"encryption_key_id\", \"schema_version\", \"author\": {\"module\", \"version\", \"command\"}, \"data\",
\"shredded\"}; what is shredded has null for \"data\".

Examples:
  umari events list --limit 20
  umari events list --type shop.connected --tag shop_id:1
  umari events list --correlation-id 0190b0e4-6a5f-7cc0-9f3b-3f1c5a1d2e4f --json";
