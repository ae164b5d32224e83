//! The read model `my-module`.

use umari::prelude::*;

#[cfg(test)]
mod tests;

export_projector!(MyModule);

/// Stands in for an event of `my_app::events`: import yours, and delete it.
#[derive(Event, DomainIds, Serialize, Deserialize)]
#[event_type("something.happened")]
pub struct SomethingHappened {
    /// What it happened to.
    #[domain_id]
    pub id: String,
}

/// The events that change the read model.
#[derive(EventSet)]
pub enum Query {
    /// Counts what happened.
    SomethingHappened(SomethingHappened),
}

/// Keeps the table `things`.
pub struct MyModule {
    count: Statement,
}

impl Projector for MyModule {
    type Query = Query;

    fn init() -> anyhow::Result<Self> {
        execute_batch(
            "
            CREATE TABLE IF NOT EXISTS things (
                id      TEXT PRIMARY KEY,
                times   INTEGER NOT NULL,
                last_at TEXT NOT NULL
            );
            ",
        )?;

        Ok(Self {
            count: prepare(
                "INSERT INTO things (id, times, last_at) VALUES (?1, 1, ?2)
                 ON CONFLICT (id) DO UPDATE SET
                     times = times + 1,
                     last_at = excluded.last_at",
            ),
        })
    }

    fn handle(&mut self, event: StoredEvent<Query>) -> anyhow::Result<()> {
        let at = event.timestamp;
        match event.data {
            Query::SomethingHappened(it) => {
                self.count.execute(params![it.id, at])?;
            }
        }
        Ok(())
    }
}
