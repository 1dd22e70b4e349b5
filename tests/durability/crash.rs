//! The server is killed under load, again and again, on one data directory.

use crate::durability::shared_name::SharedName;
use crate::durability::slot::{Fate, KINDS, Slot};
use crate::support::{Client, Launch, Seed, Server, custom_object, text, until};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

const CLIENTS: usize = 64;
const SLOTS_EACH: usize = 3;
const ROUNDS: usize = 20;
/// A round ends after so many answered writes, drawn anew for each.
const ANSWERED: std::ops::Range<usize> = 200..1_500;
/// One write of so many goes to a name that all clients share.
const SHARED_ONE_IN: usize = 6;

/// Everything that was ever written.
struct Ledger {
    writers: Vec<Writer>,
    shared: [SharedName; 3],
}

struct Writer {
    number: usize,
    turn: usize,
    seed: Seed,
    slots: Vec<Slot>,
}

#[test]
fn every_answered_write_survives_twenty_kills_under_load() {
    let mut seed = Seed::of_this_run("crash");
    let mut ledger = Ledger::new(&mut seed);
    let mut server = Launch::new().start();
    prepare(&mut server.client());
    let (mut answered, mut happened, mut did_not) = (0, 0, 0);
    for round in 0..ROUNDS {
        answered += ledger.write_until_killed(&server, &mut seed);
        server = server_again(server);
        for fate in ledger.settle(&server) {
            match fate {
                Fate::NothingWasAsked => {}
                Fate::Happened => happened += 1,
                Fate::DidNotHappen => did_not += 1,
            }
        }
        ledger.check_lists(&mut server.client());
        println!(
            "round {round}: {answered} answered; of the others {happened} happened, {did_not} did not"
        );
    }
    assert!(answered >= ROUNDS * ANSWERED.start);
    assert!(happened + did_not > ROUNDS, "the kills met no load");
}

/// The dead server's directory, served anew.
fn server_again(server: Server) -> Server {
    let (exit, launch) = server.ended();
    assert_eq!(exit.code, None, "it was killed, not ended: {}", exit.stderr);
    launch.start()
}

fn prepare(client: &mut Client) {
    custom_object(client, "accounts");
    for kind in &KINDS {
        let body = json!({"field_type": "text", "display_name": "Note", "name": "note"});
        client.post(&format!("/api/custom-objects/{}/fields", kind.object), &body).expect(201);
    }
}

impl Ledger {
    fn new(seed: &mut Seed) -> Self {
        let writers = (0..CLIENTS).map(|number| {
            let slots = (0..SLOTS_EACH)
                .map(|slot| Slot::new(&KINDS[slot % KINDS.len()], format!("c{number}s{slot}")));
            Writer { number, turn: 0, seed: seed.fork(), slots: slots.collect() }
        });
        let shared = ["shared-1", "shared-2", "shared-3"].map(SharedName::new);
        Self { writers: writers.collect(), shared }
    }

    /// Lets all clients write, kills the server among them, and counts the answered writes.
    fn write_until_killed(&mut self, server: &Server, seed: &mut Seed) -> usize {
        let enough = ANSWERED.start + seed.below(ANSWERED.len());
        let (answered, shared) = (&AtomicUsize::new(0), &self.shared);
        thread::scope(|scope| {
            for writer in &mut self.writers {
                let client = server.client();
                scope.spawn(move || writer.write_until_error(client, shared, answered));
            }
            until("enough answered writes", || {
                (answered.load(Ordering::Relaxed) >= enough).then_some(())
            });
            server.signal(rustix::process::Signal::KILL);
        });
        answered.load(Ordering::Relaxed)
    }

    fn settle(&mut self, server: &Server) -> Vec<Fate> {
        let mut client = server.client();
        for shared in &self.shared {
            shared.settle(&mut client);
        }
        let slots = self.writers.iter_mut().flat_map(|writer| &mut writer.slots);
        slots.map(|slot| slot.settle(&mut client)).collect()
    }

    /// The lists hold exactly the records that the ledger knows, each once, and no key twice.
    fn check_lists(&self, client: &mut Client) {
        for kind in &KINDS {
            let slots = self.writers.iter().flat_map(|writer| &writer.slots);
            let slots = slots.filter(|slot| slot.object() == kind.object);
            let mut known: BTreeSet<String> =
                slots.flat_map(|slot| slot.ids().map(str::to_owned)).collect();
            if kind.object == SharedName::OBJECT {
                known.extend(self.shared.iter().filter_map(SharedName::id));
            }
            assert_eq!(listed(client, kind.object), known, "{} has other records", kind.object);
        }
    }
}

impl Writer {
    fn write_until_error(
        &mut self,
        mut client: Client,
        shared: &[SharedName],
        answered: &AtomicUsize,
    ) {
        loop {
            self.turn += 1;
            let written = if self.seed.below(SHARED_ONE_IN) == 0 {
                let name = &shared[self.seed.below(shared.len())];
                name.write(&mut client, &format!("client {} turn {}", self.number, self.turn))
            } else {
                let slot = self.seed.below(self.slots.len());
                self.slots[slot].advance(&mut client, &mut self.seed)
            };
            // The server is gone: what was asked last is settled after the restart.
            if written.is_err() {
                return;
            }
            answered.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// The ids of all records of an object, live and archived, page by page.
fn listed(client: &mut Client, object: &str) -> BTreeSet<String> {
    let (mut ids, mut names) = (BTreeSet::new(), BTreeSet::new());
    let mut page_number = 1;
    loop {
        let target =
            format!("/api/records/{object}?archived=include&page_size=1000&page={page_number}");
        let page = client.get(&target).expect(200);
        for row in page["results"].as_array().expect("a page has results") {
            assert!(ids.insert(text(row, "id").to_owned()), "{row} is listed twice");
            let name = text(row, "display_name").to_lowercase();
            assert!(names.insert(name), "a name is there twice: {row}");
        }
        if page["next"] == Value::Null {
            assert_eq!(page["count"], ids.len());
            return ids;
        }
        page_number += 1;
    }
}
