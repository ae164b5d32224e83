#[automatically_derived]
#[diagnostic::do_not_recommend]
#[allow(deprecated, clippy::all, clippy::pedantic, clippy::nursery)]
impl ::umari::domain_id::DomainIds for Input {
    const DOMAIN_ID_FIELDS: &'static [&'static str] = &[];
    fn domain_ids(&self) -> ::umari::domain_id::DomainIdBindings {
        ::core::convert::From::from(&self.domain_id_values())
    }
    fn domain_id_values(&self) -> ::umari::domain_id::DomainIdValues {
        let values = ::umari::domain_id::DomainIdValues::new();
        values
    }
}
