import { QueryCommand, TimestreamQueryClient } from "@aws-sdk/client-timestream-query";
import {
  type _Record,
  ConflictException,
  CreateTableCommand,
  RejectedRecordsException,
  TimestreamWriteClient,
  WriteRecordsCommand,
} from "@aws-sdk/client-timestream-write";
import type { Log } from "@vmx/core/contract";
import type { Place } from "./statement.ts";

/** The two services of Timestream. */
export interface Service {
  /** Writes records; rejects when the service is away. */
  write(records: readonly _Record[]): Promise<void>;
  /** Runs a statement and answers its rows, page by page until the last. */
  run(statement: string): Promise<(string | null)[][]>;
  close(): void;
}

/** Records of one call, at most. */
const mostRecords = 100;

/** Creates the clients; the identity is that of the host, by the SDK's own chain. */
export function createService(
  { database, table, region, endpoint }: Place & {
    readonly region?: string | undefined;
    readonly endpoint?: string | undefined;
  },
  log: Log,
): Service {
  const options = {
    ...(region === undefined ? {} : { region }),
    // With an address somebody chose the SDK discovers no other.
    ...(endpoint === undefined ? {} : { endpoint }),
    // The queue before the sink tries again by itself.
    maxAttempts: 1,
  };
  const writing = new TimestreamWriteClient(options);
  const querying = new TimestreamQueryClient({ ...options, maxAttempts: 3 });
  let prepared = false;

  async function prepare(): Promise<void> {
    if (prepared) return;
    try {
      await writing.send(new CreateTableCommand({ DatabaseName: database, TableName: table }));
    } catch (error) {
      const { name } = error as Error;
      // There already, or made by somebody with more rights.
      if (!(error instanceof ConflictException) && name !== "AccessDeniedException") throw error;
    }
    prepared = true;
  }

  return {
    async write(records) {
      await prepare();
      for (let from = 0; from < records.length; from += mostRecords) {
        const Records = records.slice(from, from + mostRecords);
        try {
          await writing.send(
            new WriteRecordsCommand({ DatabaseName: database, TableName: table, Records }),
          );
        } catch (error) {
          if (!(error instanceof RejectedRecordsException)) throw error;
          // The others of the call are written; these would be rejected for ever.
          log.warn("Timestream rejects points of usage", {
            rejected: error.RejectedRecords?.length,
            reason: error.RejectedRecords?.[0]?.Reason,
          });
        }
      }
    },
    async run(statement) {
      const rows: (string | null)[][] = [];
      let NextToken: string | undefined;
      do {
        const page = await querying.send(
          new QueryCommand({ QueryString: statement, ...(NextToken ? { NextToken } : {}) }),
        );
        for (const { Data } of page.Rows ?? []) {
          rows.push((Data ?? []).map(({ ScalarValue }) => ScalarValue ?? null));
        }
        NextToken = page.NextToken;
      } while (NextToken);
      return rows;
    },
    close() {
      writing.destroy();
      querying.destroy();
    },
  };
}
