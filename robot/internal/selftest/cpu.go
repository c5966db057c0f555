package selftest

import (
	"time"

	"golang.org/x/sys/unix"
)

// cpuTime is what this process has used so far, of all cores together.
func cpuTime() time.Duration {
	var usage unix.Rusage
	if unix.Getrusage(unix.RUSAGE_SELF, &usage) != nil {
		return 0
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

func percent(used, of time.Duration) float64 { return 100 * used.Seconds() / of.Seconds() }

func perSecond(n int, d time.Duration) float64 { return float64(n) / d.Seconds() }
