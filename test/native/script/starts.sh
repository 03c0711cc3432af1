#!/bin/bash
# Starts $1-none, $1-netns and others in turns, and prints what each took, in microseconds.
for i in {0..40}; do
	for where in none netns true unseen; do
		before=${EPOCHREALTIME/./}
		systemctl start "$1-$where" || exit 1
		after=${EPOCHREALTIME/./}
		[ "$i" = 0 ] || echo "$where $((after - before))"
		systemctl stop "$1-$where"
	done
done
