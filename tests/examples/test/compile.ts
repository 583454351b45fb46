import ts from 'typescript'

/** The settings that the guide gives its readers. */
const STRICT: ts.CompilerOptions = {
  strict: true,
  target: ts.ScriptTarget.ES2022,
  types: ['node'],
  skipLibCheck: true,
}

const RESOLUTIONS: [ts.ModuleKind, ts.ModuleResolutionKind][] = [
  [ts.ModuleKind.ESNext, ts.ModuleResolutionKind.Bundler],
  [ts.ModuleKind.NodeNext, ts.ModuleResolutionKind.NodeNext],
]

/**
 * Compiles TypeScript files as one strict program, for bundlers and for Node, and writes Node's JavaScript beside them.
 * Returns what the compiler says against each file.
 */
export function compile(files: string[]): Map<string, Set<string>> {
  const complaints = new Map(files.map((file) => [file, new Set<string>()]))
  for (const [module, moduleResolution] of RESOLUTIONS) {
    const program = ts.createProgram(files, { ...STRICT, module, moduleResolution })
    for (const { file, start = 0, messageText } of ts.getPreEmitDiagnostics(program)) {
      const text = ts.flattenDiagnosticMessageText(messageText, '\n')
      const ofFile = complaints.get(file?.fileName ?? '')
      if (!file || !ofFile) throw new Error(`${file?.fileName ?? 'the settings'}: ${text}`)
      ofFile.add(`line ${file.getLineAndCharacterOfPosition(start).line + 1}: ${text}`)
    }
    program.emit()
  }
  return complaints
}
