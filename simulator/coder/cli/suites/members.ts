import { isAtLeast } from '../../versions.js';
import { asJson, text } from '../answers.js';
import type { ApiClient } from '../api-client.js';
import { randomText } from '../random-text.js';

const PASSWORD_LENGTH = 16;

/** A scale-test user that a suite made. */
export interface Member {
  id: string;
  username: string;
  client: ApiClient;
}

export interface NewMember {
  owner: ApiClient;
  organizationId: string;
  version: string;
  index: number;
  /** Since v2.33 the users of workspace-updates send the header, which limits that are on refuse. */
  bypassLimits: boolean;
  logs: string[];
}

/** Creates a user and signs it in, with the log of the real CLI. */
export async function createMember(made: NewMember, signal: AbortSignal): Promise<Member> {
  const { owner, organizationId, version, index, logs } = made;
  const sink = { write: (line: string): void => void logs.push(line) };
  const logged = owner.with({ sink });
  const name = `${randomText(8)}-${index}`;
  const [email, username, password] = [
    `${name}@scaletest.local`,
    `scaletest-${name}`,
    randomText(PASSWORD_LENGTH),
  ];
  sink.write('Generating user password...\nCreating user:\n');
  const body = {
    email,
    username,
    name: '',
    password,
    login_type: '',
    user_status: null,
    organization_ids: [organizationId],
  };
  const user = asJson(await logged.call('POST', '/api/v2/users', body, signal));
  sink.write('\nLogging in as new user...\n');
  const login = isAtLeast(version, 'v2.32.0')
    ? logged
    : owner.with({ token: '', bypassLimits: false, sink: null });
  const session = asJson(await login.call('POST', '/api/v2/users/login', { email, password }, signal));
  sink.write(
    `\tOrg ID:   ${organizationId}\n\tUsername: ${username}\n\tEmail:    ${email}\n\tPassword: ****************\n`,
  );
  const client = owner.with({
    token: text(session, 'session_token'),
    bypassLimits: made.bypassLimits,
    sink,
  });
  return { id: text(user, 'id'), username, client };
}
