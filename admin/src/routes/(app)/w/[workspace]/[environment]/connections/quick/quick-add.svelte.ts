import type { ProviderDescriptor } from "@vmx/sdk";
import { messageOf } from "#lib/api/query.svelte.ts";
import type { Scope } from "#lib/api/scope.ts";
import {
  isSchema,
  kindOf,
  labelOf,
  type Member,
  membersOf,
  resolveReference,
} from "#lib/schema-form/schema.ts";

/** A provider that can be connected with a few texts. */
export class QuickRow {
  readonly provider: ProviderDescriptor;
  readonly fields: readonly {
    readonly name: string;
    readonly label: string;
    readonly secret: boolean;
  }[];
  values: Record<string, string> = $state({});
  state: "idle" | "busy" | "done" | "failed" = $state("idle");
  message = $state("");

  constructor(provider: ProviderDescriptor, members: readonly Member[]) {
    this.provider = provider;
    this.fields = members.map(({ name, schema }) => ({
      name,
      label: labelOf(schema, name),
      secret: kindOf(schema, schema, 1) === "secret",
    }));
  }

  /** Whether somebody has begun to fill it in. */
  get filled(): boolean {
    return Object.values(this.values).some((value) => value.trim() !== "");
  }

  /** Makes the connection and its `<connection>-default` resource; what fails is told in the row. */
  async add(scope: Scope, prefix: string, keys: readonly string[]): Promise<void> {
    this.state = "busy";
    const name = `${prefix}${this.provider.id}`;
    try {
      const config = Object.fromEntries(
        Object.entries(this.values).map(([member, value]) => [member, value.trim()])
          .filter(([, value]) => value !== ""),
      );
      const connection = await scope.api.aiConnections.create({
        name,
        provider: this.provider.id,
        config,
      });
      const model = this.provider.defaultModel;
      if (model) {
        await scope.api.aiResources.create({
          name: `${name}-default`,
          model: { connectionId: connection.connectionId, model },
          ...(keys.length > 0 ? { assignApiKeys: [...keys] } : {}),
        });
      }
      const test = await scope.api.aiConnections.test(connection.connectionId);
      this.state = test.ok ? "done" : "failed";
      this.message = test.ok
        ? `${name}${model ? ` and ${name}-default` : ""} are ready`
        : `${name} is saved, but its test failed: ${test.message ?? test.upstreamStatus ?? ""}`;
      this.values = {};
    } catch (error) {
      this.state = "failed";
      this.message = messageOf(error);
    }
  }
}

/** Rows for the providers whose needed members are texts, with what is needed and their first secrets. */
export function quickRows(providers: readonly ProviderDescriptor[]): QuickRow[] {
  return providers.flatMap((provider) => {
    const root = isSchema(provider.configSchema) ? provider.configSchema : {};
    const members = membersOf(resolveReference(root, root), root, {});
    const kind = (member: Member) => kindOf(member.schema, root, 1);
    const needed = members.filter(({ required }) => required);
    if (needed.some((member) => !["secret", "text"].includes(kind(member)))) return [];
    const secrets = members.filter((member) => !member.required && kind(member) === "secret");
    const shown = [...needed, ...secrets].slice(0, 4);
    return shown.some((member) => kind(member) === "secret") ? [new QuickRow(provider, shown)] : [];
  });
}
