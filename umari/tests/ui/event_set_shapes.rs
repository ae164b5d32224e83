use umari::prelude::*;

#[derive(Event, DomainIds, Serialize, Deserialize)]
struct Opened {}

#[derive(EventSet)]
struct Single(Opened);

#[derive(EventSet)]
enum Nothing {}

#[derive(EventSet)]
enum Shapes {
    Unit,
    Named { event: Opened },
    Two(Opened, Opened),
}

fn main() {}
