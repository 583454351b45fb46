// Compares each package's public face with its report in docs/api-reports; `--write` accepts what changed.
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { Extractor, ExtractorConfig } from '@microsoft/api-extractor'

const isWriting = process.argv.includes('--write')
const reportFolder = resolve('docs/api-reports')
const reportTempFolder = mkdtempSync(join(tmpdir(), 'rowwise-api-'))
mkdirSync(reportFolder, { recursive: true })

let failed = false
for (const name of readdirSync('packages')) {
  const projectFolder = resolve('packages', name)
  const configObject = {
    projectFolder,
    mainEntryPointFilePath: join(projectFolder, 'dist/index.d.ts'),
    compiler: { tsconfigFilePath: join(projectFolder, 'tsconfig.json'), skipLibCheck: true },
    apiReport: { enabled: true, reportFileName: `${name}.api.md`, reportFolder, reportTempFolder },
    docModel: { enabled: false },
    dtsRollup: { enabled: false },
    tsdocMetadata: { enabled: false },
    newlineKind: 'lf',
    messages: {
      compilerMessageReporting: { default: { logLevel: 'none' } },
      extractorMessageReporting: { default: { logLevel: 'none' } },
      tsdocMessageReporting: { default: { logLevel: 'none' } },
    },
  }
  const config = ExtractorConfig.prepare({
    configObject,
    configObjectFullPath: undefined,
    packageJsonFullPath: join(projectFolder, 'package.json'),
  })
  const { succeeded, apiReportChanged } = Extractor.invoke(config, {
    localBuild: isWriting,
    messageCallback: (message) => {
      message.handled = true
    },
  })
  if (apiReportChanged && !isWriting) {
    console.error(`the public face of packages/${name} changed; if that is meant: npm run api-reports, and commit it`)
  }
  failed ||= !succeeded && !isWriting
}
rmSync(reportTempFolder, { recursive: true })
process.exit(failed ? 1 : 0)
