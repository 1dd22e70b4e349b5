//! In which hour each key was last used: noted by whoever lets a caller in, kept by the catalog.
//!
//! Nobody waits for it, and what is shown of it is durable. A use that could not be kept is noted
//! again with the key's next request.

use crate::engine::Engine;
use crate::engine::follow_up::nobody;
use crate::model::catalog::command::{Ask, Command};
use crate::model::id::{ApiKeyId, BusinessId, Timestamp};
use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::sync::{Arc, Weak};
use tokio::sync::Notify;

/// Uses that are not kept yet: one a key, so they are as few as the keys.
#[derive(Default)]
pub(super) struct KeyUses {
    waiting: Mutex<BTreeMap<(BusinessId, ApiKeyId), Timestamp>>,
    notify: Notify,
}

impl KeyUses {
    pub(super) fn raise(&self, business: BusinessId, key: ApiKeyId, hour: Timestamp) {
        if self.waiting.lock().insert((business, key), hour) != Some(hour) {
            self.notify.notify_one();
        }
    }

    fn take(&self) -> BTreeMap<(BusinessId, ApiKeyId), Timestamp> {
        std::mem::take(&mut *self.waiting.lock())
    }
}

/// Keeps what is noted for as long as there is an engine.
pub(super) async fn note_for_ever(engine: Weak<Engine>, uses: Arc<KeyUses>) {
    loop {
        uses.notify.notified().await;
        for ((business, id), hour) in uses.take() {
            let Some(engine) = engine.upgrade() else { return };
            let Some(business) = engine.business(business) else { continue };
            let ask = Ask::NoteKeyUse { id, hour };
            let command = Command { caller: nobody(business.catalog().members.clone()), ask };
            // Refused while no writes are taken: the key's next request notes it again.
            drop(engine.ask_catalog(&business, command, 0).await);
        }
    }
}
