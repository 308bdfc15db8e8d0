// Writes the types of every call, src/schema.ts, from the API's description. Calls that can show a
// part of an object (`fields`) always show all of it here: else nobody could rely on any field.

import { readFile, writeFile } from "node:fs/promises";

import openapiTS, { astToString } from "openapi-typescript";

const description = new URL("../../openapi.json", import.meta.url);
const schema = new URL("src/schema.ts", import.meta.url);

/** `node` without the parts of objects, and without the parameter that asks for them. */
function whole(node) {
  if (Array.isArray(node)) {
    return node.filter((item) => !(item?.in === "query" && item.name === "fields")).map(whole);
  }
  if (node === null || typeof node !== "object") {
    return node;
  }
  const [object, part, ...others] = node.anyOf ?? [];
  if (part?.$ref === `${object?.$ref}Part` && others.length === 0) {
    return object;
  }
  return Object.fromEntries(Object.entries(node).map(([name, value]) => [name, whole(value)]));
}

const types = await openapiTS(whole(JSON.parse(await readFile(description, "utf8"))));
await writeFile(schema, astToString(types));
