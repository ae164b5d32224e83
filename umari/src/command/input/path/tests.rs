//! The path is that of a deserialiser which keeps track of it.

use std::collections::BTreeMap;
use std::num::NonZeroU8;

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::of;

#[derive(Debug, Deserialize)]
#[expect(dead_code, reason = "read and thrown away")]
struct Order {
    customer: Customer,
    #[serde(default)]
    lines: Vec<Line>,
    #[serde(default)]
    notes: BTreeMap<String, String>,
    #[serde(default)]
    pair: (u8, String),
    #[serde(default)]
    answer: Option<Answer>,
    #[serde(default)]
    even: Even,
}

#[derive(Debug, Deserialize)]
#[expect(dead_code, reason = "read and thrown away")]
#[serde(deny_unknown_fields)]
struct Customer {
    name: String,
    #[serde(default)]
    email: Email,
}

#[derive(Debug, Deserialize)]
#[expect(dead_code, reason = "read and thrown away")]
struct Line {
    price: u32,
    #[serde(default)]
    count: Option<NonZeroU8>,
}

#[derive(Debug, Deserialize)]
#[expect(dead_code, reason = "read and thrown away")]
enum Answer {
    Yes,
    Because { reason: String, even: Even },
    Numbers(Vec<u8>),
}

/// Refuses after it has read.
#[derive(Debug, Default, Deserialize)]
#[serde(try_from = "String")]
struct Email;

impl TryFrom<String> for Email {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.contains('@')
            .then_some(Self)
            .ok_or_else(|| format!("`{text}` is no address"))
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(try_from = "Vec<u8>")]
struct Even;

impl TryFrom<Vec<u8>> for Even {
    type Error = String;

    fn try_from(numbers: Vec<u8>) -> Result<Self, String> {
        let even = numbers.len().is_multiple_of(2);
        even.then_some(Self).ok_or_else(|| "odd".to_owned())
    }
}

fn found<T: DeserializeOwned>(json: &str) -> String {
    let read = |text: &str| serde_json::from_str::<T>(text);
    let Err(error) = read(json) else {
        panic!("{json} is read");
    };
    assert!(error.is_data(), "{json}: {error}");
    of(&error, json, &mut |text| read(text).err())
}

fn tracked<T: DeserializeOwned>(json: &str) -> String {
    let mut deserializer = serde_json::Deserializer::from_str(json);
    let Err(error) = serde_path_to_error::deserialize::<_, T>(&mut deserializer) else {
        panic!("{json} is read");
    };
    let path = error.path().to_string();
    if path == "." { String::new() } else { path }
}

#[test]
fn the_path_is_that_of_a_deserialiser_which_keeps_track_of_it() {
    let customer = r#""customer":{"name":"Ada"}"#;
    let cases = [
        "{}".to_owned(),
        "[]".to_owned(),
        "7".to_owned(),
        r#"{"customer":7}"#.to_owned(),
        r#"{"customer":{}}"#.to_owned(),
        r#"{"customer":{"name":null}}"#.to_owned(),
        r#"{"customer":{"name":"Ada","colour":"red"}}"#.to_owned(),
        r#"{"customer":{"name":"Ada","email":"nowhere"}}"#.to_owned(),
        r#"{"customer":{"email":"nowhere","name":"Ada"}}"#.to_owned(),
        r#"{"customer":{"email":"nowhere" } , "lines":[]}"#.to_owned(),
        r#"{"lines":[{"price":1},{"price":"two"}]}"#.to_owned(),
        r#"{"lines":[{"price":1},{}]}"#.to_owned(),
        r#"{"lines":[[1,null],["two"]]}"#.to_owned(),
        r#"{"lines":[{"price":1,"count":0}]}"#.to_owned(),
        r#"{"lines":[{"price":-1}]}"#.to_owned(),
        r#"{"lines":[{"price":1.5}]}"#.to_owned(),
        r#"{"lines":{"price":1}}"#.to_owned(),
        r#"{"lines":[{"price":{"deep":[1,{"er":2}]}}]}"#.to_owned(),
        r#"{"notes":{"a":"b","a ] } \" , \\":7}}"#.to_owned(),
        "{\n  \"lines\": [\n    { \"price\": 1 },\n    { \"price\": \"zwölf\" }\n  ]\n}".to_owned(),
        "{ \"notes\" : { \"größe\" : \"ü\" , \"länge\" : [ ] } }".to_owned(),
        format!(r#"{{{customer},"pair":[1]}}"#),
        format!(r#"{{{customer},"pair":["x","x"]}}"#),
        format!(r#"{{{customer},"answer":"No"}}"#),
        format!(r#"{{{customer},"answer":{{"Because":{{"reason":1}}}}}}"#),
        format!(r#"{{{customer},"answer":{{"Because":{{"reason":"r","even":[1]}}}}}}"#),
        format!(r#"{{{customer},"answer":{{"Numbers":[1,2,300]}}}}"#),
        format!(r#"{{{customer},"even":[1]}}"#),
        format!(r#"{{"even":[1],{customer}}}"#),
        format!(r#"{{{customer},"even":[1,[]]}}"#),
    ];
    let paths = |path: fn(&str) -> String| cases.iter().map(|json| (json, path(json))).collect();
    let (found, tracked): (Vec<_>, Vec<_>) = (paths(found::<Order>), paths(tracked::<Order>));
    assert_eq!(found, tracked);
}

#[test]
fn a_field_that_is_given_twice_is_named() {
    let twice = r#"{"customer":{"name":"Ada","name":"Eve"}}"#;
    assert_eq!(found::<Order>(twice), "customer.name");
}

#[test]
fn a_type_that_refuses_the_whole_has_no_path() {
    assert_eq!(found::<Even>("[1]"), "");
    assert_eq!(found::<Email>("\"nowhere\""), "");
}
