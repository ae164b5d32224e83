//! The examples and notes of modules on a server.

pub(in crate::args) const MODULES: &str = "\
POSITION is the last event that a projector or effect has dealt with, HEAD the last one there is,
and LAG what lies between. EVENTS/S counts the events that it asked for, over the last 10 seconds.

With --json: {\"modules\": [{\"kind\", \"name\", \"version\", \"status\", \"healthy\", \"position\", \"head\",
\"lag\", \"events_per_second\", \"last_error\", \"last_failure\", \"replay\"}]}; null where a module follows
no log, or nothing failed. \"last_error\" is why it stands still: {\"message\", \"position\", \"event_id\",
\"event_type\", \"attempts\", \"failed_at\", \"retry_at\", \"backtrace\"}; \"last_failure\" is the same, and
stays when it is over.

Examples:
  umari modules
  umari modules --json | jq '.modules[] | select(.last_error)'";

pub(in crate::args) const COMMANDS: &str = "\
Examples:
  umari commands upload create-product 1.0.0 create_product.wasm --activate
  umari commands list
  umari commands activate create-product 1.0.0
  umari commands show create-product";

pub(in crate::args) const PROJECTORS: &str = "\
Examples:
  umari projectors upload products 1.0.0 products.wasm --activate
  umari projectors list
  umari projectors query products 'SELECT * FROM products LIMIT 20'
  umari projectors replay products --follow
  umari projectors pause products";

pub(in crate::args) const EFFECTS: &str = "\
Examples:
  umari effects upload notify 1.0.0 notify.wasm --env API_KEY=... --activate
  umari effects park notify
  umari effects pause notify
  umari effects replay notify
  umari effects deactivate notify";

pub(in crate::args) const PARK: &str = "\
An effect tries an event that fails again and again, with longer and longer pauses, and what has the
same partition key waits behind it. Parked, the event is kept and its lane goes on. Later events of
its key are then handled before it, so look first whether the effect minds. Replaying the effect
forgets what is parked.

With --json: {\"outcome\", \"position\", \"event\"}, with the event as `umari effects parked --help` has
it.

Examples:
  umari effects park notify
  umari effects park notify 17
  umari effects parked notify";

pub(in crate::args) const PARKED: &str = "\
With --json: {\"name\", \"parked\": [{\"position\", \"event_id\", \"event_type\", \"attempts\", \"last_error\",
\"failed_at\", \"state\"}]}

Examples:
  umari effects parked notify
  umari effects parked notify --json | jq '.parked[].position'";

pub(in crate::args) const UNPARK: &str = "\
It is delivered in its lane, after what the lane is at. Once it is handled it is no longer parked;
where it fails again it stays, with the new error, and this command fails as well.

With --json: {\"outcome\", \"position\", \"event\"}, with the event as `umari effects parked --help` has
it.

Examples:
  umari effects unpark notify 17";

pub(in crate::args) const DROP: &str = "\
The effect never gets to see the event again. The event itself stays in the log, and a line in the
effect's log file says what was dropped.

With --json: {\"outcome\", \"position\", \"event\"}, with the event as `umari effects parked --help` has
it.

Examples:
  umari effects drop notify 17";

pub(in crate::args) const PAUSE: &str = "\
A module that is paused stays so over restarts of the server and other versions of the module. It is
not unhealthy for that; `umari modules` shows it as paused, or as pausing while it is still at an
event. What it keeps can be read as before.

With --json: {\"kind\", \"name\", \"paused\", \"changed\"}

Examples:
  umari effects pause notify
  umari projectors pause products --json";

pub(in crate::args) const RESUME: &str = "\
It goes on where it stood, and tries an event that it failed at again at once.

With --json: {\"kind\", \"name\", \"paused\", \"changed\"}

Examples:
  umari effects resume notify
  umari projectors resume products --json";

pub(in crate::args) const UPLOAD: &str = "\
What is uploaded is stored and does not run before it is activated. A stored version never changes:
the same file, variables and settings once more are fine, anything else is refused.

Examples:
  umari commands upload create-product 1.0.0 create_product.wasm
  umari effects upload notify 1.0.0 notify.wasm --env API_KEY=... --activate
  umari projectors upload products 1.0.1 products.wasm --settings '{\"limits\": {\"memory_mb\": 32}}'";

pub(in crate::args) const LIST: &str = "\
With --json: {\"commands\": [MODULE]}, {\"projectors\": [MODULE]} or {\"effects\": [MODULE]}. A MODULE
is {\"kind\", \"name\", \"active\", \"versions\": [VERSION]}, a VERSION {\"kind\", \"name\", \"version\",
\"sha256\", \"size\", \"sdk\", \"contract\", \"env\", \"settings\", \"uploaded_at\", \"active\"}, where
\"env\" has the names of variables alone.

Examples:
  umari commands list
  umari projectors list --json | jq -r '.projectors[] | select(.active) | .name'";

pub(in crate::args) const SHOW: &str = "\
With --json: {\"kind\", \"name\", \"active\", \"versions\", \"status\"} with versions as `list --help`
describes them and the status as `umari modules --help` does, \"output\" where it printed something
of late, \"parked\" for an effect, and \"replay\" for a projector that has one.

Examples:
  umari commands show create-product
  umari effects show notify --json | jq .status.last_error";

pub(in crate::args) const ENV: &str = "\
Variables belong to a version, as its code does. Their values may be secrets: they reach the module
and no reader, so what is printed are names. To change one, deploy or upload the module under
another version.

With --json: {\"kind\", \"name\", \"version\", \"active\", \"env\": [\"API_BASE\", ...]}

Examples:
  umari effects env notify
  umari effects env notify 1.0.0 --json";

pub(in crate::args) const ACTIVATE: &str = "\
What is under way is finished by the version that runs; if the other one does not start, that one
goes on. A new major version of a projector builds its read model first: `umari projectors replay
NAME --status --follow` shows how far it is.

Examples:
  umari commands activate create-product 1.0.1
  umari projectors activate products 2.0.0";

pub(in crate::args) const DEACTIVATE: &str = "\
Its versions, and what it keeps, stay. Activated again, a projector or an effect goes on where it
stood.

Examples:
  umari commands deactivate create-product
  umari effects deactivate notify";
