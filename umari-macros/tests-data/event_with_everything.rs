#[automatically_derived]
#[allow(deprecated, clippy::all, clippy::pedantic, clippy::nursery)]
impl<T> ::umari::event::Event for PlanCreated<T>
where
    T: Clone,
{
    const EVENT_TYPE: &'static ::core::primitive::str = "plan.created";
    const SCHEMA_VERSION: ::core::primitive::u32 = 4;
    const ALIASES: &'static [&'static ::core::primitive::str] = &[
        "plan.added",
        "plan.made",
    ];
    fn encryption_scope(&self) -> ::core::option::Option<::std::string::String> {
        use ::umari::domain_id::field::{
            KnownKind as _, ManyKind as _, OneKind as _, UnfitKind as _,
        };
        (&&&&::umari::domain_id::field::Probe::<u64>::new())
            .kind()
            .scope(&self.shop_id, "shop_id")
    }
    fn upcast(
        version: ::core::primitive::u32,
        json: &::core::primitive::str,
        events: &mut ::std::vec::Vec<Self>,
    ) -> ::core::result::Result<(), ::umari::event::SerializationCause> {
        match version {
            1u32 => {
                let data = <PlanCreatedV1 as ::umari::event::PreviousShape>::read(
                    1u32,
                    json,
                )?;
                let data = <PlanCreatedV2 as ::umari::event::NextShape<
                    PlanCreatedV1,
                >>::next(data);
                events
                    .push(
                        <Self as ::umari::event::NextShape<PlanCreatedV2>>::next(data),
                    );
                ::core::result::Result::Ok(())
            }
            2u32 => {
                let data = <PlanCreatedV2 as ::umari::event::PreviousShape>::read(
                    2u32,
                    json,
                )?;
                events
                    .push(
                        <Self as ::umari::event::NextShape<PlanCreatedV2>>::next(data),
                    );
                ::core::result::Result::Ok(())
            }
            3u32 => ::umari::event::upcast_with(3u32, json, split, events),
            found => {
                ::core::result::Result::Err(::umari::event::SerializationCause::MissingUpcast {
                    found,
                    known: <Self as ::umari::event::Event>::SCHEMA_VERSION,
                })
            }
        }
    }
}
