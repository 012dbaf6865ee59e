import { createHash, randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type AddressInfo } from 'node:net';
import {
  type Answer,
  ArtifactStore,
  jobBackendId,
  type ResultsServiceSwitches,
  runBackendId,
  type ServiceRequest,
  type StoredArtifact,
} from './artifact-store.js';

export type { ResultsServiceSwitches, ServiceRequest, StoredArtifact } from './artifact-store.js';

export interface ResultsService {
  url: string;
  /** For ACTIONS_RUNTIME_TOKEN: a token that the client only decodes. */
  token: string;
  switches: ResultsServiceSwitches;
  /** Finished uploads, oldest first. */
  artifacts: StoredArtifact[];
  requests: ServiceRequest[];
  close(): Promise<void>;
}

/** A stand-in for GitHub's artifact service and its blob storage on 127.0.0.1. */
export async function startResultsService(switches: ResultsServiceSwitches = {}): Promise<ResultsService> {
  const store = new ArtifactStore(switches);
  const server = createServer((request, response) => {
    readAll(request)
      .then((content) => {
        send(response, store.answer(request, content));
      })
      .catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  store.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  return {
    url: store.url,
    token: runtimeToken(),
    switches,
    artifacts: store.artifacts,
    requests: store.requests,
    close: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve();
        });
        server.closeAllConnections();
      }),
  };
}

function runtimeToken(): string {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const scope = `Actions.GenericRead:0 Actions.Results:${runBackendId}:${jobBackendId}`;
  return `${part({ alg: 'none', typ: 'JWT' })}.${part({ scp: scope })}.${randomUUID()}`;
}

async function readAll(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

function send(response: ServerResponse, { status, body, binary }: Answer): void {
  const content = binary ?? Buffer.from(body === undefined ? '' : JSON.stringify(body));
  response.writeHead(status, {
    'content-type': binary ? 'application/zip' : 'application/json',
    'content-length': content.length,
    etag: `"${createHash('sha256').update(content).digest('hex').slice(0, 16)}"`,
    'x-ms-request-id': randomUUID(),
    'x-ms-version': '2026-04-06',
  });
  response.end(content);
}
