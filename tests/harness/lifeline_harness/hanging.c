/* Preloaded into a process: below a folder, $LIFELINE_HANGING, nothing is answered, as on a share
 * whose server is gone, from the moment on when a file of that name and ".gone" is there.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static void answer(const char *path)
{
    const char *folder = getenv("LIFELINE_HANGING");
    char gone[PATH_MAX];
    if (!folder || !path || strncmp(path, folder, strlen(folder)) != 0)
        return;
    snprintf(gone, sizeof gone, "%s.gone", folder);
    while (syscall(SYS_faccessat, AT_FDCWD, gone, F_OK) == 0)
        usleep(10000);
}

#define HANG(type, name, parameters, arguments)      \
    type name parameters                             \
    {                                                \
        static type (*real) parameters;              \
        answer(path);                                \
        if (!real)                                   \
            *(void **)&real = dlsym(RTLD_NEXT, #name); \
        return real arguments;                       \
    }

struct stat64;
HANG(int, stat, (const char *path, struct stat *found), (path, found))
HANG(int, lstat, (const char *path, struct stat *found), (path, found))
HANG(int, stat64, (const char *path, struct stat64 *found), (path, found))
HANG(int, lstat64, (const char *path, struct stat64 *found), (path, found))
HANG(int, fstatat, (int at, const char *path, struct stat *found, int flags),
     (at, path, found, flags))
HANG(int, fstatat64, (int at, const char *path, struct stat64 *found, int flags),
     (at, path, found, flags))
HANG(int, access, (const char *path, int mode), (path, mode))
HANG(ssize_t, readlink, (const char *path, char *into, size_t size), (path, into, size))

#define HANG_OPEN(name)                                            \
    int name(const char *path, int flags, ...)                     \
    {                                                              \
        static int (*real)(const char *, int, ...);                \
        va_list more;                                              \
        va_start(more, flags);                                     \
        mode_t mode = flags & O_CREAT ? va_arg(more, mode_t) : 0;  \
        va_end(more);                                              \
        answer(path);                                              \
        if (!real)                                                 \
            *(void **)&real = dlsym(RTLD_NEXT, #name);             \
        return real(path, flags, mode);                            \
    }

HANG_OPEN(open)
HANG_OPEN(open64)
