/** A reason why the gateway cannot start, as one plain sentence for the person who started it. */
export class StartError extends Error {
  constructor(message: string, options: { readonly cause?: unknown } = {}) {
    super(message, options);
    this.name = "StartError";
  }
}
