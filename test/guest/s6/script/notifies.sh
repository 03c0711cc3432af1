#!/bin/sh
# Says that it is ready as systemd has it.
printf 'READY=1\n' | socat - "ABSTRACT-SENDTO:${NOTIFY_SOCKET#@}"
exec sleep 1000
