// The process that holds a pod's sandbox open: it waits to be told to end. As process 1 of a sandbox that shares its process
// namespace it must also collect orphans, which ignoring SIGCHLD makes the kernel do.
package main

import (
	"os"
	"os/signal"
	"syscall"
)

func main() {
	signal.Ignore(syscall.SIGCHLD)
	told := make(chan os.Signal, 1)
	signal.Notify(told, syscall.SIGTERM, syscall.SIGINT)
	<-told
}
