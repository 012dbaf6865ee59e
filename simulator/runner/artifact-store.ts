import { type IncomingMessage } from 'node:http';
import { zipEntries } from './zip-entries.js';

/** How the service misbehaves; read at each call, so a test may change it in between. */
export interface ResultsServiceSwitches {
  /** 409 for CreateArtifact, whatever the name: another job of the run has taken it. */
  conflict?: boolean;
  /** 403 with GitHub's words for a used-up storage quota. */
  forbidden?: boolean;
  /** So many service calls answer 500 first; `Infinity` for ever. The client retries for about 40 s. */
  serverErrors?: number;
  /** Uploads of blocks answer 403, as an expired upload address does. */
  blobForbidden?: boolean;
}

export interface StoredArtifact {
  id: number;
  name: string;
  zip: Buffer;
  /** As the client announced it in FinalizeArtifact. */
  size: number;
  hash: string;
  expiresAt?: string;
  /** The files inside by their paths. */
  entries(): Map<string, Buffer>;
}

export interface ServiceRequest {
  method: string;
  path: string;
  /** The parsed body of a service call; absent for blobs. */
  body?: Record<string, unknown>;
  status: number;
}

const servicePath = '/twirp/github.actions.results.api.v1.ArtifactService/';
/** The ids that the runtime token names, too. */
export const runBackendId = 'ce7f54c7-61c7-4aae-887f-30da475f5f1a';
export const jobBackendId = 'ca395085-040a-526b-2ce8-bdc85f692774';

interface Upload {
  name: string;
  expiresAt?: string;
  blocks: Map<string, Buffer>;
  content: Buffer;
}

export interface Answer {
  status: number;
  body?: object;
  binary?: Buffer;
}

export class ArtifactStore {
  url = '';
  readonly artifacts: StoredArtifact[] = [];
  readonly requests: ServiceRequest[] = [];
  readonly #uploads = new Map<string, Upload>();
  #errorsGiven = 0;

  constructor(private readonly switches: ResultsServiceSwitches) {}

  answer(request: IncomingMessage, content: Buffer): Answer {
    const url = new URL(request.url ?? '/', this.url);
    const method = request.method ?? '';
    if (!url.pathname.startsWith(servicePath)) {
      const answer = this.#blob(method, url, content);
      this.requests.push({ method, path: `${url.pathname}${url.search}`, status: answer.status });
      return answer;
    }
    const body = JSON.parse(content.toString('utf8')) as Record<string, unknown>;
    const answer = this.#authorised(request) ?? this.#call(url.pathname.slice(servicePath.length), body);
    this.requests.push({ method, path: url.pathname, body, status: answer.status });
    return answer;
  }

  #authorised(request: IncomingMessage): Answer | undefined {
    return request.headers.authorization?.startsWith('Bearer ') === true
      ? undefined
      : failure(401, 'unauthenticated', 'missing bearer token');
  }

  #call(method: string, body: Record<string, unknown>): Answer {
    if (this.#errorsGiven < (this.switches.serverErrors ?? 0)) {
      this.#errorsGiven += 1;
      return failure(500, 'internal', 'the service is having a bad day');
    }
    switch (method) {
      case 'CreateArtifact':
        return this.#create(body);
      case 'FinalizeArtifact':
        return this.#finalize(body);
      case 'ListArtifacts':
        return { status: 200, body: { artifacts: this.#selected(body).map(listed) } };
      case 'GetSignedArtifactURL':
        return {
          status: 200,
          body: { signed_url: `${this.url}blobs/${encodeURIComponent(text(body.name))}.zip?sig=fake` },
        };
      case 'DeleteArtifact':
        return this.#delete(text(body.name));
      default:
        return failure(404, 'bad_route', `no handler for ${method}`);
    }
  }

  #create(body: Record<string, unknown>): Answer {
    const name = text(body.name);
    if (this.switches.forbidden) {
      return failure(403, 'permission_denied', 'insufficient usage: artifact storage quota has been hit');
    }
    if (this.switches.conflict || this.artifacts.some((artifact) => artifact.name === name)) {
      return failure(409, 'already_exists', 'an artifact with this name already exists on the workflow run');
    }
    const expiresAt = body.expires_at;
    this.#uploads.set(name, {
      name,
      ...(typeof expiresAt === 'string' && { expiresAt }),
      blocks: new Map(),
      content: Buffer.alloc(0),
    });
    return {
      status: 200,
      body: { ok: true, signed_upload_url: `${this.url}blobs/${encodeURIComponent(name)}.zip?sig=fake` },
    };
  }

  #finalize(body: Record<string, unknown>): Answer {
    const upload = this.#uploads.get(text(body.name));
    if (!upload) return failure(404, 'not_found', 'artifact was not created');
    this.#uploads.delete(upload.name);
    const { name, content, expiresAt } = upload;
    const size = Number(body.size);
    if (size !== content.length)
      return failure(400, 'invalid_argument', 'size differs from the uploaded blob');
    const id = 1_000 + this.artifacts.length;
    const hash = text(body.hash);
    this.artifacts.push({
      id,
      name,
      zip: content,
      size,
      hash,
      ...(expiresAt !== undefined && { expiresAt }),
      entries: () => zipEntries(content),
    });
    return { status: 200, body: { ok: true, artifact_id: String(id) } };
  }

  #selected(body: Record<string, unknown>): StoredArtifact[] {
    return this.artifacts.filter(
      ({ id, name }) =>
        (body.id_filter === undefined || text(body.id_filter) === String(id)) &&
        (body.name_filter === undefined || text(body.name_filter) === name),
    );
  }

  #delete(name: string): Answer {
    const index = this.artifacts.findIndex((artifact) => artifact.name === name);
    const [deleted] = index < 0 ? [] : this.artifacts.splice(index, 1);
    return deleted
      ? { status: 200, body: { ok: true, artifact_id: String(deleted.id) } }
      : failure(404, 'not_found', 'artifact not found');
  }

  /** Blocks arrive in any order; the block list says how they belong together. */
  #blob(method: string, url: URL, content: Buffer): Answer {
    const name = decodeURIComponent(url.pathname.replace(/^\/blobs\//, '').replace(/\.zip$/, ''));
    if (method === 'GET') {
      const artifact = this.artifacts.find((other) => other.name === name);
      return artifact ? { status: 200, binary: artifact.zip } : { status: 404 };
    }
    const upload = this.#uploads.get(name);
    if (method !== 'PUT' || !upload) return { status: 404 };
    if (this.switches.blobForbidden) return { status: 403 };
    const part = url.searchParams.get('comp');
    if (part === 'block') {
      upload.blocks.set(url.searchParams.get('blockid') ?? '', content);
    } else if (part === 'blocklist') {
      const ids = [...content.toString('utf8').matchAll(/<(?:Latest|Uncommitted)>(.*?)<\//g)];
      upload.content = Buffer.concat(ids.map(([, id = '']) => upload.blocks.get(id) ?? Buffer.alloc(0)));
      upload.blocks.clear();
    } else {
      upload.content = content;
    }
    return { status: 201 };
  }
}

const listed = ({ id, name, size, hash }: StoredArtifact): object => ({
  workflow_run_backend_id: runBackendId,
  workflow_job_run_backend_id: jobBackendId,
  database_id: String(id),
  name,
  size: String(size),
  created_at: new Date(0).toISOString(),
  digest: hash,
});

const text = (value: unknown): string => (typeof value === 'string' ? value : '');

const failure = (status: number, code: string, msg: string): Answer => ({ status, body: { code, msg } });
