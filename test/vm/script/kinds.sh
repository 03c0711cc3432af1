#!/bin/sh
# shellcheck disable=SC2059,SC2086
# What some kinds of link need besides themselves, after far.sh.

# part: ipsec
# between NETNS HERE THERE NUMBER WORD VALUE: IPsec's states and policies for one end of a
# tunnel, in the namespace at the path NETNS, and for packets that WORD VALUE (mark, if_id)
# tells.
between()
{
	netns=$1 here=$2 there=$3 number=$4 word=$5 value=$6
	key=0x$(printf '%040d' "$number") id=
	[ "$word" != if_id ] || id="if_id $value"
	for pair in "src $here dst $there" "src $there dst $here"; do
		nsenter --net="$netns" ip xfrm state add $pair proto esp spi $((4096 + number)) mode tunnel flag af-unspec aead 'rfc4106(gcm(aes))' "$key" 128 $id
	done
	nsenter --net="$netns" ip xfrm policy add src 0.0.0.0/0 dst 0.0.0.0/0 dir out "$word" "$value" tmpl src "$here" dst "$there" proto esp mode tunnel
	nsenter --net="$netns" ip xfrm policy add src 0.0.0.0/0 dst 0.0.0.0/0 dir in "$word" "$value" tmpl src "$there" dst "$here" proto esp mode tunnel
}

# part: refused
for link in 'Kind=geneve\nId=9\nRemote=10.0.3.2' 'Kind=vti\nLocal=10.0.3.11' 'Kind=vti6\nLocal=fd00:3::11' 'Kind=xfrm\nInterfaceId=9'; do
	printf "[Link bad9]\nOuter=red\n$link\n" >/etc/rdomain/bad.conf
	! rdomain up bad 2>/root/why || exit 1
	grep -q '/etc/rdomain/bad.conf:2: red is a VRF, and the packets of a [a-z0-9]* do not travel through one' /root/why
	test ! -e /run/netns/bad
done
rm /etc/rdomain/bad.conf
