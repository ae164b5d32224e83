use umari::prelude::*;

#[derive(Event, Serialize, Deserialize)]
struct NoDomainIds {}

struct Input {}

fn no_domain_ids(input: Input, context: CommandContext) -> anyhow::Result<ExecuteOutput> {
    Command::new(input, context).execute(|_, ()| Ok(emit![]))
}

#[derive(DomainIds)]
struct Shop {}

#[derive(Event, DomainIds, Serialize, Deserialize)]
struct Opened {}

#[derive(DomainIds)]
struct NoFromDomainIds {}

impl Fold for NoFromDomainIds {
    type Events = SingleEvent<Opened>;
    type State = bool;

    fn apply(&self, _state: &mut bool, _event: StoredEvent<Opened>) {}
}

fn no_from_domain_ids(context: CommandContext) -> anyhow::Result<ExecuteOutput> {
    Command::new(Shop {}, context).fold::<NoFromDomainIds>().execute(|_, _| Ok(emit![]))
}

fn not_a_fold(context: CommandContext) -> anyhow::Result<ExecuteOutput> {
    Command::new(Shop {}, context).fold::<Opened>().execute(|_, _| Ok(emit![]))
}

struct NotAnEffect {}
export_effect!(NotAnEffect);

fn main() {}
