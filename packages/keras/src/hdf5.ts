import { Dataset, File, Group, ready } from 'h5wasm'

/** A float32 tensor of an HDF5 file. */
export interface Values {
  readonly shape: readonly number[]
  readonly data: Float32Array
}

/** What is read of an HDF5 file. */
export interface Hdf5Contents {
  /** Texts among the attributes of its root. */
  readonly attributes: Readonly<Record<string, string>>
  /** Tensors by path: `layers/lstm/cell/vars/0`. */
  readonly tensors: ReadonlyMap<string, Values>
}

let files = 0

/** HDF5 prints its errors, unless it is told to throw them. */
const hdf5 = ready.then((module) => {
  module.activate_throwing_error_handler()
  return module
})

/** Reads a whole HDF5 file. @throws Error where it is not one */
export async function readHdf5(bytes: Uint8Array): Promise<Hdf5Contents> {
  const { FS } = await hdf5
  const path = `/rowwise-${files++}.h5`
  FS.writeFile(path, bytes)
  try {
    const file = new File(path, 'r')
    try {
      const tensors = new Map<string, Values>()
      collect(file, '', tensors)
      const attributes = Object.entries(file.attrs).flatMap(([name, { value }]) =>
        typeof value === 'string' ? [[name, value]] : [],
      )
      return { attributes: Object.fromEntries(attributes), tensors }
    } finally {
      file.close()
    }
  } finally {
    FS.unlink(path)
  }
}

/** Writes an HDF5 file of tensors by path, in groups. */
export async function writeHdf5(tensors: ReadonlyMap<string, Values>): Promise<Uint8Array> {
  const { FS } = await hdf5
  const path = `/rowwise-${files++}.h5`
  const file = new File(path, 'w')
  for (const [name, { shape, data }] of tensors) {
    const groups = name.split('/')
    const last = groups.pop() as string
    let group: Group = file
    for (const each of groups)
      group = group.keys().includes(each) ? (group.get(each) as Group) : group.create_group(each)
    group.create_dataset({ name: last, data, shape: [...shape], dtype: '<f' })
  }
  file.close()
  const bytes = FS.readFile(path)
  FS.unlink(path)
  return bytes
}

function collect(group: Group, path: string, tensors: Map<string, Values>): void {
  for (const key of group.keys()) {
    const entry = group.get(key)
    const name = path === '' ? key : `${path}/${key}`
    if (entry instanceof Group) collect(entry, name, tensors)
    else if (entry instanceof Dataset && typeof entry.dtype === 'string' && /[fd]$/.test(entry.dtype)) {
      const { shape, value } = entry
      if (shape && ArrayBuffer.isView(value))
        tensors.set(name, { shape, data: Float32Array.from(value as Float32Array) })
    }
  }
}
