use http::Method;

use super::*;

fn allowed(policy: &HttpPolicy, host: &str, port: u16, address: &str) -> bool {
    policy
        .check_address(host, port, address.parse().unwrap())
        .is_ok()
}

#[test]
fn private_addresses_are_refused_by_default() {
    let policy = HttpPolicy::default();
    for address in [
        "127.0.0.1",
        "10.0.0.1",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",
        "198.18.0.1",
        "224.0.0.1",
        "255.255.255.255",
        "192.0.0.8",
        "192.88.99.1",
        "192.0.2.1",
        "198.51.100.1",
        "203.0.113.1",
        "240.0.0.1",
        "::1",
        "::",
        "fc00::1",
        "fe80::1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "::ffff:0:127.0.0.1",
        "::127.0.0.1",
        "64:ff9b::7f00:1",
        "64:ff9b::a9fe:a9fe",
        "64:ff9b:1::7f00:1",
        "100::1",
        "fec0::1",
        "3fff::1",
        "2002:a9fe:a9fe::1",
        "2002:7f00:1::",
        "2001:db8::1",
        "2001::1",
        "ff02::1",
    ] {
        assert!(
            !allowed(&policy, "host", 80, address),
            "{address} was allowed"
        );
    }
    for address in [
        "93.184.215.14",
        "100.128.0.1",
        "2606:4700::1111",
        "64:ff9b::5db8:d70e",
    ] {
        assert!(
            allowed(&policy, "host", 80, address),
            "{address} was refused"
        );
    }
}

#[test]
fn a_name_with_one_private_address_is_refused_as_a_whole() {
    let judge = |addresses: &[&str]| {
        let addresses: Vec<_> = addresses
            .iter()
            .map(|address| std::net::SocketAddr::new(address.parse().unwrap(), 80))
            .collect();
        connect::judge(&HttpPolicy::default(), "a.example", 80, &addresses).is_ok()
    };
    assert!(judge(&["93.184.215.14", "2606:4700::1111"]));
    assert!(!judge(&["93.184.215.14", "127.0.0.1"]));
    assert!(!judge(&["::ffff:10.0.0.1", "93.184.215.14"]));
}

#[test]
fn an_allowed_destination_is_one_host_and_one_port() {
    let policy = HttpPolicy::default().allow("127.0.0.1:4000").unwrap();
    assert!(allowed(&policy, "127.0.0.1", 4000, "127.0.0.1"));
    assert!(!allowed(&policy, "127.0.0.1", 4001, "127.0.0.1"));
    assert!(!allowed(&policy, "other", 4000, "127.0.0.1"));
    let loopback = HttpPolicy::default().allow_loopback();
    assert!(allowed(&loopback, "localhost", 1, "::1"));
    assert!(!allowed(&loopback, "router", 80, "192.168.1.1"));
}

#[test]
fn a_destination_that_is_none_is_an_error() {
    for text in [
        "",
        "host",
        ":80",
        "host:",
        "host:99999",
        "http://host:80",
        "a b:1",
    ] {
        HttpPolicy::default().allow(text).unwrap_err();
    }
    HttpPolicy::default().allow("[::1]:80").unwrap();
}

#[test]
fn other_schemes_and_missing_hosts_are_refused() {
    let policy = HttpPolicy::default();
    policy
        .check(&Method::GET, &"ftp://example.com/".parse().unwrap())
        .unwrap_err();
    policy
        .check(&Method::GET, &"/path".parse().unwrap())
        .unwrap_err();
    policy
        .check(&Method::GET, &"https://example.com/".parse().unwrap())
        .unwrap();
    policy
        .check(&Method::CONNECT, &"https://example.com/".parse().unwrap())
        .unwrap_err();
}

#[test]
fn a_url_has_no_user() {
    let check = |uri: &str| policy::check_user(&uri.parse().unwrap());
    check("https://example.com/a@b").unwrap();
    for uri in [
        "https://ann@example.com/",
        "https://ann:secret@example.com/",
    ] {
        let refused = check(uri).unwrap_err().to_string();
        assert!(refused.contains("authorization") && !refused.contains("ann"));
    }
}

#[test]
fn a_guest_may_shorten_deadlines_only() {
    let far = Instant::now() + Duration::from_secs(3_600);
    let long = RequestOptions {
        first_byte_timeout: Some(Duration::from_secs(3_000)),
        ..RequestOptions::default()
    };
    assert!(Deadlines::of(Some(long), far).first_byte <= limits::HTTP_REQUEST_DEADLINE);
    let short = RequestOptions {
        first_byte_timeout: Some(Duration::from_millis(5)),
        ..RequestOptions::default()
    };
    assert_eq!(
        Deadlines::of(Some(short), far).first_byte,
        Duration::from_millis(5)
    );
    let passed = Instant::now();
    assert_eq!(Deadlines::of(None, passed).first_byte, Duration::ZERO);
}
