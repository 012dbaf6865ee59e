import { describe, expect, it } from 'vitest';
import { ShownSecrets } from '../../simulator/chaos/shown-secrets.js';
import { startCoderServer } from '../../simulator/coder/server.js';

describe('the search for secrets in what a run wrote', () => {
  it('finds every token that there ever was, wherever it stands, and every password', async () => {
    const coder = await startCoderServer();
    try {
      const { secret, id } = coder.addToken([...coder.state.users.keys()][0] ?? '', 'gone');
      coder.state.tokens.delete(id);
      const shown = new ShownSecrets(coder.state);
      const found = (text: string): string => shown.in(text).join();
      for (const token of [coder.ownerToken, coder.memberToken, `${id}-${secret}`])
        for (const text of [
          JSON.stringify(`a\n${token}`),
          `%3D${token}`,
          `x_${token}y`,
          token.slice(11),
          btoa(token),
        ])
          expect(found(text)).toBe('a session token');
      expect(found(JSON.stringify(`\n${coder.ownerPassword}`))).toBe('a password');
      expect(found('AAAAAAAAAA-BBBBBBBBBBBBBBBBBBBBBB is no token of this deployment')).toBe('');
    } finally {
      await coder.close();
    }
  });
});
