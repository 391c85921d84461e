/* Preloaded into a process: below a folder, $LIFELINE_REFUSING, permissions, owners, locks, flushes
 * and extended attributes are refused, as on a mount that has no such things.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

static int below(const char *path)
{
    const char *folder = getenv("LIFELINE_REFUSING");
    return folder && path && strncmp(path, folder, strlen(folder)) == 0;
}

static int open_below(int file)
{
    char link[64], path[PATH_MAX] = "";
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    return readlink(link, path, sizeof path - 1) > 0 && below(path);
}

#define REFUSE(name, error, refused, parameters, arguments) \
    int name parameters                                     \
    {                                                       \
        static int (*real) parameters;                      \
        if (refused) {                                      \
            errno = error;                                  \
            return -1;                                      \
        }                                                   \
        if (!real)                                          \
            *(void **)&real = dlsym(RTLD_NEXT, #name);      \
        return real arguments;                              \
    }

REFUSE(chmod, EPERM, below(path), (const char *path, mode_t mode), (path, mode))
REFUSE(fchmod, EPERM, open_below(file), (int file, mode_t mode), (file, mode))
REFUSE(fchmodat, EPERM, below(path), (int folder, const char *path, mode_t mode, int flags),
       (folder, path, mode, flags))
REFUSE(chown, EPERM, below(path), (const char *path, uid_t user, gid_t group), (path, user, group))
REFUSE(fchown, EPERM, open_below(file), (int file, uid_t user, gid_t group), (file, user, group))
REFUSE(fsync, ENOSYS, open_below(file), (int file), (file))
REFUSE(flock, ENOLCK, open_below(file), (int file, int operation), (file, operation))
REFUSE(fsetxattr, ENOTSUP, open_below(file),
       (int file, const char *name, const void *value, size_t size, int flags),
       (file, name, value, size, flags))

/* This one gives the error, and does not set it. */
int posix_fadvise64(int file, off_t from, off_t length, int advice)
{
    static int (*real)(int, off_t, off_t, int);
    if (open_below(file))
        return ENOSYS;
    if (!real)
        *(void **)&real = dlsym(RTLD_NEXT, "posix_fadvise64");
    return real(file, from, length, advice);
}
