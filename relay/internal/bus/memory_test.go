package bus_test

import (
	"testing"

	"go.uber.org/goleak"

	"wimz.dev/live/relay/internal/bus"
	"wimz.dev/live/relay/internal/bus/bustest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestMemory(t *testing.T) {
	bustest.Run(t, func() bus.Bus { return bus.NewMemory() })
}

// TestNamesDoNotMeet: what may be part of an identifier cannot make one kind of
// address look like another.
func TestNamesDoNotMeet(t *testing.T) {
	names := []string{
		bus.AppAddress("x"), bus.RobotAddress("x"), bus.SessionAddress("x"), bus.UserTopic("x"),
		bus.PresenceTopic(bus.AppAddress("x")), bus.PresenceTopic(bus.RobotAddress("x")),
	}
	seen := map[string]bool{}
	for _, name := range names {
		if seen[name] {
			t.Errorf("%s stands for two", name)
		}
		seen[name] = true
	}
}
