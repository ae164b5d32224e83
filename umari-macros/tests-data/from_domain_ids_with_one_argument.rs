#[automatically_derived]
#[diagnostic::do_not_recommend]
#[allow(deprecated, clippy::all, clippy::pedantic, clippy::nursery)]
impl ::umari::domain_id::FromDomainIds for Since {
    type Args = u64;
    fn from_domain_ids(
        args: Self::Args,
        bindings: &::umari::domain_id::DomainIdBindings,
    ) -> ::core::result::Result<Self, ::umari::domain_id::FromDomainIdsError> {
        Self::from_domain_id_values(args, &::core::convert::From::from(bindings))
    }
    fn from_domain_id_values(
        argument_since: Self::Args,
        values: &::umari::domain_id::DomainIdValues,
    ) -> ::core::result::Result<Self, ::umari::domain_id::FromDomainIdsError> {
        let _ = values;
        ::core::result::Result::Ok(Self { since: argument_since })
    }
}
