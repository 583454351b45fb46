// The first import makes the engine, the second fills its gradient registry. tfjs-core exports no such entry point that
// Node can load, so the build inlines this one; the registry is global to the process, hence shared with the peer.
import '@tensorflow/tfjs-core'
import '@tensorflow/tfjs-core/dist/register_all_gradients'
