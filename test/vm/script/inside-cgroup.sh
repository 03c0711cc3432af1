#!/bin/sh -e
# shellcheck disable=SC2046,SC2086
# Executes a program as a service of OpenRC is: rdexec prepares a cgroup, which the service
# joins later.
cgroup=$1; shift
rdexec -v mgmt -c $cgroup -- true
echo 0 >$(cg)$cgroup/cgroup.procs
exec setpriv --reuid=65534 --regid=65534 --clear-groups "$@"
