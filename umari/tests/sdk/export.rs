//! Many exports in one binary, with the names and lints that users have.

#![deny(
    warnings,
    missing_docs,
    unreachable_pub,
    unused_qualifications,
    unsafe_code
)]

use umari::prelude::*;
// Explicit imports beside the glob are fine.
#[allow(unused_imports)]
use serde::{Deserialize, Serialize};
#[allow(unused_imports)]
use umari::prelude::{Uuid, env, json};

use crate::store::Store;

#[derive(DomainIds, Serialize, Deserialize)]
struct Input {
    calls: u32,
}

#[export_command]
fn execute(_: Input, context: CommandContext) -> anyhow::Result<ExecuteOutput> {
    Command::new(Input { calls: 0 }, context).execute(|_, ()| Ok(emit![]))
}

#[export_command]
fn create_plan(mut input: Input, context: CommandContext) -> anyhow::Result<ExecuteOutput> {
    input.calls += 1;
    execute(input, context.clone())?;
    Command::new(Input { calls: 0 }, context).execute(|_, ()| Ok(emit![]))
}

#[test]
fn a_command_is_named_after_its_package_or_function() {
    let (store, _installed) = Store::install();
    create_plan(Input { calls: 0 }, CommandContext::new()).unwrap();
    let names: Vec<_> = store
        .opened
        .borrow()
        .iter()
        .map(|(_, _, name)| name.clone())
        .collect();
    assert_eq!(names, ["umari", "create-plan"]);
}

#[test]
#[allow(clippy::needless_borrow)]
fn only_an_input_with_a_schema_tells_it() {
    // What `#[export_command]` writes: the first method that fits is taken.
    #[allow(unused_imports)]
    use umari::__private::{SchemaOf, UnknownSchema as _};
    assert_eq!((&SchemaOf::<Input>::new()).schema(), None);
    #[cfg(feature = "schemars")]
    {
        use umari::__private::KnownSchema as _;
        #[derive(schemars::JsonSchema)]
        #[allow(dead_code)]
        struct Known {
            shop_id: u64,
            plan_id: Uuid,
        }
        let schema = (&SchemaOf::<Known>::new()).schema().unwrap();
        assert!(
            schema.contains(r#""shop_id":{"#) && schema.contains(r#""format":"uuid""#),
            "{schema}"
        );
    }
}
