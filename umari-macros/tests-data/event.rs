#[automatically_derived]
#[diagnostic::do_not_recommend]
#[allow(deprecated, clippy::all, clippy::pedantic, clippy::nursery)]
impl ::umari::event::Event for ShopConnected {
    const EVENT_TYPE: &'static ::core::primitive::str = "ShopConnected";
}
