/** Backends by the names that users know; TensorFlow.js calls CUDA's `tensorflow`. */
export type BackendName = 'cuda' | 'wasm' | 'cpu'

/** Why a backend was not taken. These never change once released. */
export type ReasonCode =
  | 'NOT_INSTALLED'
  | 'NOT_BUILT'
  | 'NO_GPU'
  | 'CUDA_LIB_MISSING'
  | 'ABI_MISMATCH'
  | 'LOAD_FAILED'
  | 'CRASHED'
  | 'TIMED_OUT'
  | 'DUPLICATE_CORE'
  | 'NO_WASM'
  | 'NO_SIMD'
  | 'WASM_FILE_MISSING'
  | 'WASM_FILE_CORRUPT'
  | 'NOT_PREFERRED'

/** A backend that was not taken, and why. */
export interface Rejection {
  /** The backend. */
  name: BackendName
  /** For programs. */
  code: ReasonCode
  /** For people: one sentence. */
  reason: string
  /** The command or step that fixes it. */
  fix: string
}

/** What trying a candidate comes to: nothing when it runs. */
export type Attempt = Promise<Omit<Rejection, 'name'> | null>

/** A backend that nobody asked for. */
export function notPreferred(name: BackendName, prefer: string): Rejection {
  return {
    name,
    code: 'NOT_PREFERRED',
    reason: `TensorFlow.js's ${name} backend was not tried, because ${prefer} was asked for.`,
    fix: "prefer 'auto', or unset ROWWISE_BACKEND",
  }
}
