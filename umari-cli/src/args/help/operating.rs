//! The examples and notes of what runs and keeps a host.

pub(in crate::args) const SERVE: &str = "\
Without UMARI_API_KEY the API listens on loopback addresses only. SIGTERM and Ctrl-C stop the
server after the requests in flight, within --shutdown-timeout; a second one forces it.

UMARI_MASTER_KEY, 64 hexadecimal digits, wraps the keys that encrypt events. Without it a key
file is made in the data directory, master.key: keep a copy of it, which `umari backup` does not.

Events are kept in the data directory. UMARI_EVENT_STORE_URL, which would name a store elsewhere, is
refused.

Examples:
  umari serve
  umari serve --data-dir /var/lib/umari --addr 127.0.0.1:8080
  UMARI_API_KEY=... umari serve --addr 0.0.0.0:3000
  UMARI_LOG=umari=debug umari serve
  umari serve --allow-http crm.internal:443";

pub(in crate::args) const API_KEYS: &str = "\
The key that a server is started with (UMARI_API_KEY) may do everything. API keys may do what their
scopes say, and can be revoked one by one:

  read      events, read models, and how everything is doing
  execute   commands
  deploy    store, activate, pause and stop modules
  admin     all of it, and alone what concerns keys

A server without UMARI_API_KEY asks nobody for a key until it has an API key; the first one must
have the scope admin. Keys are kept as hashes: write a new one down when it is shown.

Examples:
  umari api-keys create ci --scope deploy --scope read
  umari api-keys create checkout --scope execute --json | jq -r .key
  umari api-keys list
  umari api-keys revoke ci";

pub(in crate::args) const DOCTOR: &str = "\
Looks at the toolchain and its target, the workspace with its SDK and what is built of it, the
address, and the data directory with its event log, modules and master key; with --url, or
UMARI_URL set, also at a server: whether it answers, and runs what this program builds. It changes
nothing, and locks a data directory that no host uses while it looks. Each fault stands with its
reason and what to do.

With --json: {\"checks\": [{\"name\", \"state\", \"found\", \"why\", \"fix\"}], \"faults\", \"warnings\"}; a
\"state\" is \"ok\", \"none\" (not there, and not needed yet), \"warning\" or \"fault\".

Examples:
  umari doctor
  umari doctor --data-dir /var/lib/umari --addr 127.0.0.1:8080
  umari doctor --url https://shop.example
  umari doctor --json | jq '.checks[] | select(.state == \"fault\")'";

pub(in crate::args) const BACKUP: &str = "\
A backup has the events as they are stored, one JSON document a line, each line linked to the one
before it by a checksum. It is made while the server works, checked as it arrives, and gets its name
when it is whole. `--onto` makes the next piece; a restore takes the pieces in their order.

Not in it: the master key (keep it elsewhere), modules (`umari deploy` brings them), API keys, read
models (projectors build them again). Data keys are in it, wrapped by the master key. Deleting a
scope's keys does not reach a backup that has them: rotate the master key then, or use --keys none.

With --json: {\"file\", \"log\", \"after\", \"head\", \"events\", \"keys\", \"shredded\", \"host\", \"taken_at\"},
with --verify one a line for each file.

Examples:
  umari backup shop-1.jsonl
  umari backup shop-2.jsonl --onto shop-1.jsonl
  umari backup --verify shop-1.jsonl shop-2.jsonl
  umari backup shop.jsonl --data-dir /var/lib/umari      when no server runs there
  umari backup - | gzip > shop.jsonl.gz";

pub(in crate::args) const RESTORE: &str = "\
Positions, ids, timestamps and tags stay as they were. All files are checked before anything is
written. A restore that breaks off leaves a directory on which no server starts: run it again with
the same files, and it goes on.

Then: put master.key into the directory, or set UMARI_MASTER_KEY; start the server; deploy the
modules. Projectors build their read models from the log. Effects begin with the first event, and
call out for each again, unless their settings say `start = \"latest\"`.

With --json: {\"data_dir\", \"head\", \"events\", \"events_before\", \"keys\"}

Examples:
  umari restore shop-1.jsonl shop-2.jsonl --data-dir /var/lib/umari
  umari restore shop-3.jsonl --data-dir /var/lib/umari   goes on where the log there ends";

pub(in crate::args) const KEYS: &str = "\
An event with a `#[crypto_scope]` is encrypted under a data key of that scope. Deleting the key
makes what its events say unreadable everywhere; that they happened stays.

Examples:
  umari keys list --prefix shop_id:
  umari keys shred shop_id:42 --reason 'request 4711'
  umari keys audit
  umari keys rotate";

pub(in crate::args) const KEYS_SHRED: &str = "\
Folds, projectors and effects pass over what is shredded, and the API shows the envelope only. The
data key is gone from the host's memory and files, and what modules printed is thrown away. Two
things are yours: rows that projectors and effects wrote before, and backups of umari.sqlite, which
have the key until the master key is rotated.

The modules that have read the scope are listed and recorded. `perhaps` is one that is not active:
it had come that far, and nobody can tell what it reads. With --replay the projectors among them are
built anew, without what is shredded. Effects are left to you: they may do things again.

With --json: the entry of the record, as `umari keys audit --help` describes it.

Examples:
  umari keys shred shop_id:42 --reason 'request 4711' --requested-by ada
  umari keys shred shop_id:42 --replay
  umari keys shred shop_id:42 --yes --json";

pub(in crate::args) const KEYS_ROTATE: &str = "\
A master key in the data directory is replaced by a generated one, while the server runs or, with
--data-dir, while it is stopped. One that is configured is replaced while the host is stopped:
UMARI_MASTER_KEY holds the old one, UMARI_NEW_MASTER_KEY the new one, or --stdin reads it. From then
on backups of umari.sqlite from before are dead, as soon as the old key is destroyed.

With --json: the entry of the record, as `umari keys audit --help` describes it.

Examples:
  umari keys rotate
  umari keys rotate --data-dir /var/lib/umari
  UMARI_NEW_MASTER_KEY=$(openssl rand -hex 32) umari keys rotate --data-dir /var/lib/umari";

pub(in crate::args) const MAN: &str = "\
Examples:
  umari man | man -l -
  umari man ~/.local/share/man/man1";

pub(in crate::args) const COMPLETIONS: &str = "\
Examples:
  umari completions bash > ~/.local/share/bash-completion/completions/umari
  umari completions zsh > ~/.zfunc/_umari
  umari completions fish > ~/.config/fish/completions/umari.fish";

pub(in crate::args) const API_KEYS_CREATE: &str = "\
The key alone goes to stdout. With --json: {\"id\", \"name\", \"scopes\", \"created_at\", \"last_used_at\",
\"revoked_at\", \"key\"}

Examples:
  umari api-keys create ci --scope deploy --scope read
  umari api-keys create checkout --scope execute --json | jq -r .key";

pub(in crate::args) const API_KEYS_LIST: &str = "\
With --json: {\"api_keys\": [{\"id\", \"name\", \"scopes\", \"created_at\", \"last_used_at\", \"revoked_at\"}]}

Examples:
  umari api-keys list
  umari api-keys list --json | jq -r '.api_keys[] | select(.revoked_at == null) | .name'";

pub(in crate::args) const API_KEYS_REVOKE: &str = "\
Examples:
  umari api-keys revoke ci
  umari api-keys revoke 0190b0e4-6a5f-7cc0-9f3b-3f1c5a1d2e4f";

pub(in crate::args) const KEYS_LIST: &str = "\
With --json: {\"scopes\": [{\"scope\", \"active_key_id\", \"keys\", \"created_at\", \"messages\", \"shredded_at\",
\"shredded_reason\"}]}, with null for what is not so.

Examples:
  umari keys list
  umari keys list --prefix shop_id:
  umari keys list --json | jq -r '.scopes[] | select(.shredded_at) | .scope'";

pub(in crate::args) const KEYS_AUDIT: &str = "\
With --json: {\"entries\": [ENTRY]}, the oldest first. An ENTRY is
{\"id\", \"at\", \"action\", \"scope\", \"keys\", \"reason\", \"requested_by\", \"event_id\", \"readers\"}.
Who had read a scope when it was shredded is [{\"kind\", \"name\", \"position\", \"certain\",
\"keeps_data\", \"replay\"}], or null where that is not known.

Examples:
  umari keys audit
  umari keys audit --json | jq '.entries[] | select(.action == \"shred\")'";
