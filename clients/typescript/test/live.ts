// Against a live daemon, whose address and key are in the environment. It says where it wants to
// be paid in a line of JSON, and ends well when the daemon has seen the money.

import assert from "node:assert/strict";

import { paywatch, PaywatchError } from "../src/index.js";

const baseUrl = process.env["PAYWATCH_URL"];
const key = process.env["PAYWATCH_API_KEY"];
assert(baseUrl && key, "PAYWATCH_URL and PAYWATCH_API_KEY are needed");
const client = paywatch({ baseUrl, key });

/** The code of the refusal that `call` must be. */
async function refused(call: Promise<unknown>): Promise<PaywatchError> {
  try {
    await call;
  } catch (error) {
    assert(error instanceof PaywatchError, String(error));
    return error;
  }
  return assert.fail("it was not refused");
}

// An order, made once however often it is asked for.
const body = { reference: "TS-1", amount: "12.5", metadata: { customer: "42" } };
const headers = { "Idempotency-Key": "ts-1" };
const made = await client.POST("/v1/orders", { body, params: { header: headers } });
const again = await client.POST("/v1/orders", { body, params: { header: headers } });
assert(made.data && again.data);
assert.deepEqual(again.data, made.data);
assert.equal(made.response.status, 201);
assert.equal(again.response.headers.get("idempotency-replayed"), "true");
assert.equal(made.data.status, "awaiting_payment");

// Refusals are errors with a stable code and the field.
const reused = await refused(
  client.POST("/v1/orders", { body: { ...body, amount: "13" }, params: { header: headers } }),
);
assert.equal(reused.code, "idempotency_key_reused");
const wrong = await refused(client.POST("/v1/orders", { body: { ...body, amount: "0" } }));
assert.equal(wrong.status, 422);
assert.equal(wrong.problem.errors?.[0]?.field, "amount");
const id = made.data.id;
const unknown = await refused(
  client.GET("/v1/orders/{id}", { params: { path: { id: id.replace(/.$/, (c) => (c === "0" ? "1" : "0")) } } }),
);
assert.equal(unknown.code, "not_found");
const nobody = await refused(
  paywatch({ baseUrl, key: "pw_live_nobody" }).GET("/v1/orders"),
);
assert.equal(nobody.code, "unauthorized");

// Somebody else pays it now.
const option = made.data.options[0];
assert(option);
console.log(JSON.stringify({ address: option.address, amount: option.amount }));
const paid = await client.GET("/v1/orders/{id}", {
  params: { path: { id }, query: { wait_for: "paid,completed", timeout: 30 } },
});
assert(paid.data);
assert(["paid", "completed"].includes(paid.data.status), paid.data.status);
assert.equal(paid.data.received, "12.5");
assert.equal(paid.data.payments[0]?.amount, "12.5");

const listed = await client.GET("/v1/orders", { params: { query: { reference: "TS-1" } } });
assert.deepEqual(
  listed.data?.data.map((order) => order.id),
  [id],
);
// What was told of it, in order, each with the order as it was then.
const told = await client.GET("/v1/events", {
  params: { query: { order: id, types: "order.*", after: 0 } },
});
assert.deepEqual(
  told.data?.data.slice(0, 2).map((event) => [event.type, event.data.order?.status]),
  [
    ["order.created", "awaiting_payment"],
    ["order.paid", told.data?.data[1]?.data.order?.status],
  ],
);
console.log(JSON.stringify({ done: true }));
