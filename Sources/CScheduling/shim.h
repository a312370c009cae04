#include <signal.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/*
 * Gives the calling thread a slice of its own and keeps its policy: sched_setattr(2), which Debian 12's C library does not know.
 * -1 where the kernel refuses it, or does not know of slices (before Linux 6.12) and does not report it back.
 */
static inline int setSlice(int niceness, uint64_t nanoseconds) {
  enum { keepPolicy = 0x08 };
  struct {
    uint32_t size, policy;
    uint64_t flags;
    int32_t niceness;
    uint32_t priority;
    uint64_t runtime, deadline, period;
  } attributes = {
      .size = sizeof attributes, .flags = keepPolicy, .niceness = niceness, .runtime = nanoseconds};
  if (syscall(SYS_sched_setattr, 0, &attributes, 0) != 0) return -1;
  attributes.runtime = 0;
  if (syscall(SYS_sched_getattr, 0, &attributes, sizeof attributes, 0) != 0) return -1;
  return attributes.runtime == nanoseconds ? 0 : -1;
}

/* timer_create(2) with a signal for the calling thread; Swift does not see the macro of its id. */
static inline int createThreadTimer(int signal, timer_t *timer) {
  struct sigevent event = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = signal};
  event._sigev_un._tid = (pid_t)syscall(SYS_gettid);
  return timer_create(CLOCK_MONOTONIC, &event, timer);
}
