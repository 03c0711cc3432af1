# Runs a scenario on a machine of its own: an overlay of / with OpenRC unpacked
# into it, in mount, PID and network namespaces that the caller has made.
#
#	bed.sh OPENRC STAGE OUT: STAGE is copied over the root; OUT is seen as /out;
#	/out/scenario is run.
set -eu
openrc=$1 stage=$2 out=$3

mount --make-rprivate /
mount -t tmpfs tmpfs /mnt
mkdir /mnt/upper /mnt/work /mnt/root
mount -t overlay overlay -o lowerdir=/,upperdir=/mnt/upper,workdir=/mnt/work /mnt/root
cd /mnt/root
mkdir -p proc sys dev run out
mount -t proc proc proc
mount --rbind /sys sys
mount --rbind /dev dev
mount -t tmpfs tmpfs run
mount -t tmpfs tmpfs tmp
mount --bind "$out" out
# Where /sbin is a link to /usr/sbin it stays one.
(cd "$openrc" && tar cf - --exclude=usr/share .) | tar xf - --keep-directory-symlink
(cd "$stage" && tar cf - .) | tar xf - --keep-directory-symlink
mkdir old
pivot_root . old
cd /
umount -l /old
mkdir -p /run/openrc /etc/runlevels/default
for state in starting started stopping inactive wasinactive failed hotplugged daemons options exclusive scheduled tmp; do
	mkdir "/run/openrc/$state"
done
echo default >/run/openrc/softlevel
ip link set lo up
exec sh /out/scenario >/out/log 2>&1
