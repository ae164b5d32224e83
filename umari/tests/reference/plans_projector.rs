//! The whole projector of chapter 8: the plans of every shop, and what they earned.

use rust_decimal::Decimal;
use std::str::FromStr;
use umari::prelude::*;

use crate::domain::*;

export_projector!(Plans);

#[derive(EventSet)]
pub enum Query {
    ShopConnected(ShopConnected),
    ShopReconnected(ShopReconnected),
    WarrantyPlanCreated(WarrantyPlanCreated),
    WarrantyPlanUpdated(WarrantyPlanUpdated),
    WarrantyPlanArchived(WarrantyPlanArchived),
    WarrantyPlanUnarchived(WarrantyPlanUnarchived),
    WarrantyPlanActivated(WarrantyPlanActivated),
    WarrantyPlanDeactivated(WarrantyPlanDeactivated),
    WarrantyPlanDeleted(WarrantyPlanDeleted),
    WarrantyPlanVariantSynced(WarrantyPlanVariantSynced),
    WarrantySold(WarrantySold),
}

pub struct Plans {}

impl Projector for Plans {
    type Query = Query;

    fn init() -> anyhow::Result<Self> {
        execute_batch(
            "
            CREATE TABLE IF NOT EXISTS shops (
                shop_id TEXT PRIMARY KEY,
                access_token TEXT NOT NULL
            );

            CREATE TABLE IF NOT EXISTS plans (
                plan_id TEXT PRIMARY KEY,
                shop_id TEXT NOT NULL,
                title TEXT,
                duration_months INTEGER,
                price TEXT NOT NULL,
                applicable_to TEXT NOT NULL,
                archived BOOLEAN NOT NULL DEFAULT FALSE,
                total_sold INTEGER NOT NULL DEFAULT 0,
                revenue TEXT NOT NULL DEFAULT '0.00',
                status TEXT NOT NULL DEFAULT 'draft',
                shopify_variant_id TEXT,
                created_at TEXT NOT NULL
            );
            ",
        )?;
        Ok(Plans {})
    }

    #[expect(clippy::map_unwrap_or, reason = "users write it either way")]
    fn handle(&mut self, event: StoredEvent<Self::Query>) -> anyhow::Result<()> {
        match event.data {
            Query::ShopConnected(ev) => {
                execute(
                    "INSERT INTO shops (shop_id, access_token) VALUES (?1, ?2)",
                    params![ev.shop_id.to_string(), ev.access_token],
                )?;
            }
            Query::ShopReconnected(ev) => {
                execute(
                    "UPDATE shops SET access_token = ?2 WHERE shop_id = ?1",
                    params![ev.shop_id.to_string(), ev.access_token],
                )?;
            }
            Query::WarrantyPlanCreated(WarrantyPlanCreated {
                plan_id,
                shop_id,
                title,
                duration_months,
                price,
                applicable_to,
                status,
            }) => {
                execute(
                    "INSERT INTO plans (plan_id, shop_id, title, duration_months, price, \
                     applicable_to, status, created_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
                    params![
                        plan_id,
                        shop_id.to_string(),
                        title,
                        duration_months,
                        price.to_string(),
                        serde_json::to_string(&applicable_to)?,
                        match status {
                            PlanStatus::Active => "active",
                            PlanStatus::Draft => "draft",
                        },
                        event.timestamp.to_rfc3339(),
                    ],
                )?;
            }
            Query::WarrantyPlanUpdated(WarrantyPlanUpdated {
                plan_id,
                title,
                duration_months,
                price,
                applicable_to,
                status,
                ..
            }) => {
                execute(
                    "UPDATE plans SET title = ?2, duration_months = ?3, price = ?4, \
                     applicable_to = ?5, status = ?6 WHERE plan_id = ?1",
                    params![
                        plan_id,
                        title,
                        duration_months,
                        price.to_string(),
                        serde_json::to_string(&applicable_to)?,
                        match status {
                            PlanStatus::Active => "active",
                            PlanStatus::Draft => "draft",
                        },
                    ],
                )?;
            }
            Query::WarrantyPlanArchived(WarrantyPlanArchived { plan_id, .. }) => {
                execute(
                    "UPDATE plans SET archived = TRUE where plan_id = ?1",
                    params![plan_id],
                )?;
            }
            Query::WarrantyPlanUnarchived(WarrantyPlanUnarchived { plan_id, .. }) => {
                execute(
                    "UPDATE plans SET archived = FALSE where plan_id = ?1",
                    params![plan_id],
                )?;
            }
            Query::WarrantyPlanActivated(WarrantyPlanActivated { plan_id, .. }) => {
                execute(
                    "UPDATE plans SET status = 'active' WHERE plan_id = ?1",
                    params![plan_id],
                )?;
            }
            Query::WarrantyPlanDeactivated(WarrantyPlanDeactivated { plan_id, .. }) => {
                execute(
                    "UPDATE plans SET status = 'draft' WHERE plan_id = ?1",
                    params![plan_id],
                )?;
            }
            Query::WarrantyPlanDeleted(WarrantyPlanDeleted { plan_id, .. }) => {
                execute("DELETE FROM plans WHERE plan_id = ?1", params![plan_id])?;
            }
            Query::WarrantyPlanVariantSynced(WarrantyPlanVariantSynced {
                plan_id,
                variant_id,
                ..
            }) => {
                execute(
                    "UPDATE plans SET shopify_variant_id = ?2 WHERE plan_id = ?1",
                    params![plan_id, variant_id.to_string()],
                )?;
            }
            Query::WarrantySold(WarrantySold { plan_id, price, .. }) => {
                let current_revenue: String = query_row(
                    "SELECT revenue FROM plans WHERE plan_id = ?1",
                    params![plan_id],
                )
                .map(|row| row.get(0))
                .unwrap_or_else(|| "0.00".to_string());
                let new_revenue = Decimal::from_str(&current_revenue)? + price;
                execute(
                    "UPDATE plans SET total_sold = total_sold + 1, revenue = ?2 WHERE plan_id = ?1",
                    params![plan_id, new_revenue.to_string()],
                )?;
            }
        }
        Ok(())
    }
}
