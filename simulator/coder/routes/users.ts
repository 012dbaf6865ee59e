import {
  type Answer,
  ApiError,
  created,
  failedTag,
  forbidden,
  ok,
  type Validation,
  validationFailed,
} from '../answers.js';
import { type Call, findUser, jsonBody, page, paging, param, requireFields, textField } from '../calls.js';
import { now } from '../clock.js';
import { passwordProblem } from '../passwords.js';
import type { Router } from '../router.js';
import { parseTerms } from '../search-terms.js';
import type { User } from '../state.js';
import { userJson } from '../wire/users.js';

const SESSION_SECONDS = 24 * 3600;
const NAME = /^[a-zA-Z0-9]+(?:-[a-zA-Z0-9]+)*$/;
const NAME_LENGTH = 32;
const USER_KEYS = [
  'status',
  'role',
  'login_type',
  'last_seen_before',
  'last_seen_after',
  'created_before',
  'created_after',
  'github_com_user_id',
];

export function isName(text: string): boolean {
  return NAME.test(text) && text.length <= NAME_LENGTH && !['new', 'create'].includes(text);
}

function matchesTerm(user: User, key: string, value: string): boolean {
  const text = value.toLowerCase();
  if (key === '')
    return user.email.toLowerCase().includes(text) || user.username.toLowerCase().includes(text);
  if (key === 'name') return user.name.toLowerCase().includes(text);
  if (key === 'status') return text.split(',').includes(user.status);
  if (key === 'role') return text.split(',').some((role) => role === 'owner' && user.roles.includes('owner'));
  if (key === 'login_type') return text.split(',').includes(user.loginType);
  const time = Date.parse(value);
  if (key === 'created_before') return user.createdAt < time;
  if (key === 'created_after') return user.createdAt > time;
  if (key === 'last_seen_before') return (user.lastSeenAt ?? 0) < time;
  if (key === 'last_seen_after') return (user.lastSeenAt ?? 0) > time;
  return false;
}

function listUsers(call: Call): Answer {
  const { deployment, caller } = call;
  const places = paging(call);
  const keys = deployment.traits.newestKeys ? [...USER_KEYS, 'name', 'service_account'] : USER_KEYS;
  const terms = parseTerms(call.query.get('q') ?? '', { kind: 'user', keys, bareWords: 'one' });
  const found = deployment.state
    .liveUsers()
    .filter((user) => deployment.isOwner(caller.user) || user.id === caller.user.id)
    .filter((user) => terms.every(({ key, value }) => matchesTerm(user, key, value)))
    .sort((left, right) => (left.username.toLowerCase() < right.username.toLowerCase() ? -1 : 1));
  const users = page(found, places);
  // The count is a window function over the page's rows: no rows, no count.
  return ok({
    users: users.map((user) => userJson(deployment, user)),
    count: users.length === 0 ? 0 : found.length,
  });
}

function checkNewUser(body: Record<string, unknown>): void {
  const email = textField(body, 'email');
  const username = textField(body, 'username');
  const problems: Validation[] = [];
  if (email === '') problems.push(failedTag('email', 'required', ''));
  else if (!/^[^\s@]+@[^\s@]+$/.test(email)) problems.push(failedTag('email', 'email', email));
  if (username === '') problems.push(failedTag('username', 'required', ''));
  else if (!isName(username)) problems.push(failedTag('username', 'username', username));
  if (problems.length > 0) throw validationFailed(problems);
}

function checkPassword(password: string): void {
  const problem = passwordProblem(password);
  if (problem === null) return;
  throw new ApiError(400, 'Password is invalid', '', [{ field: 'password', detail: problem }]);
}

function createUser(call: Call): Answer {
  const { deployment, caller } = call;
  const { options, state, organization } = deployment;
  const body = jsonBody(call);
  checkNewUser(body);
  if (!deployment.isOwner(caller.user)) throw new ApiError(403, 'You are not authorized to create users.');
  const loginType = textField(body, 'login_type');
  const password = textField(body, 'password');
  if (loginType === 'none' && deployment.traits.newestKeys) {
    throw new ApiError(400, "Login type 'none' requires a service account.");
  }
  if (loginType === 'none' && password !== '') {
    throw new ApiError(400, `Password cannot be set for non-password ("${loginType}") authentication.`);
  }
  if (loginType !== 'none' && options.passwordAuthDisabled) {
    throw new ApiError(
      403,
      'Password based authentication is disabled! Unable to provision new users with password authentication.',
    );
  }
  const email = textField(body, 'email');
  const username = textField(body, 'username');
  const taken = state
    .liveUsers()
    .some((user) => user.email.toLowerCase() === email.toLowerCase() || sameName(user.username, username));
  if (taken) throw new ApiError(409, 'User already exists.');
  const organizations = Array.isArray(body.organization_ids) ? body.organization_ids : [];
  if (organizations.length === 0) {
    throw new ApiError(
      400,
      'No organization specified to place the user as a member of. It is required to specify at least one organization id to place the user in.',
    );
  }
  if (organizations.some((id) => id !== organization.id)) {
    throw new ApiError(
      404,
      `Organization does not exist with the provided id "${String(organizations[0])}".`,
    );
  }
  if (loginType !== 'none') checkPassword(password);
  const user = deployment.addUser({
    username,
    email,
    password,
    name: textField(body, 'name').trim(),
    loginType: loginType === 'none' ? 'none' : 'password',
    status: textField(body, 'user_status') === 'active' ? 'active' : 'dormant',
  });
  deployment.notifyOwners(user, 'created', caller.user);
  return created(userJson(deployment, user));
}

function sameName(left: string, right: string): boolean {
  return left.toLowerCase() === right.toLowerCase();
}

function deleteUser(call: Call): Answer {
  const { deployment, caller } = call;
  const user = findUser(call, param(call, 'user'));
  if (user.id === caller.user.id) throw new ApiError(403, 'You cannot delete yourself!');
  if (!deployment.isOwner(caller.user)) throw forbidden();
  if (deployment.state.liveWorkspaces().some((workspace) => workspace.ownerId === user.id)) {
    throw new ApiError(
      417,
      'You cannot delete a user that has workspaces. Delete their workspaces and try again!',
    );
  }
  const wasThere = !user.deleted;
  user.deleted = true;
  for (const token of [...deployment.state.tokens.values()]) {
    if (token.userId === user.id) deployment.state.tokens.delete(token.id);
  }
  if (wasThere) deployment.notifyOwners(user, 'deleted', caller.user);
  return ok({ message: 'User has been deleted!' });
}

function login(call: Call): Answer {
  const { deployment } = call;
  const body = jsonBody(call);
  requireFields(body, ['email', 'password']);
  const email = textField(body, 'email').toLowerCase();
  const user = deployment.state.liveUsers().find((candidate) => candidate.email.toLowerCase() === email);
  if (user?.loginType !== 'password' || user.password !== textField(body, 'password')) {
    throw new ApiError(401, 'Incorrect email or password.');
  }
  // Checked after the password, and for owners too.
  if (deployment.options.passwordAuthDisabled) {
    throw new ApiError(403, 'Password authentication is disabled.');
  }
  if (user.status === 'suspended') {
    throw new ApiError(401, 'Your account is suspended. Contact an admin to reactivate your account.');
  }
  const time = now();
  if (user.status === 'dormant') Object.assign(user, { status: 'active', lastSeenAt: time, updatedAt: time });
  const token = deployment.addToken({
    userId: user.id,
    name: '',
    loginType: 'password',
    lifetimeSeconds: SESSION_SECONDS,
  });
  const text = `${token.id}-${token.secret}`;
  return {
    status: 201,
    body: { session_token: text },
    headers: { 'Set-Cookie': `coder_session_token=${text}; Path=/; HttpOnly; SameSite=Lax` },
  };
}

function logout(call: Call): Answer {
  call.deployment.state.tokens.delete(call.caller.token.id);
  return {
    status: 200,
    body: { message: 'Logged out!' },
    headers: { 'Set-Cookie': 'coder_session_token=; Path=/; Max-Age=0' },
  };
}

function authMethods({ deployment }: Call): Answer {
  return ok({
    password: { enabled: !deployment.options.passwordAuthDisabled },
    github: { enabled: false, default_provider_configured: false },
    oidc: { enabled: false, signInText: '', iconUrl: '' },
  });
}

export function addUserRoutes(router: Router): void {
  router.add('GET /api/v2/users', listUsers, { slash: true });
  router.add('POST /api/v2/users', createUser, { slash: true });
  router.add('POST /api/v2/users/login', login, { open: true, login: true });
  router.add('POST /api/v2/users/logout', logout);
  router.add('GET /api/v2/users/authmethods', authMethods, { open: true });
  router.add(
    'GET /api/v2/users/{user}',
    (call) => ok(userJson(call.deployment, findUser(call, param(call, 'user')))),
    { slash: true },
  );
  router.add('DELETE /api/v2/users/{user}', deleteUser, { slash: true });
}
