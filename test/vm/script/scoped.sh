#!/bin/sh
# scoped NAMESPACE LINK: the link-local address of a link.
ip -n "$1" -6 -o address show dev "$2" scope link | sed 's,.*inet6 \([^/]*\)/.*,\1,'
