import type { Input } from "./command.ts";
import { type GivenBody, refuseVisibleSecrets } from "./object-body.ts";

/**
 * Refuses secret fields of a provider's configuration that stood on the command line.
 *
 * @param provider id or alias of the provider the configuration is for
 */
export async function checkSecrets(
  input: Input,
  given: GivenBody,
  provider: unknown,
): Promise<void> {
  if (!given.visible.some((path) => path.startsWith("config."))) return;
  const { data } = await (await input.vmx()).aiProviders.list();
  const descriptor = data.find(({ id, aliases }) =>
    id === provider || aliases.some((alias) => alias === provider)
  );
  if (descriptor) refuseVisibleSecrets(descriptor.configSchema, given);
}
