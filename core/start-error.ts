/**
 * Why the gateway cannot start, as a sentence for the operator. The entry prints the message alone and exits with 1.
 */
export class StartError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "StartError";
  }
}
