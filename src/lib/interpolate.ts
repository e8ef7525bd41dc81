/** `${NAME}` in a text that somebody wrote: lookout.yaml and manifests take variables of the environment by it. */

/** What `lookUp` says in place of each `${NAME}`; `$${NAME}` stands for itself. */
export function interpolate(text: string, lookUp: (name: string) => string): string {
  return text.replace(/\$(\$?)\{([A-Za-z_][A-Za-z0-9_]*)\}/g, (_match, escape: string, name: string) => (escape === '' ? lookUp(name) : `\${${name}}`));
}
