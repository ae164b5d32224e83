//! The list of checks, held against what is said of them.

const LIST: &str = include_str!("../../../src/check/list.rs");
const OVERVIEW: &str = include_str!("../../../src/check.rs");

#[test]
fn every_check_is_in_the_table_and_has_an_example() {
    let mut documentation = String::new();
    let mut checks = 0;
    for line in LIST.lines() {
        if let Some(constant) = line.strip_prefix("pub const ") {
            let (name, _) = constant.split_once(':').expect("a type");
            assert!(OVERVIEW.contains(&format!("//! | [`{name}`] |")), "{name}");
            assert!(documentation.contains("/// # Examples"), "{name}");
            documentation.clear();
            checks += 1;
        } else if line.starts_with("///") {
            documentation.push_str(line);
        }
    }
    assert_eq!(checks, 14, "the search finds the checks");
}
