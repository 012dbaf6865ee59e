import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { ConfigurationError, messageOf } from '../errors.js';
import type { Inputs } from '../inputs.js';
import type { World } from '../world.js';

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/**
 * Trusts the authorities of the input `ca-file` from here on.
 * @throws ConfigurationError
 */
export async function trustCaFile({ caFile }: Inputs, world: World): Promise<void> {
  if (caFile === undefined) return;
  const refuse = (why: string): never => {
    throw new ConfigurationError([{ message: `input "ca-file" is "${caFile}": ${why}` }]);
  };
  const text = await readFile(path.resolve(world.job.workspace, caFile), 'utf8').catch((thrown: unknown) =>
    refuse(`it cannot be read: ${messageOf(thrown)}`),
  );
  const certificates = text.match(CERTIFICATE) ?? [];
  if (certificates.length === 0) refuse('it holds no certificate in PEM form');
  for (const pem of certificates) {
    const problem = problemOf(pem, world.clock.now());
    if (problem !== undefined) refuse(problem);
  }
  if (!world.authorities.trust(certificates.join('\n')))
    refuse('it needs Node 24.5 or newer; update the runner');
}

function problemOf(pem: string, now: Date): string | undefined {
  try {
    const { subject, validToDate } = new X509Certificate(pem);
    return validToDate < now
      ? `the certificate "${subject.replaceAll('\n', ', ')}" ended on ${validToDate.toISOString()}`
      : undefined;
  } catch (thrown) {
    return `a certificate cannot be read: ${messageOf(thrown)}`;
  }
}
