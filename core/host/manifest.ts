import { readFile, realpath } from "node:fs/promises";
import { basename, extname, join, sep } from "node:path";
import {
  type PluginManifest,
  PluginManifest as manifestSchema,
  type ProviderBootstrap,
  ProviderPrice,
} from "@vmx/schemas";
import { Ajv2020 } from "ajv/dist/2020.js";
import addFormats from "ajv-formats";
import semver from "semver";
import Type from "typebox";
import { contributionPoints } from "../contract/index.ts";
import { compileConfiguration, type JsonSchema } from "./configuration-schema.ts";
import type { FoundPackage } from "./discover.ts";
import { faultSentence, faultsOf } from "./faults.ts";
import type { Contribution } from "./plugin-host.ts";
import { activationEvent } from "./points.ts";

/** A plugin whose manifest is in order. Nothing of its code has been imported. */
export interface RegisteredPlugin {
  /** Package name. */
  readonly id: string;
  readonly manifest: PluginManifest;
  readonly found: FoundPackage;
  readonly contributions: readonly Contribution[];
  /** JSON Schema of the plugin's own settings. */
  readonly settingsSchema: JsonSchema | undefined;
  /** Derived from the contributions, and those the manifest adds. */
  readonly activationEvents: readonly string[];
}

/** A package name, or the folder's name when the package.json gives none. */
export function packageName(found: FoundPackage): string {
  const name = found.packageJson?.name;
  return typeof name === "string" && name !== "" ? name : basename(found.folder);
}

/** Makes the function that checks and registers a package. Rejects with an Error naming package and field. */
export function createManifestReader(
  coreVersion: string,
): (found: FoundPackage) => Promise<RegisteredPlugin> {
  // Our own schema needs no check against the meta schema, whose compilation costs more than everything else here.
  const ajv = new Ajv2020({ allErrors: true, strict: false, validateSchema: false });
  addFormats.default(ajv);
  const valid = ajv.compile<PluginManifest>(manifestSchema);
  const validPrices = ajv.compile<ProviderPrice[]>(Type.Array(ProviderPrice));
  return async (found) => {
    const id = packageName(found);
    const refuse = (reason: string) =>
      new Error(`Cannot read the manifest of plugin "${id}": ${reason}`);
    const manifest: unknown = found.packageJson;
    if (manifest === undefined) throw refuse(`its package.json: ${found.problem}`);
    if (!valid(manifest)) throw refuse(faultSentence(faultsOf(valid.errors)));
    const range = manifest.engines.vmx;
    if (semver.validRange(range) === null) {
      throw refuse(`engines.vmx "${range}" is not a range of versions`);
    }
    if (!semver.satisfies(coreVersion, range, { includePrerelease: true })) {
      throw refuse(`engines.vmx "${range}" does not include this gateway's version ${coreVersion}`);
    }
    const read = async (field: string, path: string) => {
      try {
        const schema = await readSchema(found.folder, path);
        // Ours are checked by tests; the check of others costs what all the rest here does.
        if (!id.startsWith("@vmx/")) checkSchema(schema);
        return schema;
      } catch (cause) {
        throw refuse(`${field} "${path}" ${(cause as Error).message}`);
      }
    };
    const readPrices = async (field: string, path: string): Promise<ProviderPrice[]> => {
      const prices = await readJson(found.folder, path).catch((cause: Error) => {
        throw refuse(`${field} "${path}" ${cause.message}`);
      });
      if (validPrices(prices)) return prices;
      throw refuse(`${field} "${path}": ${faultSentence(faultsOf(validPrices.errors))}`);
    };
    const readLogo = (field: string, path: string) =>
      readPicture(found.folder, path).catch((cause: Error) => {
        throw refuse(`${field} "${path}" ${cause.message}`);
      });
    const contributions = await contributionsOf(id, manifest, read, readPrices, readLogo);
    for (const { point, entry, configuration } of contributions) {
      const fault = bootstrapFault(entry, configuration);
      if (fault !== undefined) throw refuse(`contributes.${point}: ${fault}`);
    }
    const settings = manifest.contributes.settings;
    const settingsSchema = settings && await read("contributes.settings.schema", settings.schema);
    const events = contributions.map(({ point, id }) => activationEvent(point, id));
    const activationEvents = [...new Set([...events, ...manifest.activationEvents ?? []])];
    return { id, manifest, found, contributions, settingsSchema, activationEvents };
  };
}

/** Environment variables the manifest names, for any purpose. */
export function manifestVariables(manifest: PluginManifest): string[] {
  const { settings, ...lists } = manifest.contributes;
  const names = Object.keys(settings?.environment ?? {});
  const entries: { id: string; selectedBy?: string[]; bootstrap?: ProviderBootstrap }[] = Object
    .values(lists)
    .flat();
  for (const { selectedBy = [], bootstrap } of entries) {
    names.push(...selectedBy, ...(bootstrap?.environment ?? []).map(({ variable }) => variable));
  }
  return names;
}

async function contributionsOf(
  pluginId: string,
  manifest: PluginManifest,
  read: (field: string, path: string) => Promise<JsonSchema>,
  readPrices: (field: string, path: string) => Promise<ProviderPrice[]>,
  readLogo: (field: string, path: string) => Promise<string>,
): Promise<Contribution[]> {
  const contributions: Contribution[] = [];
  for (const point of contributionPoints) {
    for (const [index, entry] of (manifest.contributes[point] ?? []).entries()) {
      const field = `contributes.${point}[${index}].configuration`;
      const { prices, logo } = entry as { prices?: string; logo?: string };
      contributions.push({
        point,
        id: entry.id,
        aliases: (entry as { aliases?: string[] }).aliases ?? [],
        label: entry.label,
        pluginId,
        pluginVersion: manifest.version,
        entry,
        configuration: entry.configuration && await read(field, entry.configuration) || undefined,
        ...(prices === undefined
          ? {}
          : { prices: await readPrices(`contributes.${point}[${index}].prices`, prices) }),
        ...(logo === undefined
          ? {}
          : { logoUrl: await readLogo(`contributes.${point}[${index}].logo`, logo) }),
      });
    }
  }
  return contributions;
}

/** Throws when a schema is not one: it would fail with the first connection otherwise. */
function checkSchema(schema: JsonSchema): void {
  try {
    compileConfiguration(schema);
  } catch (error) {
    throw new Error(`is not a valid JSON Schema: ${(error as Error).message.split(", ")[0]}`);
  }
}

/** What is wrong with the variables of a first run; undefined when each fills a member of the configuration. */
function bootstrapFault(
  entry: Readonly<Record<string, unknown>>,
  configuration: JsonSchema | undefined,
): string | undefined {
  const { environment = [] } = (entry["bootstrap"] ?? {}) as ProviderBootstrap;
  const members = Object.keys((configuration?.["properties"] ?? {}) as object);
  const wrong = environment.find(({ field }) => !members.includes(field));
  return wrong && `bootstrap fills "${wrong.field}" from ${wrong.variable}, ` +
      `but the configuration has ${members.join(", ") || "no members"}`;
}

async function readSchema(folder: string, path: string): Promise<JsonSchema> {
  const schema = await readJson(folder, path);
  if (typeof schema !== "object" || schema === null || !("type" in schema)) {
    throw new Error("is not a JSON Schema");
  }
  if (schema.type !== "object") throw new Error("does not describe an object");
  return schema as JsonSchema;
}

/** A picture as a data URL, so that who shows it needs no further request and none of its scripts run. */
async function readPicture(folder: string, path: string): Promise<string> {
  const file = await fileIn(folder, path);
  const type = pictureTypes[extname(file).toLowerCase()];
  if (!type) throw new Error("is neither SVG nor PNG");
  const bytes = await readFile(file);
  if (bytes.length > maxPictureBytes) throw new Error(`exceeds ${maxPictureBytes} bytes`);
  return `data:${type};base64,${bytes.toString("base64")}`;
}

const pictureTypes: Readonly<Record<string, string>> = {
  ".svg": "image/svg+xml",
  ".png": "image/png",
};
const maxPictureBytes = 65_536;

async function fileIn(folder: string, path: string): Promise<string> {
  const file = await realpath(join(folder, path)).catch(() => undefined);
  if (file === undefined) throw new Error("does not exist");
  if (!file.startsWith(folder + sep)) throw new Error("lies outside the package");
  return file;
}

async function readJson(folder: string, path: string): Promise<unknown> {
  const file = await fileIn(folder, path);
  try {
    return JSON.parse(await readFile(file, "utf8"));
  } catch {
    throw new Error("is not valid JSON");
  }
}
