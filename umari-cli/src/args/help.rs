//! The examples and notes under each command's options.

pub(super) const TOP: &str = "\
Examples:
  umari init corner-shop             begin a workspace in ./corner-shop
  umari new command add-product      add a module to the workspace around this directory
  umari dev                          build, run and watch the modules under this directory
  umari build commands/              build some of them
  umari test                         run their tests, natively and on the components
  umari deploy --url https://host    build, upload and activate them on a server
  umari execute connect-shop --input '{\"shop_id\": 1}'

Exit codes: 0 done, 1 failed, 2 wrong usage, 3 deployed and rolled back, 74 the event store failed.
Results go to stdout, progress to stderr; NO_COLOR turns colours off, and every command that reads
has --json. A reader of stdout that goes away, such as `head`, ends a command without an error.";

pub(super) const INIT: &str = "\
Makes the directory NAME with a shared library of events and folds, its first modules, their tests,
a README and a CI file. NAME is also the library's: lower-case letters, digits and hyphens. It is
made completely or not at all, and nothing that is there is overwritten.

The SDK's row in Cargo.toml:
  --sdk ../umari                      a checkout of its repository
  --sdk https://git.example/umari     the repository itself
  --sdk 0.1                           a version in your registry, if the name is the SDK's there
Without --sdk it is the checkout that this binary was built from, else its repository.

Examples:
  umari init corner-shop
  umari init my-shop --template warranty
  cd corner-shop && cargo test --workspace && umari dev";

pub(super) const NEW: &str = "\
Run it anywhere in a workspace with a shared library: one that depends on `umari` and is no module
itself. What it makes compiles at once and has a test that passes; fill in your own from there.

A module becomes a crate in commands/, projectors/ or effects/, a member of the workspace, with its
dependencies in [workspace.dependencies]. Its code has an event of its own that stands in for yours.

An event becomes a file in the shared library's src/events/, exported from `events`. It is named
after what it happened to and what happened: task-finished is `TaskFinished`, and task.finished
in the log.

What you wrote in Cargo.toml stays as it is, remarks and all.

Examples:
  umari new event task-finished
  umari new command finish-task
  umari new projector finished-tasks
  umari new effect send-mail --shared corner-shop";

pub(super) const DEV: &str = "\
A module is a workspace member under PATH with `crate-type = [\"cdylib\", \"rlib\"]` that depends on
`umari`. Edit a source file and what changed is rebuilt and swapped; after a build error the
old module keeps running. Ctrl-C stops everything, a second Ctrl-C forces it. The data stay:
the next start goes on where this one ended, and uploads only what changed.

Between the lines of the session stand, each with its mark: what modules and programs print, [NAME],
and the events that are written, [event].

When content changes and the version in Cargo.toml does not, the module is stored as
VERSION+dev.HASH, because a stored version never changes.

In Cargo.toml:
  [package.metadata.umari.env]        # of a module: its environment variables
  API_BASE = \"http://127.0.0.1:4000\"

  [package.metadata.umari.dev]        # of any package under PATH
  try = [\"curl -s {url}/events\"]      # lines for the summary
  run = [{ package = \"webhook-sink\", args = [\"--addr\", \"127.0.0.1:4000\"] }]
                                      # programs that start and end with `umari dev`

Examples:
  umari dev examples/warranty
  umari dev --addr 127.0.0.1:0 --no-watch --json
  UMARI_DATA_DIR=/tmp/shop umari dev";

pub(super) const BUILD: &str = "\
The components are in target/wasm32-wasip2/{release,debug}/NAME.wasm. The wasm32-wasip2 target is
installed with rustup when it is missing.

A release build optimises for size (opt-level \"z\", LTO, one codegen unit, no symbols) wherever
[profile.release] in the workspace's Cargo.toml, its .cargo/config.toml and the variables
CARGO_PROFILE_RELEASE_* say nothing about it. It works in target/umari and puts only the finished
components beside those of a plain `cargo build`. `umari dev` does without LTO, to be quicker.

`anyhow` with its default feature `std` adds 40 KB of backtraces, which there are none of in WASM:
take it with `default-features = false`.

Examples:
  umari build
  umari build commands/create-product
  umari build commands/ projectors/products
  umari build --debug -j 4";

pub(super) const TEST: &str = "\
Builds what is out of date, as `umari build` does, and runs `cargo test` once with the feature
`component` of `umari-testing`. Each step of a scenario (`when`, `project`, `run`) then runs twice:
natively, and on the built component in this program's own host. Outcome, events, what was read,
rows and HTTP requests must be the same; a difference fails the test and is shown. So does a
component that is missing or older than its sources.

The crates need no feature, only the harness:
  [dev-dependencies]
  umari-testing = \"0.1\"

A plain `cargo test` stays native and takes milliseconds. The same by hand, with this program on
the path: `umari build && cargo test --features umari-testing/component`. What differs by intention
is said in the test: `.without(check::COMPONENT, \"why\")`.

Examples:
  umari test
  umari test commands/create-product
  umari test -- a_shop_is_connected
  umari test projectors/ -- --no-fail-fast -- --nocapture";

pub(super) const DEPLOY: &str = "\
Shows first what is going to happen to each module: new, changed, activate, unchanged or refused;
with --dry-run that is all. Then everything is uploaded, everything is activated, and the command
waits until it is live: started, and past the first events or at the end of the log. When one module
does not come up, all that this deployment activated is rolled back, and the exit code is 3. A
rollback swaps code; what the new version wrote meanwhile stays.

A module is uploaded under the version in its Cargo.toml. A stored version never changes: when
the server has the version with other content, raise it, or let --bump-patch do so (it edits
Cargo.toml and builds again). What the server already has is not uploaded a second time.

What Cargo.toml says about a module goes along with the upload, and belongs to the version as its
content does:
  [package.metadata.umari]
  start = \"latest\"                    # projectors, effects: what happened before the first start
                                      # is not for it; otherwise it begins at the first event
  http = [\"api.example.com\", \"*.example.org:8443\", \"https://pay.example\"]
                                      # effects: the only hosts that it may call; [] is none

  [package.metadata.umari.limits]     # less than the server allows, never more
  memory_mb = 32                      # of one instance
  deadline_ms = 2000                  # for one call of a command, or one event
  sqlite_mb = 512                     # projectors, effects: the database

  [package.metadata.umari.env]        # environment variables
  API_BASE = \"https://api.example.com\"

Examples:
  umari deploy
  umari deploy --dry-run --url https://shop.example
  umari deploy commands/create-product --bump-patch
  umari deploy --no-activate --url https://shop.example --env API_BASE=https://api.example";

pub(super) const SERVE: &str = "\
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

pub(super) const EXECUTE: &str = "\
Examples:
  umari execute connect-shop --input '{\"shop_id\": 1}'
  umari execute connect-shop --input @shop.json --idempotency-key 0190b0e4-6a5f-7cc0-9f3b-3f1c5a1d2e4f
  jq -n '{shop_id: 1}' | umari execute connect-shop --input - --json
  umari execute connect-shop --input @shop.json --wait-for shops,plans --timeout 10s";

pub(super) const MODULES: &str = "\
POSITION is the last event that a projector or effect has dealt with, HEAD the last one there is, and
LAG what lies between. EVENTS/S counts the events that it asked for, over the last 10 seconds.

Examples:
  umari modules
  umari modules --json | jq '.modules[] | select(.last_error)'";

pub(super) const EVENTS: &str = "\
Examples:
  umari events --limit 20
  umari events --type shop.connected --tag shop_id:1
  umari events --after 1000 --json
  umari events show 17
  umari events graph 0190b0e4-6a5f-7cc0-9f3b-3f1c5a1d2e4f
  umari events tail --type shop.connected";

pub(super) const EVENTS_SHOW: &str = "\
Examples:
  umari events show 17
  umari events show 0190b0e4-6a5f-7cc0-9f3b-3f1c5a1d2e4f --json";

pub(super) const EVENTS_GRAPH: &str = "\
Examples:
  umari events graph 0190b0e4-6a5f-7cc0-9f3b-3f1c5a1d2e4f
  umari events graph $(umari events show 17 --json | jq -r .correlation_id)";

pub(super) const EVENTS_TAIL: &str = "\
Follows until Ctrl-C, or until the server ends; the last line then says how to go on.

Examples:
  umari events tail
  umari events tail --type shop.connected --tag shop_id:1
  umari events tail --since 0 --json | jq .data";

pub(super) const QUERY: &str = "\
The statement may only read. A parameter that reads as a number, true, false, null or a JSON string
is that, and everything else is text; a blob is '{\"base64\": \"AP8=\"}'.

Examples:
  umari projectors query plans 'SELECT plan_id, title FROM plans LIMIT 20'
  umari projectors query plans 'SELECT * FROM plans WHERE shop_id = ?1' --param 1
  umari projectors query plans 'SELECT * FROM plans WHERE title = :t' --param ':t=Two years' --json
  umari projectors query plans 'SELECT count(*) FROM plans' --min-position 1042";

pub(super) const REPLAY: &str = "\
The projector handles the whole log again, into a file beside its read model, which is read and kept
up to date meanwhile. When the new one knows as much it takes the old one's place, at once for all
who have it open. A replay that fails or is cancelled changes nothing. A new major version of a
projector is replayed by itself when it is activated.

With --until and --into nothing is replaced: the file, which any SQLite program opens, has what the
read model said then. A time is written with its zone, as in 2026-01-31T09:30:00Z.

Examples:
  umari projectors replay plans --follow
  umari projectors replay plans --status
  umari projectors replay plans --cancel
  umari projectors replay plans --until 2026-01-31T23:59:59Z --into plans-january.sqlite
  umari projectors replay plans --until 1042 --into plans.sqlite --force";

pub(super) const REPLAY_EFFECT: &str = "\
The effect handles the whole log again, with a database that is empty. An effect that looks in the
log for what it did before, as it should, repeats nothing; one that does not sends everything twice.

Examples:
  umari effects replay register-webhooks";

pub(super) const COMMANDS: &str = "\
Examples:
  umari commands upload create-product 1.0.0 create_product.wasm --activate
  umari commands upload create-product 1.0.1 create_product.wasm --settings '{\"limits\":{\"memory_mb\":32}}'
  umari commands activate create-product 1.0.0
  umari commands show create-product";

pub(super) const PROJECTORS: &str = "\
Examples:
  umari projectors upload products 1.0.0 products.wasm --activate
  umari projectors list
  umari projectors query products 'SELECT * FROM products LIMIT 20'
  umari projectors replay products --follow
  umari projectors pause products";

pub(super) const EFFECTS: &str = "\
Examples:
  umari effects upload notify 1.0.0 notify.wasm --env API_KEY=... --activate
  umari effects park notify
  umari effects pause notify
  umari effects replay notify
  umari effects deactivate notify";

pub(super) const PARK: &str = "\
An effect tries an event that fails again and again, with longer and longer pauses, and what has the
same partition key waits behind it. Parked, the event is kept and its lane goes on. Later events of
its key are then handled before it, so look first whether the effect minds. Replaying the effect
forgets what is parked.

Examples:
  umari effects park notify
  umari effects park notify 17
  umari effects parked notify";

pub(super) const PARKED: &str = "\
Examples:
  umari effects parked notify
  umari effects parked notify --json | jq '.parked[].position'";

pub(super) const UNPARK: &str = "\
It is delivered in its lane, after what the lane is at. Once it is handled it is no longer parked;
where it fails again it stays, with the new error, and this command fails as well.

Examples:
  umari effects unpark notify 17";

pub(super) const DROP: &str = "\
The effect never gets to see the event again. The event itself stays in the log, and a line in the
effect's log file says what was dropped.

Examples:
  umari effects drop notify 17";

pub(super) const PAUSE: &str = "\
A module that is paused stays so over restarts of the server and other versions of the module. It is
not unhealthy for that; `umari modules` shows it as paused, or as pausing while it is still at an
event. What it keeps can be read as before.

Examples:
  umari effects pause notify
  umari projectors pause products --json";

pub(super) const RESUME: &str = "\
It goes on where it stood, and tries an event that it failed at again at once.

Examples:
  umari effects resume notify
  umari projectors resume products --json";

pub(super) const API_KEYS: &str = "\
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

pub(super) const DOCTOR: &str = "\
Looks at the toolchain and its target, the workspace, the address, and the data directory with its
event log, modules and master key. It changes nothing, and locks a data directory that no host uses
while it looks. Each fault stands with its reason and what to do; the exit code is 1 if there is one.

Examples:
  umari doctor
  umari doctor --data-dir /var/lib/umari --addr 127.0.0.1:8080
  umari doctor --json | jq '.checks[] | select(.state == \"fault\")'";

pub(super) const BACKUP: &str = "\
A backup has the events as they are stored, one JSON document a line, each line linked to the one
before it by a checksum. It is made while the server works, checked as it arrives, and gets its name
when it is whole. `--onto` makes the next piece; a restore takes the pieces in their order.

Not in it: the master key (keep it elsewhere), modules (`umari deploy` brings them), API keys, read
models (projectors build them again). Data keys are in it, wrapped by the master key. Deleting a
scope's keys does not reach a backup that has them: rotate the master key then, or use --keys none.

Examples:
  umari backup shop-1.jsonl
  umari backup shop-2.jsonl --onto shop-1.jsonl
  umari backup --verify shop-1.jsonl shop-2.jsonl
  umari backup shop.jsonl --data-dir /var/lib/umari      when no server runs there
  umari backup - | gzip > shop.jsonl.gz";

pub(super) const RESTORE: &str = "\
Positions, ids, timestamps and tags stay as they were. All files are checked before anything is
written. A restore that breaks off leaves a directory on which no server starts: run it again with
the same files, and it goes on.

Then: put master.key into the directory, or set UMARI_MASTER_KEY; start the server; deploy the
modules. Projectors build their read models from the log. Effects begin with the first event, and
call out for each again, unless their settings say `start = \"latest\"`.

Examples:
  umari restore shop-1.jsonl shop-2.jsonl --data-dir /var/lib/umari
  umari restore shop-3.jsonl --data-dir /var/lib/umari   goes on where the log there ends";

pub(super) const MAN: &str = "\
Examples:
  umari man | man -l -
  umari man ~/.local/share/man/man1";

pub(super) const KEYS: &str = "\
An event with a `#[crypto_scope]` is encrypted under a data key of that scope. Deleting the key makes
what its events say unreadable everywhere; that they happened stays.

Examples:
  umari keys list --prefix shop_id:
  umari keys shred shop_id:42 --reason 'request 4711'
  umari keys audit
  umari keys rotate";

pub(super) const KEYS_SHRED: &str = "\
Folds, projectors and effects pass over what is shredded, and the API shows the envelope only. The
data key is gone from the host's memory and files, and what modules printed is thrown away. Two
things are yours: rows that projectors wrote before, which a projector that is built anew does
without, and backups of umari.sqlite, which have the key until the master key is rotated.

Examples:
  umari keys shred shop_id:42 --reason 'request 4711' --requested-by ada
  umari keys shred shop_id:42 --yes --json";

pub(super) const KEYS_ROTATE: &str = "\
A master key in the data directory is replaced by a generated one, while the server runs or, with
--data-dir, while it is stopped. One that is configured is replaced while the host is stopped:
UMARI_MASTER_KEY holds the old one, UMARI_NEW_MASTER_KEY the new one, or --stdin reads it. From then
on backups of umari.sqlite from before are dead, as soon as the old key is destroyed.

Examples:
  umari keys rotate
  umari keys rotate --data-dir /var/lib/umari
  UMARI_NEW_MASTER_KEY=$(openssl rand -hex 32) umari keys rotate --data-dir /var/lib/umari";

pub(super) const COMPLETIONS: &str = "\
Examples:
  umari completions bash > ~/.local/share/bash-completion/completions/umari
  umari completions zsh > ~/.zfunc/_umari
  umari completions fish > ~/.config/fish/completions/umari.fish";
