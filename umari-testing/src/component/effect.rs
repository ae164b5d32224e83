//! What differs between two deliveries to an effect, and what answers the component's requests.

use umari::host::{HttpFailure, HttpRequest};

use super::Section;
use super::projector::without_place;
use super::wire::{Answer, Event, Failure, HttpRequest as Sent};
use crate::effect::{Delivery, body, header};
use crate::http::Http;
use crate::report::{Shown, diff};

/// Headers that are added on the way out, where the module has not set them.
const ADDED: [&str; 2] = ["host", "content-length"];

/// The scripted answer to a request of the component.
pub(super) fn answer(http: &Http, sent: &mut Vec<HttpRequest>, request: Sent) -> Answer {
    let mut request = HttpRequest {
        method: request.method,
        url: request.url,
        headers: request.headers,
        body: request.body,
        connect_timeout: None,
        timeout: None,
    };
    let url = request.url.clone();
    let mut found = http.answer(&request);
    if found.is_none() {
        // A URL without a path gets one on the way.
        request.url = url.strip_suffix('/').unwrap_or(&url).to_owned();
        found = http.answer(&request);
    }
    request.url = url;
    let answer = found.unwrap_or_else(|| {
        Err(HttpFailure {
            code: "connection-refused".to_owned(),
            message: "the connection was refused".to_owned(),
        })
    });
    sent.push(request);
    answer.into()
}

pub(super) fn differences(
    native: &Delivery,
    sent: &[HttpRequest],
    emitted: &[Event],
    lanes: &[(u64, Option<String>)],
    failure: Option<&Failure>,
) -> Vec<Section> {
    let mut sections = Vec::new();
    let requests: Vec<_> = native.requests.iter().map(|it| shown(it, it)).collect();
    let component = sent.iter().enumerate().map(|(index, request)| {
        let own = native.requests.get(index).unwrap_or(request);
        shown(request, own)
    });
    let component: Vec<_> = component.collect();
    if let Some(difference) = diff::entries(&requests, &component, "header") {
        sections.push(("requests (- native, + component)", difference));
    }
    let events: Vec<_> = native.emitted.iter().map(Shown::from).collect();
    let component: Vec<_> = emitted.iter().map(Event::shown).collect();
    if let Some(difference) = diff::events(&events, &component) {
        sections.push(("events (- native, + component)", difference));
    }
    let (ours, theirs) = (
        native_outcome(native, failure),
        outcome(native, lanes, failure),
    );
    if let Some(difference) = diff::lines(&ours, &theirs) {
        sections.push(("deliveries (- native, + component)", difference));
    }
    sections
}

/// The scopes, where they are others.
pub(super) fn shredded_differently(native: &Delivery, shredded: &[String]) -> Option<Section> {
    let difference = diff::lines(&native.shredded.join("\n"), &shredded.join("\n"))?;
    Some(("shredded (- native, + component)", difference))
}

/// A request as the reports show it. `native` says which headers the module itself sets.
fn shown(request: &HttpRequest, native: &HttpRequest) -> Shown {
    let added = |name: &str| ADDED.contains(&name) && header(native, name).is_none();
    let mut tags: Vec<_> = request
        .headers
        .iter()
        .map(|(name, value)| (name.to_ascii_lowercase(), value))
        .filter(|(name, _)| !added(name))
        .map(|(name, value)| format!("{name}: {value}"))
        .collect();
    tags.sort();
    Shown {
        event_type: format!("{} {}", request.method, canonical(&request.url)),
        tags,
        payload: body(request),
    }
}

/// A URL as it is sent: with a path, and without what is for browsers only.
fn canonical(url: &str) -> String {
    let url = url.split_once('#').map_or(url, |(before, _)| before);
    let Some((scheme, rest)) = url.split_once("://") else {
        return url.to_owned();
    };
    match rest.find(['/', '?']) {
        None => format!("{scheme}://{rest}/"),
        Some(end) if rest[end..].starts_with('?') => {
            format!("{scheme}://{}/{}", &rest[..end], &rest[end..])
        }
        Some(_) => url.to_owned(),
    }
}

fn native_outcome(native: &Delivery, failure: Option<&Failure>) -> String {
    let mut text = String::new();
    for (event, lane) in &native.lanes {
        text.push_str(&line(
            event.position,
            &Shown::from(event).label(),
            lane.as_deref(),
        ));
    }
    if let Some((_, message)) = &native.failure {
        text.push_str(&format!("failed: {}\n", without_place(message, failure)));
    }
    text
}

fn outcome(
    native: &Delivery,
    lanes: &[(u64, Option<String>)],
    failure: Option<&Failure>,
) -> String {
    let mut text = String::new();
    for (position, lane) in lanes {
        let known = native.lanes.iter().map(|(event, _)| event);
        let known = known
            .chain(&native.emitted)
            .find(|event| event.position == *position);
        let label = known.map_or_else(String::new, |event| Shown::from(event).label());
        text.push_str(&line(*position, &label, lane.as_deref()));
    }
    if let Some(failure) = failure {
        let message = match &failure.panic {
            Some(words) => format!("panicked: {words}"),
            None => failure.message.clone(),
        };
        text.push_str(&format!("failed: {message}\n"));
    }
    text
}

fn line(position: u64, label: &str, lane: Option<&str>) -> String {
    let lane = lane.map_or_else(|| "none".to_owned(), |lane| format!("{lane:?}"));
    format!("{position} {label}, partition key {lane}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_compared_as_they_are_sent() {
        for (written, sent) in [
            ("https://a.test", "https://a.test/"),
            ("https://a.test?b=c", "https://a.test/?b=c"),
            ("https://a.test/b#c", "https://a.test/b"),
            ("https://a.test/b?c=d", "https://a.test/b?c=d"),
            ("no url", "no url"),
        ] {
            assert_eq!(canonical(written), sent);
        }
    }

    #[test]
    fn headers_count_where_the_module_sets_them() {
        let request = |headers: &[(&str, &str)]| HttpRequest {
            method: "POST".to_owned(),
            url: "https://a.test/".to_owned(),
            headers: headers
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
            body: b"{}".to_vec(),
            connect_timeout: None,
            timeout: None,
        };
        let native = request(&[("X-Shop", "7")]);
        let sent = request(&[("content-length", "2"), ("host", "a.test"), ("x-shop", "7")]);
        assert_eq!(shown(&sent, &native), shown(&native, &native));
        let native = request(&[("Host", "b.test"), ("X-Shop", "7")]);
        assert_ne!(shown(&sent, &native), shown(&native, &native));
    }
}
