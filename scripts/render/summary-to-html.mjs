import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import rehypeRaw from 'rehype-raw';
import rehypeSanitize, { defaultSchema } from 'rehype-sanitize';
import rehypeStringify from 'rehype-stringify';
import remarkGfm from 'remark-gfm';
import remarkAlert, { getAlertIcon } from 'remark-github-blockquote-alert';
import remarkParse from 'remark-parse';
import remarkRehype from 'remark-rehype';
import { unified } from 'unified';

const resolve = createRequire(import.meta.url).resolve;
export const mermaidScript = resolve('mermaid/dist/mermaid.min.js');

/** GitHub's allow list, plus the classes of alerts: GitHub adds those after it has cleaned up. */
const alertClass = ['className', /^markdown-alert/];
const schema = {
  ...defaultSchema,
  attributes: {
    ...defaultSchema.attributes,
    div: [...(defaultSchema.attributes?.div ?? []), alertClass],
    p: [...(defaultSchema.attributes?.p ?? []), alertClass],
  },
};

/** The page that a browser shows; `theme` is light or dark. */
export async function summaryToHtml(markdown, { theme, width }) {
  const body = await unified()
    .use(remarkParse)
    .use(remarkGfm)
    .use(remarkAlert)
    .use(remarkRehype, { allowDangerousHtml: true })
    .use(rehypeRaw)
    .use(rehypeSanitize, schema)
    .use(() => (tree) => finish(tree))
    .use(rehypeStringify)
    .process(markdown);
  const css = readFileSync(resolve(`github-markdown-css/github-markdown-${theme}.css`), 'utf8');
  const background = theme === 'dark' ? '#0d1117' : '#ffffff';
  return `<!doctype html><html data-theme="${theme}"><head><meta charset="utf-8"><style>${css}
    body { margin: 0; background: ${background}; }
    .markdown-body { box-sizing: border-box; width: ${width}px; padding: 24px; }
    .markdown-alert-title .octicon { margin-right: 8px; }
    .mermaid { text-align: center; margin-bottom: 16px; }
    .mermaid-error { color: #d1242f; border: 1px solid #d1242f; padding: 8px; white-space: pre-wrap; }
  </style></head><body><main class="markdown-body">${String(body)}</main></body></html>`;
}

/** What GitHub does to the clean tree: icons and titles of alerts, diagrams instead of their source. */
function finish(node) {
  if (isElement(node, 'p') && node.properties.className?.includes('markdown-alert-title')) titleOfAlert(node);
  const source = diagramSource(node);
  if (source !== undefined) {
    node.tagName = 'div';
    node.properties = { className: ['mermaid'] };
    node.children = [{ type: 'text', value: source }];
    return;
  }
  for (const child of node.children ?? []) finish(child);
}

function titleOfAlert(node) {
  const name = node.children
    .map((child) => child.value ?? '')
    .join('')
    .toLowerCase();
  const icon = getAlertIcon(name);
  node.children = [asElement(icon), { type: 'text', value: name.charAt(0).toUpperCase() + name.slice(1) }];
}

/** The icon is a Markdown node that carries its element in `data`. */
const asElement = ({ data, children = [] }) => ({
  type: 'element',
  tagName: data.hName,
  properties: data.hProperties,
  children: children.map(asElement),
});

function diagramSource(node) {
  const code = isElement(node, 'pre') ? node.children[0] : undefined;
  if (!isElement(code, 'code') || !code.properties.className?.includes('language-mermaid')) return undefined;
  return code.children.map((child) => child.value ?? '').join('');
}

const isElement = (node, tagName) => node?.type === 'element' && node.tagName === tagName;
