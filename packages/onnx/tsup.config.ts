import { defineConfig } from 'tsup'
import { library } from '../../tsup.preset'

// Inlined, because protobufjs has an install script.
export default defineConfig(library({ noExternal: ['onnx-proto', 'protobufjs'] }))
