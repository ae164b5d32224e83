//! An upcast carries over whatever an old event says.
//!
//! A field is lost where no other value of it would make a difference to what the upcast returns.
//! That is tried out, rather than concluded from names and values, which an upcast is there to
//! change: `price: 49` is not lost in `cents: 4900`.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;

use serde_json::{Value, json};
use umari::host::Upcasting;

use super::UPCAST_LOSS;
use crate::report::{Report, Verdict};
use crate::world::World;

/// Fields beyond this one are not tried.
const FIELDS_MAX: usize = 64;

/// Reads data as an upcast does; `None` where it cannot be read.
type Upcast<'a> = &'a dyn Fn(&str) -> Option<Vec<Value>>;

/// Fields of an old event that an upcast ignores.
#[derive(Debug)]
pub(crate) struct Loss {
    event_type: String,
    version: u32,
    stored: String,
    read: Vec<Value>,
    fields: Vec<String>,
}

/// Who read what: the type, the version, the data.
type Reading = (&'static str, u32, String);

/// The upcasts that were tried out. Histories that fork share it, since an upcast does not change.
#[derive(Debug, Default)]
pub(crate) struct Upcasts {
    tried: RefCell<BTreeMap<Reading, Option<Rc<Loss>>>>,
}

impl Upcasts {
    /// What is lost in an upcast.
    pub(crate) fn loss(&self, upcasting: &Upcasting<'_>) -> Option<Rc<Loss>> {
        let Upcasting {
            event_type,
            reader,
            version,
            data,
            upcast,
            ..
        } = *upcasting;
        let key = (reader, version, data.to_owned());
        if let Some(known) = self.tried.borrow().get(&key) {
            return known.clone();
        }
        let loss = upcast(data).and_then(|read| {
            // An upcast that makes no event of it drops all on purpose.
            let fields = if read.is_empty() {
                Vec::new()
            } else {
                lost(data, &read, upcast)
            };
            (!fields.is_empty()).then(|| {
                Rc::new(Loss {
                    event_type: event_type.to_owned(),
                    version,
                    stored: data.to_owned(),
                    read,
                    fields,
                })
            })
        });
        self.tried.borrow_mut().insert(key, loss.clone());
        loss
    }
}

/// Fails where one of the upcasts of a run lost something.
pub(crate) fn check(world: &World, losses: &[Rc<Loss>]) -> Verdict {
    match losses.first() {
        Some(loss) if world.waivers.runs(UPCAST_LOSS) => Err(Box::new(report(world, loss))),
        _ => Ok(()),
    }
}

fn report(world: &World, loss: &Loss) -> Report {
    let fields: Vec<_> = loss
        .fields
        .iter()
        .map(|field| format!("`{field}`"))
        .collect();
    let fields = fields.join(", ");
    let read: Vec<_> = loss.read.iter().map(Value::to_string).collect();
    Report::new(format!(
        "the upcast of `{}` from version {} loses {fields}",
        loss.event_type, loss.version
    ))
    .scenario(&world.story)
    .section("stored", &*loss.stored)
    .section("read as", read.join("\n"))
    .cause(format!(
        "whatever {fields} says in an event of version {}, the upcast makes the same of it",
        loss.version
    ))
    .fix(format!(
        "carry it over, in the `#[upcast(version = {}, ..)]` or a later one; or, where nobody wants to know \
         it any more, `.without(check::{UPCAST_LOSS}, \"why\")`",
        loss.version
    ))
}

/// The fields of `data` that make no difference.
fn lost(data: &str, read: &[Value], upcast: Upcast<'_>) -> Vec<String> {
    let Ok(stored) = serde_json::from_str::<Value>(data) else {
        return Vec::new();
    };
    let mut pointers = Vec::new();
    collect(String::new(), &stored, &mut pointers);
    let makes_no_difference = |pointer: &String| {
        let Some(value) = stored.pointer(pointer) else {
            return false;
        };
        others(value).into_iter().all(|other| {
            let mut changed = stored.clone();
            if let Some(place) = changed.pointer_mut(pointer) {
                *place = other;
            }
            // Who cannot read another value, or panics at it, has looked at it.
            let result = catch_unwind(AssertUnwindSafe(|| upcast(&changed.to_string())));
            result.ok().flatten().is_some_and(|result| result == read)
        })
    };
    let pointers = pointers.into_iter().take(FIELDS_MAX);
    pointers
        .filter(makes_no_difference)
        .map(|pointer| dotted(&pointer))
        .collect()
}

/// The places of all values that say something, as JSON pointers.
fn collect(pointer: String, value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            for (key, value) in members {
                let key = key.replace('~', "~0").replace('/', "~1");
                collect(format!("{pointer}/{key}"), value, found);
            }
        }
        Value::Array(elements) => {
            for (index, value) in elements.iter().enumerate() {
                collect(format!("{pointer}/{index}"), value, found);
            }
        }
        Value::Null => {}
        _ => found.push(pointer),
    }
}

/// Other values of the same type: several, since one may happen to become the same.
fn others(value: &Value) -> Vec<Value> {
    match value {
        Value::Bool(value) => vec![json!(!value)],
        Value::Number(number) => match number.as_u64() {
            Some(number) => [number.wrapping_add(1), number / 2 + 1_000, 0]
                .into_iter()
                .filter(|other| *other != number)
                .map(|other| json!(other))
                .collect(),
            None => match number.as_i64() {
                Some(number) => vec![json!(number / 2), json!(number - 1)],
                None => vec![json!(number.as_f64().unwrap_or(0.0) + 1.5), json!(0.25)],
            },
        },
        Value::String(text) => {
            let reversed: String = text.chars().rev().collect();
            let others = [format!("{text}x"), String::new(), reversed];
            let others = others.into_iter().filter(|other| other != text);
            others.map(Value::String).collect()
        }
        _ => Vec::new(),
    }
}

/// `/lines/0/sku` as `lines[0].sku`.
fn dotted(pointer: &str) -> String {
    let mut text = String::new();
    for segment in pointer.split('/').skip(1) {
        let segment = segment.replace("~1", "/").replace("~0", "~");
        if segment.parse::<usize>().is_ok() {
            text.push_str(&format!("[{segment}]"));
        } else {
            if !text.is_empty() {
                text.push('.');
            }
            text.push_str(&segment);
        }
    }
    text
}
