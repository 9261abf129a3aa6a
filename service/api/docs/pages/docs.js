"use strict";
// Shows /openapi.json: endpoints by tag, their parameters and schemas, and a form to try each.
// Texts are only ever set as text, so nothing in the document can become markup.

const METHODS = ["get", "put", "post", "delete"];
const DEEPEST = 6; // levels of a schema that are shown, and of an example that is made up
let spec;

function make(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else made.setAttribute(name, value);
  }
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

function resolve(schema) {
  let found = schema || {};
  while (found.$ref) found = { ...spec.components.schemas[nameOf(found)] };
  return found;
}

function nameOf(schema) {
  return schema.$ref ? schema.$ref.split("/").pop() : "";
}

function variants(schema) {
  return schema.anyOf || schema.oneOf || null;
}

function typeOf(schema) {
  if (!schema) return "any";
  if (schema.properties && !schema.title) return `event ${schema.properties.event?.const || "message"}`;
  if (schema.contentSchema) return `JSON of ${typeOf(schema.contentSchema)}`;
  if (schema.$ref) return nameOf(schema);
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum) return schema.enum.map((value) => JSON.stringify(value)).join(" | ");
  if (variants(schema)) return variants(schema).map(typeOf).join(" | ");
  if (schema.type === "array") return `list of ${typeOf(schema.items)}`;
  if (schema.type === "object" && schema.additionalProperties && schema.additionalProperties !== true) {
    return `object of ${typeOf(schema.additionalProperties)}`;
  }
  return schema.format ? `${schema.type} (${schema.format})` : schema.type || "any";
}

function limitsOf(schema) {
  const parts = [];
  const all = [schema, ...(variants(schema) || [])];
  const limits = [
    ["minimum", "≥"], ["exclusiveMinimum", ">"], ["maximum", "≤"], ["exclusiveMaximum", "<"],
    ["minLength", "at least characters:"], ["maxLength", "at most characters:"],
    ["minItems", "at least items:"], ["maxItems", "at most items:"], ["pattern", "matches"],
  ];
  for (const one of all) {
    for (const [key, words] of limits) if (one[key] !== undefined) parts.push(`${words} ${one[key]}`);
  }
  if (schema.default !== undefined) parts.push(`default ${JSON.stringify(schema.default)}`);
  return parts.join(", ");
}

function inner(schema) {
  // The schemas of objects that a value may hold, by name.
  if (schema.$ref) {
    const found = resolve(schema);
    return found.properties || variants(found) ? [[nameOf(schema), found]] : [];
  }
  if (schema.properties) return [[schema.title || schema.properties.event?.const || "object", schema]];
  if (variants(schema)) return variants(schema).flatMap(inner);
  if (schema.items) return inner(schema.items);
  if (schema.contentSchema) return inner(schema.contentSchema);
  if (typeof schema.additionalProperties === "object") return inner(schema.additionalProperties);
  return [];
}

function fieldRow(name, schema, needed) {
  const says = [schema.description || resolve(schema).description, limitsOf(schema)].filter(Boolean);
  return make("tr", {},
    make("td", needed ? { class: "needed" } : {}, make("code", {}, name)),
    make("td", {}, make("span", { class: "type" }, typeOf(schema))),
    make("td", {}, says.join(" — ")));
}

function showSchema(schema, depth = 0) {
  const box = make("div", { class: depth ? "schema" : "" });
  if (depth > DEEPEST) return box;
  if (variants(schema) && !schema.properties) {
    for (const [name, found] of inner(schema)) box.append(foldedSchema(name, found, depth));
    return box;
  }
  const rows = make("tbody");
  const below = [];
  for (const [name, field] of Object.entries(schema.properties || {})) {
    rows.append(fieldRow(name, field, (schema.required || []).includes(name)));
    below.push(...inner(field));
  }
  if (rows.children.length) box.append(make("table", {}, rows));
  const shown = new Set();
  for (const [name, found] of below) {
    if (!shown.has(name)) box.append(foldedSchema(name, found, depth));
    shown.add(name);
  }
  return box;
}

function foldedSchema(name, schema, depth) {
  const folded = make("details", {}, make("summary", {}, make("span", { class: "type" }, name)));
  folded.addEventListener("toggle", () => {
    if (folded.open && folded.children.length === 1) {
      if (schema.description) folded.append(make("p", { class: "faint" }, schema.description));
      folded.append(showSchema(schema, depth + 1));
    }
  });
  return make("div", { class: "schema" }, folded);
}

function example(schema, depth = 0) {
  const found = resolve(schema);
  if (found.default !== undefined) return found.default;
  if (found.const !== undefined) return found.const;
  if (found.enum) return found.enum[0];
  if (variants(found)) return example(variants(found)[0], depth);
  if (found.type === "array") return found.minItems && depth < DEEPEST ? [example(found.items || found.prefixItems?.[0], depth + 1)] : [];
  if (found.type === "object") {
    const made = {};
    const needed = found.required || [];
    for (const [name, field] of Object.entries(found.properties || {})) {
      if (needed.includes(name)) made[name] = example(field, depth + 1);
    }
    return made;
  }
  if (found.type === "integer" || found.type === "number") return found.minimum ?? 0;
  if (found.type === "boolean") return false;
  return found.type === "string" ? "" : null;
}

function showParameters(parameters) {
  const rows = parameters.map((one) => fieldRow(
    one.name,
    { ...one.schema, description: [`in ${one.in}`, one.description].filter(Boolean).join(". ") },
    one.required));
  return make("div", {}, make("h3", {}, "Parameters"), make("table", {}, make("tbody", {}, ...rows)));
}

function showContent(title, part) {
  const box = make("div", {}, make("h3", {}, title));
  if (part.description && title !== "Body") box.append(make("p", { class: "faint" }, part.description));
  for (const [kind, media] of Object.entries(part.content || {})) {
    const schema = media.schema || media.itemSchema || {};
    box.append(make("p", {}, make("code", {}, kind), " ", make("span", { class: "type" }, typeOf(schema))));
    if (schema.description) box.append(make("p", { class: "faint" }, schema.description));
    const found = resolve(schema);
    if (found.properties || variants(found) || found.items) box.append(showSchema(found));
  }
  return box;
}

function showReplies(responses) {
  const box = make("div");
  const faults = [];
  for (const [status, reply] of Object.entries(responses)) {
    if (Number(status) < 400) box.append(showContent(`Reply ${status}`, reply));
    else faults.push([status, reply]);
  }
  const rows = faults.map(([status, reply]) => make("tr", {},
    make("td", {}, make("code", {}, status)),
    make("td", {}, reply.description || ""),
    make("td", {}, make("span", { class: "type" }, Object.values(reply.content || {}).map((media) => typeOf(media.schema)).join(" | ")))));
  if (rows.length) box.append(make("h3", {}, "Errors"), make("table", { class: "errors" }, make("tbody", {}, ...rows)));
  return box;
}

function showForm(path, method, operation) {
  const inputs = (operation.parameters || []).map((one) => [one, make("input", { placeholder: one.required ? "required" : "" })]);
  const json = operation.requestBody?.content?.["application/json"];
  const body = json ? make("textarea", { spellcheck: "false" }) : null;
  if (body) body.value = JSON.stringify(example(json.schema), null, 2);
  const out = make("pre", { class: "hidden" });
  const send = async (event) => {
    event.preventDefault();
    out.classList.remove("hidden");
    out.textContent = "…";
    out.textContent = await ask(path, method, inputs, body);
  };
  return make("form", { class: "try", onsubmit: send },
    make("h3", {}, "Try it"),
    ...inputs.map(([one, input]) => make("label", {}, `${one.name} (${one.in})`, input)),
    body ? make("label", {}, "body (application/json)", body) : null,
    make("button", { type: "submit" }, `Send ${method.toUpperCase()}`), out);
}

async function ask(path, method, inputs, body) {
  const query = new URLSearchParams();
  const headers = body ? { "content-type": "application/json" } : {};
  let filled = path;
  for (const [one, input] of inputs) {
    if (one.in === "path") filled = filled.replace(`{${one.name}}`, encodeURIComponent(input.value).replaceAll("%2F", "/"));
    else if (input.value && one.in === "query") query.append(one.name, input.value);
    else if (input.value && one.in === "header") headers[one.name] = input.value;
  }
  const address = query.size ? `${filled}?${query}` : filled;
  try {
    const reply = await fetch(address, { method: method.toUpperCase(), headers, body: body ? body.value : undefined });
    const text = await reply.text();
    return `${reply.status} ${reply.headers.get("content-type") || ""}\n\n${indented(text)}`;
  } catch (fault) {
    return `No reply: ${fault.message}`;
  }
}

function indented(text) {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

function showEndpoint(path, method, operation) {
  const box = make("details", { class: "endpoint", id: operation.operationId },
    make("summary", {},
      make("span", { class: `method ${method}` }, method),
      make("span", { class: "path" }, path),
      make("span", { class: "says" }, operation.summary || "")));
  box.addEventListener("toggle", () => {
    if (!box.open || box.children.length > 1) return;
    const inside = make("div", { class: "inside" });
    if (operation.description) inside.append(make("p", {}, operation.description));
    if (operation.parameters?.length) inside.append(showParameters(operation.parameters));
    if (operation.requestBody) inside.append(showContent("Body", operation.requestBody));
    inside.append(showReplies(operation.responses), showForm(path, method, operation));
    box.append(inside);
  });
  return box;
}

function showTag(tag) {
  const section = make("section", {}, make("h2", {}, tag.name), make("p", {}, tag.description || ""));
  const list = make("div", {}, make("h2", {}, tag.name));
  for (const [path, methods] of Object.entries(spec.paths)) {
    for (const method of METHODS) {
      const operation = methods[method];
      if (!operation || !(operation.tags || []).includes(tag.name)) continue;
      section.append(showEndpoint(path, method, operation));
      list.append(make("a", { href: `#${operation.operationId}` },
        make("span", { class: `method ${method}` }, method), make("span", { class: "path" }, path)));
    }
  }
  document.getElementById("contents").append(list);
  document.getElementById("main").append(section);
}

function find(words) {
  const wanted = words.toLowerCase().trim();
  for (const one of document.querySelectorAll("details.endpoint, nav a")) {
    const text = one.querySelector("summary")?.textContent || one.textContent;
    one.classList.toggle("hidden", !text.toLowerCase().includes(wanted));
  }
}

function openNamed() {
  const named = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (named?.tagName !== "DETAILS") return;
  named.open = true;
  named.scrollIntoView();
}

async function show() {
  const opening = document.getElementById("opening");
  try {
    spec = await (await fetch("/openapi.json")).json();
  } catch (fault) {
    opening.textContent = `The OpenAPI document could not be read: ${fault.message}`;
    return;
  }
  document.getElementById("version").textContent = spec.info.version;
  opening.replaceChildren(spec.info.description || "", " ", make("a", { href: "/openapi.json" }, "OpenAPI document"));
  for (const tag of spec.tags) showTag(tag);
  document.getElementById("search").addEventListener("input", (event) => find(event.target.value));
  window.addEventListener("hashchange", openNamed);
  openNamed();
}

show();
