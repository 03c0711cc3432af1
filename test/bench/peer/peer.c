/* The peer of rdexec: the least that a program can do to enter a namespace.
 *   peer enter NETNS PROG...   setns, exec
 *   peer rss PROG...           runs PROG, prints its peak RSS in KiB; this small
 *                              program must be the parent, because a child's peak
 *                              starts with its parent's
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sched.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

int main(int argc, char **argv)
{
	if (argc > 3 && !strcmp(argv[1], "enter")) {
		char path[300];
		snprintf(path, sizeof path, "/run/netns/%s", argv[2]);
		int fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0 || setns(fd, CLONE_NEWNET))
			return 111;
		execv(argv[3], argv + 3);
		return 127;
	}
	if (argc > 2 && !strcmp(argv[1], "rss")) {
		pid_t pid;
		int status;
		struct rusage use;
		if (posix_spawn(&pid, argv[2], 0, 0, argv + 2, environ))
			return 111;
		if (wait4(pid, &status, 0, &use) < 0)
			return 111;
		printf("%ld\n", use.ru_maxrss);
		return 0;
	}
	return 100;
}
