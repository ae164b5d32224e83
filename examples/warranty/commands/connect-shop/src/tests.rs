use umari_testing::prelude::*;
use warranty::samples::{SHOP_ID, shop_connected, shop_reconnected};

use super::*;

fn input() -> Input {
    let ShopConnected {
        shop_id,
        shop_domain,
        shop_name,
        access_token,
        owner_email,
    } = shop_connected();
    Input {
        shop_id,
        shop_domain,
        shop_name,
        access_token,
        owner_email,
    }
}

#[test]
fn a_new_shop_is_connected() {
    given_nothing()
        .when(execute, input())
        .then(events![shop_connected()]);
}

#[test]
fn a_known_shop_is_connected_again_with_its_new_details() {
    given(events![shop_connected()])
        .when(
            execute,
            Input {
                access_token: shop_reconnected().access_token,
                ..input()
            },
        )
        .then(events![shop_reconnected()]);
}

#[test]
fn another_shop_does_not_count() {
    given(events![ShopConnected {
        shop_id: SHOP_ID + 1,
        ..shop_connected()
    }])
    .when(execute, input())
    .then(events![shop_connected()]);
}

#[test]
fn every_detail_is_checked() {
    let shop_domain = String::new();
    let shop_name = "n".repeat(201);
    let access_token = "two words".into();
    let owner_email = "kim".into();
    for (field, input) in [
        (
            "shop_domain",
            Input {
                shop_domain,
                ..input()
            },
        ),
        (
            "shop_name",
            Input {
                shop_name,
                ..input()
            },
        ),
        (
            "access_token",
            Input {
                access_token,
                ..input()
            },
        ),
        (
            "owner_email",
            Input {
                owner_email,
                ..input()
            },
        ),
    ] {
        given_nothing().when(execute, input).then_invalid(field);
    }
}

#[test]
fn the_receipt_says_whether_the_shop_was_new() {
    let connected = given_nothing().when(execute, input());
    assert!(connected.receipt().has_event::<ShopConnected>());
    let again = connected.when(execute, input());
    assert!(again.receipt().has_event::<ShopReconnected>());
}

#[test]
fn a_shop_whose_key_was_deleted_starts_anew() {
    given(events![shop_connected(), shop_reconnected()])
        .shredded("shop_id", SHOP_ID)
        .when(execute, input())
        .then(events![shop_connected()]);
}
