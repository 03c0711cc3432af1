package main

// pause waits for a signal.
func pause()
