use umari::prelude::*;

#[derive(Event, DomainIds, Serialize, Deserialize)]
struct Unit;

#[derive(Event, DomainIds, Serialize, Deserialize)]
enum Choice {
    A,
}

#[derive(Event, DomainIds, Serialize, Deserialize)]
struct Tuple(#[domain_id] u64);

#[derive(Event, DomainIds, Serialize, Deserialize)]
struct Borrowed<'a> {
    name: &'a str,
}

fn main() {}
