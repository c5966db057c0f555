package harness

import (
	"fmt"
	"os"
	"runtime"

	"golang.org/x/sys/unix"
)

// secluded is set in the environment of a process that is secluded already.
const secluded = "WIMZ_SECLUDED"

// Seclude gives this process a network of its own: a namespace with nothing in
// it but loopback, and a /var/run/netns of its own, so that neither the
// machine's network nor another run's namespaces are within reach. All of it
// ends with the process and its children, however they end.
//
// It starts the program anew and returns in the new one only. It fails where
// the process may not do so, with [unix.EPERM]: it needs CAP_SYS_ADMIN.
func Seclude() error {
	if os.Getenv(secluded) != "" {
		return nil
	}
	runtime.LockOSThread() // Exec makes this thread the process
	defer runtime.UnlockOSThread()
	if err := unix.Unshare(unix.CLONE_NEWNET | unix.CLONE_NEWNS); err != nil {
		return fmt.Errorf("make a network namespace: %w", err)
	}
	const names = "/var/run/netns"
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("make the mounts private: %w", err)
	}
	if err := os.MkdirAll(names, 0o755); err != nil {
		return err
	}
	if err := unix.Mount("tmpfs", names, "tmpfs", 0, ""); err != nil {
		return fmt.Errorf("mount %s: %w", names, err)
	}
	return unix.Exec("/proc/self/exe", os.Args, append(os.Environ(), secluded+"=1"))
}
