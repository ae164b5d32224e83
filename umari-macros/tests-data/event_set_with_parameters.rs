#[automatically_derived]
#[allow(deprecated, clippy::all, clippy::pedantic, clippy::nursery)]
impl<A: Event, B: Event> ::umari::event::EventSet for Either<A, B> {
    type Item = Self;
    const NEEDS_BINDINGS: ::core::primitive::bool = true;
    fn event_types() -> ::std::vec::Vec<&'static ::core::primitive::str> {
        use ::umari::__private::{KnownEvent as _, UnknownEvent as _};
        ::std::vec![
            (& ::umari::__private::Held:: < A > ::new()).event_type(), (&
            ::umari::__private::Held:: < B > ::new()).event_type()
        ]
    }
    fn event_domain_ids() -> ::std::vec::Vec<::umari::event::EventDomainId> {
        Self::selected_by().into_owned()
    }
    fn selected_by() -> ::std::borrow::Cow<'static, [::umari::event::EventDomainId]> {
        ::std::borrow::Cow::Borrowed(const {
            &[
                ::umari::event::EventDomainId::scoped::<A>(&["shop_id"], &[]),
                ::umari::event::EventDomainId::unscoped::<B>(),
            ]
        })
    }
    fn from_event(
        event_type: &::core::primitive::str,
        data: &::umari::__private::Value,
    ) -> ::core::option::Option<
        ::core::result::Result<Self, ::umari::event::SerializationError>,
    > {
        use ::umari::__private::{KnownEvent as _, UnknownEvent as _};
        if let ::core::option::Option::Some(read) = (&::umari::__private::Held::<
            A,
        >::new())
            .read(event_type, data)
        {
            return ::core::option::Option::map(
                read,
                |read| ::core::result::Result::map(read, Self::A),
            );
        }
        if let ::core::option::Option::Some(read) = (&::umari::__private::Held::<
            B,
        >::new())
            .read(event_type, data)
        {
            return ::core::option::Option::map(
                read,
                |read| ::core::result::Result::map(read, Self::B),
            );
        }
        ::core::option::Option::None
    }
    fn decode(
        payload: &::umari::event::Payload<'_>,
        found: &mut dyn ::core::ops::FnMut(Self),
    ) -> ::core::result::Result<(), ::umari::event::SerializationError> {
        use ::umari::__private::{KnownEvent as _, UnknownEvent as _};
        (&::umari::__private::Held::<A>::new())
            .decode(payload, &mut |event| found(Self::A(event)))?;
        (&::umari::__private::Held::<B>::new())
            .decode(payload, &mut |event| found(Self::B(event)))?;
        ::core::result::Result::Ok(())
    }
}
