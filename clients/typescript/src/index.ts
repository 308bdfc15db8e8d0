// A typed client of the paywatch API. The types of every call are generated from its description
// (`npm run generate`); what is written here turns problems into errors and says nothing twice.

import createClient, { type Client } from "openapi-fetch";

import type { components, paths } from "./schema.js";

export type Order = components["schemas"]["Order"];
export type Payment = components["schemas"]["Payment"];
export type CreateOrder = components["schemas"]["CreateOrder"];
export type Problem = components["schemas"]["Problem"];

/** A refusal of the daemon: problem details (RFC 9457). */
export class PaywatchError extends Error {
  override readonly name = "PaywatchError";

  constructor(
    /** The HTTP status. */
    readonly status: number,
    /** What is wrong; `code` is stable. */
    readonly problem: Problem,
    /** How long to wait before the next try, in seconds, if the daemon says so. */
    readonly retryAfter: number | undefined,
  ) {
    super(problem.detail ?? problem.title);
  }

  /** The stable name of what is wrong. */
  get code(): string {
    return this.problem.code;
  }
}

export interface Options {
  /** Where the daemon listens, such as `http://127.0.0.1:8080`. */
  baseUrl: string;
  /** A key made with `paywatch api-key create`. */
  key: string;
  /** Another `fetch`, for tests or proxies. */
  fetch?: typeof globalThis.fetch;
}

/** The calls of the API. */
export type Paywatch = Client<paths>;

/**
 * A client of the daemon at `baseUrl`. Every call resolves to `{ data, response }`; a refusal is
 * thrown as a {@link PaywatchError}, so that nobody goes on without having looked at it.
 */
export function paywatch({ baseUrl, key, fetch }: Options): Paywatch {
  const client = createClient<paths>({
    baseUrl,
    headers: { Authorization: `Bearer ${key}` },
    ...(fetch === undefined ? {} : { fetch }),
  });
  client.use({
    async onResponse({ response }) {
      if (response.ok || response.status === 304) {
        return;
      }
      const wait = Number(response.headers.get("retry-after") ?? Number.NaN);
      throw new PaywatchError(
        response.status,
        await problemOf(response),
        Number.isFinite(wait) ? wait : undefined,
      );
    },
  });
  return client;
}

/** What the body says, or what can be said without it: a proxy may have answered. */
async function problemOf(response: Response): Promise<Problem> {
  try {
    const body: unknown = await response.json();
    if (typeof body === "object" && body !== null && "code" in body) {
      return body as Problem;
    }
  } catch {
    // Not the daemon's own words.
  }
  return {
    type: "about:blank",
    title: response.statusText || `HTTP ${response.status}`,
    status: response.status,
    code: "unexpected_answer",
    request_id: response.headers.get("x-request-id") ?? "",
  };
}
