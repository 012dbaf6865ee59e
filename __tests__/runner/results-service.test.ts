import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import {
  type ResultsService,
  type ResultsServiceSwitches,
  startResultsService,
} from '../../simulator/runner/results-service.js';

const client = pathToFileURL(
  join(import.meta.dirname, '../../node_modules/@actions/artifact/lib/artifact.js'),
).href;
const services: ResultsService[] = [];

afterEach(async () => {
  await Promise.all(services.splice(0).map((service) => service.close()));
});

async function start(switches: ResultsServiceSwitches = {}): Promise<ResultsService> {
  const service = await startResultsService(switches);
  services.push(service);
  return service;
}

/** Runs statements over the real client in a child process; `result` is what they assign. */
async function withClient(service: ResultsService, statements: string): Promise<Record<string, unknown>> {
  const folder = mkdtempSync(join(tmpdir(), 'artifact-client-'));
  writeFileSync(join(folder, 'a.txt'), 'first\n'.repeat(1_000));
  writeFileSync(join(folder, 'b.json'), '{"ok":true}');
  const script = `
    import { DefaultArtifactClient } from ${JSON.stringify(client)};
    const artifact = new DefaultArtifactClient();
    const folder = ${JSON.stringify(folder)};
    const files = [folder + '/a.txt', folder + '/b.json'];
    let result = {};
    try { ${statements} } catch (error) { result = { name: error.name, message: error.message }; }
    console.log('RESULT ' + JSON.stringify(result));`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    env: {
      PATH: process.env.PATH,
      ACTIONS_RESULTS_URL: service.url,
      ACTIONS_RUNTIME_TOKEN: service.token,
      GITHUB_SERVER_URL: 'https://github.com',
      GITHUB_WORKSPACE: folder,
      GITHUB_RETENTION_DAYS: '90',
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  await new Promise((resolve) => child.once('close', resolve));
  rmSync(folder, { recursive: true, force: true });
  return JSON.parse(/RESULT (.*)/.exec(output)?.[1] ?? 'null') as Record<string, unknown>;
}

const upload = `result = await artifact.uploadArtifact('evidence', files, folder, { retentionDays: 30 });`;

describe('results service', () => {
  it('takes an upload of the real client and gives its files back', async () => {
    const service = await start();
    const result = await withClient(service, upload);
    const [stored] = service.artifacts;
    expect(result).toMatchObject({ id: 1_000, size: stored?.zip.length });
    expect(stored?.hash).toBe(`sha256:${String(result.digest)}`);
    expect(stored?.expiresAt).toMatch(/^20/);
    const entries = stored?.entries() ?? new Map<string, Buffer>();
    expect([...entries.keys()].toSorted()).toEqual(['a.txt', 'b.json']);
    expect(entries.get('a.txt')?.toString()).toBe('first\n'.repeat(1_000));
    expect(entries.get('b.json')?.toString()).toBe('{"ok":true}');
  });

  it('lists, downloads and deletes', async () => {
    const service = await start();
    const result = await withClient(
      service,
      `const { id } = await artifact.uploadArtifact('evidence', files, folder);
       const { artifacts } = await artifact.listArtifacts();
       const { digestMismatch } = await artifact.downloadArtifact(id, { path: folder + '/back' });
       const { readFileSync } = await import('node:fs');
       const back = readFileSync(folder + '/back/b.json', 'utf8');
       const deleted = await artifact.deleteArtifact('evidence');
       result = { names: artifacts.map(({ name }) => name), digestMismatch, back, deleted };`,
    );
    expect(result).toMatchObject({
      names: ['evidence'],
      digestMismatch: false,
      back: '{"ok":true}',
      deleted: { id: 1_000 },
    });
    expect(service.artifacts).toEqual([]);
  });

  it('refuses a name that is taken', async () => {
    const service = await start();
    await withClient(service, upload);
    expect((await withClient(service, upload)).message).toContain('(409) Conflict');
    service.switches.conflict = true;
    const other = upload.replace('evidence', 'other');
    expect((await withClient(service, other)).message).toContain('(409) Conflict');
  });

  it('refuses for want of quota and of an upload right', async () => {
    const quota = await withClient(await start({ forbidden: true }), upload);
    expect(`${String(quota.name)} ${String(quota.message)}`).toMatch(/quota/i);
    const blob = await withClient(await start({ blobForbidden: true }), upload);
    expect(blob.message).toBeDefined();
  });

  it('fails for a while and then works', { timeout: 30_000 }, async () => {
    const service = await start({ serverErrors: 1 });
    expect(await withClient(service, upload)).toMatchObject({ id: 1_000 });
    expect(service.requests.map(({ status }) => status).slice(0, 2)).toEqual([500, 200]);
  });
});
