#[automatically_derived]
#[allow(clippy::all, clippy::pedantic, clippy::nursery)]
impl<T> ::umari::event::Event for ShopConnected<T> {
    const EVENT_TYPE: &'static ::core::primitive::str = "ShopConnected";
}

#[automatically_derived]
#[allow(clippy::all, clippy::pedantic, clippy::nursery)]
impl<T> ::umari::domain_id::DomainIds for ShopConnected<T> {
    const DOMAIN_ID_FIELDS: &'static [&'static ::core::primitive::str] = &[
        "shop id",
        "shop_id",
    ];
    fn domain_ids(&self) -> ::umari::domain_id::DomainIdBindings {
        ::core::unreachable!()
    }
}

#[automatically_derived]
#[allow(clippy::all, clippy::pedantic, clippy::nursery)]
impl<T> ::umari::domain_id::FromDomainIds for ShopConnected<T> {
    type Args = ();
    fn from_domain_ids(
        _: Self::Args,
        _: &::umari::domain_id::DomainIdBindings,
    ) -> ::core::result::Result<Self, ::umari::domain_id::FromDomainIdsError> {
        ::core::unreachable!()
    }
}

#[automatically_derived]
#[allow(clippy::all, clippy::pedantic, clippy::nursery)]
impl<T> ::umari::event::EventSet for ShopConnected<T> {
    type Item = Self;
    fn event_types() -> ::std::vec::Vec<&'static ::core::primitive::str> {
        ::core::unreachable!()
    }
    fn event_domain_ids() -> ::std::vec::Vec<::umari::event::EventDomainId> {
        ::core::unreachable!()
    }
    fn from_event(
        _: &::core::primitive::str,
        _: &::umari::__private::Value,
    ) -> ::core::option::Option<
        ::core::result::Result<Self, ::umari::event::SerializationError>,
    > {
        ::core::unreachable!()
    }
}
