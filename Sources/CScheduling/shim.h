#include <signal.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* sched_setattr(2) for the calling thread, which Debian's C library does not know. */
static inline int setScheduling(int niceness, uint64_t sliceNanoseconds) {
  struct {
    uint32_t size, policy;
    uint64_t flags;
    int32_t niceness;
    uint32_t priority;
    uint64_t runtime, deadline, period;
  } attributes = {.size = sizeof attributes, .niceness = niceness, .runtime = sliceNanoseconds};
  return (int)syscall(SYS_sched_setattr, 0, &attributes, 0);
}

/* timer_create(2) with a signal for the calling thread; Swift does not see the macro of its id. */
static inline int createThreadTimer(int signal, timer_t *timer) {
  struct sigevent event = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = signal};
  event._sigev_un._tid = (pid_t)syscall(SYS_gettid);
  return timer_create(CLOCK_MONOTONIC, &event, timer);
}
