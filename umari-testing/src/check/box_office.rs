// The domain of the examples in `check.rs`, which include it. No module of this crate.

use umari::prelude::*;

#[derive(Event, DomainIds, Serialize, Deserialize)]
#[event_type("show.announced")]
pub struct ShowAnnounced {
    #[domain_id]
    pub show_id: u64,
}

#[derive(Event, DomainIds, Serialize, Deserialize)]
#[event_type("seat.booked")]
pub struct SeatBooked {
    #[domain_id]
    pub show_id: u64,
    #[domain_id]
    pub seat_id: u64,
}

#[derive(Event, DomainIds, Serialize, Deserialize)]
#[event_type("ticket.sent")]
pub struct TicketSent {
    #[domain_id]
    pub seat_id: u64,
}

#[derive(Event, DomainIds, Serialize, Deserialize)]
#[event_type("guest.registered")]
pub struct GuestRegistered {
    #[domain_id]
    #[crypto_scope]
    pub guest_id: u64,
    #[domain_id]
    pub nickname: String,
    pub email: String,
}

pub fn ada(guest_id: u64) -> GuestRegistered {
    GuestRegistered {
        guest_id,
        nickname: "ada".to_owned(),
        email: "ada@mail.example".to_owned(),
    }
}

#[derive(DomainIds, Serialize, Deserialize)]
pub struct Seat {
    #[domain_id]
    pub show_id: u64,
    #[domain_id]
    pub seat_id: u64,
}

pub fn seat() -> Seat {
    Seat {
        show_id: 1,
        seat_id: 7,
    }
}

pub fn announced() -> ShowAnnounced {
    ShowAnnounced { show_id: 1 }
}

pub fn booked(seat_id: u64) -> SeatBooked {
    SeatBooked {
        show_id: 1,
        seat_id,
    }
}

pub const MAIL: &str = "https://mail.test/tickets";

pub fn was_sent(seat_id: u64) -> anyhow::Result<bool> {
    let sent = EventCounter::<TicketSent>::new().with("seat_id", seat_id);
    Ok(FoldQuery::new().fold(sent).run()? > 0)
}

pub fn send(event: &StoredEvent<SeatBooked>) -> anyhow::Result<Response> {
    Ok(Client::new()
        .post(MAIL)
        .header("Idempotency-Key", event.id.to_string())
        .json(&json!({ "seat": event.data.seat_id }))
        .send()?)
}

pub fn record(seat_id: u64) -> anyhow::Result<()> {
    #[derive(DomainIds)]
    struct Sent {
        #[domain_id]
        seat_id: u64,
    }
    Command::new(Sent { seat_id }, CommandContext::new())
        .fold::<EventCounter<TicketSent>>()
        .execute(|Sent { seat_id }, sent| {
            Ok(match sent {
                0 => emit![TicketSent { seat_id }],
                _ => emit![],
            })
        })?;
    Ok(())
}

/// Asserts that `scenario` fails with a report that says `text`.
#[track_caller]
pub fn fails<T>(scenario: impl FnOnce() -> T, text: &str) {
    let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(scenario));
    let Err(payload) = outcome else {
        panic!("this scenario should have failed");
    };
    let report = payload.downcast::<String>().expect("a report");
    assert!(report.contains(text), "{report}");
}
