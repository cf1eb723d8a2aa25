/*
 * A disk that keeps only what was synced, for one process: loaded with LD_PRELOAD.
 *
 * Everything that is done to files below POWERCUT_ROOT happens at once, as the page cache of a running system
 * shows it. Before it does, what it replaces is written to POWERCUT_LOG, with the syncs between: after the
 * process was killed, `disk.ts` finds in there what no sync had covered, and takes it away again, or a part of
 * it. What is unlinked or replaced stays in POWERCUT_GRAVE under a number, so that it can come back.
 *
 * A sync here writes nothing: it takes POWERCUT_SYNC_MS, in which other threads go on, and is noted when it is
 * over. What was written after it began is not covered.
 *
 * Limits: memory maps are not seen (SQLite maps only its -shm file, which is worth nothing after a power cut),
 * and neither is what glibc writes by itself (stdio). Linux with glibc, for little-endian machines.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

/* The same numbers stand in `log.ts`. */
enum kind { WRITE = 1, RESIZE, SYNC_BEGIN, SYNC_END, CREATE, RENAME, UNLINK, MKDIR, RMDIR };

struct record {
  uint32_t magic;
  uint32_t kind;
  uint64_t file;   /* inode; of a sync of a folder, the folder's */
  uint64_t offset; /* WRITE: where; RESIZE: the new size; SYNC_*: number of the sync; others: number in the grave, 0 for none */
  uint64_t length; /* WRITE: how much */
  uint64_t size;   /* WRITE, RESIZE: of the file before */
  uint32_t first;  /* bytes of the first payload: what was there before, or a path */
  uint32_t second; /* bytes of the second: the path that a RENAME leads to */
};

#define MAGIC 0x54554350u
#define MAX_FD 65536

static const char *root;
static size_t root_length;
static const char *grave;
static int log_fd = -1;
static long sync_ms;
static _Atomic(char *) paths[MAX_FD]; /* of tracked descriptors */
static _Atomic(uint64_t) inodes[MAX_FD];
static atomic_uint_fast64_t numbers = 1;
static pthread_mutex_t one_at_a_time = PTHREAD_MUTEX_INITIALIZER;
static pthread_once_t once = PTHREAD_ONCE_INIT;

#define REAL(result, name, ...) static result (*real_##name)(__VA_ARGS__)
REAL(int, open64, const char *, int, ...);
REAL(int, openat64, int, const char *, int, ...);
REAL(int, close, int);
REAL(ssize_t, write, int, const void *, size_t);
REAL(ssize_t, pwrite64, int, const void *, size_t, off64_t);
REAL(ssize_t, writev, int, const struct iovec *, int);
REAL(ssize_t, pwritev, int, const struct iovec *, int, off64_t);
REAL(int, ftruncate64, int, off64_t);
REAL(int, fsync, int);
REAL(int, fdatasync, int);
REAL(int, rename, const char *, const char *);
REAL(int, unlink, const char *);
REAL(int, unlinkat, int, const char *, int);
REAL(int, link, const char *, const char *);
REAL(int, mkdir, const char *, mode_t);
REAL(int, rmdir, const char *);
REAL(ssize_t, sendfile64, int, int, off64_t *, size_t);
REAL(long, syscall, long, ...);

static void fail(const char *what) {
  dprintf(2, "power-cut: %s: %s\n", what, strerror(errno));
  _exit(70);
}

static void load(void) {
#define LOAD(name) \
  if (!(*(void **)&real_##name = dlsym(RTLD_NEXT, #name))) fail("no " #name)
  LOAD(open64); LOAD(openat64); LOAD(close); LOAD(write); LOAD(pwrite64); LOAD(writev); LOAD(pwritev);
  LOAD(ftruncate64); LOAD(fsync); LOAD(fdatasync); LOAD(rename); LOAD(unlink); LOAD(unlinkat); LOAD(link);
  LOAD(mkdir); LOAD(rmdir); LOAD(sendfile64); LOAD(syscall);
  const char *file = getenv("POWERCUT_LOG");
  root = getenv("POWERCUT_ROOT");
  grave = getenv("POWERCUT_GRAVE");
  if (!root || !file || !grave) {
    root = NULL;
    return;
  }
  root_length = strlen(root);
  sync_ms = atol(getenv("POWERCUT_SYNC_MS") ? getenv("POWERCUT_SYNC_MS") : "0");
  log_fd = real_open64(file, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
  if (log_fd < 0) fail(file);
}

#define READY() pthread_once(&once, load)
#define LOCK() pthread_mutex_lock(&one_at_a_time)
#define UNLOCK() pthread_mutex_unlock(&one_at_a_time)

/* Whether the path is below the root and worth keeping. */
static int tracked(const char *path) {
  if (!root || strncmp(path, root, root_length) != 0) return 0;
  if (path[root_length] != '/' && path[root_length] != 0) return 0;
  size_t length = strlen(path);
  return length < 4 || strcmp(path + length - 4, "-shm") != 0;
}

/* Of a tracked descriptor. glibc closes some by itself (closedir): then the number may be anything by now. */
static const char *path_of(int fd) {
  const char *path = fd >= 0 && fd < MAX_FD ? atomic_load(&paths[fd]) : NULL;
  struct stat64 there;
  return path && fstat64(fd, &there) == 0 && there.st_ino == atomic_load(&inodes[fd]) ? path : NULL;
}

/* The path that an `…at` call means. */
static const char *absolute(int folder, const char *path, char *buffer) {
  if (path[0] == '/' || folder == AT_FDCWD) return path;
  char link[64];
  snprintf(link, sizeof link, "/proc/self/fd/%d", folder);
  ssize_t length = readlink(link, buffer, PATH_MAX);
  if (length < 0) return path;
  snprintf(buffer + length, PATH_MAX - length, "/%s", path);
  return buffer;
}

static void note(struct record record, const void *first, const void *second) {
  record.magic = MAGIC;
  struct iovec parts[3] = {
    {&record, sizeof record}, {(void *)first, record.first}, {(void *)second, record.second}};
  ssize_t all = sizeof record + record.first + record.second;
  if (real_writev(log_fd, parts, 3) != all) fail("writing the log");
}

static void note_path(enum kind kind, uint64_t file, const char *path, uint64_t number, const char *to) {
  struct record record = {.kind = kind, .file = file, .offset = number, .first = strlen(path),
    .second = to ? strlen(to) : 0};
  note(record, path, to);
}

/* Notes what a change of [offset, offset + length) or to a new size replaces. Under the lock. */
static void note_change(int fd, enum kind kind, off64_t offset, size_t length) {
  struct stat64 before;
  if (fstat64(fd, &before) != 0) fail("fstat");
  off64_t end = kind == WRITE ? offset + (off64_t)length : before.st_size;
  if (end > before.st_size) end = before.st_size;
  size_t kept = end > offset ? end - offset : 0;
  char *bytes = kept ? malloc(kept) : NULL;
  for (size_t done = 0; done < kept;) {
    ssize_t got = pread64(fd, bytes + done, kept - done, offset + done);
    if (got <= 0) fail("reading what is replaced");
    done += got;
  }
  struct record record = {.kind = kind, .file = before.st_ino, .offset = offset, .length = length,
    .size = before.st_size, .first = kept};
  note(record, bytes, NULL);
  free(bytes);
}

/* Keeps what is at the path; its number, 0 when nothing is. */
static uint64_t bury(const char *path) {
  struct stat64 there;
  if (lstat64(path, &there) != 0 || !S_ISREG(there.st_mode)) return 0;
  uint64_t number = ((uint64_t)getpid() << 24) | atomic_fetch_add(&numbers, 1);
  char place[PATH_MAX];
  snprintf(place, sizeof place, "%s/%llu", grave, (unsigned long long)number);
  if (real_link(path, place) != 0) fail("keeping what is removed");
  return number;
}

static uint64_t inode(const char *path) {
  struct stat64 there;
  return lstat64(path, &there) == 0 ? there.st_ino : 0;
}

static int opened(int folder, const char *given, int flags, mode_t mode) {
  READY();
  char buffer[PATH_MAX + 1];
  const char *path = absolute(folder, given, buffer);
  if (!tracked(path)) return real_openat64(folder, given, flags, mode);
  /* What is replaced has to be read first. */
  int writes = (flags & O_ACCMODE) != O_RDONLY;
  if ((flags & O_ACCMODE) == O_WRONLY) flags = (flags & ~O_ACCMODE) | O_RDWR;
  LOCK();
  int is_new = (flags & O_CREAT) && inode(path) == 0;
  int fd = real_openat64(folder, given, flags & ~O_TRUNC, mode);
  if (fd >= 0) {
    if (is_new) note_path(CREATE, inode(path), path, 0, NULL);
    if (!is_new && writes && (flags & O_TRUNC)) {
      note_change(fd, RESIZE, 0, 0);
      real_ftruncate64(fd, 0);
    }
    struct stat64 file;
    if (fd >= MAX_FD || fstat64(fd, &file) != 0) fail("a descriptor");
    atomic_store(&inodes[fd], file.st_ino);
    free(atomic_exchange(&paths[fd], strdup(path)));
  }
  int error = errno;
  UNLOCK();
  errno = error;
  return fd;
}

#define MODE_OF(flags, last) \
  mode_t mode = 0; \
  if ((flags) & (O_CREAT | O_TMPFILE)) { va_list rest; va_start(rest, last); mode = va_arg(rest, mode_t); va_end(rest); }

int open64(const char *path, int flags, ...) { MODE_OF(flags, flags) return opened(AT_FDCWD, path, flags, mode); }
int open(const char *path, int flags, ...) { MODE_OF(flags, flags) return opened(AT_FDCWD, path, flags, mode); }
int openat64(int at, const char *path, int flags, ...) { MODE_OF(flags, flags) return opened(at, path, flags, mode); }
int openat(int at, const char *path, int flags, ...) { MODE_OF(flags, flags) return opened(at, path, flags, mode); }

int close(int fd) {
  READY();
  if (fd >= 0 && fd < MAX_FD && atomic_load(&paths[fd])) free(atomic_exchange(&paths[fd], NULL));
  return real_close(fd);
}

static size_t length_of(const struct iovec *parts, int count) {
  size_t all = 0;
  for (int index = 0; index < count; index += 1) all += parts[index].iov_len;
  return all;
}

/* Where a `write` goes to. */
static off64_t position(int fd) {
  return lseek64(fd, 0, fcntl(fd, F_GETFL) & O_APPEND ? SEEK_END : SEEK_CUR);
}

/* CHANGE(note, call): both as one, where the file is tracked. */
#define CHANGE(fd, kind, offset, length, call) \
  READY(); \
  if (!path_of(fd)) return call; \
  LOCK(); \
  note_change(fd, kind, offset, length); \
  __typeof__(call) result = call; \
  int error = errno; \
  UNLOCK(); \
  errno = error; \
  return result

ssize_t write(int fd, const void *bytes, size_t length) {
  CHANGE(fd, WRITE, position(fd), length, real_write(fd, bytes, length));
}
ssize_t writev(int fd, const struct iovec *parts, int count) {
  CHANGE(fd, WRITE, position(fd), length_of(parts, count), real_writev(fd, parts, count));
}
ssize_t pwrite64(int fd, const void *bytes, size_t length, off64_t offset) {
  CHANGE(fd, WRITE, offset, length, real_pwrite64(fd, bytes, length, offset));
}
ssize_t pwrite(int fd, const void *bytes, size_t length, off_t offset) { return pwrite64(fd, bytes, length, offset); }
ssize_t pwritev(int fd, const struct iovec *parts, int count, off_t offset) {
  CHANGE(fd, WRITE, offset, length_of(parts, count), real_pwritev(fd, parts, count, offset));
}
ssize_t pwritev64(int fd, const struct iovec *parts, int count, off64_t offset) { return pwritev(fd, parts, count, offset); }
int ftruncate64(int fd, off64_t size) {
  CHANGE(fd, RESIZE, size, 0, real_ftruncate64(fd, size));
}
int ftruncate(int fd, off_t size) { return ftruncate64(fd, size); }

static int synced(int fd, int (*real)(int)) {
  READY();
  const char *path = path_of(fd);
  struct stat64 file;
  if (!path || fstat64(fd, &file) != 0) return real(fd);
  uint64_t number = ((uint64_t)getpid() << 24) | atomic_fetch_add(&numbers, 1);
  LOCK();
  note_path(SYNC_BEGIN, file.st_ino, path, number, NULL);
  UNLOCK();
  struct timespec pause = {sync_ms / 1000, (sync_ms % 1000) * 1000000};
  nanosleep(&pause, NULL);
  LOCK();
  note_path(SYNC_END, file.st_ino, path, number, NULL);
  UNLOCK();
  return 0;
}

int fsync(int fd) { return synced(fd, real_fsync); }
int fdatasync(int fd) { return synced(fd, real_fdatasync); }

/* Both as one; what could not be done is not noted, for nothing is lost by it. */
#define ENTRY(is_tracked, before, call, after) \
  READY(); \
  if (!(is_tracked)) return call; \
  LOCK(); \
  before; \
  int result = call; \
  int error = errno; \
  if (result == 0) after; \
  UNLOCK(); \
  errno = error; \
  return result

int rename(const char *from, const char *to) {
  ENTRY(tracked(from) || tracked(to), uint64_t number = bury(to), real_rename(from, to),
    note_path(RENAME, inode(to), from, number, to));
}
int unlink(const char *path) {
  ENTRY(tracked(path), uint64_t file = inode(path); uint64_t number = bury(path), real_unlink(path),
    note_path(UNLINK, file, path, number, NULL));
}
int unlinkat(int folder, const char *given, int flags) {
  char buffer[PATH_MAX + 1];
  const char *path = absolute(folder, given, buffer);
  ENTRY(tracked(path), uint64_t file = inode(path); uint64_t number = bury(path),
    real_unlinkat(folder, given, flags),
    note_path(flags & AT_REMOVEDIR ? RMDIR : UNLINK, file, path, number, NULL));
}
int mkdir(const char *path, mode_t mode) {
  ENTRY(tracked(path), (void)0, real_mkdir(path, mode), note_path(MKDIR, inode(path), path, 0, NULL));
}
int rmdir(const char *path) {
  ENTRY(tracked(path), uint64_t file = inode(path), real_rmdir(path), note_path(RMDIR, file, path, 0, NULL));
}
int link(const char *from, const char *to) {
  ENTRY(tracked(to), (void)0, real_link(from, to), note_path(CREATE, inode(to), to, 0, NULL));
}

/* libuv copies with `read` and `write` when the kernel cannot do it alone (`uv__fs_sendfile`). */
ssize_t sendfile64(int to, int from, off64_t *offset, size_t count) {
  READY();
  if (!path_of(to)) return real_sendfile64(to, from, offset, count);
  errno = EINVAL;
  return -1;
}
ssize_t sendfile(int to, int from, off_t *offset, size_t count) { return sendfile64(to, from, offset, count); }
ssize_t copy_file_range(int from, off64_t *at, int to, off64_t *there, size_t count, unsigned flags) {
  return syscall(SYS_copy_file_range, from, at, to, there, count, flags);
}
long syscall(long number, ...) {
  READY();
  va_list rest;
  long with[6];
  va_start(rest, number);
  for (int index = 0; index < 6; index += 1) with[index] = va_arg(rest, long);
  va_end(rest);
  if (number == SYS_copy_file_range && path_of((int)with[2])) {
    errno = EXDEV;
    return -1;
  }
  return real_syscall(number, with[0], with[1], with[2], with[3], with[4], with[5]);
}
