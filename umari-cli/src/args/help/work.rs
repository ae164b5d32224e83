//! The examples and notes of what makes, builds and deploys modules.

pub(in crate::args) const INIT: &str = "\
Makes the directory NAME with a shared library of events and folds, its first modules, their tests,
a README and a CI file. NAME is also the library's: lower-case letters, digits and hyphens. It is
made completely or not at all, and nothing that is there is overwritten.

The SDK's row in Cargo.toml:
  --sdk ../umari                      a checkout of its repository
  --sdk https://git.example/umari     the repository itself
  --sdk 0.1                           a version in your registry, if the name is the SDK's there
Without --sdk it is the checkout that this binary was built from, else its repository.

With --json: {\"event\": \"created\", \"kind\": \"workspace\", \"name\", \"path\", \"template\", \"sdk\", \"files\"}

Examples:
  umari init corner-shop
  umari init my-shop --template warranty
  cd corner-shop && cargo test && umari dev";

pub(in crate::args) const NEW: &str = "\
Run it anywhere in a workspace with a shared library: one that depends on `umari` and is no module
itself. What it makes compiles at once and has a test that passes; fill in your own from there.

A module becomes a crate in commands/, projectors/ or effects/, a member of the workspace, with its
dependencies in [workspace.dependencies]. Its code has an event of its own that stands in for yours.

An event becomes a file in the shared library's src/events/, exported from `events`. It is named
after what it happened to and what happened: task-finished is `TaskFinished`, and task.finished
in the log.

What you wrote in Cargo.toml stays as it is, remarks and all.

With --json: {\"event\": \"created\", \"kind\", \"name\", \"path\", \"files\", \"changed\"}

Examples:
  umari new event task-finished
  umari new command finish-task
  umari new projector finished-tasks
  umari new effect send-mail --shared corner-shop";

pub(in crate::args) const DEV: &str = "\
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

With --json, one document a line, each with an \"event\": \"built\", \"build-failed\", \"deployed\",
\"ready\", \"not-ready\", and \"appended\" with the event of the log in \"appended\".

Examples:
  umari dev examples/warranty
  umari dev --addr 127.0.0.1:0 --no-watch --json
  UMARI_DATA_DIR=/tmp/shop umari dev";

pub(in crate::args) const BUILD: &str = "\
The components are in target/wasm32-wasip2/{release,debug}/NAME.wasm. The wasm32-wasip2 target is
installed with rustup when it is missing.

A release build optimises for size (opt-level \"z\", LTO, one codegen unit, no symbols) wherever
[profile.release] in the workspace's Cargo.toml, its .cargo/config.toml and the variables
CARGO_PROFILE_RELEASE_* say nothing about it. It works in target/umari and puts only the finished
components beside those of a plain `cargo build`. `umari dev` does without LTO, to be quicker.

`anyhow` with its default feature `std` adds 40 KB of backtraces, which there are none of in WASM:
take it with `default-features = false`.

With --json, one document a line for each component:
  {\"event\": \"built\", \"kind\", \"names\", \"package\", \"version\", \"path\", \"sha256\", \"size\", \"fresh\"}

Examples:
  umari build
  umari build commands/create-product
  umari build commands/ projectors/products
  umari build --debug -j 4";

pub(in crate::args) const TEST: &str = "\
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

pub(in crate::args) const DEPLOY: &str = "\
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
  memory_mb = 32                      # of one instance (the most: 128)
  deadline_ms = 2000                  # for one call of a command, or one event (10 s;
                                      # projectors 30 s, effects 300 s)
  table_elements = 1000               # of each table of functions (20000)
  handles = 50                        # transactions, statements, requests, streams (1000)
  hostcall_kb = 1024                  # what one call to the host carries (16384)
  output_kb = 16                      # printed text that is kept in memory (64)
                                      # projectors and effects:
  log_mb = 1                          # their log file before it is rotated (8)
  sqlite_mb = 512                     # their database (8192)
  sqlite_rows = 1000                  # rows that one query returns (100000)
  sqlite_result_kb = 1024             # text and blobs that one query returns (32768)
  sqlite_value_kb = 256               # one text, blob or row (64 to 2048)

  [package.metadata.umari.env]        # environment variables
  API_BASE = \"https://api.example.com\"

With --json, one document a line, each with an \"event\", \"kind\", \"name\" and \"version\": \"built\" as
by `umari build`; with --dry-run \"planned\" with \"size\", \"step\" and \"note\"; else \"deployed\" with
\"size\" and \"outcome\", or \"rolled-back\" with \"active\", the version that runs again or null.

Examples:
  umari deploy
  umari deploy --dry-run --url https://shop.example
  umari deploy commands/create-product --bump-patch
  umari deploy --no-activate --url https://shop.example --env API_BASE=https://api.example";
