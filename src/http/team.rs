//! The routes of the business's members.
//!
//! It must not know when two members are one: the model decides that.

use crate::engine::Engine;
use crate::http::body::Body;
use crate::http::caller::{Caller, require};
use crate::http::endpoint::Endpoint;
use crate::http::extension::RouteGroup;
use crate::http::fault::Faults;
use crate::http::page::{Address, PageRequest};
use crate::http::plain::{check_no_parameters, read_no_parameters};
use crate::http::problem::Problem;
use crate::http::query::Query;
use crate::http::target::AddressedMember;
use crate::http::wire::member_row::{
    MemberRow, RoleShape, TypeaheadRow, read_member_edit, read_new_member, read_search,
};
use crate::model::catalog::command::{Ask, Command, Reply};
use crate::model::catalog::member::{AccountType, Member};
use crate::model::id::RoleId;
use crate::model::input::Input;
use crate::model::key;
use actix_web::web::{Data, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use std::sync::Arc;

/// Adds the routes. What is no id in a path is a word of a route that is not offered.
pub fn register(config: &mut ServiceConfig) {
    config
        .service(Endpoint::at("/api/team").get(list).post(create))
        .service(Endpoint::at("/api/employee").get(list))
        .service(Endpoint::at("/api/team/typeahead").get(typeahead))
        .service(Endpoint::at("/api/team/search").post_read(search))
        .service(
            Endpoint::at("/api/team/{member_id:[^/]{36}}")
                .get(retrieve)
                .patch(update)
                .delete(delete),
        );
}

type Row<'a> = MemberRow<'a, RoleShape<'a>>;

/// A bare list, and a page only for those who ask for one.
async fn list(caller: Caller, request: HttpRequest) -> Result<HttpResponse, Problem> {
    let mut faults = Faults::default();
    let mut query = Query::read(request.query_string(), &mut faults);
    let with_services = query.boolean("include_service", &mut faults).unwrap_or(false);
    let search = query.text("search", &mut faults).map(Words::of);
    let is_page = search.is_some() || query.text("page_size", &mut faults).is_some();
    let page = PageRequest::of_query(&mut query, &mut faults);
    query.finish(RouteGroup::Read, request.headers(), &[], &mut faults);
    faults.check()?;
    let page = page?;

    let takes = |member: &&Arc<Member>| {
        (with_services || member.account_type == AccountType::UserStandard)
            && search.as_ref().is_none_or(|words| words.are_in(member))
    };
    let visible = caller.catalog.members.iter().filter(|member| may_see(&caller, member));
    let found: Vec<_> = visible.filter(takes).collect();
    if !is_page {
        let rows: Vec<_> = found.iter().map(|member| row(&caller, member)).collect();
        return Ok(HttpResponse::Ok().json(rows));
    }
    let places = page.places(found.len())?;
    let rows = found[places].iter().map(|member| row(&caller, member)).collect();
    let page = page.envelope(found.len(), rows, &Address::of_request(&request));
    Ok(HttpResponse::Ok().json(page))
}

/// Whoever has no right to see the team sees the own row.
fn may_see(caller: &Caller, member: &Member) -> bool {
    caller.rights.may_see_member(member.id)
}

/// The words of a search, in lower case. Each must stand in the name or the e-mail.
struct Words(Vec<String>);

impl Words {
    fn of(text: &str) -> Self {
        Self(text.split_whitespace().map(str::to_lowercase).collect())
    }

    fn are_in(&self, member: &Member) -> bool {
        let texts = [member.full_name().to_lowercase(), member.email.to_lowercase()];
        self.0.iter().all(|word| texts.iter().any(|text| text.contains(&**word)))
    }
}

/// Who can be chosen where a member is asked for: a bare list, and a page for those who ask for
/// one.
async fn typeahead(caller: Caller, request: HttpRequest) -> Result<HttpResponse, Problem> {
    let mut faults = Faults::default();
    let mut query = Query::read(request.query_string(), &mut faults);
    let words = Words::of(query.text("search", &mut faults).unwrap_or_default());
    let is_page = query.text("page_size", &mut faults).is_some();
    let page = PageRequest::of_query(&mut query, &mut faults);
    query.finish(RouteGroup::Read, request.headers(), &[], &mut faults);
    faults.check()?;
    let page = page?;

    let members = caller.catalog.members.iter();
    let visible = members.filter(|member| member.is_active && may_see(&caller, member));
    let found: Vec<_> = visible.filter(|member| words.are_in(member)).collect();
    if !is_page {
        let rows: Vec<_> = found.iter().map(|member| TypeaheadRow::of(member)).collect();
        return Ok(HttpResponse::Ok().json(rows));
    }
    let places = page.places(found.len())?;
    let rows = found[places].iter().map(|member| TypeaheadRow::of(member)).collect();
    let page = page.envelope(found.len(), rows, &Address::of_request(&request));
    Ok(HttpResponse::Ok().json(page))
}

/// Members by their parts, ids and e-mails. Services are left out, unless they are named or asked
/// for.
async fn search(caller: Caller, request: HttpRequest, body: Body) -> Result<HttpResponse, Problem> {
    let input = if body.is_empty() { Input::Map(Vec::new()) } else { body.parse()? };
    let mut faults = Faults::default();
    let mut query = Query::read(request.query_string(), &mut faults);
    let with_services = query.boolean("include_service", &mut faults).unwrap_or(false);
    let page = PageRequest::of_query(&mut query, &mut faults);
    let is_strict = query.is_strict();
    query.finish(RouteGroup::Read, request.headers(), &[], &mut faults);
    let wanted = read_search(&input, is_strict, &mut faults);
    faults.check()?;
    let page = page?;

    let words = Words::of(wanted.search.as_deref().unwrap_or_default());
    let is_named = wanted.ids.is_some() || wanted.emails.is_some();
    let takes = |member: &&Arc<Member>| {
        (with_services || is_named || member.account_type == AccountType::UserStandard)
            && wanted.ids.as_ref().is_none_or(|ids| ids.contains(&member.id))
            && (wanted.emails.as_ref())
                .is_none_or(|emails| emails.contains(&key::email_key(&member.email)))
            && words.are_in(member)
            && may_see(&caller, member)
    };
    let found: Vec<_> = caller.catalog.members.iter().filter(takes).collect();
    let places = page.places(found.len())?;
    let rows = found[places].iter().map(|member| row(&caller, member)).collect();
    let page = page.envelope(found.len(), rows, &Address::of_request(&request));
    Ok(HttpResponse::Ok().json(page))
}

fn row<'a>(caller: &'a Caller, member: &'a Member) -> Row<'a> {
    let roles = RoleShape::of_member(member, &caller.catalog.roles);
    MemberRow::new(member, roles, caller.business.time_zone())
}

async fn create(
    engine: Data<Engine>,
    caller: Caller,
    request: HttpRequest,
    body: Body,
) -> Result<HttpResponse, Problem> {
    let input = body.parse()?;
    let mut faults = Faults::default();
    let is_strict = read_no_parameters(&request, RouteGroup::Write, &mut faults);
    let new = read_new_member(&input, is_strict, &mut faults);
    faults.check()?;
    require(caller.rights.may_add_members())?;
    let new = new.expect("a body without a fault has been read");
    let command = Command { caller: caller.for_write(), ask: Ask::CreateMember(Box::new(new)) };
    let reply = engine.ask_catalog(&caller.business, command, body.bytes().len()).await?;
    let Reply::Member(member) = reply else {
        unreachable!("the creation of a member is answered with the member")
    };
    Ok(HttpResponse::Created().json(row(&caller, &member)))
}

/// Changes what the body names. The keys of a member who is no longer active stop with this reply.
async fn update(
    engine: Data<Engine>,
    caller: Caller,
    AddressedMember(id): AddressedMember,
    request: HttpRequest,
    body: Body,
) -> Result<HttpResponse, Problem> {
    require(caller.rights.may_edit_member(id))?;
    let held = caller.catalog.members.get(&id).ok_or_else(Problem::not_found)?;
    let input = body.parse()?;
    let mut faults = Faults::default();
    let is_strict = read_no_parameters(&request, RouteGroup::Write, &mut faults);
    let edit = read_member_edit(&input, held, is_strict, &mut faults);
    faults.check()?;
    let edit = edit.expect("a body without a fault has been read");
    let command = Command { caller: caller.for_write(), ask: Ask::UpdateMember(Box::new(edit)) };
    let reply = engine.ask_catalog(&caller.business, command, body.bytes().len()).await?;
    let Reply::Member(member) = reply else {
        unreachable!("the change of a member is answered with the member")
    };
    Ok(HttpResponse::Ok().json(row(&caller, &member)))
}

/// Deletes a member. With this reply it is gone from every read, and its keys let nobody in.
async fn delete(
    engine: Data<Engine>,
    caller: Caller,
    AddressedMember(id): AddressedMember,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    require(caller.rights.may_remove_member(id))?;
    caller.catalog.members.get(&id).ok_or_else(Problem::not_found)?;
    check_no_parameters(&request, RouteGroup::Write)?;
    let command = Command { caller: caller.for_write(), ask: Ask::DeleteMember(id) };
    engine.ask_catalog(&caller.business, command, 0).await?;
    Ok(HttpResponse::NoContent().finish())
}

async fn retrieve(
    caller: Caller,
    member: AddressedMember,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    require(caller.rights.may_see_member(member.0))?;
    let member = caller.catalog.members.get(&member.0).ok_or_else(Problem::not_found)?;
    check_no_parameters(&request, RouteGroup::Read)?;
    let roles: Vec<RoleId> = member.roles.clone();
    Ok(HttpResponse::Ok().json(MemberRow::new(member, roles, caller.business.time_zone())))
}

#[cfg(test)]
mod tests {
    use crate::http::test_support::{NOW_TEXT, TestServer, UNKNOWN_ID};
    use actix_web::test::TestRequest;
    use serde_json::{Value, json};

    fn id(row: &Value) -> &str {
        row["id"].as_str().unwrap()
    }

    #[actix_web::test]
    async fn a_new_member_is_answered_whole_and_listed_the_same() {
        let server = TestServer::start().await;
        let admin = server.get("/api/team").await.expect(200)[0].clone();
        let body = json!({
            "email": " Ada@Example.com ", "first_name": " Ada ", "last_name": "Lovelace",
            "title": "Countess", "roles": [admin["roles"][0]["id"]], "permission_groups": [],
        });
        let made = server.post("/api/team", &body).await.expect(201);
        let expected = json!({
            "id": made["id"], "user_id": made["id"], "email": "Ada@Example.com",
            "first_name": "Ada", "last_name": "Lovelace", "full_name": "Ada Lovelace",
            "display_name": "Ada Lovelace", "title": "Countess", "account_type": "user_standard",
            "is_active": true, "roles": [{
                "id": admin["roles"][0]["id"], "name": "Administrator",
                "default_for_new_users": false,
            }], "created": NOW_TEXT,
        });
        assert_eq!(made, expected);
        for path in ["/api/team", "/api/employee"] {
            assert_eq!(server.get(path).await.expect(200), json!([admin, made]), "{path}");
        }
        let mut alone = expected;
        alone["roles"] = json!([admin["roles"][0]["id"]]);
        let read = server.get(&format!("/api/team/{}", id(&made))).await.expect(200);
        assert_eq!(read, alone, "alone, it has its roles as bare ids");
    }

    #[actix_web::test]
    async fn ids_of_another_system_are_taken() {
        let server = TestServer::start().await;
        let (member, user) =
            ("0192F7AA-0000-7000-8000-0000000000AA", "0192f7aa-0000-7000-8000-0000000000bb");
        let body = json!({"email": "a@b.c", "id": member, "user_id": user});
        let made = server.post("/api/team", &body).await.expect(201);
        assert_eq!((id(&made), &made["user_id"]), (&*member.to_lowercase(), &json!(user)));
        assert_eq!(made["display_name"], "a@b.c", "the e-mail where there is no name");
        for (key, value) in [("email", "A@B.C"), ("id", member), ("user_id", user)] {
            let mut body = json!({"email": "c@d.e"});
            body[key] = json!(value);
            let answer = server.post("/api/team", &body).await;
            assert_eq!(answer.faults(), [("unique".to_owned(), key.to_owned())]);
            answer.expect(400);
        }
    }

    #[actix_web::test]
    async fn all_faults_of_a_new_member_are_told_at_once() {
        let server = TestServer::start().await;
        for (body, faults) in [
            (json!({}), &[("required", "email")][..]),
            (json!({"email": null}), &[("null", "email")]),
            (json!({"email": " "}), &[("blank", "email")]),
            (json!({"email": format!("{}@b.c", "x".repeat(251))}), &[("max_length", "email")]),
            (json!({"email": "a@b@c"}), &[("invalid", "email")]),
            (json!({"email": "a\u{200b}@b.c"}), &[("invalid", "email")]),
            (
                json!({
                    "email": "nobody", "id": "1", "first_name": "x".repeat(256), "last_name": 7,
                    "account_type": "robot", "roles": ["x"], "permission_groups": [UNKNOWN_ID],
                }),
                &[
                    ("invalid", "email"),
                    ("invalid", "id"),
                    ("max_length", "first_name"),
                    ("invalid", "last_name"),
                    ("invalid_choice", "account_type"),
                    ("invalid", "roles"),
                ],
            ),
            (json!({"email": "a@b.c", "roles": [UNKNOWN_ID]}), &[("does_not_exist", "roles")]),
            (
                json!({"email": "a@b.c", "permission_groups": [UNKNOWN_ID]}),
                &[("does_not_exist", "permission_groups")],
            ),
        ] {
            let answer = server.post("/api/team", &body).await;
            let found = answer.faults();
            let found: Vec<_> = found.iter().map(|(code, place)| (&**code, &**place)).collect();
            assert_eq!(found, faults, "{body}");
            answer.expect(400);
        }
        assert_eq!(server.get("/api/team").await.expect(200).as_array().map(Vec::len), Some(1));
    }

    #[actix_web::test]
    async fn a_page_is_for_those_who_ask_for_one_and_services_are_too() {
        let server = TestServer::start().await;
        for (email, name, account_type) in
            [("ada@example.com", "Ada", "user_standard"), ("bot@example.com", "Sync", "service")]
        {
            let body = json!({"email": email, "first_name": name, "account_type": account_type});
            server.post("/api/team", &body).await.expect(201);
        }
        for (query, emails) in [
            ("", &["admin@upsertd.invalid", "ada@example.com"][..]),
            (
                "?include_service=true",
                &["admin@upsertd.invalid", "ada@example.com", "bot@example.com"],
            ),
            ("?search=ADA", &["ada@example.com"]),
            ("?search=example", &["ada@example.com"]),
            ("?search=sync&include_service=1", &["bot@example.com"]),
            ("?page_size=1", &["admin@upsertd.invalid"]),
            ("?page_size=1&page=2", &["ada@example.com"]),
        ] {
            let answer = server.get(&format!("/api/team{query}")).await.expect(200);
            let is_page = query.contains("search") || query.contains("page_size");
            assert_eq!(answer.is_object(), is_page, "{query}");
            let rows = if is_page { &answer["results"] } else { &answer };
            let found: Vec<_> = rows.as_array().unwrap().iter().map(|row| &row["email"]).collect();
            assert_eq!(found, emails, "{query}");
        }
        server.get("/api/team?page_size=1&page=3").await.expect_error(404, "not_found");
        for path in ["unknown", UNKNOWN_ID] {
            server.get(&format!("/api/team/{path}")).await.expect_error(404, "not_found");
        }
    }

    fn check_found(answer: &Value, emails: &[&str], context: &Value) {
        let rows = if answer.is_object() { &answer["results"] } else { answer };
        let found: Vec<_> = rows.as_array().unwrap().iter().map(|row| &row["email"]).collect();
        assert_eq!(found, emails, "{context}");
    }

    #[actix_web::test]
    async fn a_member_is_found_by_its_parts_and_while_somebody_types() {
        let server = TestServer::start().await;
        let mut ids = Vec::new();
        for (email, first_name, last_name, account_type) in [
            ("ada@example.com", "Ada", "Lovelace", "user_standard"),
            ("bot@example.com", "Sync", "", "service"),
            ("cid@example.com", "Cid", "Adams", "user_standard"),
        ] {
            let body = json!({
                "email": email, "first_name": first_name, "last_name": last_name,
                "account_type": account_type,
            });
            ids.push(server.post("/api/team", &body).await.expect(201)["id"].clone());
        }
        let (admin, ada, bot, cid) =
            ("admin@upsertd.invalid", "ada@example.com", "bot@example.com", "cid@example.com");
        for (body, emails) in [
            (json!({}), &[admin, ada, cid][..]),
            (json!({"search": "ADA"}), &[ada, cid]),
            (json!({"search": " love  ada "}), &[ada]),
            (json!({"search": "sync"}), &[]),
            (json!({"ids": [ids[1], ids[2], UNKNOWN_ID]}), &[bot, cid]),
            (json!({"emails": [" BOT@example.com", "ada@example.com"]}), &[ada, bot]),
            (json!({"emails": ["bot@example.com"], "search": "ada"}), &[]),
            (json!({"ids": []}), &[]),
        ] {
            let page = server.post("/api/team/search", &body).await.expect(200);
            check_found(&page, emails, &body);
        }
        let body = json!({"search": "sync"});
        let page = server.post("/api/team/search?include_service=1", &body).await.expect(200);
        check_found(&page, &[bot], &body);
        for (body, key) in [(json!({"ids": ["x"]}), "ids"), (json!({"emails": [7]}), "emails")] {
            let answer = server.post("/api/team/search", &body).await;
            assert_eq!(answer.faults(), [("invalid".to_owned(), key.to_owned())]);
        }

        let path = format!("/api/team/{}", ids[2].as_str().unwrap());
        server.patch(&path, &json!({"is_active": false})).await.expect(200);
        for (query, emails) in [
            ("", &[admin, ada, bot][..]),
            ("?search=ad", &[admin, ada]),
            ("?search=lovelace%20ada", &[ada]),
            ("?search=adams", &[]),
            ("?search=example&page_size=1&page=2", &[bot]),
        ] {
            let answer = server.get(&format!("/api/team/typeahead{query}")).await.expect(200);
            assert_eq!(answer.is_object(), query.contains("page_size"));
            check_found(&answer, emails, &json!(query));
        }
        let row = server.get("/api/team/typeahead?search=lovelace").await.expect(200)[0].clone();
        let expected = json!({
            "id": ids[0], "email": ada, "first_name": "Ada", "last_name": "Lovelace",
            "display_name": "Ada Lovelace", "account_type": "user_standard",
        });
        assert_eq!(row, expected);
    }

    #[actix_web::test]
    async fn a_change_of_a_member_leaves_what_it_does_not_name() {
        const ALL: &str = "/api/team?include_service=true";
        let server = TestServer::start().await;
        let admin = server.get("/api/team").await.expect(200)[0].clone();
        let body = json!({"email": "ada@example.com", "first_name": "Ada", "title": "Countess"});
        let ada = server.post("/api/team", &body).await.expect(201);
        let path = format!("/api/team/{}", id(&ada));
        for (body, changes) in [
            (json!({}), json!({})),
            (json!({"email": " Ada@Example.com "}), json!({"email": "Ada@Example.com"})),
            (json!({"title": null}), json!({"title": ""})),
            (
                json!({"last_name": "King", "id": ada["id"], "user_id": ada["user_id"]}),
                json!({"last_name": "King", "full_name": "Ada King", "display_name": "Ada King"}),
            ),
            (json!({"account_type": "service"}), json!({"account_type": "service"})),
            (json!({"account_type": "user_standard"}), json!({"account_type": "user_standard"})),
            (json!({"is_active": false}), json!({"is_active": false})),
            (json!({"is_active": true}), json!({"is_active": true})),
            (json!({"roles": [admin["roles"][0]["id"]]}), json!({"roles": admin["roles"]})),
            (json!({"roles": []}), json!({"roles": []})),
        ] {
            let mut expected = server.get(ALL).await.expect(200)[1].clone();
            expected.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
            let answer = server.patch(&path, &body).await.expect(200);
            assert_eq!(answer, expected, "{body}");
            assert_eq!(server.get(ALL).await.expect(200)[1], expected, "{body}");
        }
        for (body, code, key) in [
            (json!({"email": "ADMIN@upsertd.invalid"}), "unique", "email"),
            (json!({"email": null}), "null", "email"),
            (json!({"id": UNKNOWN_ID}), "immutable", "id"),
            (json!({"user_id": UNKNOWN_ID}), "immutable", "user_id"),
            (json!({"is_active": "no"}), "invalid", "is_active"),
            (json!({"roles": [UNKNOWN_ID]}), "does_not_exist", "roles"),
        ] {
            let answer = server.patch(&path, &body).await;
            assert_eq!(answer.faults(), [(code.to_owned(), key.to_owned())], "{body}");
            answer.expect(400);
        }
        let unknown = format!("/api/team/{UNKNOWN_ID}");
        server.patch(&unknown, &json!({})).await.expect_error(404, "not_found");
        server.delete(&unknown).await.expect_error(404, "not_found");
    }

    #[actix_web::test]
    async fn the_last_administrator_stays() {
        let server = TestServer::start().await;
        let admin = server.get("/api/team").await.expect(200)[0].clone();
        let path = format!("/api/team/{}", id(&admin));
        for (body, key) in
            [(json!({"is_active": false}), "is_active"), (json!({"roles": []}), "roles")]
        {
            let answer = server.patch(&path, &body).await;
            assert_eq!(answer.faults(), [("invalid".to_owned(), key.to_owned())]);
        }
        server.delete(&path).await.expect_error(400, "not_deletable");
        let body = json!({"email": "b@c.d", "roles": [admin["roles"][0]["id"]]});
        let other = server.post("/api/team", &body).await.expect(201);
        let other = format!("/api/team/{}", id(&other));
        server.patch(&other, &json!({"is_active": false})).await.expect(200);
        server.delete(&path).await.expect_error(400, "not_deletable");
        server.patch(&other, &json!({"is_active": true})).await.expect(200);
        server.delete(&path).await.expect(204);
        server.get("/api/team").await.expect_error(401, "authentication_failed");
    }

    #[actix_web::test]
    async fn the_keys_of_a_member_stop_and_go_on_with_it_and_end_with_it() {
        let server = TestServer::start().await;
        let ada = server.post("/api/team", &json!({"email": "ada@example.com"})).await.expect(201);
        let secret = "a secret of an older script";
        let key = json!({"name": "ada", "member_id": ada["id"], "secret": secret});
        server.post("/api/api-keys", &key).await.expect(201);
        let path = format!("/api/team/{}", id(&ada));
        let ask = async || {
            let request = TestRequest::get().uri("/api/business/mine");
            server.send_as(secret, id(&ada), request).await.status
        };
        assert_eq!(ask().await, 200);
        server.patch(&path, &json!({"is_active": false})).await.expect(200);
        assert_eq!(ask().await, 401);
        server.patch(&path, &json!({"is_active": true})).await.expect(200);
        assert_eq!(ask().await, 200);
        server.delete(&path).await.expect(204);
        assert_eq!(ask().await, 401);
        assert_eq!(server.get("/api/api-keys").await.expect(200)["count"], 1);
        server.get(&path).await.expect_error(404, "not_found");
        // The id stays taken: what refers to it must not come back with somebody else.
        let body = json!({"email": "ada@example.com", "id": ada["id"]});
        let answer = server.post("/api/team", &body).await;
        assert_eq!(answer.faults(), [("unique".to_owned(), "id".to_owned())]);
        server.post("/api/team", &json!({"email": "ada@example.com"})).await.expect(201);
        assert_eq!(ask().await, 401);
    }

    #[actix_web::test]
    async fn who_is_no_administrator_sees_and_makes_nobody_else() {
        let server = TestServer::start().await;
        let admin = server.get("/api/team").await.expect(200)[0].clone();
        let ada = server.post("/api/team", &json!({"email": "ada@example.com"})).await.expect(201);
        let body = json!({"name": "ada", "member_id": ada["id"]});
        let key = server.post("/api/api-keys", &body).await.expect(201);
        let secret = key["secret"].as_str().unwrap();
        let send = async |request| server.send_as(secret, id(&ada), request).await;
        let get = async |path: &str| send(TestRequest::get().uri(path)).await;
        let post = async |path: &str, body: Value| {
            send(TestRequest::post().uri(path).set_json(body)).await
        };

        assert_eq!(get("/api/team").await.expect(200), json!([ada]));
        get(&format!("/api/team/{}", id(&ada))).await.expect(200);
        assert_eq!(get("/api/custom-objects?custom_only=false").await.expect(200)["count"], 0);
        get("/api/business/mine").await.expect(200);
        for path in [&*format!("/api/team/{}", id(&admin)), "/api/role", "/api/permission-group"] {
            get(path).await.expect_error(403, "permission_required");
        }
        for path in ["client_client", "client_client/fields", "client_client/fields/email"] {
            let answer = get(&format!("/api/custom-objects/{path}")).await;
            answer.expect_error(404, "not_found");
        }
        get("/api/client/custom-object").await.expect_error(404, "not_found");
        for (path, body, status, code) in [
            ("/api/team", json!({"email": "b@c.d"}), 403, "permission_required"),
            ("/api/custom-objects", json!({"object_name": "A"}), 403, "permission_required"),
            ("/api/activities", json!({"name": "Call"}), 403, "permission_required"),
            ("/api/role", json!({"name": "role"}), 403, "permission_required"),
            ("/api/permission-group", json!({"name": "group"}), 403, "permission_required"),
            ("/api/custom-objects/client_client/fields", json!({}), 404, "not_found"),
            (
                "/api/api-keys",
                json!({"name": "k", "member_id": admin["id"]}),
                403,
                "permission_required",
            ),
        ] {
            post(path, body).await.expect_error(status, code);
        }
        let own = post("/api/api-keys", json!({"name": "mine"})).await.expect(201);
        assert_eq!(own["member"], json!({"id": ada["id"]}));
        assert_eq!(server.get("/api/custom-objects").await.expect(200)["count"], 0);
    }
}
