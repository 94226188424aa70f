/** The answer of an operation that writes a file of any length, piece by piece. */
export class FileStream {
  readonly contentType: string;
  readonly fileName: string;
  /** Starts the pieces; the signal ends them. */
  readonly pieces: (signal: AbortSignal) => AsyncIterable<string>;
  constructor(contentType: string, fileName: string, pieces: FileStream["pieces"]) {
    this.contentType = contentType;
    this.fileName = fileName;
    this.pieces = pieces;
  }
}

/** Whether a reader takes gzip. */
export function takesGzip(acceptEncoding: string | undefined): boolean {
  return (acceptEncoding ?? "").split(",").some((part) => {
    const [name, ...options] = part.trim().toLowerCase().split(/\s*;\s*/);
    return (name === "gzip" || name === "*") && !options.some((one) => /^q=0(\.0*)?$/.test(one));
  });
}
