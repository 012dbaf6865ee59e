import { randomBytes } from 'node:crypto';
import type { CoderApi } from '../coder/api.js';
import type { User } from '../coder/api-schemas.js';

/** A user by the names of Coder's own scale tests, so that clean-up knows it. Nobody ever signs in as it. */
export function createScaletestUser(
  owner: CoderApi,
  name: string,
  organizationId: string,
  signal: AbortSignal,
): Promise<User> {
  return owner.createUser(
    {
      username: `scaletest-${name}`,
      email: `${name}@scaletest.local`,
      // Never used to sign in; Coder wants 52 bits of entropy.
      password: randomBytes(24).toString('base64url'),
      organizationId,
    },
    signal,
  );
}
