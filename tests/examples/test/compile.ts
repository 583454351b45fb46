import { fileURLToPath } from 'node:url'
import ts from 'typescript'
import { settings } from './page'

const install = new URL('../../../docs/guide/0-install.md', import.meta.url)

type Resolution = 'nodenext' | 'bundler'

/** The settings that the guide gives its readers, for a way to find packages. */
function optionsFor(moduleResolution: Resolution): ts.CompilerOptions {
  const module = moduleResolution === 'bundler' ? 'esnext' : 'nodenext'
  const given = { ...settings(fileURLToPath(install)), module, moduleResolution }
  const { options, errors } = ts.convertCompilerOptionsFromJson(given, '')
  if (errors.length > 0) throw new Error(errors.map(({ messageText }) => messageText).join('\n'))
  return options
}

/**
 * Compiles TypeScript files as one strict program, for bundlers and for Node, and writes Node's JavaScript beside them.
 * Returns what the compiler says against each file.
 */
export function compile(files: string[]): Map<string, Set<string>> {
  const complaints = new Map(files.map((file) => [file, new Set<string>()]))
  for (const moduleResolution of ['bundler', 'nodenext'] as const) {
    const program = ts.createProgram(files, optionsFor(moduleResolution))
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
