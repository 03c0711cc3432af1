#!/bin/sh
# Machines that have cgroup v2 somewhere else, or nowhere. Each part is after "umount -l
# /sys/fs/cgroup", in a mount namespace.

# part: none

# part: hybrid
mount -t tmpfs none /sys/fs/cgroup
mkdir /sys/fs/cgroup/unified /sys/fs/cgroup/net_cls
mount -t cgroup2 none /sys/fs/cgroup/unified

# part: elsewhere
mkdir -p /run/test/cg
mount -t cgroup2 none /run/test/cg

# part: sockets
rdexec -v mgmt -- probe sockets
rdexec -v mgmt -c /at -- true
rdexec -n t1 -v inner -- rdomain check --self -n t1 -v inner

# part: net_cls
# After hybrid. net_cls turned cgroup v2 off for sockets before Linux 5.15.
modprobe -q cls_cgroup || :
mount -t cgroup -o net_cls none /sys/fs/cgroup/net_cls || exit 77
mkdir /sys/fs/cgroup/net_cls/x
echo 0x10001 >/sys/fs/cgroup/net_cls/x/net_cls.classid
echo $$ >/sys/fs/cgroup/net_cls/x/cgroup.procs
rdexec -v mgmt -- probe sockets
echo $$ >/sys/fs/cgroup/net_cls/cgroup.procs
rmdir /sys/fs/cgroup/net_cls/x
