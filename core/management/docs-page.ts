import { createHash } from "node:crypto";

type Node = Readonly<Record<string, unknown>>;

/** A page that shows an OpenAPI document to people; it loads nothing and runs nothing. */
export interface DocsPage {
  readonly html: string;
  /** Value of the Content-Security-Policy header that fits the page. */
  readonly contentSecurityPolicy: string;
}

/** Writes the readable documentation of the management API. */
export function createDocsPage(openApi: Node): DocsPage {
  const info = openApi["info"] as { title: string; version: string; description: string };
  const operations = Object.entries(openApi["paths"] as Record<string, Record<string, Node>>)
    .flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, operation]) => ({ path, method, operation }))
    )
    // PUT says nothing that PATCH does not.
    .filter(({ method }) => method !== "put");
  const sections = Map.groupBy(operations, ({ operation }) => (operation["tags"] as string[])[0]!);
  const body = [...sections].map(([tag, list]) =>
    `<h2 id="${slug(tag)}">${escapeHtml(tag)}</h2>` + list.map(section).join("")
  ).join("");
  const links = [...sections.keys()]
    .map((tag) => `<a href="#${slug(tag)}">${escapeHtml(tag)}</a>`).join(" ");
  const html = `<!doctype html><html lang="en"><head><meta charset="utf-8">` +
    `<meta name="viewport" content="width=device-width, initial-scale=1">` +
    `<title>${escapeHtml(info.title)}</title><style>${style}</style></head><body><main>` +
    `<h1>${escapeHtml(info.title)} <small>${escapeHtml(info.version)}</small></h1>` +
    `<p>${escapeHtml(info.description)} The same as a document: ` +
    `<a href="/api/v1/openapi.json">/api/v1/openapi.json</a>.</p><nav>${links}</nav>${body}` +
    `<h2 id="shapes">Shapes</h2>${shapes(openApi)}</main></body></html>`;
  const hash = createHash("sha256").update(style).digest("base64");
  return {
    html,
    contentSecurityPolicy:
      `default-src 'none'; style-src 'sha256-${hash}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
  };
}

const style = `:root{color-scheme:light dark;font:16px/1.5 system-ui,sans-serif}
main{max-width:60rem;margin:0 auto;padding:1.5rem}nav a{margin-right:.75rem}
h2{margin-top:2.5rem;border-bottom:1px solid #8886}details{margin:.4rem 0}
summary{cursor:pointer}code,pre{font:.9em ui-monospace,monospace}
pre{overflow:auto;padding:.75rem;background:#8881;border-radius:.4rem}
table{border-collapse:collapse;width:100%}td,th{text-align:left;vertical-align:top;padding:.2rem .6rem .2rem 0}
.method{display:inline-block;min-width:4rem;font-weight:600}`;

function section({ path, method, operation }: { path: string; method: string; operation: Node }) {
  const parameters = (operation["parameters"] ?? []) as Node[];
  const rows = parameters.map((parameter) =>
    `<tr><td><code>${escapeHtml(String(parameter["name"]))}</code></td>` +
    `<td>${escapeHtml(String(parameter["in"]))}</td>` +
    `<td>${escapeHtml(String(parameter["description"] ?? ""))}</td></tr>`
  ).join("");
  const action = operation["x-vmx-action"];
  const needs = action === undefined
    ? ""
    : `<p>Needs <code>${escapeHtml(String(action))}</code> on <code>${
      escapeHtml(String(operation["x-vmx-resource"]))
    }</code>.</p>`;
  const request = shapeOf(operation["requestBody"] as Node | undefined);
  const responses = Object.entries(operation["responses"] as Record<string, Node>)
    .map(([status, response]) =>
      `<tr><td>${status}</td><td>${escapeHtml(String(response["description"]))} ${
        shapeOf(response)
      }</td></tr>`
    ).join("");
  return `<details id="${escapeHtml(String(operation["operationId"]))}"><summary>` +
    `<span class="method">${method.toUpperCase()}</span> <code>${escapeHtml(path)}</code> ` +
    `${escapeHtml(String(operation["summary"]))}</summary>${needs}` +
    (rows ? `<table>${rows}</table>` : "") + (request ? `<p>Body: ${request}</p>` : "") +
    `<table>${responses}</table></details>`;
}

function shapeOf(holder: Node | undefined): string {
  const content = holder?.["content"] as Record<string, { schema?: Node }> | undefined;
  const reference = Object.values(content ?? {})[0]?.schema?.["$ref"];
  if (typeof reference !== "string") return "";
  const name = escapeHtml(reference.split("/").pop()!);
  return `<a href="#shape-${name}">${name}</a>`;
}

function shapes(openApi: Node): string {
  const { schemas } = openApi["components"] as { schemas: Record<string, unknown> };
  return Object.entries(schemas).map(([name, schema]) =>
    `<details id="shape-${escapeHtml(name)}"><summary><code>${escapeHtml(name)}</code></summary>` +
    `<pre>${escapeHtml(JSON.stringify(schema, null, 2))}</pre></details>`
  ).join("");
}

function slug(text: string): string {
  return text.toLowerCase().replace(/[^a-z0-9]+/g, "-");
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
