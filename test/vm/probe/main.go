// Command probe looks at sockets from inside a test machine: how new ones are
// bound, whether one can be bound elsewhere, and what answers.
//
//	probe sockets          opens one of each kind, prints each with its interface
//	probe listeners        prints who listens, in any namespace: ADDRESS%DEVICE:PORT PID
//	probe escape DEVICE ADDRESS   sends UDP datagrams, by way of DEVICE in each way there is
//	probe leave HOME LINK/KIND/ADDRESSES...   tries all ways to reach ADDRESSES by LINK, prints answers and counts
//	probe attack HOME LINK/KIND/ADDRESSES...   serves on sockets that were made to leave, prints what it took; and leave
//	probe few attack ...   the same in few ways
//	probe ways             prints the names of the ways
//	probe poke ADDRESSES TRANSPORTS   asks the ports of attack
//	probe answer           echoes, in every transport, to leave
//	probe watch            prints the packets of leave that it sees, with their link
//	probe receive ADDRESS  prints the datagrams that arrive
//	probe listen ADDRESS   listens (TCP), and says so; answers each with one line
//	probe serve ADDRESS    as listen, and keeps connections: one line for each byte
//	probe ask ADDRESS      connects and prints the line
//	probe requests ADDRESS N     asks serve N times; prints ns for each, after as many unmeasured
//	probe connections ADDRESS N  as requests, a connection for each
//	probe let-go PROG ARG...     takes what keeps sockets in their VRF off its cgroup, and becomes PROG
//	probe times N PROG ARG... vs PROG ARG...   runs the two in turns, N times; prints the medians in ns
package main

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

func main() {
	if err := do(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "probe:", err)
		os.Exit(1)
	}
}

func do(args []string) error {
	switch {
	case len(args) == 1 && args[0] == "sockets":
		return sockets()
	case len(args) == 1 && args[0] == "listeners":
		return listeners()
	case len(args) == 3 && args[0] == "escape":
		return escape(args[1], args[2])
	case len(args) >= 3 && args[0] == "leave":
		return leave(args[1], args[2:])
	case len(args) >= 3 && args[0] == "attack":
		return attack(args[1], args[2:])
	case len(args) > 1 && args[0] == "few":
		onlyFew = true
		return do(args[1:])
	case len(args) == 1 && args[0] == "ways":
		for _, w := range ways {
			fmt.Println(w.name)
		}
		return nil
	case len(args) == 3 && args[0] == "poke":
		return poke(args[1], args[2])
	case len(args) == 1 && args[0] == "answer":
		return answer()
	case len(args) == 1 && args[0] == "watch":
		return watch()
	case len(args) == 2 && args[0] == "receive":
		return receive(args[1])
	case len(args) == 2 && args[0] == "listen":
		return listen(args[1], func(c net.Conn) { fmt.Fprintln(c, "hello from", args[1]) })
	case len(args) == 2 && args[0] == "serve":
		return listen(args[1], echo)
	case len(args) == 2 && args[0] == "ask":
		return ask(args[1])
	case len(args) == 3 && args[0] == "requests":
		return measure(args[2], func(n int) error { return requests(args[1], n) })
	case len(args) == 3 && args[0] == "connections":
		return measure(args[2], func(n int) error {
			for range n {
				if err := requests(args[1], 1); err != nil {
					return err
				}
			}
			return nil
		})
	case len(args) > 1 && args[0] == "let-go":
		return letGo(args[1:])
	case len(args) > 4 && args[0] == "times":
		return times(args[1], args[2:])
	}
	return errors.New("usage: see the comment at the top of test/vm/probe/main.go")
}

// sockets prints, for each kind of socket, the interface that a new one is
// bound to, "-" for none, or the error of socket(2).
func sockets() error {
	for _, k := range []struct {
		name                string
		family, kind, proto int
	}{
		{"tcp4", unix.AF_INET, unix.SOCK_STREAM, 0},
		{"tcp6", unix.AF_INET6, unix.SOCK_STREAM, 0},
		{"mptcp4", unix.AF_INET, unix.SOCK_STREAM, unix.IPPROTO_MPTCP},
		{"mptcp6", unix.AF_INET6, unix.SOCK_STREAM, unix.IPPROTO_MPTCP},
		{"udp4", unix.AF_INET, unix.SOCK_DGRAM, 0},
		{"udp6", unix.AF_INET6, unix.SOCK_DGRAM, 0},
		{"raw4", unix.AF_INET, unix.SOCK_RAW, unix.IPPROTO_ICMP},
		{"raw6", unix.AF_INET6, unix.SOCK_RAW, unix.IPPROTO_ICMPV6},
		{"ping4", unix.AF_INET, unix.SOCK_DGRAM, unix.IPPROTO_ICMP},
		{"ping6", unix.AF_INET6, unix.SOCK_DGRAM, unix.IPPROTO_ICMPV6},
	} {
		fmt.Println(k.name, boundTo(k.family, k.kind, k.proto))
	}
	return nil
}

func boundTo(family, kind, proto int) string {
	s, err := unix.Socket(family, kind|unix.SOCK_CLOEXEC, proto)
	if err != nil {
		return err.Error()
	}
	defer unix.Close(s)
	index, err := unix.GetsockoptInt(s, unix.SOL_SOCKET, unix.SO_BINDTOIFINDEX)
	if err != nil {
		return err.Error()
	}
	if index == 0 {
		return "-"
	}
	link, err := net.InterfaceByIndex(index)
	if err != nil {
		return fmt.Sprintf("if%d", index)
	}
	return link.Name
}

func receive(address string) error {
	c, err := net.ListenPacket("udp", address)
	if err != nil {
		return err
	}
	fmt.Println("receiving on", c.LocalAddr())
	b := make([]byte, 1500)
	for {
		n, _, err := c.ReadFrom(b)
		if err != nil {
			return err
		}
		fmt.Println(string(b[:n]))
	}
}

func listen(address string, answer func(net.Conn)) error {
	network := "tcp4"
	if strings.HasPrefix(address, "[") {
		network = "tcp6"
	}
	l, err := net.Listen(network, address)
	if err != nil {
		return err
	}
	fmt.Println("listening on", l.Addr())
	for {
		c, err := l.Accept()
		if err != nil {
			return err
		}
		go func() {
			defer c.Close()
			answer(c)
		}()
	}
}

func echo(c net.Conn) {
	var b [1]byte
	for {
		if _, err := io.ReadFull(c, b[:]); err != nil {
			return
		}
		if _, err := c.Write([]byte("y\n")); err != nil {
			return
		}
	}
}

// limit ends an attempt that nobody answers; a refusal comes at once.
const limit = 3 * time.Second

func ask(address string) error {
	c, err := net.DialTimeout("tcp", address, limit)
	if err != nil {
		return err
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(limit))
	_, err = io.Copy(os.Stdout, c)
	return err
}
