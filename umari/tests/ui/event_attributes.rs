use umari::prelude::*;

#[derive(Event, DomainIds, Serialize, Deserialize)]
#[event_type("")]
struct Empty {}

#[derive(Event, DomainIds, Serialize, Deserialize)]
#[event_type(" \t")]
struct Blank {}

#[derive(Event, DomainIds, Serialize, Deserialize)]
#[event_type("shop\n")]
struct Control {}

#[derive(Event, DomainIds, Serialize, Deserialize)]
#[event_type = "shop.connected"]
struct NameValue {}

#[derive(Event, DomainIds, Serialize, Deserialize)]
#[event_type(shop)]
struct Unquoted {}

#[derive(Event, DomainIds, Serialize, Deserialize)]
#[event_type("shop", version = 0)]
struct VersionZero {}

#[derive(Event, DomainIds, Serialize, Deserialize)]
#[event_type("shop", revision = 2)]
struct Revision {}

#[derive(Event, DomainIds, Serialize, Deserialize)]
#[event_type("a")]
#[event_type("b")]
struct Twice {}

fn main() {}
