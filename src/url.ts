/** Reads a URL; undefined when it is none. (`URL.parse` came with Node 22.) */
export function parseUrl(text: string, base?: string): URL | undefined {
  return URL.canParse(text, base) ? new URL(text, base) : undefined;
}
