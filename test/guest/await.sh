#!/bin/sh
# await COMMAND...: runs a command, or a function of the script's, until it succeeds. After
# 400 tries it says what it waited for, and the command has the last word. This is the one
# way to wait: a function of every script, and the program await of every machine. Between
# the tries are await_pause seconds; or a tenth of one, and half of one after the ninth, as
# in an emulated machine each try takes the processor from what it waits for.
await()
{
	for await_try in $(seq 400); do
		"$@" >/dev/null 2>&1 && return
		case $await_try in
		?) sleep "${await_pause:-0.1}" ;;
		*) sleep "${await_pause:-0.5}" ;;
		esac
	done
	echo "await: $*" >&2
	"$@"
}
case $0 in
*/await) await "$@" ;;
esac
