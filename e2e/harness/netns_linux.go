package harness

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// Netns is a network namespace under a name of ip-netns(8): a machine's network
// without a machine. Call [Seclude] first. The empty name is the namespace this
// process is in.
type Netns string

// NewNetns adds a namespace. It has no interface but loopback, which is up.
func NewNetns(ctx context.Context, name string) (Netns, error) {
	n := Netns(name)
	if err := execute(ctx, "ip", "netns", "add", name); err != nil {
		return "", err
	}
	return n, n.IP(ctx, "link set lo up")
}

// AttachNetns names the namespace a process is in, such as a container's.
func AttachNetns(ctx context.Context, name string, pid int) (Netns, error) {
	return Netns(name), execute(ctx, "ip", "netns", "attach", name, fmt.Sprint(pid))
}

// Delete removes the name, and with it the namespace and its cables as soon as
// no process is in it.
func (n Netns) Delete(ctx context.Context) error {
	return execute(ctx, "ip", "netns", "delete", string(n))
}

// Prefix is what a command line begins with to run in the namespace. What runs
// there does not outlive this process, even if that is killed.
func (n Netns) Prefix() []string {
	leash := []string{"setpriv", "--pdeathsig", "KILL", "--"}
	if n == "" {
		return leash
	}
	return append([]string{"ip", "netns", "exec", string(n)}, leash...)
}

// IP runs one command of ip(8) in the namespace.
func (n Netns) IP(ctx context.Context, command string, args ...any) error {
	words := strings.Fields(fmt.Sprintf(command, args...))
	if n != "" {
		words = append([]string{"-n", string(n)}, words...)
	}
	return execute(ctx, "ip", words...)
}

// Nft runs commands of nft(8) in the namespace, all or none of them, and
// returns what they print.
func (n Netns) Nft(ctx context.Context, commands string) (string, error) {
	line := append(n.Prefix(), "nft", "-f", "-")
	nft := exec.CommandContext(ctx, line[0], line[1:]...)
	nft.Stdin = strings.NewReader(commands)
	return output(nft)
}

// Sysctl sets a setting of the namespace, a path below /proc/sys.
func (n Netns) Sysctl(setting, value string) error {
	return n.Enter(func() error { return os.WriteFile("/proc/sys/"+setting, []byte(value), 0) })
}

// Signal sends a signal to all that runs in the namespace.
func (n Netns) Signal(ctx context.Context, signal syscall.Signal) error {
	pids, err := output(exec.CommandContext(ctx, "ip", "netns", "pids", string(n)))
	if err != nil {
		return err
	}
	for pid := range strings.FieldsSeq(pids) {
		number, err := strconv.Atoi(pid)
		if err != nil {
			return err
		}
		if err = syscall.Kill(number, signal); err != nil && !errors.Is(err, syscall.ESRCH) {
			return fmt.Errorf("signal %d in %s: %w", number, n, err)
		}
	}
	return nil
}

// DialContext is that of a [net.Dialer] in the namespace, for IP addresses.
func (n Netns) DialContext(ctx context.Context, network, address string) (conn net.Conn, err error) {
	err = n.Enter(func() error {
		conn, err = (&net.Dialer{}).DialContext(ctx, network, address)
		return err
	})
	return conn, err
}

// Enter calls a function on a thread that is in the namespace. Sockets that it
// makes itself stay there.
func (n Netns) Enter(do func() error) error {
	if n == "" {
		return do()
	}
	runtime.LockOSThread() // and never unlocked if the way back is barred
	home, err := openNetns("/proc/thread-self/ns/net")
	if err != nil {
		return err
	}
	defer unix.Close(home) //nolint:errcheck // it was only read
	there, err := openNetns("/var/run/netns/" + string(n))
	if err != nil {
		return err
	}
	defer unix.Close(there) //nolint:errcheck // it was only read
	if err = unix.Setns(there, unix.CLONE_NEWNET); err != nil {
		return fmt.Errorf("enter %s: %w", n, err)
	}
	done := do()
	if err = unix.Setns(home, unix.CLONE_NEWNET); err != nil {
		return fmt.Errorf("leave %s: %w", n, err)
	}
	runtime.UnlockOSThread()
	return done
}

func openNetns(path string) (int, error) {
	fd, err := unix.Open(path, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return 0, fmt.Errorf("open %s: %w", path, err)
	}
	return fd, nil
}
