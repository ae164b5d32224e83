//! The read model of shops and the warranty plans that they sell.

use anyhow::Context;
use umari::prelude::*;
use warranty::events::{
    ShopConnected, ShopReconnected, WarrantyPlanArchived, WarrantyPlanCreated, WarrantySold,
};

#[cfg(test)]
mod tests;

export_projector!(Plans);

/// The events that change the read model.
#[derive(EventSet)]
pub enum Query {
    /// Adds a shop.
    ShopConnected(ShopConnected),
    /// Updates a shop.
    ShopReconnected(ShopReconnected),
    /// Adds a plan.
    WarrantyPlanCreated(WarrantyPlanCreated),
    /// Archives a plan.
    WarrantyPlanArchived(WarrantyPlanArchived),
    /// Adds to a plan's sales and revenue.
    WarrantySold(WarrantySold),
}

/// Keeps the tables `shops` and `plans`.
pub struct Plans {
    upsert_shop: Statement,
    insert_plan: Statement,
    archive_plan: Statement,
    plan_revenue: Statement,
    record_sale: Statement,
}

impl Projector for Plans {
    type Query = Query;

    fn init() -> anyhow::Result<Self> {
        // Shop ids are text because SQLite's integers stop at 2^63 - 1, amounts because floating
        // point loses cents. Tokens and addresses stay out: this file is not encrypted, and has
        // to hold nothing that deleting a shop's key should make unreadable.
        execute_batch(
            "
            CREATE TABLE IF NOT EXISTS shops (
                shop_id      TEXT PRIMARY KEY,
                shop_domain  TEXT NOT NULL,
                shop_name    TEXT NOT NULL,
                connected_at TEXT NOT NULL
            );
            CREATE TABLE IF NOT EXISTS plans (
                plan_id         TEXT PRIMARY KEY,
                shop_id         TEXT NOT NULL,
                title           TEXT NOT NULL,
                duration_months INTEGER NOT NULL,
                price           TEXT NOT NULL,
                applicable_to   TEXT NOT NULL,
                status          TEXT NOT NULL,
                archived        BOOLEAN NOT NULL DEFAULT FALSE,
                total_sold      INTEGER NOT NULL DEFAULT 0,
                revenue         TEXT NOT NULL DEFAULT '0.00',
                created_at      TEXT NOT NULL
            );
            CREATE INDEX IF NOT EXISTS plans_by_shop ON plans (shop_id);
            ",
        )?;

        Ok(Self {
            upsert_shop: prepare(
                "INSERT INTO shops (shop_id, shop_domain, shop_name, connected_at)
                 VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT (shop_id) DO UPDATE SET
                     shop_domain = excluded.shop_domain,
                     shop_name = excluded.shop_name,
                     connected_at = excluded.connected_at",
            ),
            insert_plan: prepare(
                "INSERT INTO plans (plan_id, shop_id, title, duration_months, price,
                                    applicable_to, status, created_at)
                 VALUES (:plan_id, :shop_id, :title, :duration_months, :price,
                         :applicable_to, :status, :created_at)",
            ),
            archive_plan: prepare("UPDATE plans SET archived = TRUE WHERE plan_id = ?1"),
            plan_revenue: prepare("SELECT revenue FROM plans WHERE plan_id = ?1"),
            record_sale: prepare(
                "UPDATE plans SET total_sold = total_sold + 1, revenue = ?2 WHERE plan_id = ?1",
            ),
        })
    }

    fn handle(&mut self, event: StoredEvent<Query>) -> anyhow::Result<()> {
        let at = event.timestamp;
        match event.data {
            Query::ShopConnected(ShopConnected {
                shop_id,
                shop_domain,
                shop_name,
                ..
            })
            | Query::ShopReconnected(ShopReconnected {
                shop_id,
                shop_domain,
                shop_name,
                ..
            }) => {
                self.upsert_shop.execute(params![
                    shop_id.to_string(),
                    shop_domain,
                    shop_name,
                    at
                ])?;
            }
            Query::WarrantyPlanCreated(plan) => {
                self.insert_plan.execute(named_params! {
                    ":plan_id": plan.plan_id,
                    ":shop_id": plan.shop_id.to_string(),
                    ":title": plan.title,
                    ":duration_months": plan.duration_months,
                    ":price": cents(plan.price),
                    ":applicable_to": serde_json::to_value(&plan.applicable_to)?,
                    ":status": plan.status.as_str(),
                    ":created_at": at,
                })?;
            }
            Query::WarrantyPlanArchived(plan) => {
                self.archive_plan.execute(params![plan.plan_id])?;
            }
            Query::WarrantySold(sale) => {
                let row = self
                    .plan_revenue
                    .query_row(params![sale.plan_id])
                    .with_context(|| format!("plan {} was sold but not created", sale.plan_id))?;
                let revenue: Decimal = row.get("revenue");
                self.record_sale
                    .execute(params![sale.plan_id, cents(revenue + sale.price)])?;
            }
        }
        Ok(())
    }
}

/// An amount with two decimals, which it keeps as text in the database.
fn cents(mut amount: Decimal) -> Decimal {
    amount.rescale(2);
    amount
}
