package main

import (
	"fmt"
	"strings"
	"time"

	"wimz.dev/live/relay/wire"
	"wimz.dev/live/simapp"
)

// stillAfter is how old the newest picture of live video is at most.
const stillAfter = 2 * time.Second

// state says in words how far a viewing is. age is that of its newest picture.
func state(r simapp.Report, age time.Duration) string {
	for _, step := range []struct {
		phase simapp.Phase
		words string
	}{
		{simapp.PhaseFrame, "live"},
		{simapp.PhaseConnected, "connected, waiting for the first picture"},
		{simapp.PhaseAnswer, "connecting"},
	} {
		if _, reached := r.Phases[step.phase]; reached {
			if step.phase == simapp.PhaseFrame && age > stillAfter {
				return fmt.Sprintf("no picture for %.0f s", age.Seconds())
			}
			return step.words
		}
	}
	return "waiting for the robot's offer"
}

// line is a second's figures on one line.
func line(elapsed time.Duration, v view) string {
	parts := []string{clock(elapsed), v.State}
	if v.Frames > 0 {
		parts = append(parts,
			fmt.Sprintf("%d pictures", v.Frames), fmt.Sprintf("%.1f fps", v.FPS),
			fmt.Sprintf("%.0f kbit/s", v.BitrateKbps))
		if v.Latency != nil {
			parts = append(parts, fmt.Sprintf("latency %.0f ms", v.Latency.P50), fmt.Sprintf("lost %d", *v.Lost))
		}
		parts = append(parts, "frozen "+times(v.Freezes))
	}
	return strings.Join(parts, "  ")
}

// summary is what remains at the end.
func summary(device wire.DeviceID, v view) string {
	if v.Frames == 0 {
		return fmt.Sprintf("%s: no picture; %s\n", device, v.State)
	}
	lines := []string{
		fmt.Sprintf("%s: %d pictures, the first after %.0f ms", device, v.Frames, *v.TTFF),
		fmt.Sprintf("  video    %s, %.1f fps, %.0f kbit/s", v.Codec, v.FPS, v.BitrateKbps),
	}
	if v.Latency != nil {
		lines = append(lines, fmt.Sprintf("  latency  %.0f ms, 95 %% below %.0f ms", v.Latency.P50, v.Latency.P95))
	}
	lines = append(lines, "  pictures "+counted(v))
	if v.Pair != nil {
		lines = append(lines, "  path     "+path(*v.Pair))
	}
	return strings.Join(lines, "\n") + "\n"
}

// counted says how many pictures there were, and what was wrong.
func counted(v view) string {
	if v.Latency == nil {
		return fmt.Sprintf("%d, frozen %s; without stamps latency and loss are unknown", v.Frames, times(v.Freezes))
	}
	return fmt.Sprintf("%d, %d lost, %d repeated, %d unreadable, frozen %s",
		v.Frames, *v.Lost, *v.Repeated, *v.StampErrors, times(v.Freezes))
}

func times(n int) string {
	if n == 1 {
		return "once"
	}
	return fmt.Sprintf("%d times", n)
}

// path says which way the media takes.
func path(p simapp.Pair) string {
	switch {
	case p.Local == "relay":
		return "through our TURN server, " + p.Protocol
	case p.Remote == "relay":
		return "through the robot's TURN server, " + p.Protocol
	default:
		return fmt.Sprintf("direct, %s (%s to %s)", p.Protocol, p.Local, p.Remote)
	}
}

func clock(d time.Duration) string {
	return fmt.Sprintf("%02d:%02d", int(d.Minutes()), int(d.Seconds())%60)
}
