import { describe, expect, it } from 'vitest';
import { CoderApi } from '../../src/coder/api.js';
import { readDeployment, readServer } from '../../src/coder/facts.js';
import { CoderHttp } from '../../src/coder/http.js';
import { establishIdentity } from '../../src/coder/identity.js';
import { ownerApi, startDeployment, stopDeploymentsAfterEach } from '../support/deployments.js';
import { hurriedClock, KeptLog } from '../support/fakes.js';

stopDeploymentsAfterEach();
const anonymous = (url: string): CoderApi => new CoderApi(new CoderHttp(url, hurriedClock(100)));

describe('establishIdentity', () => {
  it('uses a token, masked at once', async () => {
    const deployment = await startDeployment();
    const log = new KeptLog();
    const { api, token } = await establishIdentity(
      anonymous(deployment.url),
      { kind: 'token', token: deployment.ownerToken },
      log,
    );
    expect(token).toBe(deployment.ownerToken);
    expect(log.masked).toEqual([deployment.ownerToken]);
    expect((await api.me()).username).toBe('ci-admin');
  });

  it('signs in with a password, masks what it got, and signs out', async () => {
    const deployment = await startDeployment();
    const log = new KeptLog();
    const credential = {
      kind: 'password',
      email: deployment.ownerEmail,
      password: deployment.ownerPassword,
    } as const;
    const identity = await establishIdentity(anonymous(deployment.url), credential, log);
    expect(log.masked).toEqual([deployment.ownerPassword, identity.token]);
    expect((await identity.api.me()).username).toBe('ci-admin');
    await identity.signOut();
    await expect(identity.api.me()).rejects.toMatchObject({ status: 401 });
  });

  it('says which inputs a failed sign-in came from, without the password', async () => {
    const deployment = await startDeployment();
    const credential = {
      kind: 'password',
      email: deployment.ownerEmail,
      password: 'hunter2-hunter2',
    } as const;
    const refused = establishIdentity(anonymous(deployment.url), credential, new KeptLog());
    await expect(refused).rejects.toThrow(
      /signing in with "coder-email" and "coder-password" failed: .*Incorrect email or password/,
    );
    await expect(refused).rejects.not.toThrow(/hunter2/);
  });
});

describe('facts of a deployment', () => {
  it('are all known for an owner', async () => {
    const deployment = await startDeployment({ provisionerSlots: 4 });
    deployment.seedLeftovers(2);
    const api = ownerApi(deployment);
    const server = await readServer(api, new Date());
    expect(server.version?.release).toBe('2.36.0');
    const facts = await readDeployment(server, api, deployment.ownerToken, {
      templates: ['ec2-datasci', 'not-there'],
      routes: [],
    });
    expect(facts.user).toMatchObject({ known: true, value: { username: 'ci-admin' } });
    expect(facts.credentialExpiry.known && facts.credentialExpiry.value.getTime()).toBeGreaterThan(
      Date.now(),
    );
    expect(facts.passwordLogin).toEqual({ known: true, value: true });
    expect(facts.rateLimit).toMatchObject({ known: true, value: { off: true } });
    expect([...facts.used.keys()]).toEqual(['ec2-datasci']);
    expect(facts.used.get('ec2-datasci')).toMatchObject({
      known: true,
      value: {
        parameters: [
          { name: 'region', defaultValue: 'eu-west-1' },
          { name: 'size', options: ['small', 'large'] },
        ],
      },
    });
    expect(facts.daemons.known && facts.daemons.value).toHaveLength(4);
    expect(facts.leftovers.known && facts.leftovers.value.workspaces).toHaveLength(2);
  });

  it('are one by one unknown, with the reason, when calls fail', async () => {
    const deployment = await startDeployment();
    const api = ownerApi(deployment).withToken(deployment.memberToken);
    const facts = await readDeployment(await readServer(api, new Date()), api, deployment.memberToken, {
      templates: ['pod-swdev'],
      routes: [],
    });
    expect(facts.user).toMatchObject({ known: true, value: { username: 'ordinary-member' } });
    expect(facts.rateLimit).toMatchObject({
      known: false,
      reason: expect.stringMatching(/answered (403|404)/) as string,
    });
    expect(facts.templates.known).toBe(true);
  });

  it('are not asked for where no Coder answers', async () => {
    const deployment = await startDeployment({ answerHtml: true });
    await expect(readServer(anonymous(deployment.url), new Date())).rejects.toMatchObject({
      kind: 'not-coder',
    });
  });
});
