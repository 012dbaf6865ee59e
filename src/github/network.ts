import tls from 'node:tls';
import { EnvHttpProxyAgent, fetch } from 'undici';
import type { Authorities, Fetch } from '../ports.js';

/**
 * `fetch` through the proxies of `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY`, as curl and Go read them. The one that Node
 * brings looks at them only when it was started so.
 */
export function proxiedFetch(environment: Readonly<Record<string, string | undefined>>): Fetch {
  const valueOf = (name: string): string => {
    const lower = environment[name] ?? '';
    return lower === '' ? (environment[name.toUpperCase()] ?? '') : lower;
  };
  const [httpProxy, httpsProxy] = [valueOf('http_proxy'), valueOf('https_proxy')];
  if (httpProxy === '' && httpsProxy === '') return globalThis.fetch;
  const proxies = { httpProxy, httpsProxy, noProxy: valueOf('no_proxy') };
  const dispatcher = withoutWarning(() => new EnvHttpProxyAgent(proxies));
  return (url, request) => fetch(url, { ...request, dispatcher });
}

/** undici warns that the class is experimental, which nobody who reads the log could change. */
function withoutWarning<T>(make: () => T): T {
  const emitWarning = process.emitWarning.bind(process);
  process.emitWarning = () => undefined;
  try {
    return make();
  } finally {
    process.emitWarning = emitWarning;
  }
}

/** Node's own defaults, which can be added to since 24.5 (runners before 2.328 have an older one). */
export const processAuthorities: Authorities = {
  trust: (pem) => {
    if (!('setDefaultCACertificates' in tls)) return false;
    tls.setDefaultCACertificates([...tls.getCACertificates('default'), pem]);
    return true;
  },
  all: () =>
    [...new Set([...tls.getCACertificates('default'), ...tls.getCACertificates('system')])].join('\n'),
};
