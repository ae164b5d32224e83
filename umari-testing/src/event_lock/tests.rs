use super::*;

fn check(variables: &[(&str, &str)], expected: Writing) {
    let wanted = Writing::wanted(|name| {
        let variable = variables.iter().find(|(variable, _)| *variable == name);
        variable.map(|(_, value)| value.into())
    });
    assert_eq!(wanted, expected, "{variables:?}");
}

#[test]
fn the_environment_says_what_may_be_written() {
    check(&[], Writing::Missing);
    check(&[("CI", "true")], Writing::Nothing);
    check(&[("CI", "1")], Writing::Nothing);
    check(&[("CI", "false")], Writing::Missing);
    check(&[("CI", "")], Writing::Missing);
    check(&[("UMARI_UPDATE", "1")], Writing::Additions);
    check(&[("UMARI_UPDATE", "0")], Writing::Missing);
    check(&[("UMARI_UPDATE", "0"), ("CI", "true")], Writing::Nothing);
    check(&[("UMARI_UPDATE", "1"), ("CI", "true")], Writing::Additions);
}
