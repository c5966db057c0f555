package supervise_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"wimz.dev/live/robot/internal/supervise"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const patience = 20 * time.Second

// systemd is the socket it listens on.
type systemd struct {
	*net.UnixConn
	t *testing.T
}

func listen(t *testing.T, watchdog time.Duration) systemd {
	t.Helper()
	name := filepath.Join(t.TempDir(), "notify")
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: name, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	t.Setenv("NOTIFY_SOCKET", name)
	t.Setenv("WATCHDOG_PID", fmt.Sprint(os.Getpid()))
	t.Setenv("WATCHDOG_USEC", fmt.Sprint(watchdog.Microseconds()))
	return systemd{conn, t}
}

// next returns what is said within a time, or nothing.
func (s systemd) next(within time.Duration) string {
	s.t.Helper()
	buffer := make([]byte, 1<<10)
	if err := s.SetReadDeadline(time.Now().Add(within)); err != nil {
		s.t.Fatal(err)
	}
	n, err := s.Read(buffer)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return ""
	}
	if err != nil {
		s.t.Fatal(err)
	}
	return string(buffer[:n])
}

// service hangs when it is told to.
type service struct{ hangs atomic.Bool }

func (s *service) Alive(ctx context.Context) error {
	if s.hangs.Load() {
		<-ctx.Done()
		return ctx.Err()
	}
	return nil
}

func (*service) Summary() string { return "watching the dog" }

// TestSilentWhileItHangs: systemd hears nothing from a service that hangs, for
// longer than it is patient, and hears again from one that goes on.
func TestSilentWhileItHangs(t *testing.T) {
	const watchdog = 300 * time.Millisecond
	systemd := listen(t, watchdog)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	ended, dog := make(chan struct{}), &service{}
	go func() {
		defer close(ended)
		supervise.Run(ctx, dog, slog.New(slog.DiscardHandler))
	}()
	if got := systemd.next(patience); !strings.Contains(got, "READY=1") {
		t.Errorf("first it said %q", got)
	}
	for range 3 {
		if got := systemd.next(patience); got != "WATCHDOG=1\nSTATUS=watching the dog" {
			t.Errorf("then it said %q", got)
		}
	}
	dog.hangs.Store(true)
	systemd.next(watchdog / 2) // may have been on its way
	if got := systemd.next(2 * watchdog); got != "" {
		t.Errorf("while it hung it said %q", got)
	}
	dog.hangs.Store(false)
	if got := systemd.next(patience); !strings.Contains(got, "WATCHDOG=1") {
		t.Errorf("back again it said %q", got)
	}
	stop()
	for got := ""; got != "STOPPING=1"; {
		if got = systemd.next(patience); got == "" {
			t.Fatal("it did not say that it stops")
		}
	}
	<-ended
}

func TestWithoutSystemd(t *testing.T) {
	t.Setenv("NOTIFY_SOCKET", "")
	supervise.Run(t.Context(), &service{}, slog.New(slog.DiscardHandler)) // returns
}
