#[automatically_derived]
#[allow(deprecated, clippy::all, clippy::pedantic, clippy::nursery)]
impl<T> ::umari::domain_id::DomainIds for Input<T> {
    const DOMAIN_ID_FIELDS: &'static [&'static str] = &["type", "plan_id"];
    fn domain_ids(&self) -> ::umari::domain_id::DomainIdBindings {
        ::core::convert::From::from(&self.domain_id_values())
    }
    fn domain_id_values(&self) -> ::umari::domain_id::DomainIdValues {
        use ::umari::domain_id::field::{
            KnownKind as _, ManyKind as _, OneKind as _, UnfitKind as _,
        };
        let mut values = ::umari::domain_id::DomainIdValues::for_fields(
            Self::DOMAIN_ID_FIELDS,
        );
        (&&&&::umari::domain_id::field::Probe::<u64>::new())
            .kind()
            .bind(&self.r#type, "type", &mut values);
        (&&&&::umari::domain_id::field::Probe::<Option<Uuid>>::new())
            .kind()
            .bind(&self.plan, "plan_id", &mut values);
        (&&&&::umari::domain_id::field::Probe::<Vec<Uuid>>::new())
            .kind()
            .bind(&self.others, "plan_id", &mut values);
        values
    }
}
