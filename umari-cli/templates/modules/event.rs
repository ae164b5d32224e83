use umari::prelude::*;

/// What happened, and to what.
#[derive(Event, DomainIds, Serialize, Deserialize)]
#[event_type("my_object.happened")]
pub struct MyEvent {
    /// What it happened to. Commands and folds find the event by it.
    #[domain_id]
    pub my_object_id: String,
}

#[cfg(test)]
mod tests {
    use umari_testing::prelude::*;

    use super::*;

    #[test]
    fn it_is_found_by_what_it_happened_to() {
        let event = |id: &str| MyEvent {
            my_object_id: id.into(),
        };
        let fold = EventCounter::<MyEvent>::new().with("my_object_id", "1");
        assert_eq!(given(events![event("1"), event("2")]).fold(fold), 1);
    }
}
