#!/bin/sh
# Says that it ran, and ends with the exit code that it is given.
echo "$1" >>"/run/fails.$1"
exit "$1"
