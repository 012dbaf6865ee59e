import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { numberedProbe } from '../../bench/open-and-closed.js';
import { LoadGenerator } from '../../src/load/generator.js';
import type { LoadResult } from '../../src/load/load-types.js';

const directory = mkdtempSync(path.join(tmpdir(), 'scaletest-tls-'));

/** A certificate for 127.0.0.1 that nobody trusts; false where openssl is missing. */
function certify(): boolean {
  try {
    const args = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', '/CN=test'];
    execFileSync(
      'openssl',
      [...args, '-addext', 'subjectAltName=IP:127.0.0.1', '-keyout', 'key.pem', '-out', 'cert.pem'],
      { cwd: directory, stdio: 'ignore' },
    );
    return true;
  } catch {
    console.warn('load over TLS: skipped, openssl is not there to make a certificate');
    return false;
  }
}

const isCertified = certify();
const read = (name: string): string => readFileSync(path.join(directory, name), 'utf8');

describe.skipIf(!isCertified)('load over TLS', () => {
  let url = '';
  let close: () => void = () => undefined;
  beforeAll(async () => {
    const server = createServer({ key: read('key.pem'), cert: read('cert.pem') }, (_request, response) => {
      response.setHeader('Content-Type', 'application/json');
      response.end('{}');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
    close = () => {
      server.closeAllConnections();
      server.close();
    };
  });
  afterAll(() => {
    close();
    rmSync(directory, { recursive: true, force: true });
  });

  const run = (ca?: string): Promise<LoadResult> =>
    new LoadGenerator({
      baseUrl: url,
      schedule: numberedProbe({ rate: 40, durationMs: 300, users: 2, seed: 1 }),
      users: [
        { token: 'a', values: {} },
        { token: 'b', values: {} },
      ],
      phase: 'only',
      ...(ca !== undefined && { ca }),
    }).run();

  it('trusts an authority that it is given', async () => {
    const result = await run(read('cert.pem'));
    expect(result.calls.failed).toBe(0);
    expect(result.calls.ok).toBeGreaterThan(3);
    const [first] = result.series.filter(({ warmUp }) => warmUp);
    // The handshake belongs to the wait for a connection.
    expect(first?.connectionWait.kind === 'samples' && first.connectionWait.values.at(-1)).toBeGreaterThan(
      0.5,
    );
  });

  it('trusts nobody else: such calls failed', async () => {
    const result = await run();
    expect(result.calls.ok).toBe(0);
    expect(result.calls.failed).toBeGreaterThan(3);
    expect(Object.keys(result.series[0]?.failures ?? {})).toEqual(['DEPTH_ZERO_SELF_SIGNED_CERT']);
  });
});
