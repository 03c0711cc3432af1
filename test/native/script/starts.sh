#!/bin/bash
# Starts $1-none, $1-netns and others in turns, and prints of each what it took, and for how
# long all of the machine computed meanwhile, in microseconds.
computed() { sed -n 's/^usage_usec //p' /sys/fs/cgroup/cpu.stat; }
for i in {0..40}; do
	for where in none netns alone unseen true; do
		used=$(computed)
		before=${EPOCHREALTIME/./}
		systemctl start "$1-$where" || exit 1
		after=${EPOCHREALTIME/./}
		[ "$i" = 0 ] || echo "$where $((after - before)) $(($(computed) - used))"
		systemctl stop "$1-$where"
	done
done
