import { registerHooks } from "node:module";

/**
 * Lets plugins find the gateway's packages from any folder: what a plugin expects of its installation is taken from the
 * one that runs, unless the plugin brings a copy along.
 */
export function lendOwnPackages(): void {
  registerHooks({
    resolve(specifier, context, next) {
      try {
        return next(specifier, context);
      } catch (error) {
        if (!/^@vmx\/(core|schemas)(\/|$)/.test(specifier)) throw error;
        return next(specifier, { ...context, parentURL: import.meta.url });
      }
    },
  });
}
