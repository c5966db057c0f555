package main

import (
	"fmt"
	"strings"
	"time"

	"wimz.dev/live/relay/wire"
	"wimz.dev/live/simapp"
)

// state says in words how far a viewing is.
func state(r simapp.Report) string {
	for _, step := range []struct {
		phase simapp.Phase
		words string
	}{
		{simapp.PhaseFrame, "live"},
		{simapp.PhaseConnected, "connected, waiting for the first picture"},
		{simapp.PhaseAnswer, "connecting"},
	} {
		if _, reached := r.Phases[step.phase]; reached {
			return step.words
		}
	}
	return "waiting for the robot's offer"
}

// line is a second's figures on one line.
func line(elapsed time.Duration, r simapp.Report) string {
	parts := []string{clock(elapsed), state(r)}
	if r.Frames > 0 {
		parts = append(parts,
			fmt.Sprintf("%d pictures", r.Frames), fmt.Sprintf("%.1f fps", r.FPS),
			fmt.Sprintf("%.0f kbit/s", r.BitrateKbps))
		if r.Latency != nil {
			parts = append(parts, fmt.Sprintf("latency %.0f ms", r.Latency.P50), fmt.Sprintf("lost %d", *r.Lost))
		}
		parts = append(parts, fmt.Sprintf("frozen %d times", r.Freezes))
	}
	return strings.Join(parts, "  ")
}

// dashboard is the same on a terminal.
func dashboard(device wire.DeviceID, elapsed time.Duration, r simapp.Report) []string {
	lines := []string{fmt.Sprintf("  \x1b[1m%s\x1b[0m  %s  %s", device, state(r), clock(elapsed))}
	if r.Frames > 0 {
		lines = append(lines, figures(r)...)
	}
	return append(lines, "  \x1b[2mCtrl-C ends\x1b[0m")
}

// summary is what remains at the end.
func summary(device wire.DeviceID, r simapp.Report) string {
	if r.Frames == 0 {
		return fmt.Sprintf("%s: no picture; it ended while %s\n", device, state(r))
	}
	first := fmt.Sprintf("%s: %d pictures, the first after %.0f ms", device, r.Frames, *r.TTFF)
	return strings.Join(append([]string{first}, figures(r)...), "\n") + "\n"
}

// figures are the lines that dashboard and summary share.
func figures(r simapp.Report) []string {
	lines := []string{fmt.Sprintf("  video    %s, %.1f fps, %.0f kbit/s", r.Codec, r.FPS, r.BitrateKbps)}
	if r.Latency != nil {
		lines = append(lines, fmt.Sprintf("  latency  %.0f ms, 95 %% below %.0f ms", r.Latency.P50, r.Latency.P95),
			fmt.Sprintf("  pictures %d lost, %d repeated, %d unreadable, frozen %d times",
				*r.Lost, *r.Repeated, *r.StampErrors, r.Freezes))
	} else {
		lines = append(lines, fmt.Sprintf("  pictures frozen %d times; without stamps latency and loss are unknown", r.Freezes))
	}
	if r.Pair != nil {
		lines = append(lines, "  path     "+path(*r.Pair))
	}
	return lines
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
