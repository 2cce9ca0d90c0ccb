/*
 * Loaded before libc into a program under test (LD_PRELOAD): moves its wall clock and makes its fsync slow, as the file that
 * RM_CHAOS_CONTROL names says at that moment. The file holds two 64-bit numbers: milliseconds to add to the wall clock, and
 * milliseconds that each fsync and fdatasync takes longer.
 *
 * No header is included, so that the smallest compiler (tcc without libc's headers) can make it.
 */
typedef long long i64;
struct instant {
  long seconds, rest; /* rest: nanoseconds, or microseconds in gettimeofday */
};

extern void *dlsym(void *, const char *);
extern void *dlvsym(void *, const char *, const char *);
extern char *getenv(const char *);
extern int open(const char *, int, ...);
extern int close(int);
extern void *mmap(void *, unsigned long, int, int, int, long);
extern int nanosleep(const struct instant *, struct instant *);

#define NEXT ((void *)-1)
/* A deadline above this many seconds is one of the wall clock, below it one of the time since boot. */
#define WALL 1000000000

static volatile i64 unset[2];
static volatile i64 *control;

static volatile i64 *look(void) {
  if (!control) {
    char *path = getenv("RM_CHAOS_CONTROL");
    int file = path ? open(path, 0) : -1;
    void *map = file < 0 ? (void *)-1 : mmap(0, 16, 1, 1, file, 0);
    if (file >= 0) close(file);
    control = map == (void *)-1 ? unset : (volatile i64 *)map;
  }
  return control;
}

static void shift(struct instant *t, i64 ms) {
  t->seconds += ms / 1000;
  t->rest += (ms % 1000) * 1000000;
  if (t->rest >= 1000000000) {
    t->rest -= 1000000000;
    t->seconds++;
  } else if (t->rest < 0) {
    t->rest += 1000000000;
    t->seconds--;
  }
}

int clock_gettime(int clock, struct instant *t) {
  static int (*real)(int, struct instant *);
  int code;
  if (!real) real = dlsym(NEXT, "clock_gettime");
  code = real(clock, t);
  if (code == 0 && (clock == 0 || clock == 5)) shift(t, look()[0]); /* CLOCK_REALTIME and its coarse sister */
  return code;
}

int gettimeofday(struct instant *t, void *zone) {
  struct instant now;
  int code = clock_gettime(0, &now);
  (void)zone;
  if (code == 0 && t) {
    t->seconds = now.seconds;
    t->rest = now.rest / 1000;
  }
  return code;
}

long time(long *out) {
  struct instant now;
  clock_gettime(0, &now);
  if (out) *out = now.seconds;
  return now.seconds;
}

/* The kernel knows the true clock only: a deadline that was reckoned from the moved one is moved back. */
int pthread_cond_timedwait(void *condition, void *mutex, const struct instant *deadline) {
  static int (*real)(void *, void *, const struct instant *);
  struct instant moved = *deadline;
  if (!real) real = dlvsym(NEXT, "pthread_cond_timedwait", "GLIBC_2.3.2");
  if (!real) real = dlsym(NEXT, "pthread_cond_timedwait");
  if (moved.seconds > WALL) shift(&moved, -look()[0]);
  return real(condition, mutex, &moved);
}

static void wait(void) {
  i64 ms = look()[1];
  struct instant span;
  if (ms <= 0) return;
  span.seconds = ms / 1000;
  span.rest = (ms % 1000) * 1000000;
  nanosleep(&span, 0);
}

int fsync(int file) {
  static int (*real)(int);
  if (!real) real = dlsym(NEXT, "fsync");
  wait();
  return real(file);
}

int fdatasync(int file) {
  static int (*real)(int);
  if (!real) real = dlsym(NEXT, "fdatasync");
  wait();
  return real(file);
}
