//! What one fold reads, and why it misses an event.

use umari::host::{RawEvent, Reading, Selected};

use crate::given::short;
use crate::shared::inner_name;

/// What a fold reads, as in `ShopExistsFold  shop.connected {shop_id:42}`: a line for each of its event
/// types, or for several that are selected alike.
pub(super) fn legend(reading: &Reading) -> Vec<String> {
    let mut lines: Vec<(Vec<&str>, String)> = Vec::new();
    for selected in &reading.selected {
        let how = how(selected);
        match lines.iter_mut().find(|(_, earlier)| *earlier == how) {
            Some((types, _)) => types.extend(&selected.event_types),
            None => lines.push((selected.event_types.clone(), how)),
        }
    }
    let name = short(inner_name(reading.reader));
    let indent = " ".repeat(name.chars().count());
    lines
        .into_iter()
        .enumerate()
        .map(|(index, (types, how))| {
            let margin = if index == 0 { &name } else { &indent };
            format!("{margin}  {}{how}", types.join(" | "))
        })
        .collect()
}

/// The domain ids that select, as in ` {shop_id:42}` or ` #[scope(shop_id)] {shop_id:42}`.
fn how(selected: &Selected) -> String {
    let ids: Vec<_> = selected
        .domain_ids
        .iter()
        .map(|(name, values)| format!("{name}:{}", values.join("|")))
        .collect();
    let names: Vec<_> = selected.domain_ids.iter().map(|(name, _)| *name).collect();
    match (selected.scoped, &*ids) {
        (true, []) => " #[scope()]".to_owned(),
        (true, ids) => format!(" #[scope({})] {{{}}}", names.join(", "), ids.join(", ")),
        (false, []) => String::new(),
        (false, ids) => format!(" {{{}}}", ids.join(", ")),
    }
}

/// Why the fold reads `event`, or does not.
pub(super) fn cell(reading: &Reading, event: &RawEvent) -> String {
    let of_its_type = |selected: &&Selected| selected.event_types.contains(&&*event.event_type);
    let Some(selected) = reading.selected.iter().find(of_its_type) else {
        return "other type".to_owned();
    };
    let missing = |(name, values): &&(&str, Vec<String>)| {
        let carried = |value: &String| event.tags.contains(&format!("{name}:{value}"));
        !values.iter().any(carried)
    };
    let missing: Vec<_> = selected.domain_ids.iter().filter(missing).collect();
    if missing.is_empty() {
        return super::read(event);
    }
    if selected.scoped {
        let names: Vec<_> = missing.iter().map(|(name, _)| *name).collect();
        return format!("excluded by #[scope({})]", names.join(", "));
    }
    let tags: Vec<_> = missing
        .iter()
        .map(|(name, values)| match &**values {
            [value] => format!("{name}:{value}"),
            values => format!("{name}:{}", values.join("|")),
        })
        .collect();
    format!("missing tag {}", tags.join(", "))
}
