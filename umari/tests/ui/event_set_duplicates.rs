use umari::prelude::*;

#[derive(Event, DomainIds, Serialize, Deserialize)]
#[event_type("shop.opened")]
struct Opened {}

#[derive(Event, DomainIds, Serialize, Deserialize)]
#[event_type("shop.opened")]
struct OpenedAgain {}

#[derive(EventSet)]
enum Query {
    Opened(Opened),
    OpenedAgain(OpenedAgain),
}

fn main() {}
