/** What a module exports, and the memory that it works on. */
export interface EmbeddedModule<Exports> {
  readonly exports: Exports
  readonly memory: WebAssembly.Memory
}

const PAGE_BYTES = 65536

const compiled = new Map<string, WebAssembly.Module>()

/**
 * Instantiates a module that is there as base64, on a memory of its own of so many bytes. Null where that cannot be: without WebAssembly,
 * without the module's instructions or so much room, or where a page's policy forbids it. Whoever asks has another way then.
 */
export function instantiateEmbedded<Exports>(base64: string, bytes: number): EmbeddedModule<Exports> | null {
  if (typeof WebAssembly !== 'object') return null
  try {
    let module = compiled.get(base64)
    if (module === undefined) {
      module = new WebAssembly.Module(Uint8Array.from(atob(base64), (character) => character.charCodeAt(0)))
      compiled.set(base64, module)
    }
    const pages = Math.max(1, Math.ceil(bytes / PAGE_BYTES))
    const memory = new WebAssembly.Memory({ initial: pages, maximum: pages })
    const { exports } = new WebAssembly.Instance(module, { env: { memory } })
    return { exports: exports as Exports, memory }
  } catch {
    return null
  }
}
