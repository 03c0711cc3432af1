#!/bin/sh
# login HOST FROM: what ssh from the namespace says.
exec ip netns exec "$2" ssh -n -i /root/key -o BatchMode=yes -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null \
	-o ConnectTimeout=20 -o LogLevel=ERROR "root@$1" 'echo hello from $(hostname)'
