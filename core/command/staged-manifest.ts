/** A package.json. */
export type PackageJson = Readonly<Record<string, unknown>>;

/**
 * The package.json of a staged package: exports, commands and file list point at JavaScript, nothing of the
 * repository is left.
 *
 * @param files names at the top of the staged folder
 */
export function stagedManifest(source: PackageJson, files: readonly string[]): PackageJson {
  const { private: _private, devDependencies: _development, scripts: _scripts, ...kept } = source;
  return {
    ...kept,
    ...("exports" in kept ? { exports: exportsOf(kept.exports) } : {}),
    ...("bin" in kept ? { bin: rewrite(kept.bin, script) } : {}),
    files,
  };
}

/** `"./a.ts"` becomes `{ "types": "./a.d.ts", "default": "./a.js" }`. */
function exportsOf(value: unknown): unknown {
  return rewrite(value, (path) => {
    if (!path.endsWith(".ts")) return path;
    return { types: path.replace(/\.ts$/, ".d.ts"), default: script(path) };
  });
}

function script(path: string): string {
  return path.replace(/\.ts$/, ".js");
}

function rewrite(value: unknown, replace: (path: string) => unknown): unknown {
  if (typeof value === "string") return replace(value);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [name, rewrite(member, replace)]),
  );
}
