import type { Server } from "node:http";
import { StartError } from "../start-error.ts";

/**
 * Makes a server listen; port 0 takes a free one. Answers its URL. Throws a StartError when it cannot.
 *
 * @param variable the variable the port can be changed with
 */
export function bind(
  server: Server,
  host: string,
  port: number,
  variable: string,
): Promise<string> {
  return new Promise((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => {
      reject(
        error.code === "EADDRINUSE"
          ? new StartError(
            `Cannot listen on ${host}:${port}: another program uses that port. Stop it, or set ${variable} to a free one.`,
          )
          : error.code === "EACCES" || error.code === "EADDRNOTAVAIL"
          ? new StartError(`Cannot listen on ${host}:${port}: ${error.message}`)
          : error,
      );
    });
    server.listen(port, host, () => {
      const address = server.address();
      const bound = typeof address === "object" && address !== null ? address.port : port;
      resolve(`http://${host.includes(":") ? `[${host}]` : host}:${bound}`);
    });
  });
}
