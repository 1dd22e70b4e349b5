// What a generated TypeScript client can do with a real server.
//
// The caller names the server and the three headers in the environment, and has made an object
// `accounts` with a text field `note`.

import assert from "node:assert/strict";
import createClient from "openapi-fetch";
import type { components, paths } from "./api.d.ts";

type Action = components["schemas"]["UpsertWritten"]["action"];

function given(name: string): string {
  const value = process.env[name];
  assert(value !== undefined, `${name} is not given`);
  return value;
}

const client = createClient<paths>({
  baseUrl: given("SERVER"),
  headers: {
    "X-API-KEY": given("API_KEY"),
    "X-BUSINESS-ID": given("BUSINESS_ID"),
    "X-USER-ID": given("USER_ID"),
  },
});
const accounts = { object_identifier: "accounts" };

// The list of actions is closed, so a switch over it needs no default.
function hasWritten(action: Action): boolean {
  switch (action) {
    case "created":
    case "updated":
    case "unarchived":
      return true;
    case "unchanged":
    case "exists":
    case "skipped_archived":
      return false;
  }
}

async function upsert(lookup_value: string, note: string) {
  const { data, error } = await client.POST("/api/records/{object_identifier}/upsert", {
    params: { path: accounts },
    body: { lookup_value, fields: [{ name: "note", value: note }] },
  });
  assert(data !== undefined, JSON.stringify(error));
  return data;
}

const made = await upsert("Acme", "first");
assert.equal(made.action, "created");
assert(hasWritten(made.action));
const again = await upsert(" ACME ", "second");
assert.deepEqual([again.action, again.id, again.version], ["updated", made.id, made.version + 1]);

const read = await client.GET("/api/records/{object_identifier}/lookup", {
  params: { path: accounts, query: { identifier: "acme" } },
});
assert(read.data !== undefined, JSON.stringify(read.error));
assert.deepEqual([read.data.id, read.data.name], [made.id, "Acme"]);
const note = Object.values(read.data.fields).find((field) => field.name === "note");
assert.equal(note?.value, "second");

const found = await client.POST("/api/records/{object_identifier}/search", {
  params: { path: accounts },
  body: { query: [{ filters: [{ field: "note", condition: "starts_with", value: "SEC" }] }] },
});
assert.equal(found.data?.count, 1);
assert.equal(found.data.results[0]?.id, made.id);

const nobody = await client.GET("/api/records/{object_identifier}/lookup", {
  params: { path: accounts, query: { identifier: "nobody" } },
});
assert.equal(nobody.response.status, 404);
assert.equal(nobody.error?.code, "not_found");

const refused = await client.POST("/api/records/{object_identifier}/upsert", {
  params: { path: accounts },
  body: { lookup_value: "Acme", fields: [{ name: "colour", value: "red" }] },
});
assert.equal(refused.response.status, 400);
assert.equal(refused.error?.code, "does_not_exist");
const fault = refused.error.errors?.[0];
assert.deepEqual([fault?.field, fault?.index, fault?.retryable], ["colour", 0, false]);
