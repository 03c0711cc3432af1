// Idle is a daemon that does nothing, whatever its arguments: the tests look at what
// it was started with. It imports nothing, because Go's syscall package changes the
// limit of open files as soon as it is there.
package main

func main() {
	for {
		pause()
	}
}
