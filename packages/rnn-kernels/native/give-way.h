// Lets another thread run on this processor.
#pragma once
#if defined(_WIN32)
// As in windows.h, whose names the kernels have for other things.
__declspec(dllimport) int __stdcall SwitchToThread(void);
static inline void giveWay(void) { SwitchToThread(); }
#else
#include <sched.h>
static inline void giveWay(void) { sched_yield(); }
#endif
