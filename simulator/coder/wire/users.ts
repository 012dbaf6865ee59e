import { EPOCH_TIME, rfc3339, ZERO_TIME } from '../clock.js';
import type { Deployment } from '../deployment.js';
import type { Token, User } from '../state.js';

export function userJson(deployment: Deployment, user: User): Record<string, unknown> {
  const { traits, organization } = deployment;
  const organizations = user.deleted && traits.newestKeys ? [] : [organization.id];
  return {
    id: user.id,
    username: user.username,
    avatar_url: traits.modernKeys ? undefined : '',
    name: traits.modernKeys && user.name === '' ? undefined : user.name,
    email: user.email,
    created_at: rfc3339(user.createdAt),
    updated_at: rfc3339(user.updatedAt),
    last_seen_at: user.lastSeenAt === null ? ZERO_TIME : rfc3339(user.lastSeenAt),
    status: user.status,
    login_type: user.loginType,
    organization_ids: organizations,
    roles: user.roles.map((role) => ({ name: role, display_name: 'Owner' })),
    has_ai_seat: traits.newestKeys ? false : undefined,
  };
}

export function tokenJson(deployment: Deployment, token: Token): Record<string, unknown> {
  const { traits } = deployment;
  const never = traits.newestKeys ? EPOCH_TIME : ZERO_TIME;
  return {
    id: token.id,
    user_id: token.userId,
    last_used: token.lastUsedAt === null ? never : rfc3339(token.lastUsedAt),
    expires_at: rfc3339(deployment.expiryOf(token)),
    created_at: rfc3339(token.createdAt),
    updated_at: rfc3339(token.updatedAt),
    login_type: token.loginType,
    scope: 'all',
    scopes: traits.modernKeys ? ['coder:all'] : undefined,
    token_name: token.name,
    lifetime_seconds: token.lifetimeSeconds,
    allow_list: traits.modernKeys ? ['*:*'] : undefined,
  };
}
