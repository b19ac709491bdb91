/* Loaded into a hub whose wall clock a test moves. libfaketime lies about that clock to whoever asks, but not to waits of C11, which librdkafka waits by: they
   would last an hour too long after the clock was moved forward, which no kernel does. Here such a wait is what the kernel makes of it: it lasts as long as
   the moved clock stands before the moment that it waits for. */

#include <errno.h>
#include <pthread.h>
#include <threads.h>
#include <time.h>

#define SECOND 1000000000LL
/* How soon a wait notices that the clock was moved. */
#define STEP (SECOND / 50)

static long long nanoseconds(clockid_t clock) {
  struct timespec now;
  clock_gettime(clock, &now);
  return now.tv_sec * SECOND + now.tv_nsec;
}

int cnd_timedwait(cnd_t *condition, mtx_t *mutex, const struct timespec *until) {
  for (;;) {
    long long left = until->tv_sec * SECOND + until->tv_nsec - nanoseconds(CLOCK_REALTIME);
    if (left <= 0) return thrd_timedout;
    long long end = nanoseconds(CLOCK_MONOTONIC) + (left < STEP ? left : STEP);
    struct timespec step = {.tv_sec = end / SECOND, .tv_nsec = end % SECOND};
    int result = pthread_cond_clockwait((pthread_cond_t *)condition, (pthread_mutex_t *)mutex, CLOCK_MONOTONIC, &step);
    if (result != ETIMEDOUT) return result == 0 ? thrd_success : thrd_error;
  }
}
