import fc from 'fast-check'

// The same cases in every run: a test that fails now and then hides what broke it. Another seed is a matter of the environment.
fc.configureGlobal({ seed: Number(process.env.FAST_CHECK_SEED ?? 1) })
