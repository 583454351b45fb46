// Lets another thread run on this processor.
#pragma once
#if defined(_WIN32)
#include <windows.h>
static inline void giveWay(void) { SwitchToThread(); }
#else
#include <sched.h>
static inline void giveWay(void) { sched_yield(); }
#endif
