// A sync in both directions with nothing but what Node.js (24 or later) has.
//
//     node sync.ts accounts.ndjson
//
// The file has an account a line, {"name": "Acme", "note": "…"}. They are pushed as a stream; each
// one that is new gets a task; then what others changed is pulled. It may be killed anywhere and run
// again: nothing is done twice, and nothing is missed.

import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

type Account = { name: string; note: string };
type RowResult = { action: string; id: string | null; code?: string };
type Summary = { summary: { state: "completed" | "completed_with_errors" | "aborted" } };
type Entry = { action: string; origin: string; keys: { name: string } };
type Page = { results: Entry[]; next_cursor: string; has_more: boolean };

function given(name: string): string {
  const value = process.env[name];
  if (value === undefined) throw new Error(`${name} is not set`);
  return value;
}

const url = process.env["UPSERTD_URL"] ?? "http://127.0.0.1:7171";
const origin = "accounts-sync";
const caller = {
  "X-API-KEY": given("UPSERTD_API_KEY"),
  "X-BUSINESS-ID": given("UPSERTD_BUSINESS_ID"),
  "X-USER-ID": given("UPSERTD_USER_ID"),
  // What is written here says so in the feed, which then leaves it out.
  "X-Origin": origin,
};
// Whoever sends before reading must not send more than the server takes without being read.
const rowsAtOnce = 500;
const cursorFile = "accounts.cursor";
const attempts = 10;

/** The text of the answer. Asks again as long as it makes sense: send only what may be repeated. */
async function send(
  method: "GET" | "POST",
  path: string,
  body: string | null = null,
  headers: Record<string, string> = {},
): Promise<string> {
  let pause = 200;
  for (let attempt = 1; ; attempt += 1) {
    let wait = pause;
    try {
      const init = { method, body, headers: { ...caller, ...headers } };
      const response = await fetch(url + path, { ...init, signal: AbortSignal.timeout(90_000) });
      const text = await response.text();
      if (response.ok) return text;
      // Branch on the code, never on the text.
      const code: unknown = text.startsWith("{") ? JSON.parse(text).code : undefined;
      const isPassing = [429, 502, 503, 504].includes(response.status);
      if ((!isPassing && code !== "idempotency_in_progress") || attempt === attempts) {
        process.stderr.write(`${method} ${path}: ${response.status} ${text}\n`);
        process.exit(1);
      }
      wait = Number(response.headers.get("Retry-After") ?? pause / 1000) * 1000;
    } catch (error) {
      // Not reached, or broken off: what was sent may have been done or not.
      if (attempt === attempts) throw error;
    }
    await sleep(wait);
    pause = Math.min(pause * 2, 5_000);
  }
}

/** Upserts all accounts, and gives those that are new. */
async function push(accounts: Account[]): Promise<[name: string, id: string][]> {
  const created: [string, string][] = [];
  for (let start = 0; start < accounts.length; start += rowsAtOnce) {
    const chunk = accounts.slice(start, start + rowsAtOnce);
    const rows = chunk.map(({ name, note }) => ({ lookup_value: name, fields: { note } }));
    const body = rows.map((row) => JSON.stringify(row)).join("\n");
    const results = await stream(body);
    for (const [at, result] of results.entries()) {
      const name = chunk[at]?.name ?? "";
      console.log(`${name}: ${result.action === "failed" ? result.code : result.action}`);
      if (result.action === "created" && result.id !== null) created.push([name, result.id]);
    }
  }
  return created;
}

async function stream(body: string): Promise<RowResult[]> {
  for (;;) {
    const headers = { "Content-Type": "application/x-ndjson" };
    const answer = await send("POST", "/api/records/accounts/bulk-upsert", body, headers);
    const lines = answer.split("\n").filter((line) => line !== "");
    const last: Summary | RowResult | undefined = JSON.parse(lines.pop() ?? "{}");
    if (last !== undefined && "summary" in last && last.summary.state !== "aborted") {
      return lines.map((line): RowResult => JSON.parse(line));
    }
    // Without it the stream broke off, and upserts may be repeated.
  }
}

/** A task for a new account. Making one is no upsert, so it has a key: one task, however often. */
async function welcome(name: string, id: string): Promise<void> {
  const body = {
    activity_object_name: "task",
    due_datetime: "2030-01-01T00:00:00Z",
    note: `Welcome ${name}`,
    associated_entities: [{ custom_object: { name: "accounts" }, entity: { id } }],
  };
  await send("POST", "/api/activities/scheduled-activity", JSON.stringify(body), {
    "Content-Type": "application/json",
    "Idempotency-Key": `welcome-${id}`,
  });
}

/** What others have changed since the last run. */
async function pull(): Promise<void> {
  let cursor = existsSync(cursorFile) ? readFileSync(cursorFile, "utf8") : null;
  for (;;) {
    const query = new URLSearchParams({
      exclude_origin: origin,
      actions: "created,updated,archived",
      limit: "1000",
    });
    if (cursor !== null) query.set("after", cursor);
    const page: Page = JSON.parse(await send("GET", `/api/records/accounts/changes?${query}`));
    for (const entry of page.results) {
      // Here the other system would be written to.
      console.log(`${entry.keys.name}: ${entry.action} by ${entry.origin}`);
    }
    // Only now: what was not dealt with comes again.
    cursor = page.next_cursor;
    writeFileSync(`${cursorFile}.new`, cursor);
    renameSync(`${cursorFile}.new`, cursorFile);
    if (!page.has_more) return;
  }
}

const file = process.argv[2];
if (file === undefined) throw new Error("name a file of accounts");
const lines = readFileSync(file, "utf8").split("\n").filter((line) => line !== "");
for (const [name, id] of await push(lines.map((line): Account => JSON.parse(line)))) {
  await welcome(name, id);
}
await pull();
