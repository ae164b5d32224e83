//! Edits of Rust sources that the user owns: a line among its like, and nothing else.

/// Adds `mod NAME;` among the modules of a file.
pub(super) fn add_module(text: &str, line: &str) -> String {
    let is_module =
        |it: &str| it.ends_with(';') && (it.starts_with("mod ") || it.starts_with("pub mod "));
    add(text, line, &is_module, behind_header)
}

/// Adds `pub use PATH;` among the exports of a file, else behind its modules.
pub(super) fn add_export(text: &str, line: &str) -> String {
    let is_export = |it: &str| it.starts_with("pub use ");
    add(text, line, &is_export, |lines| {
        let last = lines
            .iter()
            .rposition(|it| it.starts_with("mod ") || it.starts_with("pub mod "));
        last.map_or_else(|| behind_header(lines), |index| index + 1)
    })
}

/// Adds a line to the first block of its like, in order; without one, `place` says where.
fn add(
    text: &str,
    line: &str,
    is_like: &dyn Fn(&str) -> bool,
    place: impl FnOnce(&[&str]) -> usize,
) -> String {
    let lines: Vec<&str> = text.lines().collect();
    // A line under an attribute, such as `#[cfg(test)] mod tests;`, is not one of the block.
    let plain =
        |index: usize| is_like(lines[index]) && (index == 0 || !lines[index - 1].starts_with("#["));
    let mut added: Vec<&str> = lines.clone();
    if let Some(first) = (0..lines.len()).find(|index| plain(*index)) {
        let mut at = first;
        while at < lines.len() && plain(at) && key(lines[at]) < key(line) {
            // An export may go on over several lines.
            at += 1 + lines[at..]
                .iter()
                .position(|it| it.ends_with(';'))
                .unwrap_or(0);
        }
        added.insert(at.min(lines.len()), line);
    } else {
        let at = place(&lines);
        let blank = |index: usize| lines.get(index).is_none_or(|it| it.is_empty());
        if !blank(at) {
            added.insert(at, "");
        }
        added.insert(at, line);
        if at > 0 && !blank(at - 1) {
            added.insert(at, "");
        }
    }
    added.join("\n") + "\n"
}

/// The order in which rustfmt keeps such lines: by the parts of the path, where the shorter name and
/// then `_` come first.
fn key(line: &str) -> String {
    let path = line.trim_start_matches("pub ").trim_end_matches(';');
    path.replace("::", "\u{0}").replace('_', "\u{1}")
}

/// The first line behind a file's own documentation and attributes.
fn behind_header(lines: &[&str]) -> usize {
    let header = |it: &&str| it.starts_with("//!") || it.starts_with("#![") || it.is_empty();
    lines
        .iter()
        .position(|it| !header(it))
        .unwrap_or(lines.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::expect;

    #[test]
    fn lines_stand_in_order_among_their_like() {
        let text = "//! Events.\n\nmod shop;\nmod task;\n\npub use shop::{\n    A,\n};\npub use task::TaskAdded;\n\n#[cfg(test)]\nmod tests;\n";
        let text = add_module(text, "mod task_finished;");
        let text = add_export(&text, "pub use task_finished::TaskFinished;");
        let text = add_module(&text, "mod aisle_swept;");
        let text = add_export(&text, "pub use aisle_swept::AisleSwept;");
        expect![[r"
            //! Events.

            mod aisle_swept;
            mod shop;
            mod task;
            mod task_finished;

            pub use aisle_swept::AisleSwept;
            pub use shop::{
                A,
            };
            pub use task::TaskAdded;
            pub use task_finished::TaskFinished;

            #[cfg(test)]
            mod tests;
        "]]
        .assert_eq(&text);
    }

    #[test]
    fn a_file_without_such_lines_gets_its_first() {
        let text = add_module("//! Events.\n\nuse a::b;\n\nfn f() {}\n", "mod x;");
        expect![[r"
            //! Events.

            mod x;

            use a::b;

            fn f() {}
        "]]
        .assert_eq(&text);
        expect![[r"
            //! Events.

            mod x;

            pub use x::X;

            use a::b;

            fn f() {}
        "]]
        .assert_eq(&add_export(&text, "pub use x::X;"));
        assert_eq!(add_module("", "mod x;"), "mod x;\n");
        assert_eq!(
            add_module("#[cfg(test)]\nmod tests;\n", "mod x;"),
            "mod x;\n\n#[cfg(test)]\nmod tests;\n"
        );
    }
}
