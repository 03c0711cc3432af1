#!/bin/sh
# fetch SECONDS ADDRESS [PATH]: prints what a web server has at port 80. It ends with 0 where there
# is nothing, too. The wget of Debian 12's busybox ends in a segmentation fault.
printf 'GET /%s HTTP/1.0\r\nHost: %s\r\n\r\n' "${3-}" "$2" | busybox nc -w "$1" "$2" 80 | sed '1,/^\r$/d'
