// Threads, locks and conditions of the system.
#pragma once
#include "give-way.h"
#if defined(_WIN32)
#include <windows.h>

typedef HANDLE Thread;
typedef SRWLOCK Lock;
typedef CONDITION_VARIABLE Condition;
#define THREAD_FUNCTION(name, argument) static DWORD WINAPI name(void *argument)
#define THREAD_END return 0

static int startThread(Thread *thread, DWORD(WINAPI *run)(void *), void *argument) {
  *thread = CreateThread(0, 1 << 18, run, argument, STACK_SIZE_PARAM_IS_A_RESERVATION, 0);
  return *thread ? 0 : (int)GetLastError();
}
static void joinThread(Thread thread) { WaitForSingleObject(thread, INFINITE), CloseHandle(thread); }
static void initialize(Lock *lock, Condition *condition) { InitializeSRWLock(lock), InitializeConditionVariable(condition); }
static void acquire(Lock *at) { AcquireSRWLockExclusive(at); }
static void release(Lock *at) { ReleaseSRWLockExclusive(at); }
static void sleepOn(Condition *condition, Lock *at) { SleepConditionVariableSRW(condition, at, INFINITE, 0); }
static void wakeAll(Condition *condition) { WakeAllConditionVariable(condition); }
static int processId(void) { return (int)GetCurrentProcessId(); }
static double milliseconds(void) {
  LARGE_INTEGER count, frequency;
  QueryPerformanceCounter(&count), QueryPerformanceFrequency(&frequency);
  return 1e3 * (double)count.QuadPart / (double)frequency.QuadPart;
}
#else
#include <pthread.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

typedef pthread_t Thread;
typedef pthread_mutex_t Lock;
typedef pthread_cond_t Condition;
#define THREAD_FUNCTION(name, argument) static void *name(void *argument)
#define THREAD_END return 0

/** 0, or the number of the error. Signals are left to the threads of the host. */
static int startThread(Thread *thread, void *(*run)(void *), void *argument) {
  sigset_t all, before;
  pthread_attr_t attributes;
  sigfillset(&all);
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, 1 << 18);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  int error = pthread_create(thread, &attributes, run, argument);
  pthread_sigmask(SIG_SETMASK, &before, 0);
  pthread_attr_destroy(&attributes);
  return error;
}
static void joinThread(Thread thread) { pthread_join(thread, 0); }
static void initialize(Lock *lock, Condition *condition) { pthread_mutex_init(lock, 0), pthread_cond_init(condition, 0); }
static void acquire(Lock *at) { pthread_mutex_lock(at); }
static void release(Lock *at) { pthread_mutex_unlock(at); }
static void sleepOn(Condition *condition, Lock *at) { pthread_cond_wait(condition, at); }
static void wakeAll(Condition *condition) { pthread_cond_broadcast(condition); }
static int processId(void) { return (int)getpid(); }
static double milliseconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return 1e3 * (double)now.tv_sec + 1e-6 * (double)now.tv_nsec;
}
#endif

/** Tells the processor that this is a waiting loop. */
static void relax(void) {
#if defined(__x86_64__)
  __asm__ volatile("pause");
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}
