//! The cookbook, held against what its first line promises. That the examples run is proven by the doctests.

const PAGE: &str = include_str!("../../src/cookbook.rs");

const RECIPES: usize = 20;

/// The text of the page as Markdown, without the hidden lines of its examples.
fn markdown() -> String {
    let lines = PAGE.lines().filter_map(|line| line.strip_prefix("//!"));
    let lines = lines.map(|line| line.strip_prefix(' ').unwrap_or(line));
    let is_hidden = |line: &str| {
        let rest = line.strip_prefix("# ");
        rest.is_some_and(|rest| !rest.starts_with(|first: char| first.is_ascii_digit()))
    };
    lines
        .filter(|line| !is_hidden(line))
        .collect::<Vec<_>>()
        .join("\n")
}

/// What comes before the recipes, and the heading and the text of each.
fn parts(page: &str) -> (&str, Vec<(&str, &str)>) {
    let mut sections = page.split("\n# ");
    let index = sections.next().unwrap_or_default();
    (
        index,
        sections
            .filter_map(|section| section.split_once('\n'))
            .collect(),
    )
}

/// The name by which rustdoc links to a heading.
fn anchor(heading: &str) -> String {
    let letters = heading.chars().filter_map(|letter| match letter {
        ' ' => Some('-'),
        letter if letter.is_alphanumeric() => Some(letter.to_ascii_lowercase()),
        _ => None,
    });
    letters.collect()
}

#[test]
fn there_are_twenty_numbered_recipes_and_the_index_links_each() {
    let page = markdown();
    let (index, recipes) = parts(&page);
    assert_eq!(recipes.len(), RECIPES);
    for (number, (heading, _)) in recipes.iter().enumerate() {
        assert!(
            heading.starts_with(&format!("{}. ", number + 1)),
            "{heading}"
        );
        assert!(heading.ends_with('?'), "{heading} is no question");
        let link = format!("[{heading}](#{})", anchor(heading));
        assert!(index.contains(&link), "the index lacks {link}");
    }
    let rows = index
        .lines()
        .filter(|line| line.starts_with("| ") && line.contains("](#"));
    assert_eq!(rows.count(), RECIPES);
}

#[test]
fn every_recipe_says_why_and_has_one_example_that_runs() {
    let page = markdown();
    for (heading, text) in parts(&page).1 {
        let fences: Vec<_> = text
            .lines()
            .filter(|line| line.starts_with("```"))
            .collect();
        assert!(
            matches!(fences[..], ["```" | "```should_panic", "```"]),
            "{heading}: {fences:?}"
        );
        let why = text.split("```").next().unwrap_or_default().trim();
        assert!(
            why.split_whitespace()
                .any(|word| word.ends_with(['.', ':', ';']))
                && why.ends_with('.'),
            "{heading}: no sentences that say why"
        );
    }
}
