//! Operations on records: a table of roles, operations and whose record it is.

use super::{Scene, on_accounts, records};
use crate::support::{Answer, Request, assert_includes, text};
use serde_json::{Value, json};

/// What is done to a record, each of the member's and of another's.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Operation {
    Read,
    Lookup,
    Team,
    Patch,
    Put,
    PutOnTeam,
    TakeOffTeam,
    UpsertLive,
    AddLive,
    ReadArchived,
    UpsertArchived,
    UpsertOverwriting,
    Archive,
    Purge,
    Unarchive,
}

use Operation::{
    AddLive, Archive, Lookup, Patch, Purge, Put, PutOnTeam, Read, ReadArchived, TakeOffTeam, Team,
    Unarchive, UpsertArchived, UpsertLive, UpsertOverwriting,
};

/// In an order in which none is in the way of the next.
const OPERATIONS: [Operation; 15] = [
    Read,
    Lookup,
    Team,
    Patch,
    Put,
    PutOnTeam,
    TakeOffTeam,
    UpsertLive,
    AddLive,
    ReadArchived,
    UpsertArchived,
    UpsertOverwriting,
    Purge,
    Unarchive,
    Archive,
];

/// A record of each kind.
struct Whose {
    word: &'static str,
    live: String,
    archived: String,
}

fn run(scene: &mut Scene, operation: Operation, whose: &Whose) -> Answer {
    let Whose { word, live, archived } = whose;
    let (live_path, archived_path) =
        (format!("/api/records/accounts/{live}"), format!("/api/records/accounts/{archived}"));
    let admin = text(&scene.fixture.client.get("/api/team").expect(200)[0], "id").to_owned();
    let of_team = format!("{live_path}/team-members/{admin}");
    let note = json!({"fields": {"note": "changed"}});
    let upsert = |name: String, mode: &str| json!({"lookup_value": name, "fields": {"note": "changed"}, "oncreate_unarchive": mode});
    let client = &mut scene.client;
    let path = "/api/records/accounts/upsert";
    match operation {
        Read => client.get(&live_path),
        Lookup => client.get(&format!("/api/records/accounts/lookup?identifier={word}-live")),
        Team => client.get(&format!("{live_path}/team-members")),
        Patch => client.patch(&live_path, &note),
        Put => client.put(&live_path, &note),
        PutOnTeam => client.send(&Request::new("PUT", &of_team)),
        TakeOffTeam => client.delete(&of_team),
        UpsertLive => client.post(path, &upsert(format!("{word}-live"), "prompt")),
        AddLive => {
            let body = json!({"fields": {"name": format!("{word}-live")}});
            client.post("/api/records/accounts/add", &body)
        }
        ReadArchived => client.get(&format!("{archived_path}?include_archived=true")),
        UpsertArchived => client.post(path, &upsert(format!("{word}-archived"), "prompt")),
        UpsertOverwriting => client.post(path, &upsert(format!("{word}-freed"), "overwrite")),
        Purge => client.delete(&format!("{archived_path}?purge=true")),
        Unarchive => client.patch(&format!("{archived_path}/unarchive"), &json!({})),
        Archive => client.delete(&live_path),
    }
}

/// `expected` has the statuses of each operation on the member's record and on another's.
#[track_caller]
fn check(records: &Value, expected: [(u16, u16); 15]) {
    let mut scene = Scene::new(&on_accounts(records));
    let whose = [("mine", true), ("others", false)].map(|(word, is_mine)| {
        let live = scene.record(&format!("{word}-live"), is_mine);
        let archived = scene.archived(&format!("{word}-archived"), is_mine);
        scene.archived(&format!("{word}-freed"), is_mine);
        Whose { word, live, archived }
    });
    for (operation, (mine, others)) in OPERATIONS.into_iter().zip(expected) {
        for (whose, status) in whose.iter().zip([mine, others]) {
            let answer = run(&mut scene, operation, whose);
            let shown = format!("{operation:?} on {} with {records}: {answer}", whose.word);
            assert_eq!(answer.status, status, "{shown}");
            let code = match status {
                200 | 201 | 204 => continue,
                400 => "unique",
                403 => "permission_required",
                404 => "not_found",
                409 => "conflict",
                other => panic!("{other} is never expected"),
            };
            assert_eq!(answer.json()["code"], code, "{shown}");
        }
    }
}

#[test]
fn nothing_on_records_lets_do_nothing() {
    // Not to see the object and not to know it are one and the same.
    check(&records(0, 0, &json!({})), [(404, 404); 15]);
    // To restore needs to see.
    let none = (404, 404);
    let refused = (403, 403);
    check(
        &records(0, 0, &json!({"unarchive_all": true})),
        [
            none,
            none,
            none,
            refused,
            refused,
            refused,
            refused,
            refused,
            (403, 403),
            none,
            (409, 409),
            refused,
            refused,
            none,
            refused,
        ],
    );
}

#[test]
fn who_may_read_may_do_no_more() {
    let refused = (403, 403);
    check(
        &records(0, 1, &json!({})),
        [
            (200, 404),
            (200, 404),
            (200, 404),
            refused,
            refused,
            refused,
            refused,
            refused,
            refused,
            (404, 404),
            refused,
            refused,
            refused,
            refused,
            refused,
        ],
    );
    check(
        &records(1, 1, &json!({"export": true, "bulk_actions": true})),
        [
            (200, 200),
            (200, 200),
            (200, 200),
            refused,
            refused,
            refused,
            refused,
            refused,
            refused,
            (404, 404),
            refused,
            refused,
            refused,
            refused,
            refused,
        ],
    );
}

#[test]
fn who_may_edit_its_own_may_not_touch_others() {
    let refused = (403, 403);
    check(
        &records(0, 2, &json!({"create_record": true})),
        [
            (200, 404),
            (200, 404),
            (200, 404),
            (200, 404),
            (200, 404),
            (204, 404),
            (204, 404),
            (200, 403),
            (400, 400),
            (404, 404),
            (409, 409),
            (200, 403),
            refused,
            refused,
            refused,
        ],
    );
    // What may be read and not edited is refused, not denied.
    check(
        &records(1, 2, &json!({})),
        [
            (200, 200),
            (200, 200),
            (200, 200),
            (200, 403),
            (200, 403),
            (204, 403),
            (204, 403),
            (200, 403),
            refused,
            (404, 404),
            (409, 409),
            refused,
            refused,
            refused,
            refused,
        ],
    );
}

#[test]
fn who_may_remove_its_own_may_archive_and_restore_it() {
    let more = json!({"create_record": true, "unarchive_associated": true});
    check(
        &records(1, 3, &more),
        [
            (200, 200),
            (200, 200),
            (200, 200),
            (200, 403),
            (200, 403),
            (204, 403),
            (204, 403),
            (200, 403),
            (400, 400),
            (200, 200),
            (409, 409),
            (200, 403),
            (403, 403),
            (200, 403),
            (204, 403),
        ],
    );
}

#[test]
fn who_may_do_everything_with_records_still_may_not_purge() {
    let more = json!({"create_record": true, "unarchive_all": true});
    check(
        &records(3, 3, &more),
        [
            (200, 200),
            (200, 200),
            (200, 200),
            (200, 200),
            (200, 200),
            (204, 204),
            (204, 204),
            (200, 200),
            (400, 400),
            (200, 200),
            (409, 409),
            (200, 200),
            (403, 403),
            (200, 200),
            (204, 204),
        ],
    );
}

#[test]
fn lists_and_searches_find_and_count_what_may_be_read() {
    let mut scene = Scene::new(&on_accounts(&records(0, 1, &json!({}))));
    for at in 0..3 {
        scene.record(&format!("mine {at}"), true);
        scene.record(&format!("others {at}"), false);
    }
    scene.archived("mine archived", true);
    scene.archived("others archived", false);
    let check = |scene: &mut Scene, archived: &str, names: &[&str]| {
        let query = format!("?archived={archived}&page_size=2&ordering=name");
        let mut found = Vec::new();
        for page in 1.. {
            let path = format!("/api/records/accounts{query}&page={page}");
            let answer = scene.client.get(&path).expect(200);
            assert_eq!(answer["count"], names.len(), "{answer}");
            let rows = answer["results"].as_array().expect("a page").clone();
            found.extend(rows.iter().map(|row| text(row, "display_name").to_owned()));
            if answer["next"].is_null() {
                break;
            }
        }
        assert_eq!(found, names, "{archived}");
        let answer = scene.client.post(
            &format!("/api/records/accounts/search?archived={archived}&search=mine"),
            &json!({"query": []}),
        );
        let mine = names.iter().filter(|name| name.starts_with("mine")).count();
        assert_eq!(answer.expect(200)["count"], mine);
    };
    let mine = ["mine 0", "mine 1", "mine 2"];
    check(&mut scene, "exclude", &mine);
    for archived in ["include", "only"] {
        for request in [
            Request::new("GET", &format!("/api/records/accounts?archived={archived}")),
            Request::new("POST", &format!("/api/records/accounts/search?archived={archived}")),
        ] {
            scene.client.send(&request).expect_error(403, "permission_required");
        }
    }
    let object = |scene: &mut Scene| scene.client.get("/api/custom-objects/accounts").expect(200);
    assert_eq!(object(&mut scene)["number_of_records"], 3, "those that may be read");
    let restorer = json!({"records": records(0, 1, &json!({"unarchive_associated": true}))});
    scene.allow(&restorer);
    check(&mut scene, "include", &["mine 0", "mine 1", "mine 2", "mine archived"]);
    check(&mut scene, "only", &["mine archived"]);
    scene.allow(&json!({"settings": 1}));
    check(&mut scene, "exclude", &[]);
    assert_eq!(object(&mut scene)["number_of_records"], 0);
    scene.allow(&json!({"records": records(1, 1, &json!({}))}));
    check(
        &mut scene,
        "exclude",
        &["mine 0", "mine 1", "mine 2", "others 0", "others 1", "others 2"],
    );
    assert_eq!(object(&mut scene)["number_of_records"], 6);
}

#[test]
fn a_cursor_goes_on_over_what_may_be_read() {
    let mut scene = Scene::new(&on_accounts(&records(0, 1, &json!({}))));
    let expected: Vec<String> = (0..5)
        .map(|at| {
            scene.record(&format!("others {at}"), false);
            scene.record(&format!("mine {at}"), true)
        })
        .collect();
    for ordering in ["", "&ordering=-name"] {
        let mut next = format!("/api/records/accounts?cursor=&page_size=2{ordering}");
        let mut found = Vec::new();
        loop {
            let page = scene.client.get(&next).expect(200);
            assert_eq!(page["count"], 5);
            let rows = page["results"].as_array().expect("a page").clone();
            found.extend(rows.iter().map(|row| text(row, "id").to_owned()));
            let Some(url) = page["next"].as_str() else { break };
            next = url[url.find("/api/").expect("an address of ours")..].to_owned();
        }
        if !ordering.is_empty() {
            found.reverse();
        }
        assert_eq!(found, expected, "{ordering}");
    }
}

#[test]
fn whoever_makes_a_record_keeps_seeing_it() {
    let mut scene = Scene::new(&on_accounts(&records(0, 2, &json!({"create_record": true}))));
    let admin = text(&scene.fixture.client.get("/api/team").expect(200)[0], "id").to_owned();
    let body = json!({"lookup_value": "given away", "fields": {"owner": admin}});
    let made = scene.client.post("/api/records/accounts/upsert", &body).expect(200);
    assert_includes(&made, &json!({"action": "created", "num_associated_team_members": 2}));
    let path = format!("/api/records/accounts/{}", text(&made, "id"));
    scene.client.get(&path).expect(200);
    let team = scene.client.get(&format!("{path}/team-members")).expect(200);
    let sources: Vec<_> = team["results"].as_array().expect("a page").iter().collect();
    assert_eq!(sources[0]["sources"], json!(["owner"]));
    assert_eq!(
        (&sources[1]["id"], &sources[1]["sources"]),
        (&json!(scene.member), &json!(["explicit"]))
    );
    let own = json!({"fields": {"name": "kept"}});
    let own = scene.client.post("/api/records/accounts/add", &own).expect(201);
    assert_eq!(own["num_associated_team_members"], 1);
    // Who sees all records need not be put on them.
    scene.allow(&json!({"records": records(1, 2, &json!({"create_record": true}))}));
    let body = json!({"lookup_value": "seen anyway", "fields": {"owner": admin}});
    let made = scene.client.post("/api/records/accounts/upsert", &body).expect(200);
    assert_eq!(made["num_associated_team_members"], 1);
}

#[test]
fn a_record_says_what_its_reader_may_do() {
    let mut scene = Scene::new(&on_accounts(&records(1, 3, &json!({}))));
    let paths = [("mine", true), ("others", false)]
        .map(|(name, is_mine)| format!("/api/records/accounts/{}", scene.record(name, is_mine)));
    for (path, edit) in paths.iter().zip([true, false]) {
        let answer = scene.client.get(path);
        let access = json!({"view": true, "edit": edit, "remove": edit});
        assert_eq!(answer.expect(200)["access"], access);
        let admin = scene.fixture.client.get(path);
        assert_eq!(answer.header("ETag") == admin.header("ETag"), edit, "the tag tells them apart");
    }
}

#[test]
fn a_change_of_rights_counts_from_the_next_request_on_and_after_a_crash() {
    let mut scene = Scene::new(&on_accounts(&records(1, 1, &json!({}))));
    let path = format!("/api/records/accounts/{}", scene.record("others", false));
    scene.client.get(&path).expect(200);
    scene.allow(&Value::Null);
    scene.client.get(&path).expect_error(404, "not_found");
    scene.allow(&json!({"records": records(2, 2, &json!({}))}));
    let change = json!({"fields": {"note": "changed"}});
    scene.client.patch(&path, &change).expect(200);
    let Scene { fixture, member, group, .. } = scene;
    let mut fixture = fixture.after_a_crash();
    let mut credentials = fixture.server.credentials();
    super::MEMBER_SECRET.clone_into(&mut credentials.api_key);
    credentials.user_id = member;
    let mut client = crate::support::Client::new(fixture.server.address(), &credentials);
    client.patch(&path, &json!({"fields": {"note": "again"}})).expect(200);
    fixture.client.delete(&format!("/api/permission-group/{group}")).expect_empty(204);
    client.get(&path).expect_error(404, "not_found");
}
