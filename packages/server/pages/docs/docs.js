// Shows /openapi.json. Everything that comes from the document goes into the page as text, never as markup.

/** An element with attributes and children; strings become text. */
function el(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children.flat().filter((child) => child !== undefined));
  return element;
}

/** A text with `code` and **strong** parts. */
function rich(text) {
  return text.split(/(`[^`]+`|\*\*[^*]+\*\*)/).map((part) => {
    if (part.startsWith("`")) return el("code", {}, part.slice(1, -1));
    return part.startsWith("**") ? el("strong", {}, part.slice(2, -2)) : part;
  });
}

let schemas = {};

function resolve(schema) {
  return schema.$ref === undefined ? schema : (schemas[schema.$ref.split("/").at(-1)] ?? {});
}

/** A schema in a few words. */
function typeOf(given) {
  const schema = resolve(given);
  if ("const" in schema) return JSON.stringify(schema.const);
  if (schema.enum !== undefined) return schema.enum.map((value) => JSON.stringify(value)).join(" | ");
  const forms = schema.anyOf ?? schema.oneOf;
  if (forms !== undefined) return [...new Set(forms.map(typeOf))].join(" | ");
  if (schema.type === "array") return `[${typeOf(schema.items ?? {})}]`;
  if (schema.format === "binary") return "bytes";
  const bounds = [schema.minimum, schema.maximum].map((bound) =>
    bound === undefined || Math.abs(bound) === Number.MAX_SAFE_INTEGER ? "" : String(bound),
  );
  const range = bounds.join("") === "" ? "" : ` ${bounds.join("…")}`;
  return `${[schema.type ?? "any"].flat().join(" | ")}${range}`;
}

/** The object behind a list or a choice with null, if there is one. */
function objectOf(given, depth = 0) {
  const schema = resolve(given);
  if (schema.properties !== undefined) return schema;
  if (depth > 4) return undefined;
  const inner = [schema.items, ...(schema.anyOf ?? [])].filter((one) => one !== undefined);
  return inner.map((one) => objectOf(one, depth + 1)).find((one) => one !== undefined);
}

function fields(given, depth = 0) {
  const object = objectOf(given);
  if (object === undefined || depth > 4) return undefined;
  return el(
    "dl",
    {},
    Object.entries(object.properties).flatMap(([name, schema]) => {
      const isRequired = object.required?.includes(name);
      const description = schema.description ?? resolve(schema).description;
      return [
        el(
          "dt",
          {},
          el("code", {}, name),
          " ",
          el("span", { class: "type" }, typeOf(schema)),
          isRequired ? "" : el("span", { class: "note" }, " (optional)"),
        ),
        el(
          "dd",
          {},
          description === undefined ? "" : el("span", { class: "note" }, rich(description)),
          fields(schema, depth + 1),
        ),
      ];
    }),
  );
}

function operation(path, method, spec) {
  const parts = [
    el("h3", {}, el("span", { class: `method ${method}` }, method.toUpperCase()), path),
    el("p", {}, rich(spec.summary)),
    spec.description && el("p", { class: "note" }, rich(spec.description)),
  ];
  if (spec.parameters !== undefined) {
    const rows = spec.parameters.flatMap((one) => [
      el("dt", {}, el("code", {}, one.name), " ", el("span", { class: "type" }, `${one.in}, ${typeOf(one.schema)}`)),
      el(
        "dd",
        { class: "note" },
        rich(one.description ?? ""),
        "default" in one.schema ? ` Default ${one.schema.default}.` : "",
      ),
    ]);
    parts.push(el("h4", {}, "Parameters"), el("dl", {}, rows));
  }
  for (const [type, { schema }] of Object.entries(spec.requestBody?.content ?? {})) {
    parts.push(el("h4", {}, `Body: ${type}`), fields(schema) ?? el("p", { class: "type" }, typeOf(schema)));
  }
  parts.push(el("h4", {}, "Answers"));
  for (const [status, answer] of Object.entries(spec.responses)) {
    parts.push(el("p", {}, el("span", { class: "status" }, status), " ", rich(answer.description)));
    if (Number(status) >= 400) continue;
    for (const [type, { schema }] of Object.entries(answer.content ?? {})) {
      parts.push(type === "application/json" ? (fields(schema) ?? "") : el("p", { class: "type" }, type));
    }
  }
  return el("article", { id: spec.operationId }, parts);
}

function show(document_) {
  const groups = new Map(document_.tags.map(({ name }) => [name, []]));
  for (const [path, methods] of Object.entries(document_.paths)) {
    for (const [method, spec] of Object.entries(methods)) groups.get(spec.tags[0]).push({ path, method, spec });
  }
  const contents = document.getElementById("contents");
  const operations = document.getElementById("operations");
  for (const [tag, entries] of groups) {
    const links = entries.map(({ path, method, spec }) =>
      el("li", {}, el("a", { href: `#${spec.operationId}` }, `${method.toUpperCase()} ${path}`)),
    );
    contents.append(el("div", {}, el("h3", {}, tag), el("ul", {}, links)));
    operations.append(el("h2", {}, tag), ...entries.map(({ path, method, spec }) => operation(path, method, spec)));
  }
  const introduction = document.getElementById("introduction");
  introduction.replaceWith(...document_.info.description.split("\n\n").map((text) => el("p", {}, rich(text))));
}

function showMessages() {
  const section = document.getElementById("messages");
  const forms = schemas.ServerMessage?.oneOf ?? schemas.ServerMessage?.anyOf ?? [];
  for (const form of forms) {
    section
      .querySelector(".body")
      .append(el("details", {}, el("summary", {}, el("code", {}, form.properties.type.const)), fields(form) ?? ""));
  }
  section.hidden = forms.length === 0;
}

function showParameters(pipelines) {
  const { parameters } = pipelines.longlive ?? Object.values(pipelines)[0];
  const rows = parameters.map((one) =>
    el(
      "tr",
      {},
      el("td", {}, el("code", {}, one.name)),
      el("td", {}, one.allowed),
      el(
        "td",
        {},
        one.default === null
          ? el("span", { class: "note" }, one.when_absent ?? "")
          : el("code", {}, JSON.stringify(one.default)),
      ),
      el("td", {}, one.modes.join(", ")),
      el("td", {}, one.acts),
      el("td", {}, one.help),
    ),
  );
  const section = document.getElementById("live-parameters");
  section.querySelector("tbody").append(...rows);
  section.hidden = false;
}

function filter(text) {
  for (const item of document.querySelectorAll("nav li")) {
    item.hidden = !item.textContent.toLowerCase().includes(text.toLowerCase());
  }
}

async function read(path) {
  const response = await fetch(path);
  if (!response.ok) throw new Error(`${path} answered ${response.status}`);
  return response.json();
}

document.getElementById("filter").addEventListener("input", ({ target }) => filter(target.value));
try {
  const description = await read("/openapi.json");
  schemas = description.components.schemas;
  show(description);
  showMessages();
  showParameters((await read("/api/v1/pipelines/schemas")).pipelines);
  // The browser looked for the place in the page before it was there.
  if (location.hash.length > 1) document.getElementById(location.hash.slice(1))?.scrollIntoView();
} catch (error) {
  document.getElementById("top").append(el("p", {}, `The description cannot be shown: ${error.message}`));
}
