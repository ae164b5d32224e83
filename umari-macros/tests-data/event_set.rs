#[automatically_derived]
#[diagnostic::do_not_recommend]
#[allow(deprecated, clippy::all, clippy::pedantic, clippy::nursery)]
impl ::umari::event::EventSet for Query {
    type Item = Self;
    const NEEDS_BINDINGS: ::core::primitive::bool = true;
    fn event_types() -> ::std::vec::Vec<&'static ::core::primitive::str> {
        use ::umari::__private::{KnownEvent as _, UnknownEvent as _};
        ::std::vec![
            (& ::umari::__private::Held:: < Opened > ::new()).event_type(), (&
            ::umari::__private::Held:: < Closed > ::new()).event_type(), (&
            ::umari::__private::Held:: < Sold > ::new()).event_type(), (&
            ::umari::__private::Held:: < hooks::Received > ::new()).event_type()
        ]
    }
    fn event_domain_ids() -> ::std::vec::Vec<::umari::event::EventDomainId> {
        Self::selected_by().into_owned()
    }
    fn selected_by() -> ::std::borrow::Cow<'static, [::umari::event::EventDomainId]> {
        ::std::borrow::Cow::Borrowed(const {
            &[
                ::umari::event::EventDomainId::unscoped::<Opened>(),
                ::umari::event::EventDomainId::scoped::<Closed>(&[], &[]),
                ::umari::event::EventDomainId::scoped::<Sold>(&["shop_id"], &[]),
                ::umari::event::EventDomainId::scoped::<
                    hooks::Received,
                >(&["shop_id"], &[("topic", "orders/paid"), ("plan_id", "7")]),
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
            Opened,
        >::new())
            .read(event_type, data)
        {
            return ::core::option::Option::map(
                read,
                |read| ::core::result::Result::map(read, Self::All),
            );
        }
        if let ::core::option::Option::Some(read) = (&::umari::__private::Held::<
            Closed,
        >::new())
            .read(event_type, data)
        {
            return ::core::option::Option::map(
                read,
                |read| ::core::result::Result::map(read, Self::Any),
            );
        }
        if let ::core::option::Option::Some(read) = (&::umari::__private::Held::<
            Sold,
        >::new())
            .read(event_type, data)
        {
            return ::core::option::Option::map(
                read,
                |read| ::core::result::Result::map(read, Self::Bound),
            );
        }
        if let ::core::option::Option::Some(read) = (&::umari::__private::Held::<
            hooks::Received,
        >::new())
            .read(event_type, data)
        {
            return ::core::option::Option::map(
                read,
                |read| ::core::result::Result::map(read, Self::Mixed),
            );
        }
        ::core::option::Option::None
    }
    fn decode(
        payload: &::umari::event::Payload<'_>,
        found: &mut dyn ::core::ops::FnMut(Self),
    ) -> ::core::result::Result<(), ::umari::event::SerializationError> {
        use ::umari::__private::{KnownEvent as _, UnknownEvent as _};
        (&::umari::__private::Held::<Opened>::new())
            .decode(payload, &mut |event| found(Self::All(event)))?;
        (&::umari::__private::Held::<Closed>::new())
            .decode(payload, &mut |event| found(Self::Any(event)))?;
        (&::umari::__private::Held::<Sold>::new())
            .decode(payload, &mut |event| found(Self::Bound(event)))?;
        (&::umari::__private::Held::<hooks::Received>::new())
            .decode(payload, &mut |event| found(Self::Mixed(event)))?;
        ::core::result::Result::Ok(())
    }
}
#[allow(deprecated, unused_imports, clippy::all, clippy::pedantic, clippy::nursery)]
const _: () = {
    use ::umari::__private::NoEventFacts as _;
    const _: () = ::core::assert!(
        ! ::umari::__private::share_type(::umari::__private::EventFacts:: < Closed >
        ::EVENT_TYPE, ::umari::__private::EventFacts:: < Opened > ::EVENT_TYPE,),
        "the variant `All` already reads this event type"
    );
    const _: () = ::core::assert!(
        ! ::umari::__private::lacks(::umari::__private::EventFacts:: < Sold >
        ::DOMAIN_ID_FIELDS, "shop_id",),
        "`Sold` has no domain id `shop_id`: mark its field with `#[domain_id]`, or scope by another"
    );
    const _: () = ::core::assert!(
        ! ::umari::__private::share_type(::umari::__private::EventFacts:: < Sold >
        ::EVENT_TYPE, ::umari::__private::EventFacts:: < Opened > ::EVENT_TYPE,),
        "the variant `All` already reads this event type"
    );
    const _: () = ::core::assert!(
        ! ::umari::__private::share_type(::umari::__private::EventFacts:: < Sold >
        ::EVENT_TYPE, ::umari::__private::EventFacts:: < Closed > ::EVENT_TYPE,),
        "the variant `Any` already reads this event type"
    );
    const _: () = ::core::assert!(
        ! ::umari::__private::lacks(::umari::__private::EventFacts:: < hooks::Received >
        ::DOMAIN_ID_FIELDS, "topic",),
        "`hooks::Received` has no domain id `topic`: mark its field with `#[domain_id]`, or scope by another"
    );
    const _: () = ::core::assert!(
        ! ::umari::__private::lacks(::umari::__private::EventFacts:: < hooks::Received >
        ::DOMAIN_ID_FIELDS, "shop_id",),
        "`hooks::Received` has no domain id `shop_id`: mark its field with `#[domain_id]`, or scope by another"
    );
    const _: () = ::core::assert!(
        ! ::umari::__private::lacks(::umari::__private::EventFacts:: < hooks::Received >
        ::DOMAIN_ID_FIELDS, "plan_id",),
        "`hooks::Received` has no domain id `plan_id`: mark its field with `#[domain_id]`, or scope by another"
    );
    const _: () = ::core::assert!(
        ! ::umari::__private::share_type(::umari::__private::EventFacts:: <
        hooks::Received > ::EVENT_TYPE, ::umari::__private::EventFacts:: < Opened >
        ::EVENT_TYPE,), "the variant `All` already reads this event type"
    );
    const _: () = ::core::assert!(
        ! ::umari::__private::share_type(::umari::__private::EventFacts:: <
        hooks::Received > ::EVENT_TYPE, ::umari::__private::EventFacts:: < Closed >
        ::EVENT_TYPE,), "the variant `Any` already reads this event type"
    );
    const _: () = ::core::assert!(
        ! ::umari::__private::share_type(::umari::__private::EventFacts:: <
        hooks::Received > ::EVENT_TYPE, ::umari::__private::EventFacts:: < Sold >
        ::EVENT_TYPE,), "the variant `Bound` already reads this event type"
    );
};
