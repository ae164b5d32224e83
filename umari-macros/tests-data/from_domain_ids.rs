#[automatically_derived]
#[diagnostic::do_not_recommend]
#[allow(deprecated, clippy::all, clippy::pedantic, clippy::nursery)]
impl ::umari::domain_id::FromDomainIds for SoldSince {
    type Args = (DateTime<Utc>, String);
    fn from_domain_ids(
        args: Self::Args,
        bindings: &::umari::domain_id::DomainIdBindings,
    ) -> ::core::result::Result<Self, ::umari::domain_id::FromDomainIdsError> {
        Self::from_domain_id_values(args, &::core::convert::From::from(bindings))
    }
    fn from_domain_id_values(
        (argument_since, argument_type): Self::Args,
        values: &::umari::domain_id::DomainIdValues,
    ) -> ::core::result::Result<Self, ::umari::domain_id::FromDomainIdsError> {
        use ::umari::domain_id::field::{ReadMany as _, ReadNothing as _, ReadOne as _};
        ::core::result::Result::Ok(Self {
            shop_id: ::umari::domain_id::field::bound(
                (&&&::umari::domain_id::field::Probe::<u64>::new())
                    .read(values.get("shop_id")),
                "shop_id",
                values,
            )?,
            plans: ::umari::domain_id::field::bound(
                (&&&::umari::domain_id::field::Probe::<Vec<Uuid>>::new())
                    .read(values.get("plan_id")),
                "plan_id",
                values,
            )?,
            seen: <u32 as ::umari::domain_id::field::DefaultField>::by_default(),
            since: argument_since,
            r#type: argument_type,
        })
    }
}
