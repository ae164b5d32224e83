use super::*;
use crate::HostConfig;
use crate::keys::Shredding;
use crate::store::samples::{by, event, secret};
use crate::store::{Boundary, NewEvent};

fn host() -> (tempfile::TempDir, Host) {
    let directory = tempfile::tempdir().expect("a directory");
    let host = Host::start(HostConfig::new(directory.path())).expect("a host");
    (directory, host)
}

fn follower(host: &Host, pace: Pace) -> Follower {
    Follower {
        host: host.clone(),
        filter: EventFilter::default(),
        position: 0,
        pace,
    }
}

#[test]
fn a_payload_with_line_breaks_stays_one_message() {
    assert_eq!(
        data_lines("{\"a\":\r\n1}"),
        "data: {\"a\":\ndata: \ndata: 1}\n"
    );
    assert_eq!(data_lines("1"), "data: 1\n");
}

#[tokio::test]
async fn a_stream_without_events_has_a_heartbeat_with_its_position() {
    let (_directory, host) = host();
    let pace = Pace {
        heartbeat: Duration::from_millis(1),
        ..Pace::default()
    };
    let follower = follower(&host, pace);
    let (client, mut frames) = mpsc::channel(1);
    let following = tokio::spawn(async move { follower.follow(&client).await });
    let opening = frames.recv().await.expect("an opening");
    assert_eq!(opening, "retry: 1000\nid: 0\n\n");
    for _ in 0..3 {
        let beat = frames.recv().await.expect("a heartbeat");
        assert_eq!(beat, ": heartbeat\nid: 0\n\n");
    }
    drop(frames);
    following.await.expect("it ends with its client");
}

#[tokio::test]
async fn a_client_that_takes_nothing_loses_its_stream() {
    let (_directory, host) = host();
    let pace = Pace {
        heartbeat: Duration::from_millis(1),
        patience: Duration::from_millis(1),
    };
    let follower = follower(&host, pace);
    let (client, mut frames) = mpsc::channel(1);
    // Nobody receives: it ends by itself, and what it had sent is whole.
    follower.follow(&client).await;
    drop(client);
    assert_eq!(
        frames.recv().await.expect("an opening"),
        "retry: 1000\nid: 0\n\n"
    );
    assert_eq!(frames.recv().await, None);
}

#[tokio::test]
async fn an_event_that_waits_for_its_client_is_shredded_too() {
    let (_directory, host) = host();
    let secret = || NewEvent {
        payload: "\"a secret\"".to_owned(),
        ..secret(event("secret", &["owner:ann"]), "owner:ann")
    };
    let events = vec![secret(), secret(), secret()];
    let appended = host.log().append(events, &by("test"), &Boundary::default());
    assert_eq!(appended.expect("an append").position, 3);
    let follower = follower(&host, Pace::default());
    let (client, mut frames) = mpsc::channel(1);
    let following = tokio::spawn(async move { follower.follow(&client).await });
    let mut next = async || {
        let frame = frames.recv().await.expect("a message");
        String::from_utf8(frame.to_vec()).expect("text")
    };
    assert!(next().await.starts_with("retry"));
    assert!(next().await.contains("a secret"));
    // The second may be on its way; the third waits until the second is taken.
    let shredder = host.clone();
    tokio::task::spawn_blocking(move || shredder.shred(&Shredding::of("owner:ann")))
        .await
        .expect("no panic")
        .expect("shredded");
    assert!(next().await.starts_with("id: 2\n"));
    let third = next().await;
    assert!(third.starts_with("id: 3\n"), "{third}");
    assert!(
        third.contains("\"shredded\":true") && !third.contains("a secret"),
        "{third}"
    );
    drop(frames);
    following.await.expect("it ends with its client");
}
