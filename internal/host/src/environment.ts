/**
 * An environment variable; undefined where it is empty, where there is no environment, as in a browser, and where it may not be read,
 * as in Deno without --allow-env.
 */
export function environmentVariable(name: string): string | undefined {
  try {
    return (globalThis.process as NodeJS.Process | undefined)?.env?.[name] || undefined
  } catch {
    return undefined
  }
}
